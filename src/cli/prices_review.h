// `asbb prices review`: what partitions cost by the price book, what their jobs really used and
// were charged, and what Slurm's weights make of it, with what should be changed. Figures and
// proposals are pure; reading blocks. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/slurm_dual_weights.h"

namespace asbb::cli {

// Of one partition over the period.
struct PartitionUse {
  std::int64_t runs = 0;
  std::int64_t core_seconds = 0;
  std::int64_t node_seconds = 0;
  std::int64_t billing_seconds = 0;       // Slurm's billing x elapsed
  Micros today;                           // what the runs cost by the book that is in force
  std::int64_t cpu_permille = 0;          // of the nodes' CPUs, x node seconds
  std::int64_t memory_permille = 0;       // of their memory, likewise
  std::map<std::string, Micros> charged;  // by unit, of the ledger
};
using PartitionUses = std::map<std::pair<std::string, std::string>, PartitionUse>;

// Rows of sacct: Partition|End|ElapsedRaw|NNodes|AllocTRES, times as Unix seconds. Runs that ended
// in [since, until) count; what cannot be read is a sentence in `problems`.
void add_runs(PartitionUses& uses, const std::string& cluster, std::string_view rows, Instant since,
              Instant until, const pricing::PriceBook& book, const slurm::ClusterSnapshot* snapshot,
              std::vector<std::string>& problems);

using Snapshots = std::map<std::string, slurm::ClusterSnapshot>;  // by cluster

struct Reviewed {
  pricing::PriceBook book;
  std::vector<std::string> names;  // of the settings' clusters
  Snapshots clusters;              // of those whose partitions were read
  std::set<std::string> counted;   // those whose runs were read, to the last
  PartitionUses uses;              // of a cluster that is not counted what was charged alone counts
};

// Of the partitions that there are and of those that were used, by the scale that `asbb slurm
// configure` takes for the clusters together. What was reviewed must outlive them.
[[nodiscard]] std::vector<PartitionWeights> review_weights(const Reviewed& reviewed);

// What should be changed, as sentences. Weights have one scale for all clusters: nothing is said of
// them unless each was read.
[[nodiscard]] std::vector<std::string> proposals(const Reviewed& reviewed);

void add_prices_review(Command& prices, Context& context);

}  // namespace asbb::cli
