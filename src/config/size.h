// Numbers of bytes as people write them in settings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asbb::config {

// "100MB", "64KiB", "4096": whole, above 0. kB, MB, GB and TB are powers of 1000; KiB, MiB, GiB and
// TiB, and K, M, G and T alone, of 1024, as in Slurm. Nothing when it is none, or does not fit.
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text);
// With the largest unit that says it exactly; reads back.
[[nodiscard]] std::string size_text(std::int64_t bytes);

}  // namespace asbb::config
