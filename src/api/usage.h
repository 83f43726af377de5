// What accounts spent and what is held for them, how long a budget lasts, and the budget of one
// job, as REST shows them. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/account.h"
#include "base/money.h"
#include "base/time.h"

namespace asbb::api {

// What one name (a partition, a user, a cluster, an account, a month) cost.
struct UsageLine {
  std::string name;
  Micros charged;  // charges and overruns, less refunds
  std::int64_t jobs = 0;
  bool operator==(const UsageLine&) const = default;
};

// All runs and tasks of one job together.
struct UsageJob {
  std::string job_id;
  std::string cluster;
  std::string account;
  std::string user;
  std::string partition;
  Micros charged;
  bool operator==(const UsageJob&) const = default;
};

struct UnitUsage {
  std::string unit;
  Micros limit;  // of the budget in force
  Micros used;
  Micros held;
  Micros available;
  Micros charged;   // in the window: charges and overruns, less refunds
  Micros adjusted;  // in the window
  std::int64_t jobs = 0;
  Micros held_running;  // now, by open holds of the account and those below it: of jobs that run
  Micros held_waiting;  // of jobs that wait, and of programs that have not settled
  std::int64_t holds_waiting = 0;
  std::vector<UsageLine> by_period;     // the oldest first
  std::vector<UsageLine> by_partition;  // most expensive first
  std::vector<UsageLine> by_user;
  std::vector<UsageLine> by_cluster;
  std::vector<UsageLine> by_account;
  std::vector<UsageJob> largest_jobs;  // at most 10
  std::vector<OpenHold> idle_holds;    // of what waits, the oldest first, at most 10
  bool operator==(const UnitUsage&) const = default;
};

struct Usage {
  std::string account;
  Instant start_date;  // the window, half-open
  Instant end_date;
  std::vector<UnitUsage> units;
  bool operator==(const Usage&) const = default;
};

// An account's budget in force beside what was charged to the account itself in the window.
struct AccountUsage {
  std::string account;
  std::string parent;  // empty at the top
  std::string unit;
  bool has_budget = false;  // false: it draws on an account above it, and the figures are zero
  Micros limit;
  Micros used;
  Micros held;
  Micros available;
  Micros charged;
  std::int64_t jobs = 0;
  bool operator==(const AccountUsage&) const = default;
};

// Everything that the caller may see. `units` has the totals: budgets inside other budgets are not
// added again.
struct UsageSummary {
  Instant start_date;
  Instant end_date;
  std::string time_zone;               // IANA name: where the service's days begin
  std::vector<AccountUsage> accounts;  // by name, then unit
  std::vector<UnitUsage> units;
  bool operator==(const UsageSummary&) const = default;
};

struct UsageQuery {
  std::string unit;             // empty: all
  std::string period{"month"};  // what by_period counts: day, month, year
  std::optional<Date> start_date;
  std::optional<Date> end_date;
  bool operator==(const UsageQuery&) const = default;
};

// One entry that spent money or gave it back, and no more of it than a report needs.
struct Charge {
  std::int64_t id = 0;  // sequence in the ledger
  Instant created_at;
  std::string type;  // charge, overrun, refund, write_off_out, write_off_in, adjustment
  std::string account;
  std::string unit;
  Micros amount;  // as in the entry: what a refund or write_off_out gives back is positive
  std::string user;
  std::string cluster;    // empty: the job of a program
  std::string partition;  // empty of an adjustment
  std::string job_id;     // "123"; of an array task "123_4"; of a program's job its name
  bool operator==(const Charge&) const = default;
};

struct ChargePage {
  std::vector<Charge> charges;  // in order of id
  std::int64_t next = 0;        // `after` of the next page; 0: there is none
  bool operator==(const ChargePage&) const = default;
};

inline constexpr std::int64_t charges_limit_default = 1'000;
inline constexpr std::int64_t charges_limit_max = 10'000;

struct ChargeQuery {
  std::string account;  // of this account alone; empty: of all that the caller may see
  std::optional<Date> start_date;
  std::optional<Date> end_date;
  std::int64_t after = 0;
  std::int64_t limit = charges_limit_default;
  bool operator==(const ChargeQuery&) const = default;
};

struct ForecastRate {
  std::int64_t days = 0;  // behind now
  Micros spent;
  Micros per_day;
  bool operator==(const ForecastRate&) const = default;
};

struct ForecastDay {
  Day day;
  Micros charged;
  Micros adjusted;  // corrections by hand, which are no spending
  bool operator==(const ForecastDay&) const = default;
};

// docs/concepts/forecast.md says how each figure is reached.
struct UnitForecast {
  std::string unit;
  std::string outlook;  // no_spending, exhausted, runs_out, may_run_out, on_track, underspent
  Instant start_date;
  Instant end_date;
  Day first_day;
  Day last_day;
  std::int64_t days_left = 0;
  Micros limit;
  Micros used;
  Micros held;
  Micros available;
  Micros held_running;
  Micros held_waiting;
  std::vector<ForecastRate> rates;
  Micros expected_per_day;
  Micros usual_part;
  Micros holds_take;
  Micros left_after_holds;
  std::string runs_out_earliest;  // days, "2025-08-18"; empty: not within a hundred years
  std::string runs_out;
  std::string runs_out_latest;
  Micros used_at_end;
  Micros unused_at_end;
  Micros carried_over;
  Micros expires;
  std::vector<std::string> summary;  // sentences
  std::vector<ForecastDay> history;  // of the period, days without charges left out
  bool operator==(const UnitForecast&) const = default;
};

struct Forecast {
  std::string account;
  Instant as_of;
  std::string draws_on;  // the account above it whose budget it draws on, when it has none
  std::vector<UnitForecast> budgets;
  bool operator==(const Forecast&) const = default;
};

// What a launcher of nodes has to know of a job.
struct JobContext {
  std::string job_id;
  std::string cluster;
  std::string account;
  std::string user;
  std::string partition;
  std::string transaction_id;
  std::string unit;
  bool should_burst = false;
  std::string code;    // stable: ok, no_hold, settled, account_inactive, budget_ended, overdrawn
  std::string reason;  // a sentence
  Micros estimate;
  Micros granted;         // set aside at first
  Micros max_total_cost;  // still set aside
  std::string paying_account;
  Micros budget_limit;
  Micros budget_used;
  Micros budget_held;
  Micros budget_available;
  std::optional<Instant> budget_end;
  std::int64_t price_version = 0;
  Instant as_of;
  bool operator==(const JobContext&) const = default;
};

}  // namespace asbb::api
