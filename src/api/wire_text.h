// Values that travel as text in forms of their own: decimals with more digits than a millionth,
// wall times, memory sizes. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/money.h"

namespace asbb::api {

// A decimal from a program that computed it in floating point ("0.30000000000000004"): rounded to
// millionths once, in the direction named. Refused as in parse_micros, but for the digits.
[[nodiscard]] Result<Micros> parse_rounded(std::string_view text, Rounding rounding);

// Seconds from a time limit as sbatch(1) --time takes it: "M", "M:S", "H:M:S", "D-H", "D-H:M",
// "D-H:M:S"; at least one second, at most 136 years. UNLIMITED has no price: refused.
[[nodiscard]] Result<std::int64_t> parse_wall_time_s(std::string_view text);

// Whole MB, rounded up, from "1234" (MB), "64GB", "512M", "1.5T"; K, M, G, T are powers of 1024.
[[nodiscard]] Result<std::int64_t> parse_memory_mb(std::string_view text);

}  // namespace asbb::api
