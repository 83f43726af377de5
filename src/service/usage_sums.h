// Adds up what entries of the ledger say was spent, by period, partition, user, cluster, account
// and job. Entries are posted once, on the budget that pays, so the sums count nothing twice.
// Plain values of one thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "api/usage.h"
#include "ledger/book.h"

namespace asbb::service {

// The types of entries that are spending, or correct it.
[[nodiscard]] std::vector<ledger::EntryType> spending_types();

// What the entry spent; negative for money that came back, nothing for other types and adjustments.
[[nodiscard]] std::optional<Micros> spent_by(const ledger::Entry& entry);

// The calendar day, month or year of a moment in a zone. Entries come in order of time: the last
// day is kept.
class PeriodNames {
 public:
  // `kind` is day, month or year; the zone is valid.
  PeriodNames(std::string kind, std::string zone)
      : kind_(std::move(kind)), zone_(std::move(zone)) {}

  [[nodiscard]] const std::string& name(Instant at);
  [[nodiscard]] Day day(Instant at);

 private:
  void find(Instant at);

  const std::string kind_;
  const std::string zone_;
  Instant start_;
  Instant end_;
  Day day_;
  std::string name_;
};

// Of one unit. What is kept for each job is some hundred bytes, whatever its names are.
class UsageSums {
 public:
  void add(const ledger::Entry& entry, const std::string& period);
  // Everything but limit, used, held, available and what is held by whom.
  void fill(api::UnitUsage& usage) const;

 private:
  using Name = std::int32_t;  // its number in names_
  enum Kind : std::size_t { period, partition, user, cluster, account, kind_count };
  struct Sum {
    Micros charged;
    std::int64_t jobs = 0;
  };
  // Of a task or an external job; and of a whole job, whose id may come back after a wrap.
  struct TaskKey {
    std::int64_t job_id = 0;
    std::int64_t task = 0;
    Name cluster = 0;
    Name external_id = 0;
    bool operator==(const TaskKey&) const = default;
  };
  struct JobKey {
    std::int64_t hold = 0;
    std::int64_t job_id = 0;
    Name cluster = 0;
    Name external_id = 0;
    bool operator==(const JobKey&) const = default;
  };
  struct Job {
    Micros charged;
    Name account = 0;
    Name user = 0;
    Name partition = 0;
  };
  struct Hash {
    std::size_t operator()(const TaskKey& key) const;
    std::size_t operator()(const JobKey& key) const;
  };
  using Names = std::array<Name, kind_count>;
  using Jobs = boost::unordered_flat_map<JobKey, Job, Hash>;

  [[nodiscard]] Name name_of(const std::string& text);
  void add(Kind kind, Name name, Micros amount, std::int32_t task, bool is_new);
  [[nodiscard]] std::vector<api::UsageLine> lines(Kind kind) const;
  void add_largest(std::vector<api::UsageJob>& out) const;
  [[nodiscard]] api::UsageJob view_of(const Jobs::value_type& job) const;

  Micros charged_;
  Micros adjusted_;
  std::map<std::string, Name> numbers_;
  std::vector<const std::string*> names_;
  boost::unordered_flat_map<TaskKey, std::int32_t, Hash> tasks_;
  std::vector<Names> first_names_;                              // of each task
  std::set<std::tuple<Kind, std::int32_t, Name>> other_names_;  // of a task that has several
  std::array<std::map<Name, Sum>, kind_count> sums_;
  Jobs jobs_;
};

// What open holds of these accounts hold now, into the unit's figures: running, waiting, and the
// oldest of those that wait. Reads the book: under the committer's lock.
void add_holds(const ledger::Book& book, const std::set<std::string>& accounts,
               std::map<std::string, api::UnitUsage>& units);

// Of one part of a hold: what its open runs hold.
[[nodiscard]] Micros held_by_runs(const ledger::Book& book, const ledger::Hold& hold,
                                  std::size_t part);

}  // namespace asbb::service
