// `asbb slurm status`. Inside src/cli only.
#pragma once

#include "cli/command.h"
#include "cli/context.h"

namespace asbb::cli {

void add_slurm_status(Command& slurm, Context& context);

}  // namespace asbb::cli
