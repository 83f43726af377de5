// The style sheet of the page. Inside src/report only.
#pragma once

#include <string_view>

namespace asbb::report {

[[nodiscard]] std::string_view page_style();

}  // namespace asbb::report
