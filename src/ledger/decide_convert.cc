// Rates between units, and money that changes its unit by them.
#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

constexpr Micros rate_max{1'000'000'000'000};  // a million units for one
constexpr std::int64_t micros_per_unit = 1'000'000;

Outcome check_units(const std::string& from_unit, const std::string& to_unit) {
  if (!is_valid_unit(from_unit)) return refuse(Refusal::bad_name, "from_unit");
  if (!is_valid_unit(to_unit)) return refuse(Refusal::bad_name, "to_unit");
  if (from_unit == to_unit) return refuse(Refusal::same_unit, "to_unit");
  return {};
}

// What the amount comes to, in `converted`.
Outcome apply_rate(const Stage& stage, const Context& context, const Convert& action,
                   const ConversionRate*& rate, Micros& converted) {
  rate = stage.rate(action.from_unit, action.to_unit, context.at);
  if (rate == nullptr) return refuse(Refusal::no_conversion_rate, "to_unit");
  // Rounded down: minus the rounded-up negative.
  const auto negative =
      mul_div(-action.amount.count(), rate->rate.count(), micros_per_unit, Rounding::up);
  if (!negative || *negative < -max_amount.count()) return refuse(Refusal::overflow, "amount");
  converted = Micros(-*negative);
  if (converted.is_zero()) return refuse(Refusal::converts_to_nothing, "amount");
  return {};
}

// The unit and amount at the other end, and the rate between them.
std::string other_end(const std::string& unit, Micros amount, const ConversionRate& rate) {
  return RecordWriter()
      .add("other_unit", unit)
      .add("other_amount_micros", amount.count())
      .add("rate_micros", rate.rate.count())
      .add("rate_version", rate.version)
      .text();
}

}  // namespace

Outcome decide_action(Stage& stage, const Context& context, const RecordConversionRate& action) {
  Outcome outcome = check_units(action.from_unit, action.to_unit);
  if (!outcome.accepted()) return outcome;
  if (action.rate <= Micros() || action.rate > rate_max) return refuse(Refusal::bad_amount, "rate");
  ConversionRate rate;
  rate.from_unit = action.from_unit;
  rate.to_unit = action.to_unit;
  rate.rate = action.rate;
  rate.effective_from = action.effective_from;
  rate.recorded_at = context.at;
  outcome.rate_version = stage.add(std::move(rate)).version;
  Entry entry;
  entry.at = context.at;
  entry.type = EntryType::conversion_rate;
  entry.actor = context.actor;
  entry.reason = context.reason;
  entry.request_id = context.request_id;
  entry.details = RecordWriter()
                      .add("version", outcome.rate_version)
                      .add("from_unit", action.from_unit)
                      .add("to_unit", action.to_unit)
                      .add("rate_micros", action.rate.count())
                      .add("effective_from_us", action.effective_from.microseconds)
                      .text();
  stage.add(std::move(entry));
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const Convert& action) {
  Outcome outcome = check_amount(context, action.amount);
  if (outcome.accepted()) outcome = check_units(action.from_unit, action.to_unit);
  if (!outcome.accepted()) return outcome;
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  if (!account->may_convert) return refuse(Refusal::conversion_not_allowed, "account");
  const ConversionRate* rate = nullptr;
  Micros converted;
  const Budget* from = nullptr;
  const Budget* to = nullptr;
  outcome = apply_rate(stage, context, action, rate, converted);
  if (outcome.accepted()) {
    outcome = find_source(stage, context, action.account, action.from_unit, action.amount, from);
  }
  if (outcome.accepted()) {
    outcome = find_target(stage, context, action.account, "account", action.to_unit, converted, to);
    if (outcome.refusal == Refusal::unknown_budget || outcome.refusal == Refusal::budget_ended) {
      outcome.field = "to_unit";
    }
  }
  if (!outcome.accepted()) return outcome;
  const BudgetId source = from->id;
  const BudgetId target = to->id;
  move_limit(stage, context, source, EntryType::convert_out, action.amount, target,
             other_end(action.to_unit, converted, *rate));
  move_limit(stage, context, target, EntryType::convert_in, converted, source,
             other_end(action.from_unit, action.amount, *rate));
  outcome = moved(stage, source, action.amount);
  outcome.converted = converted;
  outcome.rate_version = rate->version;
  return outcome;
}

}  // namespace asbb::ledger
