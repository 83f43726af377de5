// Accounts with their budgets, limits and open holds as REST shows them. The flat fields
// (budget_limit, ...) are those of the budget in force in the account's first unit, as existing
// clients read them; `budgets` has everything. Times are UTC; end_date is the first moment after
// the period, first_day and last_day are the inclusive days in the service's zone. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/dates.h"
#include "base/money.h"

namespace asbb::api {

struct PartitionLimit {
  std::string partition;
  std::string unit;
  Micros limit;
  Micros used;
  Micros held;
  Micros available;
  bool operator==(const PartitionLimit&) const = default;
};

struct Budget {
  std::int64_t id = 0;
  std::string unit;
  Instant start_date;
  Instant end_date;
  Day first_day;
  Day last_day;
  bool in_force = false;
  Micros limit;
  Micros used;
  Micros held;
  Micros available;  // limit - held - used, may be negative
  Micros credit_limit;
  std::string carry_over = "none";  // what is left at the end: none, all, or N%
  Micros carried_over;              // of it, what went into the next budget
  Micros carried_in;                // what came from the budgets before
  Micros granted;                   // by hand: limit - carried_in + carried_over
  std::vector<PartitionLimit> partition_limits;
  bool operator==(const Budget&) const = default;
};

// An account of Slurm, which is of one cluster.
struct SlurmAccount {
  std::string cluster;
  std::string account;
  bool operator==(const SlurmAccount&) const = default;
};

struct Account {
  std::int64_t id = 0;
  std::string slurm_account;
  std::vector<std::string> aliases;  // other names by which programs know it
  std::vector<std::string> owners;   // user names and mail addresses
  std::string name;                  // for people
  std::string description;
  std::string parent;  // Slurm account, empty at the top
  std::string status;  // active, inactive, suspended, closed
  std::string unit;    // of the flat figures; empty when there is no budget
  Micros budget_limit;
  Micros budget_used;
  Micros budget_held;
  Micros budget_available;
  bool has_incremental_budget = false;
  Micros total_allocated;
  std::optional<Instant> start_date;
  std::optional<Instant> end_date;
  std::optional<Micros> hold_percentage;  // the account's own factor, when it has one
  bool may_convert = false;               // whether it may pay one unit with another
  std::int64_t open_holds = 0;
  std::vector<Budget> budgets;
  std::vector<SlurmAccount> slurm_accounts;  // of other names, whose jobs it pays for
  std::vector<std::string> warnings;         // sentences about what is allowed and seldom meant
  Instant created_at;
  Instant updated_at;
  bool operator==(const Account&) const = default;
};

struct NewBudget {
  std::string unit;  // empty: the service's default unit
  Micros limit;      // >= 0
  Date start_date;
  Date end_date;
  Micros credit_limit;
  std::string carry_over{};  // none, all, or N%; empty: none
  bool operator==(const NewBudget&) const = default;
};

// On the wire either the flat budget_limit, unit, start_date, end_date (all but unit needed as soon
// as one is given), or a list `budgets`, or neither: an account without money of its own. Here all
// are in `budgets`.
struct AccountCreate {
  std::string slurm_account;
  std::string name;  // empty: the same as slurm_account
  std::string description;
  std::string parent;
  std::optional<Micros> hold_percentage;  // 1 to 10
  std::vector<NewBudget> budgets;
  std::vector<std::string> aliases{};  // other names by which programs know it
  std::vector<std::string> owners{};   // user names and mail addresses
  bool operator==(const AccountCreate&) const = default;
};

// A further budget of an account that is there.
struct BudgetAddition {
  std::string account;
  NewBudget budget;
  bool operator==(const BudgetAddition&) const = default;
};

// All of it is done, or nothing. Parents stand before the accounts below them.
struct AccountImport {
  std::vector<AccountCreate> accounts;
  std::vector<BudgetAddition> budgets;
  bool operator==(const AccountImport&) const = default;
};
inline constexpr std::size_t import_count_max = 10'000;  // accounts and budgets together

struct AccountImportAnswer {
  std::int64_t accounts_created = 0;
  std::int64_t budgets_added = 0;  // to accounts that were there
  bool operator==(const AccountImportAnswer&) const = default;
};

// Only what is set changes. A budget of a unit the account does not have yet is added when limit
// and both dates are given.
struct AccountUpdate {
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> parent;  // "" moves it to the top
  std::optional<std::string> status;  // active, inactive, suspended
  std::optional<Micros> hold_percentage;
  std::string unit;  // empty: the service's default unit
  std::optional<Micros> budget_limit;
  std::optional<Date> start_date;
  std::optional<Date> end_date;
  std::optional<Micros> credit_limit;               // of that budget, for jobs that run already
  std::optional<std::string> carry_over;            // of that budget: none, all, or N%
  std::optional<bool> may_convert;                  // one unit into another
  std::optional<std::vector<std::string>> aliases;  // all of them; empty for none
  std::optional<std::vector<std::string>> owners;   // likewise
  std::string reason{};                             // stays in the ledger
  bool operator==(const AccountUpdate&) const = default;
};

struct PartitionLimitSet {
  Micros limit;          // >= 0
  std::string unit;      // empty: the service's default unit
  std::string reason{};  // stays in the ledger
  bool operator==(const PartitionLimitSet&) const = default;
};

struct Adjustment {
  Micros amount;     // signed, not 0: what is added to `used`
  std::string unit;  // empty: the service's default unit
  std::string reason;
  std::string request_id;
  bool operator==(const Adjustment&) const = default;
};

// A deposit into, or a withdrawal out of, a budget.
struct MoneyMove {
  Micros amount;     // > 0
  std::string unit;  // empty: the service's default unit
  std::string reason;
  std::string request_id;
  bool operator==(const MoneyMove&) const = default;
};

struct MoneyTransfer {
  std::string to;    // the account that gets it
  Micros amount;     // > 0
  std::string unit;  // empty: the service's default unit
  std::string reason;
  std::string request_id;
  bool operator==(const MoneyTransfer&) const = default;
};

inline constexpr Micros percent_whole{100'000'000};

// Which charge is meant: by the transaction that held the money, by the job, or by both.
struct MoneyRefund {
  std::string transaction_id;
  std::string job_id;   // "123", "123_4", or an external job's name with its transaction_id
  std::string cluster;  // of the job; empty: any
  std::optional<Micros> amount;   // > 0; either this or percent
  std::optional<Micros> percent;  // of what was charged: above 0, at most 100
  std::string unit;               // empty: the one that was charged
  std::string reason;
  std::string request_id;
  bool operator==(const MoneyRefund&) const = default;
};

// As a refund, but the cost goes to the service's write-off account.
struct MoneyWriteOff {
  std::string transaction_id;
  std::string job_id;
  std::string cluster;
  std::optional<Micros> amount;  // > 0; unset: all that is left of the charge
  std::string unit;
  std::string reason;
  std::string request_id;
  bool operator==(const MoneyWriteOff&) const = default;
};

struct MoneyConversion {
  Micros amount;     // > 0, of `unit`
  std::string unit;  // empty: the service's default unit
  std::string to_unit;
  std::string reason;
  std::string request_id;
  bool operator==(const MoneyConversion&) const = default;
};

struct ConversionRate {
  std::int64_t version = 0;
  std::string from_unit;
  std::string to_unit;
  Micros rate;  // of to_unit for one of from_unit
  Instant effective_from;
  Instant recorded_at;
  bool in_force = false;
  bool operator==(const ConversionRate&) const = default;
};

struct NewConversionRate {
  std::string from_unit;
  std::string to_unit;
  Micros rate;                         // > 0
  std::optional<Date> effective_from;  // unset: now
  std::string reason;
  bool operator==(const NewConversionRate&) const = default;
};

// "none", "all" or "12.5%" as millionths; an error names the field carry_over.
[[nodiscard]] Result<std::int64_t> parse_carry_over(std::string_view text);
[[nodiscard]] std::string carry_over_text(std::int64_t millionths);

struct OpenHold {
  std::string transaction_id;
  std::string account;
  std::string user;
  std::string cluster;
  std::string partition;
  std::optional<std::int64_t> job_id;  // once bound
  std::string kind;                    // slurm, external
  std::string unit;
  Micros estimate;
  Micros granted;  // set aside at first
  Micros held;     // still set aside
  std::int64_t task_count = 1;
  Instant placed_at;
  bool operator==(const OpenHold&) const = default;
};

}  // namespace asbb::api
