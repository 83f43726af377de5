// What users put into job names and comments is bytes; what leaves the plugin is UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace asbb::plugins {

// Bytes of the UTF-8 character at the start of a text that is not empty: 1 to 4, or 0 when there is
// none (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
std::size_t utf8_character_bytes(std::string_view text);

}  // namespace asbb::plugins
