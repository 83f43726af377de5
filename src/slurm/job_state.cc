#include "slurm/job_state.h"

#include <array>
#include <utility>

namespace asbb::slurm {
namespace {

using BaseWord = std::pair<std::string_view, JobState>;
using FlagWord = std::pair<std::string_view, bool JobStatus::*>;

constexpr std::array<BaseWord, 13> base_words{{{"PENDING", JobState::pending},
                                               {"RUNNING", JobState::running},
                                               {"SUSPENDED", JobState::suspended},
                                               {"COMPLETED", JobState::completed},
                                               {"CANCELLED", JobState::cancelled},
                                               {"FAILED", JobState::failed},
                                               {"TIMEOUT", JobState::timeout},
                                               {"NODE_FAIL", JobState::node_fail},
                                               {"PREEMPTED", JobState::preempted},
                                               {"BOOT_FAIL", JobState::boot_fail},
                                               {"DEADLINE", JobState::deadline},
                                               {"OUT_OF_MEMORY", JobState::out_of_memory},
                                               {"UNKNOWN", JobState::unknown}}};

// job_state_string() of 22.05 prints the first flag that is set instead of the base.
const std::array<FlagWord, 16> flag_words{{{"COMPLETING", &JobStatus::completing},
                                           {"CONFIGURING", &JobStatus::configuring},
                                           {"REQUEUED", &JobStatus::requeued},
                                           {"REQUEUE_FED", &JobStatus::requeued},
                                           {"REQUEUE_HOLD", &JobStatus::requeue_hold},
                                           {"RESIZING", &JobStatus::resizing},
                                           {"REVOKED", &JobStatus::revoked},
                                           {"POWER_UP_NODE", &JobStatus::power_up},
                                           {"SPECIAL_EXIT", &JobStatus::other_flag},
                                           {"STAGE_OUT", &JobStatus::other_flag},
                                           {"STOPPED", &JobStatus::other_flag},
                                           {"SIGNALING", &JobStatus::other_flag},
                                           {"RECONFIG_FAIL", &JobStatus::other_flag},
                                           {"RESV_DEL_HOLD", &JobStatus::other_flag},
                                           {"LAUNCH_FAILED", &JobStatus::other_flag},
                                           {"UPDATE_DB", &JobStatus::other_flag}}};

void apply(std::string_view word, JobStatus& status) {
  for (const auto& [name, base] : base_words) {
    if (word == name) {
      status.base = base;
      return;
    }
  }
  for (const auto& [name, flag] : flag_words) {
    if (word == name) {
      status.*flag = true;
      return;
    }
  }
}

}  // namespace

bool JobStatus::has_ended() const {
  if (completing || revoked) {
    return false;
  }
  if (requeued || resizing) {
    return true;
  }
  switch (base) {
    case JobState::completed:
    case JobState::cancelled:
    case JobState::failed:
    case JobState::timeout:
    case JobState::node_fail:
    case JobState::preempted:
    case JobState::boot_fail:
    case JobState::deadline:
    case JobState::out_of_memory:
      return true;
    case JobState::unknown:
    case JobState::pending:
    case JobState::running:
    case JobState::suspended:
      return false;
  }
  return false;
}

JobStatus parse_job_status(std::string_view text) {
  JobStatus status;
  status.text = std::string(text);
  std::string_view rest = text.substr(0, text.find(" by "));
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of(",+ ");
    apply(rest.substr(0, end), status);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  // A node is being made ready for it: what slurmctld calls CONFIGURING has its allocation.
  if (status.base == JobState::unknown && (status.configuring || status.power_up)) {
    status.base = JobState::running;
  }
  return status;
}

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::unknown:
      return "unknown";
    case JobState::pending:
      return "pending";
    case JobState::running:
      return "running";
    case JobState::suspended:
      return "suspended";
    case JobState::completed:
      return "completed";
    case JobState::cancelled:
      return "cancelled";
    case JobState::failed:
      return "failed";
    case JobState::timeout:
      return "timeout";
    case JobState::node_fail:
      return "node_fail";
    case JobState::preempted:
      return "preempted";
    case JobState::boot_fail:
      return "boot_fail";
    case JobState::deadline:
      return "deadline";
    case JobState::out_of_memory:
      return "out_of_memory";
  }
  return "unknown";
}

}  // namespace asbb::slurm
