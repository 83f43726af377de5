// The drawings of a report. Each is one SVG that reads without colour as well: what is what stands
// beside it in words. Pure functions.
#pragma once

#include <string>

#include "report/dual.h"

namespace asbb::report {

// Bars over the period, of one of the report's units.
[[nodiscard]] std::string usage_plot(const Dual& report, std::size_t unit);

// Who spent it: the largest, and the rest together. Users that got more back than they spent are
// not in it.
[[nodiscard]] std::string users_plot(const Dual& report, std::size_t unit);

// What was left of a budget day by day, beside an even pace, and where the pace of late leads.
// `number` tells drawings of one page apart.
[[nodiscard]] std::string burn_down_plot(const BurnDown& burn_down, std::size_t number);

// What was left at the end of a day of the budget's period.
struct LeftOn {
  Day day;
  Micros left;  // without what is held
  bool operator==(const LeftOn&) const = default;
};
// Before the first day, at each day with a charge, and today.
[[nodiscard]] std::vector<LeftOn> left_by_day(const BurnDown& burn_down);

// The style of a unit's marks: the same unit has the same one in every report.
[[nodiscard]] std::string style_of(const std::string& unit);

}  // namespace asbb::report
