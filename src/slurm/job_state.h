// The state of a job as Slurm prints it. In slurmctld a state is one base and any number of flags;
// squeue and sacct of 22.05 print one word, newer ones a list. Plain value. Source: slurm.h
// `enum job_states` and the JOB_* flags beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace asbb::slurm {

enum class JobState {
  unknown,  // a word that is not known, or a flag that hides the base (COMPLETING in 22.05)
  pending,
  running,
  suspended,
  completed,
  cancelled,
  failed,
  timeout,
  node_fail,
  preempted,
  boot_fail,
  deadline,
  out_of_memory
};

struct JobStatus {
  JobState base = JobState::unknown;
  bool completing = false;
  bool configuring = false;
  bool requeued = false;  // this run ended so that another can begin
  bool requeue_hold = false;
  bool resizing = false;  // sacct: this record ended so that one of another size can begin
  bool revoked = false;   // another cluster of the federation has the job
  bool power_up = false;
  bool other_flag = false;  // SIGNALING, STAGE_OUT, SPECIAL_EXIT, STOPPED, ...
  std::string text;         // as it came

  bool operator==(const JobStatus&) const = default;

  // Nothing more will be allocated or used under this record: a base state of an end, or requeued
  // or resized; never while completing, never an unknown word. Never revoked either: another
  // cluster has the job, and it can come back.
  [[nodiscard]] bool has_ended() const;
};

// One word, "CANCELLED by 1000", or several joined by ',' or '+'. Never fails: what is not known
// gives JobState::unknown and keeps its text.
[[nodiscard]] JobStatus parse_job_status(std::string_view text);

// "pending", "out_of_memory": for logs and reports.
[[nodiscard]] std::string_view to_string(JobState state);

}  // namespace asbb::slurm
