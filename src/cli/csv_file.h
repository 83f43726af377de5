// Reads comma-separated values (RFC 4180) with a header. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::cli {

struct CsvRow {
  std::int64_t line = 0;  // where it begins in the file, 1 is the header
  std::vector<std::string> cells;
};

// Empty lines are left out. invalid: a quote that is never closed, or text behind one; a file that
// is not UTF-8 text. A byte order mark is skipped.
[[nodiscard]] Result<std::vector<CsvRow>> read_csv(std::string_view text);

}  // namespace asbb::cli
