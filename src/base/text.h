// Small pieces of text that every folder needs. Pure functions, any thread; they know ASCII alone
// and never the locale.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asbb {

// A to Z as a to z; other bytes stay.
[[nodiscard]] std::string to_lower(std::string_view text);

// The parts between separators, empty ones too; one empty part for empty text. They point into
// `text`.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// A whole number from `least` to `most` and nothing else: digits, maybe with '-' before them.
[[nodiscard]] std::optional<std::int64_t> parse_whole(
    std::string_view text, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
    std::int64_t most = std::numeric_limits<std::int64_t>::max());

// Digits and nothing else, not even a sign; at most `largest`.
[[nodiscard]] std::optional<std::int64_t> parse_count(
    std::string_view text, std::int64_t largest = std::numeric_limits<std::int64_t>::max());

// A stranger's text as a message may show it: at most 80 bytes, then "..."; control bytes as '?'.
[[nodiscard]] std::string excerpt(std::string_view text);

// The excerpt between apostrophes.
[[nodiscard]] std::string in_quotes(std::string_view text);

// In lines of at most `width` columns, each ended; where no blank is, a line is longer. `first`
// begins the first line, as many blanks the others. A '%' stays with its number.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width,
                                  const std::string& first = {});

// All of the words, with the separator between them; empty ones at the beginning leave no trace.
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view separator);

// "a, b and 3 more": at most so many of the words by name.
[[nodiscard]] std::string listed(const std::vector<std::string>& words, std::size_t most = 8);

}  // namespace asbb
