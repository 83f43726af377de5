#include "report/text.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace asbb::report {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::int64_t micros_per_hundredth = 10'000;

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

const char* month_of(Day day) {
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return months.at(day.month - 1);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    const std::string_view entity = length == 1 ? entity_of(text[0]) : std::string_view();
    if (!entity.empty()) {
      out += entity;
    } else {
      out += length == 0 || is_utf8_control(sequence) ? replacement : sequence;
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
      return "the partition had no price then";
    case Price::free:
      return "the partition was free of charge";
    case Price::priced:
      return "charged in another period, or not yet";
    default:
      return "its price is not known";
  }
}

std::string day_month(Day day) {
  return std::to_string(day.day) + " " + month_of(day);
}

std::string month_year(Day day) {
  return std::string(month_of(day)) + " " + to_string(day).substr(2, 2);
}

std::string shortened(const std::string& text, std::size_t most) {
  return utf8_shortened(text, most, "\xE2\x80\xA6");
}

// As in the bold DejaVu Sans, than which few fonts of a page are wider.
std::int64_t text_width(std::string_view text) {
  std::int64_t width = 0;
  for (const char letter : text) {
    if (is_utf8_continuation(letter)) continue;
    const bool is_ascii = static_cast<unsigned char>(letter) < 0x80;
    if (!is_ascii || std::string_view("mwMW%@").find(letter) != std::string_view::npos) {
      width += 135;
    } else if (std::string_view(" .,:;'|!ijl-()[]/").find(letter) != std::string_view::npos) {
      width += 55;
    } else if (letter >= 'a' && letter <= 'z') {
      width += 87;
    } else {
      width += letter >= '0' && letter <= '9' ? 84 : 105;
    }
  }
  return width;
}

std::string fitted(const std::string& text, std::int64_t width) {
  std::string out = text;
  for (std::size_t most = utf8_characters(text); most > 1 && text_width(out) > width;) {
    out = shortened(text, --most);
  }
  return out;
}

}  // namespace asbb::report
