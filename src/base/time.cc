#include "base/time.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>

#include "base/text.h"

namespace asbb {
namespace {

std::chrono::year_month_day to_chrono(Day day) {
  return std::chrono::year(day.year) / static_cast<int>(day.month) / static_cast<int>(day.day);
}

Day from_chrono(std::chrono::year_month_day ymd) {
  return Day{static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
             static_cast<unsigned>(ymd.day())};
}

// Reads exactly `width` digits at `at`; -1 when they are not there.
int digits(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

tl::unexpected<Error> bad_time(std::string_view text) {
  return fail(ErrorKind::invalid, in_quotes(text) +
                                      " is not a time from 1970 to 9999: RFC 3339 such as "
                                      "2025-01-31T12:00:00Z is expected");
}

tl::unexpected<Error> bad_day(std::string_view text) {
  return fail(
      ErrorKind::invalid,
      in_quotes(text) + " is not a date: YYYY-MM-DD between 1970-01-01 and 9999-12-31 is expected");
}

// Seconds east of UTC from "Z" or "+hh:mm"; nothing when it is neither.
std::optional<int> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hour = digits(text, 1, 2);
  const int minute = digits(text, 4, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  const int offset = hour * 3600 + minute * 60;
  return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::string to_rfc3339(Instant at) {
  using namespace std::chrono;
  const sys_time<microseconds> point{microseconds(at.microseconds)};
  const auto day = floor<days>(point);
  const hh_mm_ss time{point - day};
  const year_month_day ymd{day};
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                static_cast<unsigned>(ymd.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  std::string out(buffer.data());
  if (const auto fraction = time.subseconds().count(); fraction != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%06d", static_cast<int>(fraction));
    out += buffer.data();
  }
  return out + "Z";
}

Result<Instant> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text.size() > 40 || (text[10] != 'T' && text[10] != 't') ||
      text[13] != ':' || text[16] != ':') {
    return bad_time(text);
  }
  const auto day = parse_day(text.substr(0, 10));
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (!day || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return bad_time(text);
  }
  std::size_t at = 19;
  std::int64_t fraction = 0;
  if (text[at] == '.') {
    std::int64_t scale = 100'000;
    const std::size_t start = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
      fraction += (text[at] - '0') * scale;
    }
    if (at == start) return bad_time(text);
  }
  const auto offset = parse_offset(text.substr(at));
  if (!offset) return bad_time(text);
  const auto days = std::chrono::sys_days(to_chrono(*day)).time_since_epoch().count();
  const std::int64_t unix_seconds =
      std::int64_t{days} * 86400 + hour * 3600 + minute * 60 + second - *offset;
  return Instant{unix_seconds * 1'000'000 + fraction};
}

Result<Day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return bad_day(text);
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  if (year < 1970 || month < 1 || day < 1) return bad_day(text);
  const Day out{year, static_cast<unsigned>(month), static_cast<unsigned>(day)};
  if (!to_chrono(out).ok()) return bad_day(text);
  return out;
}

std::string to_string(Day day) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", day.year, day.month, day.day);
  return buffer.data();
}

Day next_day(Day day) {
  return from_chrono(std::chrono::sys_days(to_chrono(day)) + std::chrono::days(1));
}

Day previous_day(Day day) {
  return from_chrono(std::chrono::sys_days(to_chrono(day)) - std::chrono::days(1));
}

}  // namespace asbb
