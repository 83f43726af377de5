#include "api/json_writer.h"

#include "base/assert.h"
#include "base/utf8.h"

namespace asbb::api {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

void append_escape(std::string& out, unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += digits[c >> 4U];
  out += digits[c & 0xFU];
}

}  // namespace

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = false;
}

void JsonWriter::quote(std::string_view value) {
  out_ += '"';
  for (std::size_t at = 0; at < value.size();) {
    const auto c = static_cast<unsigned char>(value[at]);
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) {
      append_escape(out_, c);
      ++at;
    } else if (c < 0x80) {
      out_ += value[at++];
    } else if (const std::size_t length = utf8_length(value.substr(at)); length != 0) {
      out_ += value.substr(at, length);
      at += length;
    } else {
      out_ += replacement;
      ++at;
    }
  }
  out_ += '"';
}

void JsonWriter::begin_object() {
  separate();
  out_ += '{';
  ++depth_;
}

void JsonWriter::end_object() {
  ASBB_ASSERT(depth_ > 0);
  --depth_;
  out_ += '}';
  needs_comma_ = true;
}

void JsonWriter::begin_array() {
  separate();
  out_ += '[';
  ++depth_;
}

void JsonWriter::end_array() {
  ASBB_ASSERT(depth_ > 0);
  --depth_;
  out_ += ']';
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
}

void JsonWriter::text(std::string_view value) {
  separate();
  quote(value);
  needs_comma_ = true;
}

void JsonWriter::number(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  needs_comma_ = true;
}

void JsonWriter::decimal(Micros value) {
  separate();
  out_ += to_decimal(value);
  needs_comma_ = true;
}

void JsonWriter::flag(bool value) {
  separate();
  out_ += value ? "true" : "false";
  needs_comma_ = true;
}

void JsonWriter::null() {
  separate();
  out_ += "null";
  needs_comma_ = true;
}

std::string JsonWriter::take() {
  ASBB_ASSERT(depth_ == 0);
  needs_comma_ = false;
  return std::move(out_);
}

}  // namespace asbb::api
