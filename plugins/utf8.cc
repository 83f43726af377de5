#include "plugins/utf8.h"

namespace asbb::plugins {
namespace {

struct Form {
  unsigned char first_low, first_high;    // range of the first byte
  unsigned char second_low, second_high;  // range of the second; further ones are 80 to BF
  std::size_t bytes;
};

// RFC 3629, section 4.
constexpr Form kForms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

constexpr bool is_between(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

}  // namespace

std::size_t utf8_character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  if (byte(0) < 0x80) return 1;
  for (const Form& form : kForms) {
    if (!is_between(byte(0), form.first_low, form.first_high)) continue;
    if (text.size() < form.bytes) return 0;
    if (!is_between(byte(1), form.second_low, form.second_high)) return 0;
    for (std::size_t at = 2; at < form.bytes; ++at) {
      if (!is_between(byte(at), 0x80, 0xBF)) return 0;
    }
    return form.bytes;
  }
  return 0;
}

}  // namespace asbb::plugins
