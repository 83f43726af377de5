// A report over accounts, units and clusters: what was spent in a period, what is held and left,
// and how the jobs went. It is put together by adder.h from what was read, and shown as a table,
// CSV, JSON or a page. docs/concepts/reports.md says what each figure is. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"

namespace asbb::report {

// What Slurm's accounting says of runs that ended in the period.
struct Effort {
  std::int64_t runs = 0;
  std::int64_t waits = 0;  // runs whose wait is known
  std::int64_t wait_seconds = 0;
  std::int64_t longest_wait_seconds = 0;
  std::int64_t core_seconds = 0;        // of all runs
  std::int64_t asked_core_seconds = 0;  // of those that had a time limit
  std::int64_t used_core_seconds = 0;   // of the same
  bool operator==(const Effort&) const = default;

  void add(const Effort& other);
  [[nodiscard]] std::optional<std::int64_t> mean_wait_seconds() const;  // half to even
  // Used of what was asked for, in tenths of a per cent, half to even.
  [[nodiscard]] std::optional<std::int64_t> efficiency_permille() const;
};

// What one name (a user, a partition, a day ...) spent. Amounts stand in the order of the report's
// units; unset: nothing of that unit.
struct Line {
  std::string name;
  std::string cluster;  // of a partition and of a job
  std::vector<std::optional<Micros>> charged;
  std::optional<Micros> total;  // in the report's one unit, where there are rates
  std::int64_t jobs = 0;        // charged, each task of an array by itself
  Effort effort;
  bool operator==(const Line&) const = default;
};

// One job with all its runs. Without any amount: it ran and was not charged in the period.
struct JobLine {
  Line line;  // its name is the job's id
  std::string account;
  std::string user;
  std::string partition;
  std::optional<Instant> ended;
};

enum class Price { unknown, missing, free, priced };

// Jobs that ended in the period and have no charge in it. They cost nothing here, which is not to
// say that they were free.
struct Uncharged {
  std::string cluster;
  std::string partition;
  std::int64_t jobs = 0;
  std::int64_t core_seconds = 0;
  Price price = Price::unknown;  // when they ran
  bool operator==(const Uncharged&) const = default;
};

struct Rate {
  std::string from_unit;
  std::string to_unit;
  Micros rate;
  Instant effective_from;
  Day first_day;  // of effective_from, in the report's zone
  bool operator==(const Rate&) const = default;
};

struct BudgetLine {
  std::string account;
  std::string unit;
  Day first_day;
  Day last_day;
  bool in_force = false;
  Micros limit;
  Micros used;
  Micros held;
  Micros left;  // limit - held - used
  bool operator==(const BudgetLine&) const = default;
};

// Of all budgets in force of one unit, now; those inside others are not added again.
struct Standing {
  std::string unit;
  Micros limit;
  Micros used;
  Micros held;
  Micros left;
  bool operator==(const Standing&) const = default;
};

struct DaySpent {
  Day day;
  Micros charged;
  bool operator==(const DaySpent&) const = default;
};

// How a budget in force was spent so far, over all of its own period.
struct BurnDown {
  BudgetLine budget;
  Day today;
  std::vector<DaySpent> days;  // in order, days without charges left out
  Micros per_day;              // spent in the last 30 days
  std::string runs_out;        // a day, when it is known
  bool operator==(const BurnDown&) const = default;
};

struct Cluster {
  std::string name;
  std::string problem;  // why its accounting could not be read; empty: it was
  bool operator==(const Cluster&) const = default;
};

struct Dual {
  std::string account;                // empty: all that the reader may see
  std::string display_name;           // of the account
  std::vector<std::string> accounts;  // it and those below it
  std::string zone = "UTC";
  Instant start;  // half-open
  Instant end;
  Day first_day;  // both inclusive
  Day last_day;
  Instant made_at;
  std::vector<std::string> units;  // by name
  std::string total_unit;          // empty: no one total
  std::vector<Rate> rates;         // into it
  std::string no_total;            // why there is none, when there could be one
  Line all;
  std::vector<std::optional<Micros>> adjusted;  // by hand, not part of what was charged
  std::vector<Line> by_cluster;                 // largest first, as all but by_day
  std::vector<Line> by_partition;
  std::vector<Line> by_user;
  std::vector<Line> by_account;
  std::vector<Line> by_day;  // in order; days without anything left out
  std::vector<Uncharged> uncharged;
  std::int64_t jobs_without_accounting = 0;  // charged, and no run of them ended in the period
  std::vector<Cluster> clusters;             // that were asked for their accounting
  std::vector<Standing> standing;            // by unit
  std::vector<BudgetLine> budgets;           // by account and unit
  std::vector<BurnDown> burn_downs;
  std::vector<std::string> notes;  // sentences

  [[nodiscard]] bool is_empty() const { return all.jobs == 0 && uncharged.empty(); }
  // Whether anything was read of how jobs went.
  [[nodiscard]] bool has_effort() const { return all.effort.runs > 0; }
};

}  // namespace asbb::report
