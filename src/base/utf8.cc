#include "base/utf8.h"

#include <algorithm>

namespace asbb {

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto goes_on = [&](std::size_t i) {
    return i < text.size() && is_utf8_continuation(text[i]);
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (!goes_on(1)) return 0;
  const unsigned char second = byte(1);
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) {
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    return goes_on(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return goes_on(2) && goes_on(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8_control(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (sequence.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (sequence.size() != 3 || byte(0) != 0xE2) return false;
  const bool turns = byte(1) == 0x80 &&
                     ((byte(2) >= 0x8E && byte(2) <= 0x8F) || (byte(2) >= 0xA8 && byte(2) <= 0xAE));
  return turns || (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);
}

std::size_t utf8_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_utf8_continuation(c); }));
}

std::string utf8_shortened(const std::string& text, std::size_t most, std::string_view mark) {
  if (utf8_characters(text) <= most) return text;
  std::string out;
  std::size_t count = 0;
  for (const char c : text) {
    if (!is_utf8_continuation(c) && ++count == most) break;
    out += c;
  }
  return out.append(mark);
}

}  // namespace asbb
