// Figures as people read them, and text that is safe inside a page. Pure functions, no locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"
#include "report/dual.h"

namespace asbb::report {

// For text and for attributes between quotes. Control characters, and bytes that are not UTF-8, as
// U+FFFD; marks that turn the direction of text as well.
[[nodiscard]] std::string escaped(std::string_view text);

// "1,234.57": two decimals, half to even; all of them where two would show nothing.
[[nodiscard]] std::string amount_text(Micros amount);
// "$1,234.57", "1,234.57 core-hours".
[[nodiscard]] std::string money_text(Micros amount, std::string_view unit);
// The same as HTML that says the exact figure too: <data value="1234.567891">$1,234.57</data>.
[[nodiscard]] std::string money_data(Micros amount, std::string_view unit);

// "1,234".
[[nodiscard]] std::string count_text(std::int64_t count);
// "45 s", "12 min", "3 h 20 min", "2 d 4 h".
[[nodiscard]] std::string duration_text(std::int64_t seconds);
// "37.5 %".
[[nodiscard]] std::string permille_text(std::int64_t permille);
// "1,234.5 core-hours" of so many core-seconds.
[[nodiscard]] std::string core_hours_text(std::int64_t core_seconds);
// Why jobs of a partition have no charge.
[[nodiscard]] const char* why_uncharged(Price price);
// "3 Jun".
[[nodiscard]] std::string day_month(Day day);
// "Jun 25".
[[nodiscard]] std::string month_year(Day day);
// At most so many characters, the last of them an ellipsis when something was cut.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t most);
// How wide it is at most at 12 px, bold, in tenths of a pixel: a drawing knows no font.
[[nodiscard]] std::int64_t text_width(std::string_view text);
// Shortened to at most so wide.
[[nodiscard]] std::string fitted(const std::string& text, std::int64_t width);

}  // namespace asbb::report
