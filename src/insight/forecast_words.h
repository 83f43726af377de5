// A forecast in sentences that the head of a project understands. Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "insight/forecast.h"

namespace asbb::insight {

// Of what is held: for jobs that run, and for jobs that wait.
struct HeldParts {
  Micros running;
  Micros waiting;
};

// The calendar day of a moment, "2025-12-31".
using DayText = std::function<std::string(Instant)>;

// The most important first. Amounts are rounded half-even to cents; `found` has the exact ones.
[[nodiscard]] std::vector<std::string> explain(const BudgetFacts& facts, const HeldParts& held,
                                               const BudgetForecast& found, const std::string& unit,
                                               const DayText& day);

// Whole days from one moment to another, rounded down; 0 when it is past.
[[nodiscard]] std::int64_t whole_days(Instant from, Instant to);

}  // namespace asbb::insight
