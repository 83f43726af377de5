// Dates of requests: a calendar day ("2025-12-31", meant inclusively, in the service's zone) or an
// RFC 3339 instant (meant as it stands). Stored periods are half-open in UTC (DESIGN 6). Plain
// values.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace asbb::api {

using Date = std::variant<Day, Instant>;

// Refused: anything that is neither a day nor RFC 3339 with a zone.
[[nodiscard]] Result<Date> parse_date(std::string_view text);
[[nodiscard]] std::string to_string(const Date& date);

// The first moment of a period that starts on `date`; `zone` is an IANA name.
[[nodiscard]] Result<Instant> period_start(const Date& date, const std::string& zone);

// The first moment after a period that ends with `date`: for a day, the start of the next one.
[[nodiscard]] Result<Instant> period_end(const Date& date, const std::string& zone);

}  // namespace asbb::api
