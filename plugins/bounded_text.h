// Text in storage of a fixed size: nothing here allocates, throws or writes past its end, and what
// is stored always ends in a zero byte. BoundedText borrows its storage; FixedText owns it. Plain
// values, for one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace asbb::plugins {

// Appends to storage of `capacity` bytes, at least 1. What does not fit is left out and counted: a
// text that overflowed is never to be used, but says how much room it needs.
class BoundedText {
 public:
  BoundedText(char* storage, std::size_t capacity);

  void append(std::string_view text);
  void append(char character) { append(std::string_view(&character, 1)); }
  void append_decimal(std::uint64_t number);

  [[nodiscard]] bool overflowed() const { return wanted_ > length_; }
  // Storage that would have held everything, the zero byte included.
  [[nodiscard]] std::size_t wanted_bytes() const { return wanted_ + 1; }
  [[nodiscard]] std::string_view view() const { return {storage_, length_}; }
  [[nodiscard]] const char* c_str() const { return storage_; }

 private:
  char* storage_;
  std::size_t capacity_;
  std::size_t length_ = 0;
  std::size_t wanted_ = 0;
};

// A short text kept by value, of at most Capacity - 1 bytes.
template <std::size_t Capacity>
class FixedText {
 public:
  constexpr FixedText() = default;

  // False, and unchanged, when the text is too long or holds a zero byte.
  [[nodiscard]] bool assign(std::string_view text) {
    if (text.size() >= Capacity || text.find('\0') != std::string_view::npos) return false;
    if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    bytes_[text.size()] = '\0';
    length_ = text.size();
    return true;
  }

  [[nodiscard]] bool empty() const { return length_ == 0; }
  [[nodiscard]] std::string_view view() const { return {bytes_, length_}; }
  [[nodiscard]] const char* c_str() const { return bytes_; }

 private:
  char bytes_[Capacity] = {};
  std::size_t length_ = 0;
};

}  // namespace asbb::plugins
