#include "api/usage.h"

#include "api/json_io.h"

namespace asbb::api {

template <typename F>
void fields(F& f, As<F, OpenHold>& v) {
  f.text("transaction_id", v.transaction_id, Need::must);
  f.text("account", v.account, Need::must);
  f.text("user", v.user, Need::may);
  f.text("cluster", v.cluster, Need::may);
  f.text("partition", v.partition, Need::may);
  f.number("job_id", v.job_id, Need::left_out);
  f.text("kind", v.kind, Need::must);
  f.text("unit", v.unit, Need::must);
  f.money("estimate", v.estimate, Need::must);
  f.money("granted", v.granted, Need::must);
  f.money("held", v.held, Need::must);
  f.number("task_count", v.task_count, Need::must);
  f.time("placed_at", v.placed_at, Need::must);
}

template <typename F>
void fields(F& f, As<F, UsageLine>& v) {
  f.text("name", v.name, Need::must);
  f.money("charged", v.charged, Need::must);
  f.number("jobs", v.jobs, Need::must);
}

template <typename F>
void fields(F& f, As<F, UsageJob>& v) {
  f.text("job_id", v.job_id, Need::must);
  f.text("cluster", v.cluster, Need::must);
  f.text("account", v.account, Need::must);
  f.text("user", v.user, Need::must);
  f.text("partition", v.partition, Need::must);
  f.money("charged", v.charged, Need::must);
}

template <typename F>
void fields(F& f, As<F, UnitUsage>& v) {
  f.text("unit", v.unit, Need::must);
  f.money("limit", v.limit, Need::must);
  f.money("used", v.used, Need::must);
  f.money("held", v.held, Need::must);
  f.money("available", v.available, Need::must);
  f.money("charged", v.charged, Need::must);
  f.money("adjusted", v.adjusted, Need::must);
  f.number("jobs", v.jobs, Need::must);
  f.money("held_running", v.held_running, Need::must);
  f.money("held_waiting", v.held_waiting, Need::must);
  f.number("holds_waiting", v.holds_waiting, Need::must);
  f.list("by_period", v.by_period, Need::must);
  f.list("by_partition", v.by_partition, Need::must);
  f.list("by_user", v.by_user, Need::must);
  f.list("by_cluster", v.by_cluster, Need::must);
  f.list("by_account", v.by_account, Need::must);
  f.list("largest_jobs", v.largest_jobs, Need::must);
  f.list("idle_holds", v.idle_holds, Need::must);
}

template <typename F>
void fields(F& f, As<F, Usage>& v) {
  f.text("account", v.account, Need::must);
  f.time("start_date", v.start_date, Need::must);
  f.time("end_date", v.end_date, Need::must);
  f.list("units", v.units, Need::must);
}

template <typename F>
void fields(F& f, As<F, AccountUsage>& v) {
  f.text("account", v.account, Need::must);
  f.text("parent", v.parent, Need::left_out);
  f.text("unit", v.unit, Need::must);
  f.flag("has_budget", v.has_budget, Need::must);
  f.money("limit", v.limit, Need::must);
  f.money("used", v.used, Need::must);
  f.money("held", v.held, Need::must);
  f.money("available", v.available, Need::must);
  f.money("charged", v.charged, Need::must);
  f.number("jobs", v.jobs, Need::must);
}

template <typename F>
void fields(F& f, As<F, UsageSummary>& v) {
  f.time("start_date", v.start_date, Need::must);
  f.time("end_date", v.end_date, Need::must);
  f.text("time_zone", v.time_zone, Need::must);
  f.list("accounts", v.accounts, Need::must);
  f.list("units", v.units, Need::must);
}

template <typename F>
void fields(F& f, As<F, Charge>& v) {
  f.number("id", v.id, Need::must);
  f.time("created_at", v.created_at, Need::must);
  f.text("type", v.type, Need::must);
  f.text("account", v.account, Need::must);
  f.text("unit", v.unit, Need::must);
  f.money("amount", v.amount, Need::must);
  f.text("user", v.user, Need::left_out);
  f.text("cluster", v.cluster, Need::left_out);
  f.text("partition", v.partition, Need::left_out);
  f.text("job_id", v.job_id, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, ChargePage>& v) {
  f.list("charges", v.charges, Need::must);
  f.number("next", v.next, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, ForecastRate>& v) {
  f.number("days", v.days, Need::must);
  f.money("spent", v.spent, Need::must);
  f.money("per_day", v.per_day, Need::must);
}

template <typename F>
void fields(F& f, As<F, ForecastDay>& v) {
  f.day("day", v.day, Need::must);
  f.money("charged", v.charged, Need::must);
  f.money("adjusted", v.adjusted, Need::must);
}

template <typename F>
void fields(F& f, As<F, UnitForecast>& v) {
  f.text("unit", v.unit, Need::must);
  f.text("outlook", v.outlook, Need::must);
  f.time("start_date", v.start_date, Need::must);
  f.time("end_date", v.end_date, Need::must);
  f.day("first_day", v.first_day, Need::must);
  f.day("last_day", v.last_day, Need::must);
  f.number("days_left", v.days_left, Need::must);
  f.money("limit", v.limit, Need::must);
  f.money("used", v.used, Need::must);
  f.money("held", v.held, Need::must);
  f.money("available", v.available, Need::must);
  f.money("held_running", v.held_running, Need::must);
  f.money("held_waiting", v.held_waiting, Need::must);
  f.list("rates", v.rates, Need::must);
  f.money("expected_per_day", v.expected_per_day, Need::must);
  f.money("usual_part", v.usual_part, Need::must);
  f.money("holds_take", v.holds_take, Need::must);
  f.money("left_after_holds", v.left_after_holds, Need::must);
  f.text("runs_out_earliest", v.runs_out_earliest, Need::left_out);
  f.text("runs_out", v.runs_out, Need::left_out);
  f.text("runs_out_latest", v.runs_out_latest, Need::left_out);
  f.money("used_at_end", v.used_at_end, Need::must);
  f.money("unused_at_end", v.unused_at_end, Need::must);
  f.money("carried_over", v.carried_over, Need::must);
  f.money("expires", v.expires, Need::must);
  f.texts("summary", v.summary, Need::must);
  f.list("history", v.history, Need::must);
}

template <typename F>
void fields(F& f, As<F, Forecast>& v) {
  f.text("account", v.account, Need::must);
  f.time("as_of", v.as_of, Need::must);
  f.text("draws_on", v.draws_on, Need::left_out);
  f.list("budgets", v.budgets, Need::must);
}

template <typename F>
void fields(F& f, As<F, JobContext>& v) {
  f.text("job_id", v.job_id, Need::must);
  f.text("cluster", v.cluster, Need::left_out);
  f.text("account", v.account, Need::left_out);
  f.text("user", v.user, Need::left_out);
  f.text("partition", v.partition, Need::left_out);
  f.text("transaction_id", v.transaction_id, Need::left_out);
  f.text("unit", v.unit, Need::left_out);
  f.flag("should_burst", v.should_burst, Need::must);
  f.text("code", v.code, Need::must);
  f.text("reason", v.reason, Need::must);
  f.money("estimate", v.estimate, Need::must);
  f.money("granted", v.granted, Need::must);
  f.money("max_total_cost", v.max_total_cost, Need::must);
  f.text("paying_account", v.paying_account, Need::left_out);
  f.money("budget_limit", v.budget_limit, Need::must);
  f.money("budget_used", v.budget_used, Need::must);
  f.money("budget_held", v.budget_held, Need::must);
  f.money("budget_available", v.budget_available, Need::must);
  f.time("budget_end", v.budget_end, Need::left_out);
  f.number("price_version", v.price_version, Need::must);
  f.time("as_of", v.as_of, Need::must);
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::Usage)
ASBB_JSON_TYPE(asbb::api::UsageSummary)
ASBB_JSON_TYPE(asbb::api::ChargePage)
ASBB_JSON_TYPE(asbb::api::Forecast)
ASBB_JSON_TYPE(asbb::api::JobContext)
ASBB_JSON_TYPE(std::vector<asbb::api::OpenHold>)
