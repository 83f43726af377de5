// Spans of time and sizes of memory as Slurm prints them and people type them for it. The only
// readers of these forms: a caller adds the range and the message of its place. Pure functions, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace asbb {

// Seconds of "M", "M:S", "H:M:S", "D-H", "D-H:M" or "D-H:M:S" (sbatch(1) --time; also what squeue,
// sacct and scontrol print), zero to `largest_s`. Nothing for other text: signs, blanks, fractions,
// empty parts, names. A part may exceed what a clock shows: "100:00:00", "0:90".
[[nodiscard]] std::optional<std::int64_t> parse_slurm_time_s(std::string_view text,
                                                             std::int64_t largest_s);

// Whether it is Slurm's word for a time without an end: UNLIMITED or INFINITE, in any case.
[[nodiscard]] bool is_slurm_unlimited(std::string_view text);

// MB, rounded up, zero to `largest_mb`: digits, maybe a point and decimals down to a millionth,
// maybe a suffix in any case: K, M, G, T (powers of 1024; MB without one), alone or with "B", "i"
// or "iB" behind it. Nothing for other text.
[[nodiscard]] std::optional<std::int64_t> parse_slurm_memory_mb(std::string_view text,
                                                                std::int64_t largest_mb);

}  // namespace asbb
