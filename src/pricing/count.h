// Arithmetic of quantities that stops at a ceiling instead of overflowing: a bound that reaches it
// is refused as too large, never priced. All operands are at least zero.
#pragma once

#include <algorithm>
#include <cstdint>

namespace asbb::pricing {

inline constexpr std::int64_t count_ceiling = 1'000'000'000'000'000'000;

[[nodiscard]] inline std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return count_ceiling;
  return std::min(out, count_ceiling);
}

[[nodiscard]] inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  return std::min(a + b, count_ceiling);  // both are at most the ceiling
}

[[nodiscard]] inline std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return a / b + (a % b == 0 ? 0 : 1);
}

}  // namespace asbb::pricing
