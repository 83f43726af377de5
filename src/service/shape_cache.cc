#include "service/shape_cache.h"

#include "service/shapes.h"

namespace asbb::service {

SharedShape ShapeCache::shape(const std::shared_ptr<const slurm::ClusterSnapshot>& cluster,
                              std::string_view partition) {
  const slurm::PartitionInfo* known = cluster->partition(partition);
  if (known == nullptr) return nullptr;
  const std::lock_guard lock(mutex_);
  Cluster& cached = clusters_[cluster->cluster];
  if (cached.snapshot != cluster) {
    cached.snapshot = cluster;
    cached.shapes.clear();
  }
  SharedShape& shape = cached.shapes[known->name];
  if (!shape) {
    shape = std::make_shared<const pricing::PartitionShape>(partition_shape(*cluster, *known));
  }
  return shape;
}

}  // namespace asbb::service
