// The arguments of the plugin's line in plugstack.conf. slurmctld must come up whatever stands
// there: a bad or unknown argument is an error in its log, never a failure, and leaves the plugin
// with the stricter choice.
#pragma once

#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/channel.h"
#include "plugins/http_answer.h"
#include "plugins/slurm_config.h"

namespace asbb::plugins {

inline constexpr unsigned kDefaultTimeoutMs = 50;
inline constexpr unsigned kLongestTimeoutMs = 1'000;
// What sockaddr_un holds, the zero byte included: unix(7).
inline constexpr std::size_t kSocketPathBytes = 108;

// In StateSaveLocation, so that the slurmctld that takes over finds it.
inline constexpr std::string_view kAllowanceFileName = "asbb_allowances";

struct Arguments {
  // Empty when the service cannot be reached with what was given: every submission is silence.
  FixedText<kSocketPathBytes> socket_path;
  PathText policy_path;
  PathText allowance_path;  // empty: nothing can be spent while the service is silent
  unsigned timeout_ms = kDefaultTimeoutMs;
  Stance on_unavailable = Stance::deny;
  TrustedUsers trusted;
};

// Fills in *arguments, which must be fresh, from the words of the line and the cluster's name
// (empty when it is not known: then there is no policy file unless policy_file= names one).
// `state_folder` is slurmctld's StateSaveLocation, empty when it is not known.
void parse_arguments(std::string_view line, std::string_view cluster, std::string_view state_folder,
                     Arguments* arguments);

}  // namespace asbb::plugins
