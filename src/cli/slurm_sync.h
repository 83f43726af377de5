// `asbb slurm sync-accounts`: one cluster's accounts, users, parents and default accounts become
// those of another; limits follow by rule or stay. It talks to sacctmgr of both clusters, never to
// the budget service, so that it also works while that is away.
#pragma once

#include "cli/commands.h"

namespace asbb::cli {

void add_slurm_sync(Command& slurm, Context& context);

}  // namespace asbb::cli
