// What tells one Slurm job from another. A job id alone never does: two clusters
// that are in no federation both have a job 7. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "ledger/types.h"

namespace asbb::ledger {

// Federated job ids carry the cluster's number above 26 bits (Slurm's fed_mgr.h), where a cluster's
// own ids end (MaxJobId): such an id is one job on all clusters.
inline constexpr std::int64_t first_federated_id = std::int64_t{1} << 26;

[[nodiscard]] constexpr bool is_federated(std::int64_t job_id) {
  return job_id >= first_federated_id;
}

// Whether that id on that cluster is the job: the same cluster's, or a federation's. Ids come back
// after a wrap; the time of submission tells those apart, not this.
[[nodiscard]] inline bool is_same_job(const JobRef& job, std::string_view cluster,
                                      std::int64_t job_id) {
  return job.job_id == job_id && (job.cluster == cluster || is_federated(job_id));
}

}  // namespace asbb::ledger
