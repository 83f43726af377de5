// What squeue prints, asked for as `queue_arguments`, into jobs. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "slurm/job_source.h"

namespace asbb::slurm {

// squeue with all states, hidden partitions and this cluster only, in delimited columns. Measured
// with 2,000 jobs: 0.04 s and 0.4 MB, where squeue --json took 0.4 s and 6 MB (and grows with every
// allocated core).
[[nodiscard]] std::vector<std::string> queue_arguments(const std::string& separator);

// Adds jobs and problems to `list`, whose cluster is set.
void read_queue(std::string_view text, std::string_view separator, QueueList& list);

}  // namespace asbb::slurm
