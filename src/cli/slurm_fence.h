// `asbb slurm fence`: what is left in the ledger's budgets as GrpTRESMins of Slurm's accounts, a
// coarse second fence for when the budget service is away. Reads the ledger over REST; changes
// Slurm's limits through sacctmgr, never the ledger.
#pragma once

#include "cli/commands.h"

namespace asbb::cli {

void add_slurm_fence(Command& slurm, Context& context);

}  // namespace asbb::cli
