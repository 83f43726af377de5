// How long a budget lasts, from what was spent and what is held: docs/concepts/forecast.md is the
// method, with its rounding. Pure: no I/O, no clock, no floating point; time comes in as an
// argument. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/money.h"
#include "base/time.h"

namespace asbb::insight {

// The days behind `now` over which a burn rate is taken.
inline constexpr std::array<std::int64_t, 3> rate_days{7, 30, 90};
inline constexpr Span day_span = hours(24);

struct Rate {
  std::int64_t days = 0;
  Span covered;    // of them, how long there was an account; a day at least
  Micros spent;    // charges and overruns, less refunds; may be negative
  Micros per_day;  // never below zero
  bool operator==(const Rate&) const = default;
};

// Adds up what was spent in each window behind `now`, [now - days, now).
class BurnMeter {
 public:
  // `since`: nothing was spent before it, so a window does not reach beyond it.
  BurnMeter(Instant now, Instant since) : now_(now), since_(since) {}

  // Negative amounts are money that came back. Sums stay within 64 bits: max_amount bounds each.
  void add(Instant at, Micros amount);
  [[nodiscard]] std::array<Rate, 3> rates() const;

 private:
  const Instant now_;
  const Instant since_;
  std::array<Micros, 3> spent_{};
};

struct BudgetFacts {
  Instant now;  // start <= now < end
  Instant start;
  Instant end;
  Micros limit;
  Micros used;
  Micros held;
  std::array<Rate, 3> rates;
  // Of runs that ended in the longest window: what was held for them, and what they cost.
  Micros settled_held;
  Micros settled_cost;
  std::int64_t carry_over_millionths = 0;  // 0 to 1'000'000
};

enum class Outlook {
  no_spending,  // nothing was spent and nothing is held
  exhausted,    // nothing is available any more
  runs_out,     // before the period's end, at the rate of the last 30 days
  may_run_out,  // before the period's end, at the highest of the three rates
  on_track,
  underspent  // more than a fifth of the limit will be left
};
[[nodiscard]] const char* to_string(Outlook outlook);

struct BudgetForecast {
  Outlook outlook = Outlook::no_spending;
  Micros available;         // limit - used - held
  Micros expected_per_day;  // what spends the rest evenly over the days that are left
  bool is_part_known = false;
  Micros usual_part;        // of what is held, what jobs usually cost: 0.62
  Micros holds_take;        // of what is held now, what its jobs will probably cost
  Micros left_after_holds;  // limit - used - holds_take; may be negative
  // When nothing will be available for new jobs; not set: not within a hundred years.
  std::optional<Instant> runs_out_earliest;
  std::optional<Instant> runs_out;
  std::optional<Instant> runs_out_latest;
  Micros used_at_end;
  Micros unused_at_end;
  Micros carried_over;  // of it, what goes into the next budget
  Micros expires;       // of it, what is lost
};

[[nodiscard]] BudgetForecast forecast(const BudgetFacts& facts);

// The moment at which `left` is spent at that rate; nothing when the rate is zero or it takes more
// than a hundred years. At once when nothing is left.
[[nodiscard]] std::optional<Instant> time_until_spent(Instant now, Micros left, Micros per_day);

}  // namespace asbb::insight
