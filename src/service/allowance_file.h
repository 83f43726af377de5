// The lines of the policy file that let the plugin count what is spent while the service is silent
// (plugin-protocol.md, section 4): allowances, who spends them, and the worst rate of each priced
// partition. Pure functions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pricing/price_book.h"
#include "service/allowances.h"
#include "service/policy_file.h"
#include "slurm/cluster_view.h"
#include "slurm/user_names.h"

namespace asbb::service {

struct AllowanceLines {
  std::string text;      // empty where nothing is said about allowances
  std::string problems;  // sentences about what could not be written; empty: none
};

// `clusters` are all that might run a job of `cluster`; while one of them was not read, what may
// have a price there is not bounded. `book` is null when there are no prices.
[[nodiscard]] AllowanceLines allowance_lines(const slurm::ClusterSnapshot& cluster,
                                             const PolicyClusters& clusters,
                                             const pricing::PriceBook* book,
                                             const Allowances& allowances,
                                             const ClusterAllowances& published,
                                             const slurm::UserNames& names);

}  // namespace asbb::service
