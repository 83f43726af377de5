// What the Slurm plugin does when the service does not answer: one small file per cluster beside
// the socket, written by the service, read by slurmctld (docs/reference/plugin-protocol.md, section
// 4). The text is a pure function; writing replaces the file atomically.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "pricing/price_book.h"
#include "slurm/cluster_view.h"

namespace asbb::service {

// The administrator's choice for priced partitions; unpriced ones are always allowed.
struct SilencePolicy {
  bool allow_by_default = false;
  std::map<std::string, bool> allow_by_partition;
};

// All clusters that might run each other's jobs.
struct PolicyClusters {
  std::vector<std::shared_ptr<const slurm::ClusterSnapshot>> read;
  std::vector<std::string> unread;  // not since the start: what has a price there may run there
};

// `book` is null when there are no prices.
[[nodiscard]] std::string policy_text(const slurm::ClusterSnapshot& cluster,
                                      const PolicyClusters& clusters,
                                      const pricing::PriceBook* book, const SilencePolicy& policy);

// Writes `folder`/policy.<cluster in lower case> with mode 0644 by way of a temporary file and
// rename. Does nothing when the file already says so.
[[nodiscard]] Result<void> write_policy_file(const std::string& folder, const std::string& cluster,
                                             const std::string& text);

}  // namespace asbb::service
