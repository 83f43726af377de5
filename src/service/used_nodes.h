// The nodes a job ran on, as a cluster's view knows them: what a price per instance type needs.
// Pure.
#pragma once

#include <string_view>
#include <vector>

#include "pricing/charge.h"
#include "slurm/cluster_view.h"

namespace asbb::service {

// `hosts` as slurmdbd and squeue write it; what cannot be read names no node. A node that the view
// does not have is not known.
[[nodiscard]] std::vector<pricing::UsedNode> used_nodes(const slurm::ClusterSnapshot& view,
                                                        std::string_view hosts);

}  // namespace asbb::service
