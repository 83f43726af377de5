// Where calendar days begin: the one place that knows time zones. Periods are entered as days in a
// configured zone and stored half-open in UTC (DESIGN 6).
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace asbb {

// First moment of `day` in the zone (an IANA name such as "Europe/Paris", or "UTC").
[[nodiscard]] Result<Instant> start_of_day(Day day, const std::string& zone);

// The day on which `at` falls in the zone.
[[nodiscard]] Result<Day> day_of(Instant at, const std::string& zone);

}  // namespace asbb
