// Names of refusals, and the one-line form in which an answer is remembered.
#include <vector>

#include "base/text.h"
#include "ledger/command.h"
#include "ledger/record.h"
#include "ledger/words.h"

namespace asbb::ledger {
namespace {

constexpr Words<Refusal, 45> refusals{{
    {Refusal::none, "none"},
    {Refusal::request_id_conflict, "request_id_conflict"},
    {Refusal::request_too_old, "request_too_old"},
    {Refusal::expired, "expired"},
    {Refusal::bad_amount, "bad_amount"},
    {Refusal::bad_period, "bad_period"},
    {Refusal::bad_name, "bad_name"},
    {Refusal::bad_task_count, "bad_task_count"},
    {Refusal::unknown_account, "unknown_account"},
    {Refusal::account_exists, "account_exists"},
    {Refusal::alias_taken, "alias_taken"},
    {Refusal::too_many_aliases, "too_many_aliases"},
    {Refusal::too_many_owners, "too_many_owners"},
    {Refusal::account_inactive, "account_inactive"},
    {Refusal::account_closed, "account_closed"},
    {Refusal::unknown_parent, "unknown_parent"},
    {Refusal::parent_cycle, "parent_cycle"},
    {Refusal::no_budget, "no_budget"},
    {Refusal::budget_not_in_force, "budget_not_in_force"},
    {Refusal::budget_overlaps, "budget_overlaps"},
    {Refusal::unknown_budget, "unknown_budget"},
    {Refusal::insufficient_budget, "insufficient_budget"},
    {Refusal::partition_limit_exceeded, "partition_limit_exceeded"},
    {Refusal::limit_below_committed, "limit_below_committed"},
    {Refusal::budget_in_use, "budget_in_use"},
    {Refusal::exceeds_used, "exceeds_used"},
    {Refusal::exceeds_available, "exceeds_available"},
    {Refusal::exceeds_charge, "exceeds_charge"},
    {Refusal::limit_too_large, "limit_too_large"},
    {Refusal::budget_ended, "budget_ended"},
    {Refusal::same_budget, "same_budget"},
    {Refusal::reason_missing, "reason_missing"},
    {Refusal::too_many_unbound, "too_many_unbound"},
    {Refusal::unknown_hold, "unknown_hold"},
    {Refusal::hold_closed, "hold_closed"},
    {Refusal::hold_is_bound, "hold_is_bound"},
    {Refusal::bound_elsewhere, "bound_elsewhere"},
    {Refusal::settled_differently, "settled_differently"},
    {Refusal::unit_not_held, "unit_not_held"},
    {Refusal::same_unit, "same_unit"},
    {Refusal::conversion_not_allowed, "conversion_not_allowed"},
    {Refusal::no_conversion_rate, "no_conversion_rate"},
    {Refusal::converts_to_nothing, "converts_to_nothing"},
    {Refusal::declined, "declined"},
    {Refusal::overflow, "overflow"},
}};

// The fields of an outcome under their names, for writing and reading alike.
template <typename OutcomeType, typename Visit>
void visit_texts(OutcomeType& outcome, Visit visit) {
  visit("field", outcome.field);
  visit("unit", outcome.unit);
  visit("leg_account", outcome.leg.account);
  visit("leg_partition", outcome.leg.partition);
  visit("asked_by", outcome.asked_by);
  visit("code", outcome.code);
  visit("message", outcome.message);
}

template <typename OutcomeType, typename Visit>
void visit_amounts(OutcomeType& outcome, Visit visit) {
  visit("estimate", outcome.estimate);
  visit("amount", outcome.amount);
  visit("leg_limit", outcome.leg.limit);
  visit("leg_held", outcome.leg.held);
  visit("leg_used", outcome.leg.used);
  visit("leg_available", outcome.leg.available);
  visit("granted", outcome.granted);
  visit("charged", outcome.charged);
  visit("overrun", outcome.overrun);
  visit("released", outcome.released);
  visit("converted", outcome.converted);
  visit("rearmed", outcome.rearmed);
  visit("uncovered", outcome.uncovered);
  visit("written_off", outcome.written_off);
}

template <typename OutcomeType, typename Visit>
void visit_numbers(OutcomeType& outcome, Visit visit) {
  visit("account", outcome.account.value);
  visit("budget", outcome.budget.value);
  visit("hold", outcome.hold.value);
  visit("sequence", outcome.sequence);
  visit("price_version", outcome.price_version);
  visit("rate_version", outcome.rate_version);
}

}  // namespace

const char* to_string(Refusal refusal) {
  return word_of(refusals, refusal);
}

std::optional<Refusal> parse_refusal(std::string_view text) {
  return value_of(refusals, text);
}

std::string encode(const Outcome& outcome) {
  RecordWriter writer;
  writer.add("refusal", to_string(outcome.refusal));
  visit_texts(outcome, [&](const char* key, const std::string& value) {
    if (!value.empty()) writer.add(key, value);
  });
  visit_amounts(outcome, [&](const char* key, Micros value) {
    if (!value.is_zero()) writer.add(key, value.count());
  });
  visit_numbers(outcome, [&](const char* key, std::int64_t value) {
    if (value != 0) writer.add(key, value);
  });
  return writer.text();
}

std::optional<Outcome> decode_outcome(std::string_view text) {
  const auto fields = read_record(text);
  if (!fields) return std::nullopt;
  const auto word = fields->find("refusal");
  if (word == fields->end()) return std::nullopt;
  const auto refusal = parse_refusal(word->second);
  if (!refusal) return std::nullopt;
  Outcome outcome;
  outcome.refusal = *refusal;
  bool sound = true;
  visit_texts(outcome, [&](const char* key, std::string& value) {
    if (const auto found = fields->find(key); found != fields->end()) value = found->second;
  });
  const auto number = [&](const char* key) -> std::int64_t {
    const auto found = fields->find(key);
    if (found == fields->end()) return 0;
    const auto parsed = parse_whole(found->second);
    sound = sound && parsed.has_value();
    return parsed.value_or(0);
  };
  visit_amounts(outcome, [&](const char* key, Micros& value) { value = Micros(number(key)); });
  visit_numbers(outcome, [&](const char* key, std::int64_t& value) { value = number(key); });
  if (!sound) return std::nullopt;
  return outcome;
}

}  // namespace asbb::ledger
