// Where a submitted job may run, as far as it can cost something there: the partitions it names (or
// the default one), on its cluster and on the siblings of the federation. Reads the cluster views;
// what is unknown or too old refuses on priced partitions and says why (DESIGN 3, the cluster
// view). Functions, any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/submission.h"
#include "pricing/price_book.h"
#include "service/cluster_choice.h"
#include "service/shape_cache.h"
#include "slurm/cluster_cache.h"

namespace asbb::service {

// Why a submission is refused before the ledger is asked.
struct Denial {
  std::string code;     // stable
  std::string message;  // sentences for the user, lines ended by '\n'
};

// It is not known who may use which account on the cluster, nor where else its jobs may go.
[[nodiscard]] Denial associations_unknown(const std::string& cluster);

struct ViewReader {
  const slurm::ClusterCache& cache;
  ShapeCache& shapes;
  Instant now;
  Span age_max;
  const std::vector<std::string>& clusters;  // all that are watched; must outlive this

  // Null when there is none, or it is too old.
  [[nodiscard]] std::shared_ptr<const slurm::ClusterSnapshot> fresh(
      const std::string& cluster) const;
  [[nodiscard]] std::shared_ptr<const slurm::Associations> fresh_associations(
      const std::string& cluster) const;
};

// The candidates of one unit: they are priced, and held for, together.
struct UnitCandidates {
  std::string unit;
  std::vector<pricing::SharedShape> shapes;
};

struct Candidates {
  std::vector<UnitCandidates> units;            // empty: nothing the job may use has a price
  std::vector<std::string> partitions;          // names of the priced ones, each once
  std::vector<pricing::StickyDefaults> listed;  // of all, where the job names several
  std::vector<ClusterChoice> clusters;          // of a federation, that --clusters allows
};

[[nodiscard]] tl::expected<Candidates, Denial> find_candidates(const api::Submission& submission,
                                                               const pricing::PriceBook& book,
                                                               const ViewReader& view);

// The clusters of the submission's federation that --clusters allows (sbatch(1)), and which of them
// --cluster-constraint does; their units are not known yet. Empty without a federation, and for an
// array and components of a heterogeneous job, which stay where they are.
[[nodiscard]] std::vector<ClusterChoice> cluster_choices(const api::Submission& submission,
                                                         const slurm::Associations* associations);
// Of these the ones that may run the job; its own where there is none.
[[nodiscard]] std::vector<std::string> viable_clusters(const std::string& own,
                                                       const std::vector<ClusterChoice>& choices);

}  // namespace asbb::service
