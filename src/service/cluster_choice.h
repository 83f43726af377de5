// Which clusters of a federation a job may go to when there is money for some of its units only,
// and the --cluster-constraint (sbatch(1)) that sends it nowhere else. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace asbb::service {

// A cluster that could run the job, as far as --clusters says.
struct ClusterChoice {
  std::string name;
  std::vector<std::string> features;  // of the cluster in slurmdbd
  bool is_viable = true;              // the job's own constraint allows it
  std::set<std::string> units;        // of the job's partitions there
};

// Whether the cluster can be paid with these units alone.
[[nodiscard]] bool is_paid(const ClusterChoice& cluster, const std::set<std::string>& units);

// A constraint that allows just the viable clusters that can be paid so; nothing when there is no
// such cluster, or no features tell them from the others. Features are joined as Slurm joins them:
// "a,b" is every cluster with one of them, "!a,b" every cluster without any.
[[nodiscard]] std::optional<std::string> constraint_for(const std::vector<ClusterChoice>& clusters,
                                                        const std::set<std::string>& units);

// Whether there is a constraint whichever of the units the money is lacking for.
[[nodiscard]] bool can_be_restricted(const std::vector<ClusterChoice>& clusters,
                                     const std::vector<std::string>& units);

}  // namespace asbb::service
