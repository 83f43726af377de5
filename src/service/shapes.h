// From what Slurm and its plugin say to what the estimate is made from: a submission as a pricing
// request, a partition of the cluster view as a pricing shape. Pure functions.
#pragma once

#include "api/submission.h"
#include "pricing/job_request.h"
#include "slurm/cluster_view.h"

namespace asbb::service {

// What was asked, as it was asked; nothing is filled in here.
[[nodiscard]] pricing::JobRequest job_request(const api::Submission& submission);

// The partition with its nodes, alike ones counted together, and the cluster's settings where it
// has none of its own.
[[nodiscard]] pricing::PartitionShape partition_shape(const slurm::ClusterSnapshot& cluster,
                                                      const slurm::PartitionInfo& partition);

}  // namespace asbb::service
