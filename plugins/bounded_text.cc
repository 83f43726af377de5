#include "plugins/bounded_text.h"

namespace asbb::plugins {

BoundedText::BoundedText(char* storage, std::size_t capacity)
    : storage_(storage), capacity_(capacity) {
  storage_[0] = '\0';
}

void BoundedText::append(std::string_view text) {
  const bool fits = !overflowed() && text.size() < capacity_ - length_;
  wanted_ += text.size();
  if (!fits) return;
  std::memcpy(storage_ + length_, text.data(), text.size());
  length_ = wanted_;
  storage_[length_] = '\0';
}

void BoundedText::append_decimal(std::uint64_t number) {
  char digits[20];
  std::size_t first = sizeof digits;
  do {
    digits[--first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  append(std::string_view(digits + first, sizeof digits - first));
}

}  // namespace asbb::plugins
