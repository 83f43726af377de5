// Strict readers of the values people give to Slurm and to the HTTP API: times, memory sizes,
// arrays. Each error names the value and what is allowed. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace asbb::pricing {

// A time limit in whole minutes (as Slurm keeps it), or none at all.
struct TimeLimit {
  std::int64_t minutes = 0;
  bool unlimited = false;
  bool operator==(const TimeLimit&) const = default;
};

// Largest time limit that is read: about 1,900 years; Slurm's own is a 32-bit number of minutes.
inline constexpr std::int64_t max_time_limit_minutes = 1'000'000'000;

// The forms of sbatch --time (man sbatch): "30" (minutes), "30:00" (minutes:seconds), "4:00:00",
// "1-12" (days-hours), "1-12:30", "1-12:30:15", "UNLIMITED" or "INFINITE" in any case. Seconds are
// rounded up to a minute, as Slurm does. Refused: empty, zero, signs, blanks, "nan", fractions,
// more than three numbers, too large.
[[nodiscard]] Result<TimeLimit> parse_time_limit(std::string_view text);

// "04:00:00", "1-00:00:00", "UNLIMITED": as Slurm prints it.
[[nodiscard]] std::string to_string(TimeLimit limit);

// "64GB", "64G", "64GiB", "1234MB", "4000M", "4000" (MB), K and T too, any case; powers of 1024;
// decimals are allowed ("1.5G") and the result is rounded up to a MB.
[[nodiscard]] Result<std::int64_t> parse_memory_mb(std::string_view text);

// How many tasks an --array text makes: "0-999%10", "1-10:2%3", "0,5,7-9", "[1-4]". An index that
// is named twice is one task. Every index must be less than `max_array_size` (Slurm's
// MaxArraySize); nothing stands for Slurm's upper bound of it, 4000001.
[[nodiscard]] Result<std::int64_t> count_array_tasks(
    std::string_view text, std::optional<std::int64_t> max_array_size = std::nullopt);

}  // namespace asbb::pricing
