#include "api/account.h"

#include "api/json_io.h"
#include "base/money.h"
#include "base/text.h"

namespace asbb::api {

template <typename F>
void fields(F& f, As<F, PartitionLimit>& v) {
  f.text("partition", v.partition, Need::must);
  f.text("unit", v.unit, Need::must);
  f.money("limit", v.limit, Need::must);
  f.money("used", v.used, Need::must);
  f.money("held", v.held, Need::must);
  f.money("available", v.available, Need::must);
}

template <typename F>
void fields(F& f, As<F, Budget>& v) {
  f.number("id", v.id, Need::must);
  f.text("unit", v.unit, Need::must);
  f.time("start_date", v.start_date, Need::must);
  f.time("end_date", v.end_date, Need::must);
  f.day("first_day", v.first_day, Need::must);
  f.day("last_day", v.last_day, Need::must);
  f.flag("in_force", v.in_force, Need::must);
  f.money("limit", v.limit, Need::must);
  f.money("used", v.used, Need::must);
  f.money("held", v.held, Need::must);
  f.money("available", v.available, Need::must);
  f.money("credit_limit", v.credit_limit, Need::must);
  f.text("carry_over", v.carry_over, Need::must);
  f.money("carried_over", v.carried_over, Need::must);
  f.money("carried_in", v.carried_in, Need::must);
  f.money("granted", v.granted, Need::must);
  f.list("partition_limits", v.partition_limits, Need::must);
}

template <typename F>
void fields(F& f, As<F, SlurmAccount>& v) {
  f.text("cluster", v.cluster, Need::must);
  f.text("account", v.account, Need::must);
}

template <typename F>
void fields(F& f, As<F, Account>& v) {
  f.number("id", v.id, Need::must);
  f.text("slurm_account", v.slurm_account, Need::must);
  f.texts("aliases", v.aliases, Need::left_out);
  f.texts("owners", v.owners, Need::left_out);
  f.text("name", v.name, Need::must);
  f.text("description", v.description, Need::may);
  f.text("parent", v.parent, Need::may);
  f.text("status", v.status, Need::must);
  f.text("unit", v.unit, Need::may);
  f.money("budget_limit", v.budget_limit, Need::must);
  f.money("budget_used", v.budget_used, Need::must);
  f.money("budget_held", v.budget_held, Need::must);
  f.money("budget_available", v.budget_available, Need::must);
  f.flag("has_incremental_budget", v.has_incremental_budget, Need::may);
  f.money("total_allocated", v.total_allocated, Need::may);
  f.time("start_date", v.start_date, Need::left_out);
  f.time("end_date", v.end_date, Need::left_out);
  f.money("hold_percentage", v.hold_percentage, Need::left_out);
  f.flag("may_convert", v.may_convert, Need::left_out);
  f.number("open_holds", v.open_holds, Need::may);
  f.list("budgets", v.budgets, Need::must);
  f.list("slurm_accounts", v.slurm_accounts, Need::left_out);
  f.texts("warnings", v.warnings, Need::left_out);
  f.time("created_at", v.created_at, Need::must);
  f.time("updated_at", v.updated_at, Need::must);
}

namespace {

// A rule or a right that is left out stays as it is; null would leave open which one is meant.
void check_not_null(FieldReader& f, std::string_view key, const std::string& allowed) {
  if (f.is_null(key)) f.refuse(key, "null is not allowed: " + allowed + " is expected");
}

void check_carry_over(FieldReader& f, const std::string& text) {
  check_not_null(f, "carry_over", "'none', 'all', or a part such as 50%");
  if (!f.has("carry_over")) return;
  if (const auto part = parse_carry_over(text); !part) f.refuse("carry_over", part.error().message);
}

}  // namespace

template <typename F, typename T>
void budget_fields(F& f, T& v) {
  f.text("unit", v.unit, Need::left_out, name_text);
  f.money("limit", v.limit, Need::must, not_negative);
  f.date("start_date", v.start_date, Need::must);
  f.date("end_date", v.end_date, Need::must);
  f.money("credit_limit", v.credit_limit, Need::left_out, not_negative);
  f.text("carry_over", v.carry_over, Need::left_out, name_text);
  if constexpr (F::is_reading) check_carry_over(f, v.carry_over);
}

template <typename F>
void fields(F& f, As<F, NewBudget>& v) {
  budget_fields(f, v);
}

template <typename F>
void fields(F& f, As<F, BudgetAddition>& v) {
  f.text("account", v.account, Need::must, name_text);
  budget_fields(f, v.budget);
}

namespace {

// The flat form of one budget, as existing clients send it.
void read_flat_budget(FieldReader& f, AccountCreate& v) {
  bool incremental = false;
  f.flag("has_incremental_budget", incremental, Need::may);
  if (incremental || f.has("allocation_schedule")) {
    f.refuse(incremental ? "has_incremental_budget" : "allocation_schedule",
             "money by schedule cannot be set here: give the whole budget_limit with start_date "
             "and end_date, or a list 'budgets' with one entry per period");
    return;
  }
  if (!f.has("budget_limit") && !f.has("start_date") && !f.has("end_date")) return;
  if (!v.budgets.empty()) {
    f.refuse("budgets", "give either budget_limit, start_date and end_date, or this list");
    return;
  }
  NewBudget& budget = v.budgets.emplace_back();
  f.text("unit", budget.unit, Need::left_out, name_text);
  f.money("budget_limit", budget.limit, Need::must, not_negative);
  f.date("start_date", budget.start_date, Need::must);
  f.date("end_date", budget.end_date, Need::must);
  f.money("credit_limit", budget.credit_limit, Need::left_out, not_negative);
  f.text("carry_over", budget.carry_over, Need::left_out, name_text);
  check_carry_over(f, budget.carry_over);
}

}  // namespace

template <typename F>
void fields(F& f, As<F, AccountCreate>& v) {
  f.text("slurm_account", v.slurm_account, Need::must, name_text);
  f.text("name", v.name, Need::left_out, line_text);
  f.text("description", v.description, Need::left_out);
  f.text("parent", v.parent, Need::left_out, name_text);
  f.money("hold_percentage", v.hold_percentage, Need::left_out, hold_factor);
  f.list("budgets", v.budgets, Need::left_out);
  f.texts("aliases", v.aliases, Need::left_out);
  f.texts("owners", v.owners, Need::left_out);
  if constexpr (F::is_reading) read_flat_budget(f, v);
}

template <typename F>
void fields(F& f, As<F, AccountImport>& v) {
  f.list("accounts", v.accounts, Need::left_out);
  f.list("budgets", v.budgets, Need::left_out);
  if constexpr (F::is_reading) {
    const std::size_t count = v.accounts.size() + v.budgets.size();
    if (count == 0) f.refuse("accounts", "an account or a budget is expected");
    if (count > import_count_max) {
      f.refuse("accounts", "at most " + std::to_string(import_count_max) +
                               " accounts and budgets together are expected");
    }
  }
}

template <typename F>
void fields(F& f, As<F, AccountImportAnswer>& v) {
  f.number("accounts_created", v.accounts_created, Need::must);
  f.number("budgets_added", v.budgets_added, Need::must);
}

template <typename F>
void fields(F& f, As<F, AccountUpdate>& v) {
  f.text("name", v.name, Need::left_out, line_text);
  f.text("description", v.description, Need::left_out);
  f.text("parent", v.parent, Need::left_out, name_text);
  f.word("status", v.status, Need::left_out, {"active", "inactive", "suspended"});
  f.money("hold_percentage", v.hold_percentage, Need::left_out, hold_factor);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.money("budget_limit", v.budget_limit, Need::left_out, not_negative);
  f.date("start_date", v.start_date, Need::left_out);
  f.date("end_date", v.end_date, Need::left_out);
  f.money("credit_limit", v.credit_limit, Need::left_out, not_negative);
  f.text("carry_over", v.carry_over, Need::left_out, name_text);
  f.flag("may_convert", v.may_convert, Need::left_out);
  f.text("reason", v.reason, Need::left_out, line_text);
  if constexpr (F::is_reading) {
    check_carry_over(f, v.carry_over.value_or(std::string()));
    check_not_null(f, "may_convert", "true or false");
    if (f.has("aliases")) f.texts("aliases", v.aliases.emplace(), Need::must);
    if (f.has("owners")) f.texts("owners", v.owners.emplace(), Need::must);
    if (f.has("budgets")) {
      f.refuse("budgets",
               "one budget at a time is changed or added here: budget_limit, unit, "
               "start_date and end_date");
    }
  } else {
    if (v.aliases) f.texts("aliases", *v.aliases, Need::must);
    if (v.owners) f.texts("owners", *v.owners, Need::must);
  }
}

template <typename F>
void fields(F& f, As<F, PartitionLimitSet>& v) {
  f.money("limit", v.limit, Need::must, not_negative);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("reason", v.reason, Need::left_out, line_text);
}

namespace {

// Of everything that moves money by hand.
template <typename F, typename T>
void check_reason(F& f, const T& v) {
  if (v.reason.empty()) f.refuse("reason", "a reason is expected: it stays in the ledger");
}

template <typename F>
void check_above_zero(F& f, std::string_view key, Micros value) {
  if (value > Micros()) return;
  f.refuse(key, in_quotes(to_decimal(value)) + " is not allowed: " +
                    (key == "rate" ? "a rate" : "an amount") + " above 0 is expected");
}

// Of what is about something that was charged.
template <typename F, typename T>
void check_charge(F& f, const T& v) {
  if (v.transaction_id.empty() && v.job_id.empty()) {
    f.refuse("job_id", "the job or the transaction_id of what was charged is expected");
  }
}

}  // namespace

template <typename F>
void fields(F& f, As<F, Adjustment>& v) {
  f.money("amount", v.amount, Need::must);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("reason", v.reason, Need::must, line_text);
  f.text("request_id", v.request_id, Need::left_out, name_text);
  if constexpr (F::is_reading) {
    if (v.amount.is_zero()) f.refuse("amount", "an amount other than 0 is expected");
    check_reason(f, v);
  }
}

namespace {

template <typename F, typename T>
void move_fields(F& f, T& v) {
  f.money("amount", v.amount, Need::must);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("reason", v.reason, Need::must, line_text);
  f.text("request_id", v.request_id, Need::left_out, name_text);
  if constexpr (F::is_reading) {
    check_above_zero(f, "amount", v.amount);
    check_reason(f, v);
  }
}

}  // namespace

template <typename F>
void fields(F& f, As<F, MoneyMove>& v) {
  move_fields(f, v);
}

template <typename F>
void fields(F& f, As<F, MoneyTransfer>& v) {
  f.text("to", v.to, Need::must, name_text);
  move_fields(f, v);
}

template <typename F>
void fields(F& f, As<F, MoneyRefund>& v) {
  f.text("transaction_id", v.transaction_id, Need::left_out, name_text);
  f.id_text("job_id", v.job_id, Need::left_out);
  f.text("cluster", v.cluster, Need::left_out, name_text);
  f.money("amount", v.amount, Need::left_out);
  f.money("percent", v.percent, Need::left_out);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("reason", v.reason, Need::must, line_text);
  f.text("request_id", v.request_id, Need::left_out, name_text);
  if constexpr (F::is_reading) {
    if (v.amount.has_value() == v.percent.has_value()) {
      f.refuse("amount", "either an amount or a percent of what was charged is expected");
    }
    if (v.amount) check_above_zero(f, "amount", *v.amount);
    if (v.percent && (*v.percent <= Micros() || *v.percent > percent_whole)) {
      f.refuse("percent", "a number above 0 and at most 100 is expected");
    }
    check_reason(f, v);
    check_charge(f, v);
  }
}

template <typename F>
void fields(F& f, As<F, MoneyWriteOff>& v) {
  f.text("transaction_id", v.transaction_id, Need::left_out, name_text);
  f.id_text("job_id", v.job_id, Need::left_out);
  f.text("cluster", v.cluster, Need::left_out, name_text);
  f.money("amount", v.amount, Need::left_out);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("reason", v.reason, Need::must, line_text);
  f.text("request_id", v.request_id, Need::left_out, name_text);
  if constexpr (F::is_reading) {
    if (v.amount) check_above_zero(f, "amount", *v.amount);
    check_reason(f, v);
    check_charge(f, v);
  }
}

template <typename F>
void fields(F& f, As<F, MoneyConversion>& v) {
  f.text("to_unit", v.to_unit, Need::must, name_text);
  move_fields(f, v);
}

template <typename F>
void fields(F& f, As<F, ConversionRate>& v) {
  f.number("version", v.version, Need::must);
  f.text("from_unit", v.from_unit, Need::must);
  f.text("to_unit", v.to_unit, Need::must);
  f.money("rate", v.rate, Need::must);
  f.time("effective_from", v.effective_from, Need::must);
  f.time("recorded_at", v.recorded_at, Need::must);
  f.flag("in_force", v.in_force, Need::must);
}

template <typename F>
void fields(F& f, As<F, NewConversionRate>& v) {
  f.text("from_unit", v.from_unit, Need::must, name_text);
  f.text("to_unit", v.to_unit, Need::must, name_text);
  f.money("rate", v.rate, Need::must);
  f.date("effective_from", v.effective_from, Need::left_out);
  f.text("reason", v.reason, Need::left_out, line_text);
  if constexpr (F::is_reading) {
    check_above_zero(f, "rate", v.rate);
  }
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::Account)
ASBB_JSON_TYPE(std::vector<asbb::api::Account>)
ASBB_JSON_TYPE(asbb::api::AccountCreate)
ASBB_JSON_TYPE(asbb::api::AccountImport)
ASBB_JSON_TYPE(asbb::api::AccountImportAnswer)
ASBB_JSON_TYPE(asbb::api::AccountUpdate)
ASBB_JSON_TYPE(asbb::api::PartitionLimit)
ASBB_JSON_TYPE(asbb::api::PartitionLimitSet)
ASBB_JSON_TYPE(asbb::api::Adjustment)
ASBB_JSON_TYPE(asbb::api::MoneyMove)
ASBB_JSON_TYPE(asbb::api::MoneyTransfer)
ASBB_JSON_TYPE(asbb::api::MoneyRefund)
ASBB_JSON_TYPE(asbb::api::MoneyWriteOff)
ASBB_JSON_TYPE(asbb::api::MoneyConversion)
ASBB_JSON_TYPE(asbb::api::ConversionRate)
ASBB_JSON_TYPE(std::vector<asbb::api::ConversionRate>)
ASBB_JSON_TYPE(asbb::api::NewConversionRate)
