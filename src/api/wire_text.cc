#include "api/wire_text.h"

#include <optional>
#include <string>

#include "base/slurm_units.h"
#include "base/text.h"

namespace asbb::api {
namespace {

constexpr std::int64_t wall_time_max_s = 4'294'967'295;  // 32 bits of minutes mean no more in Slurm

tl::unexpected<Error> refuse(std::string_view text, const char* expected) {
  return fail(ErrorKind::invalid, in_quotes(text) + " is not allowed: " + expected);
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// A decimal taken apart: digits with the point before index `point`, which may lie outside them.
struct Digits {
  bool negative = false;
  std::string digits;
  std::int64_t point = 0;
};

std::optional<Digits> take_apart(std::string_view text) {
  Digits out;
  if (text.starts_with('-') || text.starts_with('+')) {
    out.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::int64_t exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+') && !power.starts_with("+-")) power.remove_prefix(1);
    const auto read = parse_whole(power, -10'000, 10'000);
    if (!read) return std::nullopt;
    exponent = *read;
    text = text.substr(0, e);
  }
  const auto dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction =
      dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if (!is_digits(whole) || (dot != std::string_view::npos && !is_digits(fraction))) {
    return std::nullopt;
  }
  out.digits = std::string(whole) + std::string(fraction);
  out.point = static_cast<std::int64_t>(whole.size()) + exponent;
  return out;
}

// Whether the digits behind the last millionth, `rest`, move an amount of `even` last digit away
// from zero.
bool rounds_away(std::string_view rest, bool even, bool negative, Rounding rounding) {
  const bool any = rest.find_first_not_of('0') != std::string_view::npos;
  if (!any) return false;
  if (rounding == Rounding::up) return !negative;
  if (rest[0] != '5') return rest[0] > '5';
  return rest.find_first_not_of('0', 1) != std::string_view::npos || !even;
}

}  // namespace

Result<Micros> parse_rounded(std::string_view text, Rounding rounding) {
  constexpr const char* expected = "a decimal number such as 12 or 0.25 is expected";
  if (text.size() > 400) return refuse(text, expected);
  auto number = take_apart(text);
  if (!number) return refuse(text, expected);
  std::string& digits = number->digits;
  const std::size_t leading = digits.find_first_not_of('0');
  if (leading == std::string::npos) return Micros(0);
  digits.erase(0, leading);
  number->point -= static_cast<std::int64_t>(leading);
  const std::int64_t kept = number->point + 6;  // digits of the number of millionths
  if (kept > 19) return refuse(text, "the amount is beyond what can be counted");
  std::string rest;
  std::string micros;
  if (kept <= 0) {
    rest = std::string(static_cast<std::size_t>(-kept), '0') + digits;
    micros = "0";
  } else {
    const auto count = static_cast<std::size_t>(kept);
    if (digits.size() < count) digits.append(count - digits.size(), '0');
    micros = digits.substr(0, count);
    rest = digits.substr(count);
  }
  const auto read = parse_count(micros, max_amount.count());
  if (!read) return refuse(text, "the amount is beyond what can be counted");
  std::int64_t value = *read;
  if (rounds_away(rest, value % 2 == 0, number->negative, rounding)) ++value;
  if (value > max_amount.count()) return refuse(text, "the amount is beyond what can be counted");
  return Micros(number->negative ? -value : value);
}

Result<std::int64_t> parse_wall_time_s(std::string_view text) {
  constexpr const char* expected =
      "a finite wall time such as 30 (minutes), 04:00:00 or 1-12:00:00 is expected";
  const auto seconds = parse_slurm_time_s(text, wall_time_max_s);
  if (!seconds || *seconds == 0) return refuse(text, expected);
  return *seconds;
}

Result<std::int64_t> parse_memory_mb(std::string_view text) {
  constexpr const char* expected = "a size such as 64GB, 512M or a number of MB is expected";
  constexpr std::int64_t memory_max_mb = 1'000'000'000'000;
  const auto size = parse_slurm_memory_mb(text, memory_max_mb);
  if (!size) return refuse(text, expected);
  return *size;
}

}  // namespace asbb::api
