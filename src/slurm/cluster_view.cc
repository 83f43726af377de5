#include "slurm/cluster_view.h"

namespace asbb::slurm {

const PartitionInfo* ClusterSnapshot::partition(std::string_view name) const {
  for (const PartitionInfo& known : partitions) {
    if (known.name == name) {
      return &known;
    }
  }
  return nullptr;
}

const PartitionInfo* ClusterSnapshot::default_partition() const {
  for (const PartitionInfo& known : partitions) {
    if (known.is_default) {
      return &known;
    }
  }
  return nullptr;
}

const NodeInfo* ClusterSnapshot::node(std::string_view name) const {
  for (const NodeInfo& known : nodes) {
    if (known.name == name) {
      return &known;
    }
  }
  return nullptr;
}

std::vector<const NodeInfo*> ClusterSnapshot::nodes_of(const PartitionInfo& partition) const {
  std::vector<const NodeInfo*> result;
  for (const NodeInfo& known : nodes) {
    for (const std::string& name : known.partitions) {
      if (name == partition.name) {
        result.push_back(&known);
        break;
      }
    }
  }
  return result;
}

}  // namespace asbb::slurm
