// Money and other counted things (core-hours, gpu-hours) as a 64-bit number of millionths of a unit
// (DESIGN 4.1). No floating point exists here: text in, text out, 128 bits in between. Values of
// different units are told apart by whoever holds them; Micros is only the number. Plain value, no
// threads.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace asbb {

enum class Rounding {
  up,        // towards +infinity: holds and estimates
  half_even  // to the nearest, ties to even: charges
};

class Micros {
 public:
  constexpr Micros() = default;
  constexpr explicit Micros(std::int64_t count) : count_(count) {}

  // Millionths of the unit.
  [[nodiscard]] constexpr std::int64_t count() const { return count_; }
  [[nodiscard]] constexpr bool is_zero() const { return count_ == 0; }
  [[nodiscard]] constexpr bool is_negative() const { return count_ < 0; }
  constexpr auto operator<=>(const Micros&) const = default;

  // Checked: nothing on overflow of 64 bits.
  [[nodiscard]] std::optional<Micros> plus(Micros other) const;
  [[nodiscard]] std::optional<Micros> minus(Micros other) const;
  [[nodiscard]] std::optional<Micros> times(std::int64_t factor) const;

  // For sums whose bounds the caller has established; an overflow is a programmer's error.
  Micros operator+(Micros other) const;
  Micros operator-(Micros other) const;
  Micros& operator+=(Micros other) { return *this = *this + other; }
  Micros& operator-=(Micros other) { return *this = *this - other; }

 private:
  std::int64_t count_ = 0;
};

// Largest amount that may be entered anywhere (one trillion units), so that sums of many stay in
// range.
inline constexpr Micros max_amount{1'000'000'000'000'000'000};

// a * b / c in 128 bits, rounded once. c > 0. Nothing when the result leaves 64 bits.
[[nodiscard]] std::optional<std::int64_t> mul_div(std::int64_t a, std::int64_t b, std::int64_t c,
                                                  Rounding rounding);

// Part number `index` (0-based) of `total` split into `parts` parts that sum to it exactly and
// differ by at most one millionth. total >= 0, parts > 0, index < parts.
[[nodiscard]] Micros split_part(Micros total, std::int64_t parts, std::int64_t index);

// Reads a plain or exponent decimal ("12", "-0.5", "1.506E2"). Refused: empty, NaN, infinity, hex,
// spaces, more than six decimals that are not zero, more than max_amount either way.
[[nodiscard]] Result<Micros> parse_micros(std::string_view text);

// Plain decimal text without an exponent and without trailing zeros: "12", "-0.5", "0.000001".
[[nodiscard]] std::string to_decimal(Micros amount);

// For people: at least two decimals, as many as needed to be exact: "12.00", "0.005", "-3.50".
[[nodiscard]] std::string to_display(Micros amount);

// The same with its unit: "$12.50" for USD, "12.50 EUR", "3.00 core-hours".
[[nodiscard]] std::string to_display(Micros amount, std::string_view unit);

// A unit name: 1 to 32 of [A-Za-z0-9_-], starting with a letter; currencies are ISO 4217 codes.
[[nodiscard]] bool is_valid_unit(std::string_view unit);

// Three capital letters (ISO 4217); other units are counted, not paid.
[[nodiscard]] bool is_currency(std::string_view unit);

}  // namespace asbb
