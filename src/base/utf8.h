// What of a text is UTF-8, and what of that may be shown. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asbb {

// A byte that goes on with a character, and begins none.
[[nodiscard]] constexpr bool is_utf8_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Bytes of the well-formed sequence that `text` begins with (Unicode 15, table 3-7), 0 when there
// is none. REQUIRES: text is not empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// Of a well-formed sequence: a control character (C0, DEL, C1: U+0080 to U+009F), or a mark that
// turns the direction of text.
[[nodiscard]] bool is_utf8_control(std::string_view sequence);

// Characters of well-formed text, not bytes.
[[nodiscard]] std::size_t utf8_characters(std::string_view text);

// At most `most` characters (1 or more), the last of them `mark` when something was cut.
[[nodiscard]] std::string utf8_shortened(const std::string& text, std::size_t most,
                                         std::string_view mark);

}  // namespace asbb
