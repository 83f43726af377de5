// Runs the whole command line in the test's process. One thread.
#pragma once

#include <string>
#include <vector>

#include "api/testing/canned_service.h"
#include "cli/commands.h"

namespace asbb::cli::testing {

using api::testing::CannedService;

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

// The words behind "asbb". The clock stands at 2025-06-15T12:00:00Z.
[[nodiscard]] Ran run(const std::vector<std::string>& words,
                      const config::Environment& environment = {});

// The same, asking that service.
[[nodiscard]] Ran run(const CannedService& service, std::vector<std::string> words);

// The words of a line, split at blanks.
[[nodiscard]] std::vector<std::string> split(const std::string& line);

}  // namespace asbb::cli::testing
