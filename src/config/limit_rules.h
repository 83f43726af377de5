// slurm.clusters[].limits of the file: what becomes of a limit of Slurm's accounts when this
// cluster follows another. Used inside src/config only, but for the names. Functions; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/yaml_text.h"

namespace asbb::config {

// sacctmgr's names of the limits that may have a rule.
[[nodiscard]] const std::vector<std::string>& limit_rule_names();

// "keep", "copy", "scale 0.5", or a value for every account. Nothing when it is none of them.
[[nodiscard]] std::optional<LimitRule> read_limit_rule(const std::string& text);
[[nodiscard]] std::string to_text(const LimitRule& rule);

// What is wrong is said and left out. Names are taken without regard to case.
[[nodiscard]] std::map<std::string, LimitRule> read_limit_rules(const YAML::Node& value,
                                                                const std::string& where, int line,
                                                                const SayProblem& problem);
// The lines of the file; none for no rules.
[[nodiscard]] std::string to_text(const std::map<std::string, LimitRule>& rules);

[[nodiscard]] const std::string& allowed_limit_rules();

}  // namespace asbb::config
