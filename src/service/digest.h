// SHA-256 and random ids, so that only one file includes OpenSSL. Functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace asbb::service {

// 64 lower-case hex digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);

// The same time for equal and unequal texts of one length.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

// A token (base/token.h) of that moment; cannot be guessed.
[[nodiscard]] std::string fresh_token(Instant at);

}  // namespace asbb::service
