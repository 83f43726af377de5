// The most that Slurm can allocate to one run of a request on one partition: the quantities behind
// an estimate. The rules follow Slurm 22.05 (src/slurmctld/job_mgr.c _valid_pn_min_mem,
// node_scheduler.c get_node_cnts, src/plugins/select/cons_tres and cons_common); where they leave
// room, the bound goes up. Pure; used by estimate.cc alone.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "pricing/estimate.h"
#include "pricing/job_request.h"
#include "pricing/price_book.h"
#include "pricing/tres.h"

namespace asbb::pricing {

// A request whose numbers are in range and whose TRES texts have been read.
struct CheckedRequest {
  JobRequest asked;
  Tres per_job;
  Tres per_node;
  Tres per_socket;
  Tres per_task;
  std::int64_t memory_per_gpu_mb = 0;
  std::int64_t cpus_per_gpu = 0;

  [[nodiscard]] bool wants_gpus() const;
  [[nodiscard]] std::int64_t gpu_types_named() const;  // in one option, at least 1
};

[[nodiscard]] tl::expected<CheckedRequest, RefusedEstimate> check_request(const JobRequest& asked);

struct Demand {
  Tres bound;
  std::vector<std::string> lines;  // how it was reached, where that is wanted
};

// `rate` decides which kind of node is the dearest.
[[nodiscard]] tl::expected<Demand, RefusedEstimate> largest_demand(
    const CheckedRequest& request, const PartitionShape& partition, const Rate& rate,
    EstimateLines lines = EstimateLines::wanted);

}  // namespace asbb::pricing
