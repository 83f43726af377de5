#include "report/weeks.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace asbb::report {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

sys_days to_days(Day day) {
  return sys_days(std::chrono::year(day.year) / static_cast<int>(day.month) /
                  static_cast<int>(day.day));
}

Day from_days(sys_days at) {
  const std::chrono::year_month_day ymd(at);
  return {static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
          static_cast<unsigned>(ymd.day())};
}

sys_days monday_of(sys_days at) {
  return at - (std::chrono::weekday(at) - std::chrono::Monday);
}

// The week with January 4th is the first.
sys_days first_monday(int year) {
  return monday_of(to_days({year, 1, 4}));
}

}  // namespace

Week week_of(Day day) {
  const sys_days monday = monday_of(to_days(day));
  const int year = from_days(monday + days(3)).year;
  return {year, static_cast<int>((monday - first_monday(year)) / days(7)) + 1};
}

Day first_day(Week week) {
  return from_days(first_monday(week.year) + days(7 * (week.number - 1)));
}

Day last_day(Week week) {
  return days_after(first_day(week), 6);
}

Week next_week(Week week) {
  return week_of(days_after(first_day(week), 7));
}

Week previous_week(Week week) {
  return week_of(days_after(first_day(week), -7));
}

std::string to_string(Week week) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-W%02d", week.year, week.number);
  return text.data();
}

Result<Week> parse_week(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::invalid, in_quotes(text) +
                                        " is not an ISO week: a year and a week that it has, such "
                                        "as 2025-W07, are expected");
  };
  if (text.size() != 8 || text.substr(4, 2) != "-W") return bad();
  const auto year = parse_count(text.substr(0, 4));
  const auto number = parse_count(text.substr(6));
  if (!year || *year < 1970 || *year > 9998 || !number) return bad();
  const Week week{static_cast<int>(*year), static_cast<int>(*number)};
  if (week.number < 1 || week.number > 53 || week_of(first_day(week)) != week) return bad();
  return week;
}

std::int64_t days_between(Day from, Day to) {
  return (to_days(to) - to_days(from)).count();
}

Day days_after(Day day, std::int64_t count) {
  return from_days(to_days(day) + days(count));
}

}  // namespace asbb::report
