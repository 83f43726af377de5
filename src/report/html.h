// A report as one page that needs nothing else: no request, no script. It reads on a screen, light
// or dark, and in print. Pure function.
#pragma once

#include <string>

#include "report/dual.h"

namespace asbb::report {

[[nodiscard]] std::string to_html(const Dual& report);

}  // namespace asbb::report
