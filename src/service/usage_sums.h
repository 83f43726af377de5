// Adds up what entries of the ledger say was spent, by period, partition, user, cluster, account
// and job. Entries are posted once, on the budget that pays, so the sums count nothing twice.
// Plain values of one thread.
#pragma once

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

// Of one unit.
class UsageSums {
 public:
  void add(const ledger::Entry& entry, const std::string& period);
  // Everything but limit, used, held, available and what is held by whom.
  void fill(api::UnitUsage& usage) const;

 private:
  struct Sum {
    Micros charged;
    std::set<std::int64_t> jobs;
  };
  using Sums = std::map<std::string, Sum>;
  // Of a task or an external job; and of a whole job, whose id may come back after a wrap.
  using TaskKey = std::tuple<std::string, std::int64_t, std::int64_t, std::string>;
  using JobKey = std::tuple<std::int64_t, std::string, std::int64_t, std::string>;

  static void add(Sum& sum, Micros amount, std::int64_t task);
  [[nodiscard]] static std::vector<api::UsageLine> lines(const Sums& sums);

  Sum all_;
  Micros adjusted_;
  std::map<TaskKey, std::int64_t> tasks_;
  std::map<JobKey, api::UsageJob> jobs_;
  Sums periods_, partitions_, users_, clusters_, accounts_;
};

// What open holds of these accounts hold now, into the unit's figures: running, waiting, and the
// oldest of those that wait. Reads the book: under the committer's lock.
void add_holds(const ledger::Book& book, const std::set<std::string>& accounts,
               std::map<std::string, api::UnitUsage>& units);

// Of one part of a hold: what its open runs hold.
[[nodiscard]] Micros held_by_runs(const ledger::Book& book, const ledger::Hold& hold,
                                  std::size_t part);

}  // namespace asbb::service
