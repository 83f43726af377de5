// The options --cloud and --budget=ACCOUNT, as they arrive in slurmctld: sbatch's SPANK face leaves
// them in the request's spank_job_env. They are the user's words and prove nothing.
#pragma once

#include <string_view>

#include "plugins/slurm_abi.h"

namespace asbb::plugins {

inline constexpr std::string_view kCloudOption = "cloud";
inline constexpr std::string_view kBudgetOption = "budget";
// What --cloud asks of the federation: a cluster with this feature.
inline constexpr char kCloudFeature[] = "cloud";

struct Options {
  bool cloud = false;
  // Empty when not given; lives in the request.
  std::string_view budget;
};

// Whether the text can be the name of a Slurm account at all: 1 to 255 bytes, letters, digits and
// the signs . _ - + @ : = and what is beyond ASCII.
bool is_account_name(std::string_view text);

Options read_options(const job_desc_msg_t& job);

// Puts the options into the request, the same way at the origin and at a sibling. The budget must
// be an account name.
void apply_options(const Options& options, job_desc_msg_t* job);

}  // namespace asbb::plugins
