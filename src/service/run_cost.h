// Who bears what a run cost, by what ended it (docs/concepts/job-life.md): the job's account, or
// the account for costs that no project shall pay. A requeue that a user can ask for is always
// billed: it would be a way to compute for nothing. Pure.
#pragma once

#include <string>

#include "slurm/job_state.h"

namespace asbb::service {

struct RunCostPolicy {
  std::string write_off_account;  // empty: every run is billed
  bool writes_off_node_fail = false;
  bool writes_off_boot_fail = false;
  bool writes_off_preempted = false;
};

// The account that a run is written off to; empty when it is billed.
[[nodiscard]] std::string bearer_of(const RunCostPolicy& policy, const slurm::JobStatus& status);

}  // namespace asbb::service
