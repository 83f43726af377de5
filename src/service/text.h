// Small pieces of text that several files here need. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace asbb::service {

// A to Z as a to z; other bytes stay.
[[nodiscard]] std::string lower(std::string_view text);

// What a user wrote, for a message: at most 80 bytes, control characters as '?'.
[[nodiscard]] std::string shortened(std::string_view text);

}  // namespace asbb::service
