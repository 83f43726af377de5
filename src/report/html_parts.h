// The tables and figures of the page. Inside src/report only. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "report/dual.h"

namespace asbb::report {

// "proj001", or "All accounts".
[[nodiscard]] std::string title_of(const Dual& report);

// The large figures at the top.
[[nodiscard]] std::string tiles(const Dual& report);

// Each with its drawing and, behind it, its table.
[[nodiscard]] std::string usage_figures(const Dual& report);
[[nodiscard]] std::string user_figures(const Dual& report);
[[nodiscard]] std::string burn_down_figures(const Dual& report);

[[nodiscard]] std::string budget_table(const Dual& report);
// Lines beside each other; `what` heads the first column, beyond `most` the rest is put together.
[[nodiscard]] std::string lines_table(const Dual& report, const std::vector<Line>& lines,
                                      const std::string& what, std::size_t most);
[[nodiscard]] std::string uncharged_table(const Dual& report);

}  // namespace asbb::report
