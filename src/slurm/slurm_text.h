// Small pieces of text that Slurm writes and people type: durations, array expressions, host lists,
// GRES. Pure functions with bounds on what they expand; every error is `invalid` and quotes the
// text (shortened). Sources: sbatch(1) --time and --array, slurm.conf(5) NodeName, scontrol(1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::slurm {

// A limit that Slurm calls UNLIMITED; larger than any real one, so that std::min is right.
inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// Longest duration that is believed, in seconds: 136 years, as Slurm's 32 bits of minutes never
// mean more.
inline constexpr std::int64_t max_duration_seconds = 4'294'967'296;

// "M", "M:S", "H:M:S", "D-H", "D-H:M", "D-H:M:S" as sbatch(1) --time, in seconds; UNLIMITED and
// INFINITE give `unlimited`. Also what sacct and scontrol print. Refused: empty, negative, blanks,
// fractions ("00:01.5" is refused), names, more than max_duration_seconds.
[[nodiscard]] Result<std::int64_t> parse_duration_seconds(std::string_view text);

// The same in minutes, a started minute counted whole, as Slurm does with a time limit.
[[nodiscard]] Result<std::int64_t> parse_duration_minutes(std::string_view text);

// "5-90:5,95%4", with or without brackets: the task ids, ascending and unique. At most `max_count`
// tasks and ids of at most 4,000,001 (MaxArraySize can be no more). A shortened list
// ("1,3,...") is refused: it is not what Slurm knows.
[[nodiscard]] Result<std::vector<std::int64_t>> expand_array_tasks(
    std::string_view text, std::size_t max_count = 4'000'001);

// "5-90%4" -> 4; nothing when there is no throttle.
[[nodiscard]] std::optional<std::int64_t> array_throttle(std::string_view text);

// "gpu-aws-[1-3,07],login" -> names in order, repeated ones kept once. At most max_count names, the
// repeated ones counted: whoever writes the text decides how much work it is.
[[nodiscard]] Result<std::vector<std::string>> expand_hostlist(std::string_view text,
                                                               std::size_t max_count = 1'000'000);

struct Gres {
  std::string name;  // "gpu"
  std::string type;  // "a100"; empty when untyped
  std::int64_t count = 0;
  bool operator==(const Gres&) const = default;
};

// "gpu:a100:2(S:0-1),gpu:1,shard:8,license" as scontrol prints for a node; a name alone counts 1;
// k, m, g, t, p multiply by powers of 1024.
[[nodiscard]] Result<std::vector<Gres>> parse_gres(std::string_view text);

}  // namespace asbb::slurm
