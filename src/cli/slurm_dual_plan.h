// What several clusters still need for one accounting, and what speaks against it: the lines of
// each slurm.conf and slurmdbd.conf, and the calls of sacctmgr. Reads files and asks Slurm; changes
// nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/slurm_configure_files.h"
#include "cli/slurm_dual.h"
#include "cli/slurm_dual_weights.h"

namespace asbb::cli {

struct DualPlan {
  std::vector<Change> changes;
  std::vector<std::vector<std::string>> commands;  // with the SLURM_CONF of the first cluster
  std::vector<std::string> notes;
  std::vector<std::string> refusals;  // with any of these nothing may be written
  std::vector<PartitionWeights> weights;
  std::map<std::string, slurm::ClusterSnapshot> snapshots;
};

// `book` may be null: then partitions get no weights.
[[nodiscard]] DualPlan plan_dual(slurm::SlurmClient& client,
                                 const std::vector<slurm::SlurmCluster>& clusters,
                                 const DualFlags& flags, const pricing::PriceBook* book);

// Which federation each cluster of that slurmdbd is in; empty for none.
[[nodiscard]] Result<std::map<std::string, std::string>> read_federations(
    slurm::SlurmClient& client, const slurm::SlurmCluster& cluster);

}  // namespace asbb::cli
