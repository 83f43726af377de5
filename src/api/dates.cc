#include "api/dates.h"

#include "base/text.h"
#include "base/zone.h"

namespace asbb::api {

Result<Date> parse_date(std::string_view text) {
  if (text.size() == 10) {
    const auto day = parse_day(text);
    if (day) return Date(*day);
  } else if (const auto at = parse_rfc3339(text)) {
    return Date(*at);
  }
  return fail(ErrorKind::invalid, in_quotes(text) +
                                      " is not a date from 1970-01-01 to 9999-12-31: a day such as "
                                      "2025-12-31 or a time such as 2025-12-31T00:00:00Z is "
                                      "expected");
}

std::string to_string(const Date& date) {
  if (const Day* day = std::get_if<Day>(&date)) return asbb::to_string(*day);
  return to_rfc3339(std::get<Instant>(date));
}

Result<Instant> period_start(const Date& date, const std::string& zone) {
  if (const Day* day = std::get_if<Day>(&date)) return start_of_day(*day, zone);
  return std::get<Instant>(date);
}

Result<Instant> period_end(const Date& date, const std::string& zone) {
  if (const Day* day = std::get_if<Day>(&date)) return start_of_day(next_day(*day), zone);
  return std::get<Instant>(date);
}

}  // namespace asbb::api
