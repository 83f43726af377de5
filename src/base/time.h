// Time as it arrives from outside: a count of microseconds since 1970 in UTC. Nothing here reads a
// clock; time comes in as an argument, which is what lets a simulator run years of a centre in
// seconds. Plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace asbb {

// A length of time in microseconds; negative lengths are allowed.
struct Span {
  std::int64_t microseconds = 0;
  constexpr auto operator<=>(const Span&) const = default;
};
constexpr Span milliseconds(std::int64_t n) {
  return Span{n * 1'000};
}
constexpr Span seconds(std::int64_t n) {
  return Span{n * 1'000'000};
}
constexpr Span hours(std::int64_t n) {
  return seconds(n * 3600);
}

struct Instant {
  std::int64_t microseconds = 0;  // since 1970-01-01T00:00:00Z
  constexpr auto operator<=>(const Instant&) const = default;
  [[nodiscard]] constexpr std::int64_t unix_seconds() const { return microseconds / 1'000'000; }
  static constexpr Instant from_unix_seconds(std::int64_t n) { return Instant{n * 1'000'000}; }
};
constexpr Instant operator+(Instant at, Span by) {
  return {at.microseconds + by.microseconds};
}
constexpr Instant operator-(Instant at, Span by) {
  return {at.microseconds - by.microseconds};
}
constexpr Span operator-(Instant to, Instant from) {
  return {to.microseconds - from.microseconds};
}

// "2025-01-31T23:59:59Z", with ".123456" when there is a fraction of a second.
[[nodiscard]] std::string to_rfc3339(Instant at);

// RFC 3339 with 'Z' or a numeric offset. Years 1970 to 9999.
[[nodiscard]] Result<Instant> parse_rfc3339(std::string_view text);

// A calendar day, "2025-01-31"; no zone.
struct Day {
  int year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  constexpr auto operator<=>(const Day&) const = default;
};
[[nodiscard]] Result<Day> parse_day(std::string_view text);
[[nodiscard]] std::string to_string(Day day);
[[nodiscard]] Day next_day(Day day);
[[nodiscard]] Day previous_day(Day day);

}  // namespace asbb
