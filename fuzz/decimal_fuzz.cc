// The readers of decimal text: whatever is accepted is in range, means the same when written and
// read again, and agrees with a second reader that counts digits in 128 bits.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/wire_text.h"
#include "base/assert.h"
#include "base/money.h"

namespace {

using asbb::max_amount;
using asbb::Micros;

__extension__ using Wide = __int128;

// Plain decimals of at most six decimals and 30 digits; nothing for anything else.
std::optional<Wide> count_digits(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || whole.size() > 24 || decimals.size() > 6) return std::nullopt;
  if (point != std::string_view::npos && decimals.empty()) return std::nullopt;
  Wide value = 0;
  for (const char c : std::string(whole) + std::string(decimals)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  for (std::size_t i = decimals.size(); i < 6; ++i) value *= 10;
  return negative ? -value : value;
}

void check(std::string_view text) {
  const auto read = asbb::parse_micros(text);
  if (const auto counted = count_digits(text)) {
    const bool in_range = -Wide{max_amount.count()} <= *counted && *counted <= max_amount.count();
    ASBB_ASSERT(!in_range || read.has_value());
    ASBB_ASSERT(!read || read->count() == *counted);
  }
  for (const auto rounding : {asbb::Rounding::up, asbb::Rounding::half_even}) {
    const auto rounded = asbb::api::parse_rounded(text, rounding);
    ASBB_ASSERT(!read || (rounded && *rounded == *read));
    ASBB_ASSERT(!rounded || (-max_amount.count() <= rounded->count() && *rounded <= max_amount));
  }
  if (!read) return;
  ASBB_ASSERT(-max_amount.count() <= read->count() && *read <= max_amount);
  ASBB_ASSERT(asbb::parse_micros(asbb::to_decimal(*read)) == *read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  return 0;
}
