#include "plugins/words.h"

#include <algorithm>

namespace asbb::plugins {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kDigitsMax = 9;

}  // namespace

bool equals_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view take_until(std::string_view mark, std::string_view* text) {
  const std::size_t end = text->find(mark);
  const std::size_t length = end == std::string_view::npos ? text->size() : end;
  const std::string_view taken(text->data(), length);
  text->remove_prefix(end == std::string_view::npos ? length : length + mark.size());
  return taken;
}

std::string_view take_word(std::string_view* text) {
  text->remove_prefix(std::min(text->find_first_not_of(kBlanks), text->size()));
  const std::string_view word(text->data(), std::min(text->find_first_of(kBlanks), text->size()));
  text->remove_prefix(word.size());
  return word;
}

std::string_view without_comment(std::string_view line) {
  return {line.data(), std::min(line.find('#'), line.size())};
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return {text.data(), text.find_last_not_of(kBlanks) + 1};
}

bool parse_whole_number(std::string_view text, unsigned* number) {
  if (text.empty() || text.size() > kDigitsMax) return false;
  unsigned parsed = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    parsed = parsed * 10 + static_cast<unsigned>(digit - '0');
  }
  *number = parsed;
  return true;
}

}  // namespace asbb::plugins
