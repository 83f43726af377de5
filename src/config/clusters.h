// slurm.clusters of the file. Used inside src/config only. Functions; any thread.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/yaml_text.h"

namespace asbb::config {

// The list as it stands in that line; what is wrong is said and left out.
[[nodiscard]] std::vector<Cluster> read_clusters(const YAML::Node& value, int line,
                                                 const SayProblem& problem);

// Clusters that name no slurm.conf or no folder of commands get that of slurm.config_path and
// slurm.bin_path.
void fill_clusters(Slurm& slurm);

}  // namespace asbb::config
