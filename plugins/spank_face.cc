#include "plugins/spank_face.h"

#include "plugins/options.h"

namespace asbb::plugins {
namespace {

enum OptionValue { kCloud = 1, kBudget = 2 };

// Slurm carries the values to slurmctld by itself (options.h); here they are only checked.
// A result below 0 makes sbatch, salloc and srun stop (Slurm: src/common/plugstack.c).
int check_option(int value, const char* argument, int remote) {
  if (remote != 0 || value != kBudget) return 0;
  if (argument != nullptr && is_account_name(argument)) return 0;
  slurm_error("asbb: --budget: this is not the name of an account");
  return -1;
}

// spank.h wants texts that it could change; it does not.
char cloud_name[] = "cloud";
char cloud_usage[] = "run this job in the cloud, charged to the budget of its account";
char budget_name[] = "budget";
char budget_argument[] = "ACCOUNT";
char budget_usage[] = "charge this job to the budget of ACCOUNT";

spank_option options[] = {
    {cloud_name, nullptr, cloud_usage, 0, kCloud, check_option},
    {budget_name, budget_argument, budget_usage, 1, kBudget, check_option},
};

static_assert(kCloudOption == std::string_view("cloud"));
static_assert(kBudgetOption == std::string_view("budget"));

}  // namespace

void register_options(spank_t spank) {
  for (spank_option& option : options) spank_option_register(spank, &option);
}

}  // namespace asbb::plugins
