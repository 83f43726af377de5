// Cutting configuration and protocol text into lines, words and parts without copying it: what is
// taken off the front is returned, the rest stays in *text. Pure.
#pragma once

#include <string_view>

namespace asbb::plugins {

constexpr char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                              : character;
}
bool equals_without_case(std::string_view left, std::string_view right);

// What stands before `mark`, which is dropped; everything when there is no mark.
std::string_view take_until(std::string_view mark, std::string_view* text);

// The next word between blanks, empty when there is none.
std::string_view take_word(std::string_view* text);

// The line up to '#'.
std::string_view without_comment(std::string_view line);

std::string_view trimmed(std::string_view text);

// Digits alone, at most 9 of them.
[[nodiscard]] bool parse_whole_number(std::string_view text, unsigned* number);

}  // namespace asbb::plugins
