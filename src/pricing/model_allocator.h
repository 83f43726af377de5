// For tests: a coarse, independent model of what Slurm may allocate to a request. It places tasks
// on single nodes at random, within the rules of sbatch(1), and knows nothing of how the estimate
// is computed.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "pricing/charge.h"
#include "pricing/job_request.h"
#include "pricing/tres.h"

namespace asbb::pricing {

// A number from 0 to the argument less one.
using Pick = std::function<std::int64_t(std::int64_t)>;

// One possible allocation, nothing where this try found none. The request's TRES texts are given
// again as numbers, so that the model does not depend on their reader.
struct ModelGpus {
  std::string type;  // empty: any
  std::int64_t per_job = 0;
  std::int64_t per_node = 0;
  std::int64_t per_task = 0;
  std::int64_t memory_per_gpu_mb = 0;
};

struct ModelAllocation {
  Tres tres;
  std::vector<UsedNode> nodes;
};

[[nodiscard]] std::optional<ModelAllocation> allocate(const JobRequest& request,
                                                      const ModelGpus& gpus,
                                                      const PartitionShape& partition,
                                                      const Pick& pick);

}  // namespace asbb::pricing
