#include "api/budget.h"

#include "api/json_io.h"

namespace asbb::api {
namespace {

constexpr Range counts{1, 1'000'000};

// What a program computed and sent: more digits than a millionth are rounded as a charge is.
constexpr MoneyRule actual_cost{Micros(0), max_amount, Rounding::half_even};

}  // namespace

template <typename F>
void fields(F& f, As<F, BudgetCheck>& v) {
  f.text("account", v.account, Need::must, name_text);
  f.text("partition", v.partition, Need::must, name_text);
  f.number("nodes", v.nodes, Need::must, counts);
  f.number("cpus", v.cpus, Need::must, counts);
  f.number("gpus", v.gpus, Need::left_out, Range{0, counts.max});
  f.memory("memory", v.memory_mb, Need::left_out);
  f.wall_time("wall_time", v.wall_time_s, Need::must);
  f.text("user_id", v.user_id, Need::left_out, name_text);
  f.text("cluster", v.cluster, Need::left_out, name_text);
  f.text("request_id", v.request_id, Need::left_out, name_text);
}

template <typename F>
void fields(F& f, As<F, BudgetCheckDetails>& v) {
  f.money("account_balance", v.account_balance, Need::may);
  f.money("current_hold", v.current_hold, Need::may);
  f.money("partition_used", v.partition_used, Need::left_out);
  f.money("partition_limit", v.partition_limit, Need::left_out);
  f.money("hold_percentage", v.hold_percentage, Need::may);
  f.money("advisor_confidence", v.advisor_confidence, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, BudgetCheckAnswer>& v) {
  f.flag("available", v.available, Need::must);
  f.text("unit", v.unit, Need::may);
  f.money("estimated_cost", v.estimated_cost, Need::may);
  f.money("hold_amount", v.hold_amount, Need::may);
  f.text("transaction_id", v.transaction_id, Need::left_out);
  f.text("code", v.code, Need::left_out);
  f.text("message", v.message, Need::may);
  f.money("budget_remaining", v.budget_remaining, Need::may);
  f.text("recommendation", v.recommendation, Need::left_out);
  f.object("details", v.details, Need::may);
}

template <typename F>
void fields(F& f, As<F, BudgetReconcile>& v) {
  f.id_text("job_id", v.job_id, Need::must);
  f.money("actual_cost", v.actual_cost, Need::must, actual_cost);
  f.id_text("transaction_id", v.transaction_id, Need::left_out);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("cluster", v.cluster, Need::left_out, name_text);
  f.text("request_id", v.request_id, Need::left_out, name_text);
}

template <typename F>
void fields(F& f, As<F, BudgetReconcileAnswer>& v) {
  f.flag("success", v.success, Need::must);
  f.text("unit", v.unit, Need::may);
  f.money("original_hold", v.original_hold, Need::may);
  f.money("actual_charge", v.actual_charge, Need::may);
  f.money("refund_amount", v.refund_amount, Need::may);
  f.money("overrun", v.overrun, Need::may);
  f.text("transaction_id", v.transaction_id, Need::may);
  f.text("message", v.message, Need::may);
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::BudgetCheck)
ASBB_JSON_TYPE(asbb::api::BudgetCheckAnswer)
ASBB_JSON_TYPE(asbb::api::BudgetReconcile)
ASBB_JSON_TYPE(asbb::api::BudgetReconcileAnswer)
