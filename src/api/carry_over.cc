#include "api/account.h"
#include "base/text.h"

namespace asbb::api {
namespace {

constexpr std::int64_t all = 1'000'000;       // in millionths
constexpr std::int64_t percent_digits = 100;  // millionths of a percent in a millionth

}  // namespace

Result<std::int64_t> parse_carry_over(std::string_view text) {
  if (text == "none") return 0;
  if (text == "all") return all;
  const std::string expected = in_quotes(std::string(text)) +
                               " is not 'none', 'all', or a part such as 50% or 12.5%, at most "
                               "100% with four decimals";
  if (!text.ends_with('%')) return fail(ErrorKind::invalid, expected, "carry_over");
  const std::string_view number = text.substr(0, text.size() - 1);
  const bool is_plain = number.find_first_not_of("0123456789.") == std::string_view::npos;
  const auto percent = parse_micros(number);
  if (!is_plain || !percent || percent->is_negative() || percent->count() > all * percent_digits ||
      percent->count() % percent_digits != 0) {
    return fail(ErrorKind::invalid, expected, "carry_over");
  }
  return percent->count() / percent_digits;
}

std::string carry_over_text(std::int64_t millionths) {
  if (millionths == 0) return "none";
  if (millionths == all) return "all";
  return to_decimal(Micros(millionths * percent_digits)) + "%";
}

}  // namespace asbb::api
