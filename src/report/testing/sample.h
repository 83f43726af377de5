// A small report with something of everything, for tests of how reports look.
#pragma once

#include <optional>
#include <string>

#include "report/dual.h"

namespace asbb::report::testing {

// In the units USD and core-hours, with a total at 0.04 USD for a core-hour.
[[nodiscard]] Line line_of(const std::string& name, std::optional<Micros> usd,
                           std::optional<Micros> core_hours, std::int64_t jobs,
                           const std::string& cluster = {});
[[nodiscard]] Dual sample();

}  // namespace asbb::report::testing
