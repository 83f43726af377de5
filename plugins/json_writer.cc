#include "plugins/json_writer.h"

#include <algorithm>

#include "plugins/utf8.h"

namespace asbb::plugins {
namespace {

// ASCII that stands for itself inside a string.
constexpr bool is_plain(char character) {
  return character >= 0x20 && character < 0x7F && character != '"' && character != '\\';
}

}  // namespace

void JsonWriter::begin_object() {
  text_.append('{');
  needs_comma_ = false;
}

void JsonWriter::begin_object(std::string_view name) {
  member(name);
  begin_object();
}

void JsonWriter::end_object() {
  text_.append('}');
  needs_comma_ = true;
}

void JsonWriter::string(std::string_view name, std::string_view value) {
  member(name);
  quoted(value);
}

void JsonWriter::number(std::string_view name, std::uint64_t value) {
  member(name);
  text_.append_decimal(value);
}

void JsonWriter::boolean(std::string_view name, bool value) {
  member(name);
  text_.append(value ? "true" : "false");
}

void JsonWriter::member(std::string_view name) {
  if (needs_comma_) text_.append(',');
  needs_comma_ = true;
  quoted(name);
  text_.append(':');
}

void JsonWriter::quoted(std::string_view value) {
  text_.append('"');
  // Escaping only makes longer: what is too long as it stands is counted and left out.
  if (text_.wanted_bytes() + value.size() > bytes_max_) return text_.append(value);
  while (!value.empty()) {
    const std::size_t plain_bytes = static_cast<std::size_t>(
        std::find_if_not(value.begin(), value.end(), is_plain) - value.begin());
    text_.append(std::string_view(value.data(), plain_bytes));
    value.remove_prefix(plain_bytes);
    if (value.empty()) break;
    const std::size_t bytes = utf8_character_bytes(value);
    special(std::string_view(value.data(), bytes));
    value.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  text_.append('"');
}

// `character` is empty for a byte that is not UTF-8.
void JsonWriter::special(std::string_view character) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (character.empty()) return text_.append("\xEF\xBF\xBD");
  const auto first = static_cast<unsigned char>(character.front());
  if (first >= 0x20 && first != 0x7F) {
    if (first < 0x80) text_.append('\\');
    return text_.append(character);
  }
  text_.append("\\u00");
  text_.append(kHex[first >> 4]);
  text_.append(kHex[first & 0xF]);
}

}  // namespace asbb::plugins
