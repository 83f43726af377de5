// TRESBillingWeights for the partitions of several clusters, and how far what Slurm bills then is
// from the price: for jobs that each partition can run. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/table.h"
#include "pricing/billing_weights.h"
#include "slurm/cluster_view.h"

namespace asbb::cli {

struct PartitionWeights {
  std::string cluster;
  std::string partition;
  const pricing::Rate* rate = nullptr;  // of the price book; null: no price, or free
  pricing::BillingWeights weights;
};

// One for each partition, in the order given. A scale is common to all partitions of a unit, so
// that an account's billing on several clusters adds up. The book must outlive them.
[[nodiscard]] std::vector<PartitionWeights> weigh(
    const pricing::PriceBook& book,
    const std::vector<std::pair<std::string, std::string>>& partitions);

// For jobs of one CPU, of one node and of all nodes of each partition with a price that the
// cluster's snapshot has.
[[nodiscard]] Table difference_table(const std::vector<PartitionWeights>& partitions,
                                     const std::map<std::string, slurm::ClusterSnapshot>& clusters);

// What weights cannot say, and partitions that have no price, as sentences.
[[nodiscard]] std::vector<std::string> weight_notes(
    const std::vector<PartitionWeights>& partitions,
    const std::map<std::string, slurm::ClusterSnapshot>& clusters);

}  // namespace asbb::cli
