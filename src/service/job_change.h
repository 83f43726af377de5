// What a job is asked to become: the request it was, with what a change touches put over it. Of a
// job whose request is not known, the request is made up from what slurmctld shows of it. Pure.
#pragma once

#include <optional>
#include <string>

#include "api/submission.h"
#include "base/time.h"
#include "slurm/job_source.h"

namespace asbb::service {

// The number and the tasks of "123", "123_7", "123_[1-5%2]" and "123+1"; nothing for other text.
struct JobName {
  std::int64_t id = 0;
  std::string tasks;  // empty: all of them, or no array
};
[[nodiscard]] std::optional<JobName> parse_job_name(const std::string& text);

// What squeue shows of a job's TRES: what was given, or what was asked for while nothing is.
[[nodiscard]] const std::string& shown_tres(const slurm::QueueJob& job);
// Of the whole job; where squeue cuts a size short, the least that it may stand for.
[[nodiscard]] std::int64_t least_memory_mb(const slurm::QueueJob& job);

// As slurmctld shows it: an array's task, or the job. Exact for plain jobs; of others it is what
// they need at least, so that only the proportion of two of these says anything.
[[nodiscard]] api::Submission submission_of(const slurm::QueueJob& job);

// The row as it would be, had nobody changed the job since it was submitted with that request, as
// far as the request says it.
[[nodiscard]] slurm::QueueJob as_submitted(slurm::QueueJob row, const api::Submission& request);

// Slurm's time limit, account and partition of the job now, whatever was asked for once.
void follow(api::Submission& request, const slurm::QueueJob& job);

// `start`: of a running job, for a change of its end.
[[nodiscard]] api::Submission with_change(api::Submission request, const api::JobChange& change,
                                          std::optional<Instant> start);

// Whether nodes, processors, memory, GPUs or where they may be are touched.
[[nodiscard]] bool touches_size(const api::JobChange& change);

}  // namespace asbb::service
