#include "base/slurm_units.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace asbb {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::size_t decimals_max = 6;

// A number of kB, so that every suffix is a whole factor; nothing for another suffix.
std::optional<std::int64_t> suffix_kb(std::string_view suffix) {
  constexpr std::int64_t step = 1024;
  if (suffix.empty()) return step;
  const std::string lower = to_lower(suffix.substr(0, 4));
  const std::string_view rest = std::string_view(lower).substr(1);
  if (!rest.empty() && rest != "b" && rest != "i" && rest != "ib") return std::nullopt;
  switch (lower.front()) {
    case 'k':
      return 1;
    case 'm':
      return step;
    case 'g':
      return step * step;
    case 't':
      return step * step * step;
    default:
      return std::nullopt;
  }
}

// A decimal as `digits` / `scale`.
struct Decimal {
  std::int64_t digits = 0;
  std::int64_t scale = 1;
};

std::optional<Decimal> read_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto whole = parse_count(text.substr(0, point));
  if (!whole) return std::nullopt;
  Decimal out{*whole, 1};
  if (point == std::string_view::npos) return out;
  std::string_view decimals = text.substr(point + 1);
  while (decimals.size() > decimals_max && decimals.back() == '0') decimals.remove_suffix(1);
  const auto fraction = parse_count(decimals);
  if (!fraction || decimals.size() > decimals_max) return std::nullopt;
  for (std::size_t i = 0; i < decimals.size(); ++i) out.scale *= 10;
  if (__builtin_mul_overflow(out.digits, out.scale, &out.digits) ||
      __builtin_add_overflow(out.digits, *fraction, &out.digits)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> parse_slurm_time_s(std::string_view text, std::int64_t largest_s) {
  const std::size_t dash = text.find('-');
  const bool has_days = dash != std::string_view::npos;
  std::int64_t seconds = 0;
  if (has_days) {
    const auto days = parse_count(text.substr(0, dash), largest_s / seconds_per_day);
    if (!days) return std::nullopt;
    seconds = *days * seconds_per_day;
    text.remove_prefix(dash + 1);
  }
  const auto parts = split(text, ':');
  constexpr std::array<std::int64_t, 3> units_s = {3600, 60, 1};
  if (parts.size() > units_s.size()) return std::nullopt;
  // Behind days, or when all three are there, the first part counts hours; otherwise minutes.
  const std::size_t first = has_days || parts.size() == units_s.size() ? 0 : 1;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::int64_t unit_s = units_s[first + i];
    const auto number = parse_count(parts[i], (largest_s - seconds) / unit_s);
    if (!number) return std::nullopt;
    seconds += *number * unit_s;
  }
  return seconds;
}

bool is_slurm_unlimited(std::string_view text) {
  const std::string lower = to_lower(text.substr(0, 16));
  return lower == "unlimited" || lower == "infinite";
}

std::optional<std::int64_t> parse_slurm_memory_mb(std::string_view text, std::int64_t largest_mb) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = read_decimal(text.substr(0, end));
  const auto unit_kb = suffix_kb(text.substr(end));
  if (!number || !unit_kb) return std::nullopt;
  const Wide numerator = static_cast<Wide>(number->digits) * *unit_kb;
  const Wide denominator = static_cast<Wide>(number->scale) * 1024;
  const Wide rounded_up = (numerator + denominator - 1) / denominator;
  if (rounded_up > largest_mb) return std::nullopt;
  return static_cast<std::int64_t>(rounded_up);
}

}  // namespace asbb
