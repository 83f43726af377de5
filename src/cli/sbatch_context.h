// What sbatch would find where it is typed: its script, its variables, the cluster of its
// slurm.conf. Functions; one thread.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/sbatch_options.h"

namespace asbb::cli {

inline constexpr std::size_t script_bytes_max = 4'000'000;  // as slurmctld takes by default

// Text of a script: the file of that name, or as sbatch looks for it in PATH.
[[nodiscard]] Result<std::string> read_script_file(const std::string& path);

// SBATCH_* of the environment; valid as long as the context.
[[nodiscard]] Lookup sbatch_variables(const Context& context);

// ClusterName of a slurm.conf, in lower case as Slurm keeps it; empty where there is none.
[[nodiscard]] std::string cluster_of_conf(const std::string& path);
// The same of the slurm.conf that sbatch would read.
[[nodiscard]] std::string own_cluster(const Context& context);

}  // namespace asbb::cli
