// The SPANK face: the options --cloud and --budget=ACCOUNT of sbatch, salloc and srun. It runs in
// those programs, in slurmd and in slurmstepd, where a plugin that fails drains nodes: so it reads
// no file, keeps no state, logs nothing unless the user gave an option wrongly, and never fails.
#pragma once

#include "plugins/slurm_abi.h"

namespace asbb::plugins {

void register_options(spank_t spank);

}  // namespace asbb::plugins
