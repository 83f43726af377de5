// The partitions of the cluster views in the estimate's terms (shapes.h), made once per view: a
// large cluster has thousands of nodes, and a submission has milliseconds. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "pricing/job_request.h"
#include "slurm/cluster_view.h"

namespace asbb::service {

using pricing::SharedShape;

class ShapeCache {
 public:
  // Null when that view has no such partition. A newer view of a cluster drops the older one's.
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
