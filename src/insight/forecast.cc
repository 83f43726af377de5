#include "insight/forecast.h"

#include <algorithm>

namespace asbb::insight {
namespace {

constexpr std::int64_t whole = 1'000'000;
constexpr Span hundred_years = hours(24LL * 36'525);
constexpr std::int64_t underspent_part = 5;  // a fifth

Micros at_least_zero(Micros amount) {
  return std::max(amount, Micros());
}

// a * b / c, at most max_amount.
Micros scaled(Micros a, std::int64_t b, std::int64_t c, Rounding rounding) {
  const auto result = mul_div(a.count(), b, c, rounding);
  return result ? std::min(Micros(*result), max_amount) : max_amount;
}

Micros highest(const std::array<Rate, 3>& rates) {
  return std::max({rates[0].per_day, rates[1].per_day, rates[2].per_day});
}

Micros lowest(const std::array<Rate, 3>& rates) {
  return std::min({rates[0].per_day, rates[1].per_day, rates[2].per_day});
}

void add_holds(const BudgetFacts& facts, BudgetForecast& out) {
  out.available = facts.limit - facts.used - facts.held;
  out.is_part_known = facts.settled_held > Micros() && !facts.settled_cost.is_negative();
  out.usual_part = out.is_part_known ? scaled(facts.settled_cost, whole, facts.settled_held.count(),
                                              Rounding::half_even)
                                     : Micros(whole);
  out.holds_take = scaled(facts.held, out.usual_part.count(), whole, Rounding::up);
  out.left_after_holds = facts.limit - facts.used - out.holds_take;
}

void add_end(const BudgetFacts& facts, BudgetForecast& out) {
  const Span left = std::max(facts.end - facts.now, Span{0});
  const Span at_least_a_day = std::max(left, day_span);
  out.expected_per_day = scaled(at_least_zero(facts.limit - facts.used), day_span.microseconds,
                                at_least_a_day.microseconds, Rounding::half_even);
  const Micros more =
      scaled(facts.rates[1].per_day, left.microseconds, day_span.microseconds, Rounding::half_even);
  out.used_at_end = std::min(facts.used + out.holds_take + more, std::max(facts.limit, facts.used));
  out.unused_at_end = at_least_zero(facts.limit - out.used_at_end);
  // As the ledger carries over: rounded down.
  out.carried_over = Micros() - scaled(Micros() - out.unused_at_end, facts.carry_over_millionths,
                                       whole, Rounding::up);
  out.expires = out.unused_at_end - out.carried_over;
}

Outlook outlook_of(const BudgetFacts& facts, const BudgetForecast& found) {
  const auto is_early = [&](const std::optional<Instant>& at) { return at && *at < facts.end; };
  if (found.available <= Micros()) return Outlook::exhausted;
  if (is_early(found.runs_out)) return Outlook::runs_out;
  if (is_early(found.runs_out_earliest)) return Outlook::may_run_out;
  if (highest(facts.rates).is_zero() && facts.held.is_zero()) return Outlook::no_spending;
  return found.unused_at_end.count() > facts.limit.count() / underspent_part ? Outlook::underspent
                                                                             : Outlook::on_track;
}

}  // namespace

void BurnMeter::add(Instant at, Micros amount) {
  if (!(at < now_)) return;
  for (std::size_t i = 0; i < rate_days.size(); ++i) {
    if (now_ - hours(24 * rate_days[i]) <= at) spent_[i] += amount;
  }
}

std::array<Rate, 3> BurnMeter::rates() const {
  std::array<Rate, 3> out;
  for (std::size_t i = 0; i < rate_days.size(); ++i) {
    Rate& rate = out[i];
    rate.days = rate_days[i];
    rate.covered = std::max(std::min(now_ - since_, hours(24 * rate_days[i])), day_span);
    rate.spent = spent_[i];
    rate.per_day = scaled(at_least_zero(rate.spent), day_span.microseconds,
                          rate.covered.microseconds, Rounding::half_even);
  }
  return out;
}

std::optional<Instant> time_until_spent(Instant now, Micros left, Micros per_day) {
  if (left <= Micros()) return now;
  if (per_day <= Micros()) return std::nullopt;
  const auto span =
      mul_div(left.count(), day_span.microseconds, per_day.count(), Rounding::half_even);
  if (!span || Span{*span} > hundred_years) return std::nullopt;
  return now + Span{*span};
}

BudgetForecast forecast(const BudgetFacts& facts) {
  BudgetForecast out;
  add_holds(facts, out);
  const Micros least = std::min(out.available, out.left_after_holds);
  const Micros most = std::max(out.available, out.left_after_holds);
  out.runs_out_earliest = time_until_spent(facts.now, least, highest(facts.rates));
  out.runs_out = time_until_spent(facts.now, out.left_after_holds, facts.rates[1].per_day);
  out.runs_out_latest = time_until_spent(facts.now, most, lowest(facts.rates));
  add_end(facts, out);
  out.outlook = outlook_of(facts, out);
  return out;
}

const char* to_string(Outlook outlook) {
  switch (outlook) {
    case Outlook::no_spending:
      return "no_spending";
    case Outlook::exhausted:
      return "exhausted";
    case Outlook::runs_out:
      return "runs_out";
    case Outlook::may_run_out:
      return "may_run_out";
    case Outlook::on_track:
      return "on_track";
    case Outlook::underspent:
      return "underspent";
  }
  return "on_track";
}

}  // namespace asbb::insight
