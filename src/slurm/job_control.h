// What asbb does to jobs, when a ladder of enforcement says so (docs/concepts/job-life.md): the one
// way in which it changes anything in Slurm. The port is small, blocking and thread-safe; the
// reconciler's thread calls it, never the HTTP thread or the ledger thread. `job` is a job as Slurm
// names it: "7", or "7_3" for a task of an array. An error says what Slurm said: nothing was done,
// or it cannot be told (`unavailable`: no answer in time).
#pragma once

#include <string>

#include "base/result.h"

namespace asbb::slurm {

class JobControl {
 public:
  virtual ~JobControl() = default;

  // Ends the run; the job then waits, held, for `release`.
  [[nodiscard]] virtual Result<void> requeue_held(const std::string& cluster,
                                                  const std::string& job) = 0;
  // Of a job that waits.
  [[nodiscard]] virtual Result<void> move(const std::string& cluster, const std::string& job,
                                          const std::string& partition) = 0;
  [[nodiscard]] virtual Result<void> release(const std::string& cluster,
                                             const std::string& job) = 0;
  // "USR1": to every step and the batch script.
  [[nodiscard]] virtual Result<void> signal(const std::string& cluster, const std::string& job,
                                            const std::string& name) = 0;
  [[nodiscard]] virtual Result<void> cancel(const std::string& cluster, const std::string& job) = 0;
};

}  // namespace asbb::slurm
