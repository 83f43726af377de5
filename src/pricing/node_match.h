// Which nodes of a partition can be given to a request. Leaves a node out only where Slurm surely
// would; used by demand.cc alone.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "pricing/demand.h"
#include "pricing/job_request.h"

namespace asbb::pricing {

// Whether a node with these features may be part of a job with this --constraint. Plain lists
// ("a&b", "a,b") need all, anything else needs one of the names, and counts ("a*2") leave the
// other nodes free to be of any kind.
[[nodiscard]] bool may_match(std::string_view constraint, const std::vector<std::string>& features);

// How many nodes a --constraint with counts names: 3 for "[rack1*2&rack2*1]". Slurm gives at least
// these, whatever else is asked (node_scheduler.c _get_req_features). 0 without a count.
[[nodiscard]] std::int64_t counted_nodes(std::string_view constraint);

// Shapes of the partition that match --constraint; among them those that can hold what is asked of
// each node, or all of them where none seems to. Empty only when no node matches the constraint.
// The pointers live as long as `partition`.
[[nodiscard]] std::vector<const NodeShape*> matching_nodes(const CheckedRequest& request,
                                                           const PartitionShape& partition,
                                                           std::int64_t cpus_per_node);

}  // namespace asbb::pricing
