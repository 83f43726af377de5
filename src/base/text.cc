#include "base/text.h"

#include <charconv>

namespace asbb {
namespace {

constexpr std::size_t shown_bytes_max = 80;

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = text.find(separator); at != std::string_view::npos;
       at = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::optional<std::int64_t> parse_whole(std::string_view text, std::int64_t least,
                                        std::int64_t most) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || value < least || value > most) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_count(std::string_view text, std::int64_t largest) {
  if (text.starts_with('-')) return std::nullopt;
  return parse_whole(text, 0, largest);
}

std::string excerpt(std::string_view text) {
  std::string out(text.substr(0, shown_bytes_max));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return text.size() > shown_bytes_max ? out + "..." : out;
}

std::string in_quotes(std::string_view text) {
  return "'" + excerpt(text) + "'";
}

std::string wrapped(std::string_view text, std::size_t width, const std::string& first) {
  std::string out;
  std::string line = first;
  bool has_word = false;
  for (const std::string_view word : split(text, ' ')) {
    const bool is_full = line.size() + 1 + word.size() > width;
    if (has_word && is_full && !word.starts_with('%')) {
      out += line + "\n";
      line.assign(first.size(), ' ');
      has_word = false;
    }
    if (has_word) line += ' ';
    line += word;
    has_word = true;
  }
  return out + line + "\n";
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += separator;
    out += word;
  }
  return out;
}

std::string listed(const std::vector<std::string>& words, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, words.size()); ++i) {
    out += (i == 0 ? "" : ", ") + words[i];
  }
  if (words.size() > most) out += " and " + std::to_string(words.size() - most) + " more";
  return out;
}

}  // namespace asbb
