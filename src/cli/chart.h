// A small chart of a budget's period for any terminal: plain ASCII, no colour, at most 80 columns.
// Pure integer arithmetic; any thread.
#pragma once

#include <string>

#include "api/usage.h"

namespace asbb::cli {

// Lines, each ended by '\n': '#' what is spent, '+' what is expected at the rate of the last 30
// days, '-' the limit; under them the first day, today and the last day.
[[nodiscard]] std::string budget_chart(const api::UnitForecast& budget);

}  // namespace asbb::cli
