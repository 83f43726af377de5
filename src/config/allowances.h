// How the allowances of slurm.on_unavailable are written in the file: by cluster and account, an
// amount and its unit. Used inside src/config only. Functions; any thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "config/config.h"
#include "config/ladder.h"

namespace YAML {
class Node;
}

namespace asbb::config {

using Allowances = std::map<std::string, std::map<std::string, Allowance>>;

// What `value` says, which the file calls `where`; what is wrong is said and left out.
[[nodiscard]] Allowances read_allowances(const YAML::Node& value, const std::string& where,
                                         const SayProblem& problem);

// Lines of the file, indented below on_unavailable; read_allowances reads them back.
[[nodiscard]] std::string to_text(const Allowances& allowances);

}  // namespace asbb::config
