#include "base/money.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/text.h"

namespace asbb {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t micros_per_unit = 1'000'000;

std::optional<std::int64_t> narrow(Wide value) {
  if (value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  if (value < std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Decimal {
  bool negative = false;
  std::string digits;  // without the point
  int scale = 0;       // value = digits * 10^-scale
};

// Splits text into sign, digits and scale; nothing when it is not a decimal number.
std::optional<Decimal> scan_decimal(std::string_view text) {
  Decimal out;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) out.negative = text[at++] == '-';
  while (at < text.size() && is_digit(text[at])) out.digits += text[at++];
  const bool whole = !out.digits.empty();
  if (at < text.size() && text[at] == '.') {
    ++at;
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at])) {
      out.digits += text[at++];
      ++out.scale;
    }
    if (at == start) return std::nullopt;
  }
  if (!whole) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    bool negative = false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
    if (at == text.size() || text.size() - at > 3) return std::nullopt;
    int exponent = 0;
    while (at < text.size() && is_digit(text[at])) exponent = exponent * 10 + (text[at++] - '0');
    out.scale += negative ? exponent : -exponent;
  }
  if (at != text.size()) return std::nullopt;
  return out;
}

tl::unexpected<Error> bad_amount(std::string_view text, const char* why) {
  return fail(ErrorKind::invalid, in_quotes(text) + " is not an amount: " + why);
}

}  // namespace

std::optional<Micros> Micros::plus(Micros other) const {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(count_, other.count_, &sum)) return std::nullopt;
  return Micros(sum);
}

std::optional<Micros> Micros::minus(Micros other) const {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(count_, other.count_, &difference)) return std::nullopt;
  return Micros(difference);
}

std::optional<Micros> Micros::times(std::int64_t factor) const {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(count_, factor, &product)) return std::nullopt;
  return Micros(product);
}

Micros Micros::operator+(Micros other) const {
  const auto sum = plus(other);
  ASBB_ASSERT(sum.has_value());
  return *sum;
}

Micros Micros::operator-(Micros other) const {
  const auto difference = minus(other);
  ASBB_ASSERT(difference.has_value());
  return *difference;
}

std::optional<std::int64_t> mul_div(std::int64_t a, std::int64_t b, std::int64_t c,
                                    Rounding rounding) {
  ASBB_ASSERT(c > 0);
  const Wide product = static_cast<Wide>(a) * b;
  Wide quotient = product / c;
  Wide remainder = product % c;
  if (remainder < 0) {  // make it floor division
    remainder += c;
    --quotient;
  }
  switch (rounding) {
    case Rounding::up:
      if (remainder != 0) ++quotient;
      break;
    case Rounding::half_even:
      if (remainder * 2 > c || (remainder * 2 == c && quotient % 2 != 0)) ++quotient;
      break;
  }
  return narrow(quotient);
}

Micros split_part(Micros total, std::int64_t parts, std::int64_t index) {
  ASBB_ASSERT(!total.is_negative() && parts > 0 && index >= 0 && index < parts);
  const auto upto = [&](std::int64_t n) {
    return static_cast<std::int64_t>(static_cast<Wide>(total.count()) * n / parts);
  };
  return Micros(upto(index + 1) - upto(index));
}

Result<Micros> parse_micros(std::string_view text) {
  constexpr const char* allowed = "a decimal number such as 12 or 0.25 is expected";
  if (text.size() > 64) return bad_amount(text, allowed);
  const auto decimal = scan_decimal(text);
  if (!decimal) return bad_amount(text, allowed);
  Wide value = 0;
  int scale = decimal->scale;
  std::string digits = decimal->digits;
  while (scale > 6) {
    if (digits.empty() || digits.back() == '0') {
      if (!digits.empty()) digits.pop_back();
      --scale;
      continue;
    }
    return bad_amount(text, "at most six decimals are kept");
  }
  for (const char digit : digits) {
    value = value * 10 + (digit - '0');
    if (value > max_amount.count()) return bad_amount(text, "at most 1000000000000 is allowed");
  }
  for (; scale < 6 && value != 0; ++scale) {
    value *= 10;
    if (value > max_amount.count()) return bad_amount(text, "at most 1000000000000 is allowed");
  }
  const auto count = static_cast<std::int64_t>(value);
  return Micros(decimal->negative ? -count : count);
}

std::string to_decimal(Micros amount) {
  const bool negative = amount.is_negative();
  const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(amount.count())
                                  : static_cast<std::uint64_t>(amount.count());
  std::string out = (negative ? "-" : "") + std::to_string(magnitude / micros_per_unit);
  const std::uint64_t fraction = magnitude % micros_per_unit;
  if (fraction == 0) return out;
  std::string decimals = std::to_string(fraction);
  decimals.insert(0, 6 - decimals.size(), '0');
  while (decimals.back() == '0') decimals.pop_back();
  return out + "." + decimals;
}

std::string to_display(Micros amount) {
  std::string out = to_decimal(amount);
  const std::size_t point = out.find('.');
  if (point == std::string::npos) return out + ".00";
  if (out.size() - point == 2) out += '0';
  return out;
}

std::string to_display(Micros amount, std::string_view unit) {
  const std::string number = to_display(amount);
  if (unit != "USD") return number + " " + std::string(unit);
  if (amount.is_negative()) return "-$" + number.substr(1);
  return "$" + number;
}

bool is_currency(std::string_view unit) {
  constexpr std::size_t letters = 3;
  return unit.size() == letters &&
         std::all_of(unit.begin(), unit.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_valid_unit(std::string_view unit) {
  if (unit.empty() || unit.size() > 32) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(unit.front())) return false;
  for (const char c : unit) {
    if (!letter(c) && !is_digit(c) && c != '-' && c != '_') return false;
  }
  return true;
}

}  // namespace asbb
