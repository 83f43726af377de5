#include "report/spans.h"

#include <algorithm>

#include "report/text.h"
#include "report/weeks.h"

namespace asbb::report {
namespace {

constexpr std::int64_t days_by_day = 45;
constexpr std::int64_t days_by_week = 400;

enum class Kind { day, week, month };

Kind kind_of(Day first, Day last) {
  const std::int64_t days = days_between(first, last) + 1;
  if (days <= days_by_day) return Kind::day;
  return days <= days_by_week ? Kind::week : Kind::month;
}

DaySpan span_from(Day first, Day end, Kind kind) {
  DaySpan span;
  span.first = span.last = first;
  if (kind == Kind::day) {
    span.label = day_month(first);
    span.name = to_string(first);
    return span;
  }
  if (kind == Kind::week) {
    const Week week = week_of(first);
    span.last = std::min(last_day(week), end);
    span.label = "W" + to_string(week).substr(6);
    span.name = to_string(week) + " (" + to_string(first) + " to " + to_string(span.last) + ")";
    return span;
  }
  Day last{first.year, first.month, 28};
  while (next_day(last).month == first.month) last = next_day(last);
  span.last = std::min(last, end);
  span.name = to_string(first).substr(0, 7);
  span.label = month_year(first);
  return span;
}

}  // namespace

std::vector<DaySpan> spans_of(Day first, Day last, const std::vector<Line>& by_day,
                              std::size_t unit) {
  std::vector<DaySpan> spans;
  const Kind kind = kind_of(first, last);
  for (Day day = first; day <= last;) {
    spans.push_back(span_from(day, last, kind));
    day = next_day(spans.back().last);
  }
  std::size_t at = 0;
  for (const Line& line : by_day) {
    if (!line.charged[unit]) continue;
    const Day day = parse_day(line.name).value_or(first);
    while (at + 1 < spans.size() && spans[at].last < day) ++at;
    spans[at].charged = spans[at].charged.value_or(Micros()) + *line.charged[unit];
  }
  return spans;
}

const char* span_word(Day first, Day last) {
  switch (kind_of(first, last)) {
    case Kind::day:
      return "day";
    case Kind::week:
      return "week";
    default:
      return "month";
  }
}

}  // namespace asbb::report
