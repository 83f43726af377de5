// What is wrong with the files that settings name: secrets that others may read. Looks at modes,
// never into files. Used inside src/config only. Functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace asbb::config {

struct FileProblem {
  std::string name;  // of the setting
  std::string message;
};

// Settings of the file that hold a secret themselves: a password in an address, the path of a
// chat's hook. Each message says which file may not be read by everybody.
[[nodiscard]] std::vector<FileProblem> secrets_in(const Config& config, const std::string& file);

// Files that are not there, or that the caller may not look for, are left out: the settings may be
// checked before the files are made, and by somebody else than the service's user.
[[nodiscard]] std::vector<FileProblem> check_files(const Config& config);

}  // namespace asbb::config
