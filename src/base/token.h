// Request tokens: 12 hex digits of Unix milliseconds, then 32 hex digits (128 bits) of randomness,
// so a token tells its age and cannot be guessed. The plugin mints them with its own code; this is
// the service's side.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace asbb {

inline constexpr std::size_t token_length = 44;

[[nodiscard]] bool is_token(std::string_view text);

// When the token was minted, by its own word; only for text that is_token().
[[nodiscard]] Instant token_time(std::string_view token);

// The token of a moment and 16 random bytes.
[[nodiscard]] std::string make_token(Instant at, const std::array<std::uint8_t, 16>& random);

// Finds "asbb=<token>" as a word in an admin_comment; empty when there is none.
[[nodiscard]] std::string_view find_token(std::string_view admin_comment);

}  // namespace asbb
