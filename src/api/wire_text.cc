#include "api/wire_text.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace asbb::api {
namespace {

constexpr std::int64_t wall_time_max_s = 4'294'967'295;  // 32 bits of minutes mean no more in Slurm

tl::unexpected<Error> refuse(std::string_view text, const char* expected) {
  return fail(ErrorKind::invalid,
              "'" + std::string(text.substr(0, 40)) + "' is not allowed: " + expected);
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
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  std::int64_t exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [end, ec] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (ec != std::errc() || end != power.data() + power.size()) return std::nullopt;
    if (exponent < -10'000 || exponent > 10'000) return std::nullopt;
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

std::optional<std::int64_t> to_number(std::string_view text) {
  if (!is_digits(text) || text.size() > 12) return std::nullopt;
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "4:00:00" -> {4, 0, 0}; nothing when a piece is no number or there are more than three.
std::optional<std::vector<std::int64_t>> clock_pieces(std::string_view text) {
  std::vector<std::int64_t> out;
  while (true) {
    const auto colon = text.find(':');
    const auto piece = to_number(text.substr(0, colon));
    if (!piece || out.size() == 3) return std::nullopt;
    out.push_back(*piece);
    if (colon == std::string_view::npos) return out;
    text.remove_prefix(colon + 1);
  }
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
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(micros.data(), micros.data() + micros.size(), value);
  if (ec != std::errc() || value > max_amount.count()) {
    return refuse(text, "the amount is beyond what can be counted");
  }
  if (rounds_away(rest, value % 2 == 0, number->negative, rounding)) ++value;
  if (value > max_amount.count()) return refuse(text, "the amount is beyond what can be counted");
  return Micros(number->negative ? -value : value);
}

Result<std::int64_t> parse_wall_time_s(std::string_view text) {
  constexpr const char* expected =
      "a finite wall time such as 30 (minutes), 04:00:00 or 1-12:00:00 is expected";
  std::int64_t days = 0;
  std::string_view rest = text;
  const auto dash = text.find('-');
  if (dash != std::string_view::npos) {
    const auto number = to_number(text.substr(0, dash));
    if (!number) return refuse(text, expected);
    days = *number;
    rest = text.substr(dash + 1);
  }
  const auto pieces = clock_pieces(rest);
  if (!pieces) return refuse(text, expected);
  std::array<std::int64_t, 3> hms{};  // hours, minutes, seconds
  const bool from_hours = dash != std::string_view::npos || pieces->size() == 3;
  const std::size_t first = from_hours ? 0 : 1;
  for (std::size_t i = 0; i < pieces->size(); ++i) hms[first + i] = (*pieces)[i];
  constexpr std::int64_t piece_max = 100'000'000'000;
  if (days > 100'000 || hms[0] > piece_max || hms[1] > piece_max || hms[2] > piece_max) {
    return refuse(text, expected);
  }
  const std::int64_t total = ((days * 24 + hms[0]) * 60 + hms[1]) * 60 + hms[2];
  if (total < 1 || total > wall_time_max_s) return refuse(text, expected);
  return total;
}

Result<std::int64_t> parse_memory_mb(std::string_view text) {
  constexpr const char* expected = "a size such as 64GB, 512M or a number of MB is expected";
  constexpr std::int64_t memory_max_mb = 1'000'000'000'000;
  const auto digits_end = text.find_first_not_of("0123456789.");
  std::string_view unit = digits_end == std::string_view::npos ? "" : text.substr(digits_end);
  const auto amount = parse_micros(text.substr(0, digits_end));
  if (!amount) return refuse(text, expected);
  if (unit.size() > 1 && (unit.back() == 'B' || unit.back() == 'b')) unit.remove_suffix(1);
  if (unit.size() > 1 && unit.back() == 'i') unit.remove_suffix(1);
  std::int64_t factor = 1;
  std::int64_t divisor = 1'000'000;
  if (unit == "K" || unit == "k") {
    divisor *= 1024;
  } else if (unit == "G" || unit == "g") {
    factor = 1024;
  } else if (unit == "T" || unit == "t") {
    factor = 1024 * 1024;
  } else if (!unit.empty() && unit != "M" && unit != "m") {
    return refuse(text, expected);
  }
  const auto total = mul_div(amount->count(), factor, divisor, Rounding::up);
  if (!total || *total > memory_max_mb) return refuse(text, expected);
  return *total;
}

}  // namespace asbb::api
