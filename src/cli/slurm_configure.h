// `asbb slurm configure`: what Slurm's own configuration needs for the plugin and the service,
// shown or written. It refuses what would keep slurmctld from starting or drain nodes, and then
// changes nothing. It talks to Slurm's files and to sacctmgr, never to the budget service.
#pragma once

#include "cli/commands.h"

namespace asbb::cli {

void add_slurm_configure(Command& slurm, Context& context);

}  // namespace asbb::cli
