// Files with a secret in their first line. Functions; any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace asbb {

// The first line. broken: the file cannot be read, others than its owner may use it, or the line is
// empty; the sentence names the file and what to do, never what is in it.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path);

}  // namespace asbb
