// Adds up facts that come job by job, in the order of their records, into the lines of a report.
// What is kept grows with the names that occur, not with the jobs. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "report/dual.h"
#include "report/facts.h"

namespace asbb::report {

class Adder {
 public:
  using UseJob = std::function<void(const JobLine&)>;

  // What the prices of that moment said of a partition.
  using PriceOf =
      std::function<Price(const std::string& cluster, const std::string& partition, Instant at)>;

  // `report` has period, zone, units, rates and total unit; the rest is filled in by finish().
  // `use_job`, which may be empty, is called with each job in order; `price_of` of runs that were
  // not charged.
  Adder(Dual& report, UseJob use_job, PriceOf price_of);

  void add(const Fact& fact);
  void finish();

 private:
  using Key = std::pair<std::string, std::string>;  // name, cluster
  using Lines = std::map<Key, Line>;
  struct Group {
    Lines* lines;
    Key key;
  };

  void add_spending(const Spending& spending);
  void add_run(const Run& run);
  void end_job();
  void end_uncharged_job();
  void add_effort(const Run& run);
  Line& line_of(Lines& lines, const Key& key);
  void add_amount(Lines& lines, const Key& key, std::size_t unit, Micros amount);
  [[nodiscard]] std::string day_of(Instant at);
  [[nodiscard]] std::vector<Line> taken(Lines& lines, bool largest_first) const;
  void set_total(Line& line) const;
  [[nodiscard]] std::size_t unit_index(const std::string& unit) const;

  Dual& report_;
  const UseJob use_job_;
  const PriceOf price_of_;
  Lines clusters_, partitions_, users_, accounts_, days_;
  std::map<std::pair<Key, Price>, Uncharged> uncharged_;
  // Of the job that is being added.
  bool has_job_ = false;
  JobLine job_;
  JobName job_name_;
  std::set<std::pair<Lines*, Key>> met_;  // where the job counts
  std::vector<Run> runs_;
  // The last day that was looked up.
  Instant day_start_;
  Instant day_end_;
  std::string day_;
};

// One amount in another unit, rounded half to even.
[[nodiscard]] std::optional<Micros> converted(Micros amount, const Rate& rate);

}  // namespace asbb::report
