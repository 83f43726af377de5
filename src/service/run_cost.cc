#include "service/run_cost.h"

namespace asbb::service {

std::string bearer_of(const RunCostPolicy& policy, const slurm::JobStatus& status) {
  const bool writes_off =
      (status.base == slurm::JobState::node_fail && policy.writes_off_node_fail) ||
      (status.base == slurm::JobState::boot_fail && policy.writes_off_boot_fail) ||
      (status.base == slurm::JobState::preempted && policy.writes_off_preempted);
  return writes_off ? policy.write_off_account : std::string();
}

}  // namespace asbb::service
