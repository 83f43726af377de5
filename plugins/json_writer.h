// Writes one JSON object into a BoundedText: members in the order of the calls, strings escaped as
// RFC 8259 says, numbers whole. The text is complete when the last object is closed and the
// BoundedText did not overflow. Once it is clear that bytes_max will be passed no string is looked
// at any more: how long they are is the choice of users.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/bounded_text.h"

namespace asbb::plugins {

class JsonWriter {
 public:
  // The text must outlive the writer and hold bytes_max at most.
  JsonWriter(BoundedText& text, std::size_t bytes_max) : text_(text), bytes_max_(bytes_max) {}

  void begin_object();
  void begin_object(std::string_view name);
  void end_object();

  // Bytes that are not UTF-8 become U+FFFD.
  void string(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void boolean(std::string_view name, bool value);

 private:
  void member(std::string_view name);
  void quoted(std::string_view value);
  void special(std::string_view character);

  BoundedText& text_;
  std::size_t bytes_max_;
  bool needs_comma_ = false;
};

}  // namespace asbb::plugins
