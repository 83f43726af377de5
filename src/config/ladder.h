// How a ladder of enforcement is written in the file: a list of steps, each a word or a step with
// what it needs. Used inside src/config only. Functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "config/yaml_text.h"

namespace asbb::config {

// The ladder in `value`, which the file calls `where`; nothing, with every problem said, when it is
// none. Steps that are left out are not taken.
[[nodiscard]] std::optional<Ladder> read_ladder(const YAML::Node& value, const std::string& where,
                                                const SayProblem& problem);

// "[warn, stop_new, {signal: USR1, grace: 5m}, cancel]": read_ladder reads it back.
[[nodiscard]] std::string to_text(const Ladder& ladder);

// What a step may be, for people.
[[nodiscard]] const std::string& allowed_steps();

}  // namespace asbb::config
