#include "plugins/json_writer.h"

#include "plugins/utf8.h"

namespace asbb::plugins {

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
  constexpr std::string_view kHex = "0123456789abcdef";
  text_.append('"');
  while (!value.empty()) {
    const auto first = static_cast<unsigned char>(value.front());
    const std::size_t bytes = utf8_character_bytes(value);
    if (bytes == 0) {
      text_.append("\xEF\xBF\xBD");
    } else if (first < 0x20 || first == 0x7F) {
      text_.append("\\u00");
      text_.append(kHex[first >> 4]);
      text_.append(kHex[first & 0xF]);
    } else {
      if (first == '"' || first == '\\') text_.append('\\');
      text_.append(std::string_view(value.data(), bytes));
    }
    value.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  text_.append('"');
}

}  // namespace asbb::plugins
