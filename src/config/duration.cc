#include "config/duration.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace asbb::config {
namespace {

struct SpanUnit {
  std::string_view name;
  std::int64_t microseconds;
};
constexpr std::array<SpanUnit, 5> span_units = {
    SpanUnit{"d", 86'400'000'000}, SpanUnit{"h", 3'600'000'000}, SpanUnit{"m", 60'000'000},
    SpanUnit{"s", 1'000'000}, SpanUnit{"ms", 1'000}};

}  // namespace

std::optional<Span> parse_span(std::string_view text) {
  constexpr std::int64_t span_max = 10LL * 366 * 86'400'000'000;
  if (text.empty() || text.size() > 32) return std::nullopt;
  std::int64_t total = 0;
  std::size_t last_unit = 0;  // units come in descending order, each once
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_count(text.substr(0, digits), span_max);
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    const auto unit_length = std::min(text.find_first_of("0123456789"), text.size());
    const std::string_view unit = text.substr(0, unit_length);
    std::size_t index = last_unit;
    while (index < span_units.size() && span_units[index].name != unit) ++index;
    if (index == span_units.size()) return std::nullopt;
    if (*number > span_max / span_units[index].microseconds) return std::nullopt;
    total += *number * span_units[index].microseconds;
    if (total > span_max) return std::nullopt;
    last_unit = index + 1;
    text.remove_prefix(unit_length);
  }
  if (total < 1'000) return std::nullopt;
  return Span{total};
}

std::string to_text(Span span) {
  std::string out;
  std::int64_t rest = span.microseconds;
  for (const SpanUnit& unit : span_units) {
    // "24h" and "36h" read better than days and parts of them.
    if (unit.name == "d" && (rest % unit.microseconds != 0 || rest == unit.microseconds)) continue;
    const std::int64_t count = rest / unit.microseconds;
    if (count == 0) continue;
    out += std::to_string(count) + std::string(unit.name);
    rest %= unit.microseconds;
  }
  return out.empty() ? "0s" : out;
}

}  // namespace asbb::config
