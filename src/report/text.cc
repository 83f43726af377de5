#include "report/text.h"

#include <algorithm>
#include <array>

namespace asbb::report {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::int64_t micros_per_hundredth = 10'000;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Bytes of the well-formed sequence that begins here, 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  return length;
}

bool is_harmful(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (sequence.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (sequence.size() != 3 || byte(0) != 0xE2) return false;
  const bool turns = byte(1) == 0x80 &&
                     ((byte(2) >= 0x8E && byte(2) <= 0x8F) || (byte(2) >= 0xA8 && byte(2) <= 0xAE));
  return turns || (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);
}

std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

std::string grouped(std::string digits) {
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    const std::string_view entity = length == 1 ? entity_of(text[0]) : std::string_view();
    if (!entity.empty()) {
      out += entity;
    } else {
      out += length == 0 || is_harmful(sequence) ? replacement : sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string count_text(std::int64_t count) {
  const std::string digits = std::to_string(count);
  const std::size_t sign = digits[0] == '-' ? 1 : 0;
  return digits.substr(0, sign) + grouped(digits.substr(sign));
}

std::string amount_text(Micros amount) {
  const auto hundredths = mul_div(amount.count(), 1, micros_per_hundredth, Rounding::half_even);
  std::string digits = to_display(amount);
  if (hundredths && (*hundredths != 0 || amount.is_zero())) {
    digits = to_display(Micros(*hundredths * micros_per_hundredth));
  }
  const std::size_t sign = digits[0] == '-' ? 1 : 0;
  const std::size_t point = digits.find('.');
  return digits.substr(0, sign) + grouped(digits.substr(sign, point - sign)) + digits.substr(point);
}

std::string money_text(Micros amount, std::string_view unit) {
  const std::string text = amount_text(amount);
  if (unit != "USD") return text + " " + std::string(unit);
  return text[0] == '-' ? "-$" + text.substr(1) : "$" + text;
}

std::string money_data(Micros amount, std::string_view unit) {
  return "<data value=\"" + to_decimal(amount) + "\">" +
         escaped(unit.empty() ? amount_text(amount) : money_text(amount, unit)) + "</data>";
}

std::string duration_text(std::int64_t seconds) {
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small,
                      const char* small_unit) {
    std::string out = std::to_string(large) + unit;
    if (small != 0) out += " " + std::to_string(small) + small_unit;
    return out;
  };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (minutes < 60) return two(minutes, " min", minutes < 10 ? seconds % 60 : 0, " s");
  if (hours < 24) return two(hours, " h", minutes % 60, " min");
  return two(hours / 24, " d", hours % 24, " h");
}

std::string permille_text(std::int64_t permille) {
  const std::int64_t size = permille < 0 ? -permille : permille;
  return (permille < 0 ? "-" : "") + count_text(size / 10) + "." + std::to_string(size % 10) + " %";
}

std::string core_hours_text(std::int64_t core_seconds) {
  const auto tenths = mul_div(core_seconds, 1, 360, Rounding::half_even).value_or(0);
  if (tenths == 0 && core_seconds != 0) return count_text(core_seconds) + " core-seconds";
  return count_text(tenths / 10) + "." + std::to_string(tenths % 10) + " core-hours";
}

const char* why_uncharged(Price price) {
  switch (price) {
    case Price::missing:
      return "the partition has no price";
    case Price::free:
      return "the partition is free of charge";
    case Price::priced:
      return "charged in another period, or not yet";
    default:
      return "its price is not known";
  }
}

std::string day_month(Day day) {
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return std::to_string(day.day) + " " + months.at(day.month - 1);
}

std::string shortened(const std::string& text, std::size_t most) {
  const auto length = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
  if (length <= most) return text;
  std::string out;
  std::size_t count = 0;
  for (const char c : text) {
    if (!is_continuation(c) && ++count == most) break;
    out += c;
  }
  return out + "\xE2\x80\xA6";
}

}  // namespace asbb::report
