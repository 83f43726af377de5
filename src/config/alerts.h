// How the channels and thresholds of alerts are written in the file. Used inside src/config only.
// Functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/ladder.h"

namespace asbb::config {

// What `value` says, which the file calls `where`; what is wrong is said and left out.
[[nodiscard]] std::vector<AlertChannel> read_channels(const YAML::Node& value,
                                                      const std::string& where,
                                                      const SayProblem& problem);
[[nodiscard]] std::vector<std::int64_t> read_thresholds(const YAML::Node& value,
                                                        const std::string& where,
                                                        const SayProblem& problem);

// Lines of the file below alerts; the readers read them back.
[[nodiscard]] std::string to_text(const std::vector<AlertChannel>& channels);
[[nodiscard]] std::string to_text(const std::vector<std::int64_t>& thresholds);

// A channel's URL without what may be a secret in it.
[[nodiscard]] std::string shown_url(const AlertChannel& channel);

// What a channel may have, for people.
[[nodiscard]] const std::string& allowed_channels();

}  // namespace asbb::config
