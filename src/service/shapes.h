// From Slurm's words to the estimate's: a submission becomes a JobRequest, a partition of a cluster
// view becomes a PartitionShape. Shapes are made once per view and shared, since a large cluster
// has thousands of nodes and a submission has milliseconds.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/submission.h"
#include "pricing/job_request.h"
#include "slurm/cluster_view.h"

namespace asbb::service {

// invalid: a --nodelist that cannot be read.
[[nodiscard]] Result<pricing::JobRequest> job_request_of(const api::Submission& submission);

[[nodiscard]] pricing::PartitionShape partition_shape_of(const slurm::ClusterSnapshot& cluster,
                                                         const slurm::PartitionInfo& partition);

using SharedShape = std::shared_ptr<const pricing::PartitionShape>;

// The shapes of the latest view of each cluster. Thread-safe.
class ShapeCache {
 public:
  // Null when that view has no such partition.
  [[nodiscard]] SharedShape shape(const std::shared_ptr<const slurm::ClusterSnapshot>& cluster,
                                  std::string_view partition);

 private:
  struct Cluster {
    std::shared_ptr<const slurm::ClusterSnapshot> snapshot;
    std::map<std::string, SharedShape, std::less<>> shapes;
  };

  std::mutex mutex_;
  std::map<std::string, Cluster, std::less<>> clusters_;
};

}  // namespace asbb::service
