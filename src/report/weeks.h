// ISO weeks: from Monday to Sunday, named by the year of their Thursday. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace asbb::report {

struct Week {
  int year = 1970;
  int number = 1;  // 1 to 53
  auto operator<=>(const Week&) const = default;
};

[[nodiscard]] Week week_of(Day day);
[[nodiscard]] Day first_day(Week week);  // its Monday
[[nodiscard]] Day last_day(Week week);   // its Sunday
[[nodiscard]] Week next_week(Week week);
[[nodiscard]] Week previous_week(Week week);

[[nodiscard]] std::string to_string(Week week);  // "2026-W07"
// invalid: another form, or a week that the year does not have.
[[nodiscard]] Result<Week> parse_week(std::string_view text);

// Days from `from` to `to`; negative when it is before.
[[nodiscard]] std::int64_t days_between(Day from, Day to);
[[nodiscard]] Day days_after(Day day, std::int64_t count);

}  // namespace asbb::report
