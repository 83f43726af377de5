// Days put together so that a plot of any period has few enough bars: single days, ISO weeks or
// months. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/money.h"
#include "report/dual.h"

namespace asbb::report {

struct DaySpan {
  Day first;
  Day last;           // inclusive
  std::string label;  // "3 Jun", "W23", "Jun 25"
  std::string name;   // "2025-06-03", "2025-W23 (2025-06-02 to 2025-06-08)", "2025-06"
  std::optional<Micros> charged;
  bool operator==(const DaySpan&) const = default;
};

// All of [first, last], without gaps, and in each what `by_day` has in that unit; the first and the
// last may be parts of a week or month. What lies outside counts to the span next to it: the
// ledger's days and the report's may differ by a zone.
[[nodiscard]] std::vector<DaySpan> spans_of(Day first, Day last, const std::vector<Line>& by_day,
                                            std::size_t unit);

// "day", "week" or "month": what spans_of makes of so long a period.
[[nodiscard]] const char* span_word(Day first, Day last);

}  // namespace asbb::report
