// What of a budget people have to be told: a threshold that is passed, spending that is too fast,
// an end before the period's end. Pure: no I/O, no clock, no floating point.
// docs/concepts/alerts.md has the rules. Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "insight/forecast.h"

namespace asbb::insight {

struct BudgetRules {
  std::vector<std::int64_t> thresholds;  // per cent, rising
  Micros burn_rate;                      // times the even rate, in millionths; 0: not looked at
  bool looks_ahead = true;               // to the period's end, at the rate of late
};

struct WatchedBudget {
  std::int64_t id = 0;
  std::string account;
  std::string unit;
  Instant start;
  Instant end;
  std::string last_day;  // of the period, for people
  Micros limit;          // not negative
  Micros used;
  Micros held;
  std::optional<Rate> late;  // of the last days; not known: the rules that need it are silent
};

enum class Urgency { notice, warning, critical };

struct BudgetNotice {
  std::string key;  // "budget 12 spent 90 %": the same for as long as it holds
  Urgency urgency = Urgency::notice;
  std::string title;
  std::string message;
};

// A rate over less than this says nothing about the days to come.
inline constexpr Span least_covered = hours(72);

// What holds at `now`, which is within the period; of the thresholds only the highest that is
// passed. A budget of nothing is silent: nobody meant it to be spent.
[[nodiscard]] std::vector<BudgetNotice> notices_of(const WatchedBudget& budget,
                                                   const BudgetRules& rules, Instant now);

}  // namespace asbb::insight
