// The service speaks of the fields of its API; who typed a command line knows its flags. Which flag
// of a command stands for a field, and a problem in those words. Plain functions; any thread.
#pragma once

#include <string>

#include "api/problem.h"
#include "cli/command.h"

namespace asbb::cli {

// "--name" for slurm_account; of several that may, the one that was given. Empty where the command
// takes none of them.
[[nodiscard]] std::string flag_of(const CommandNode& command, const std::string& field);

// The problem's message with flags instead of fields. What stands in quotes is somebody's own text.
[[nodiscard]] std::string in_flags_of(const CommandNode& command, const api::Problem& problem);

}  // namespace asbb::cli
