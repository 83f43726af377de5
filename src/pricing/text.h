// Small helpers of the readers in this folder; nothing outside includes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asbb::pricing {

// Parts between separators, empty parts included; one empty part for empty text.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

[[nodiscard]] std::string to_lower(std::string_view text);

// A number of decimal digits and nothing else, at most `largest`; nothing otherwise.
[[nodiscard]] std::optional<std::int64_t> read_count(std::string_view text, std::int64_t largest);

// Text of a stranger as a message may show it: quoted, at most 60 bytes, control bytes as '?'.
[[nodiscard]] std::string quoted(std::string_view text);

// Size in MB, rounded up, from digits with at most six decimals and a suffix: K, M, G, T, none for
// MB, each maybe followed by "B" or "iB" where `long_suffix` allows it. Nothing when it is not that
// or exceeds max_memory_mb.
[[nodiscard]] std::optional<std::int64_t> read_size_mb(std::string_view text, bool long_suffix);

}  // namespace asbb::pricing
