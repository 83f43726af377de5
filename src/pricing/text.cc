#include "pricing/text.h"

#include "pricing/tres.h"

namespace asbb::pricing {
namespace {

__extension__ using Wide = __int128;

constexpr std::size_t decimals_max = 6;

// MB as a fraction: `numerator` / `denominator` of one unit of the suffix.
struct SizeUnit {
  std::int64_t numerator = 1;
  std::int64_t denominator = 1;
};

std::optional<SizeUnit> size_unit(std::string_view suffix, bool long_suffix) {
  if (suffix.empty()) return SizeUnit{};
  const std::string lower = to_lower(suffix);
  const std::string_view rest = std::string_view(lower).substr(1);
  if (!rest.empty() && (!long_suffix || (rest != "b" && rest != "ib"))) return std::nullopt;
  constexpr std::int64_t step = 1024;
  switch (lower.front()) {
    case 'k':
      return SizeUnit{1, step};
    case 'm':
      return SizeUnit{};
    case 'g':
      return SizeUnit{step, 1};
    case 't':
      return SizeUnit{step * step, 1};
    default:
      return std::nullopt;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at != text.size() && text[at] != separator) continue;
    parts.push_back(text.substr(start, at - start));
    start = at + 1;
  }
  return parts;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::int64_t> read_count(std::string_view text, std::int64_t largest) {
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const std::int64_t digit = c - '0';
    if (value > (largest - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string out = "'";
  for (const char c : text.substr(0, shown_max)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (text.size() > shown_max) out += "...";
  return out + "'";
}

std::optional<std::int64_t> read_size_mb(std::string_view text, bool long_suffix) {
  const std::size_t whole_end = skip_digits(text, 0);
  const auto whole = read_count(text.substr(0, whole_end), max_memory_mb);
  if (!whole) return std::nullopt;
  std::size_t at = whole_end;
  std::int64_t fraction = 0;
  std::int64_t scale = 1;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = skip_digits(text, at + 1);
    const std::string_view decimals = text.substr(at + 1, end - at - 1);
    if (decimals.size() > decimals_max) return std::nullopt;
    const auto read = read_count(decimals, max_memory_mb);
    if (!read) return std::nullopt;
    fraction = *read;
    for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
    at = end;
  }
  const auto unit = size_unit(text.substr(at), long_suffix);
  if (!unit) return std::nullopt;
  const Wide numerator = (static_cast<Wide>(*whole) * scale + fraction) * unit->numerator;
  const Wide denominator = static_cast<Wide>(scale) * unit->denominator;
  const Wide rounded_up = (numerator + denominator - 1) / denominator;
  if (rounded_up > max_memory_mb) return std::nullopt;
  return static_cast<std::int64_t>(rounded_up);
}

}  // namespace asbb::pricing
