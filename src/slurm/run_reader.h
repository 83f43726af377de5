// What sacct says of runs that ended, with no more columns than a report needs: many runs are read
// window by window. Pure but for read_ended_runs, which blocks on sacct.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

// One row of `sacct -D -X`: one run, or the piece of one that a resize ended.
struct EndedRun {
  std::string job;  // "4711", of an array task "4711_3"; a component of a het job by its own number
  std::string user;
  std::string account;
  std::string partition;
  Instant start;  // of the run, whichever piece of it this is
  Instant end;
  // From when the job could start (Slurm's Eligible) to its start; unset of a piece that follows a
  // resize.
  std::optional<std::int64_t> wait_seconds;
  std::int64_t elapsed_seconds = 0;           // without what an earlier piece has, and suspensions
  std::optional<std::int64_t> limit_seconds;  // likewise; unset: no time limit
  std::int64_t cpus = 0;
  bool operator==(const EndedRun&) const = default;
};

[[nodiscard]] std::vector<std::string> ended_run_arguments(const std::string& cluster,
                                                           Instant since, Instant until,
                                                           const std::string& separator);

struct EndedRuns {
  std::vector<EndedRun> runs;
  std::vector<std::string> problems;  // rows that could not be read, as sentences
};
// Of the rows, those that ended in [since, until) and had begun. Revoked siblings are left out:
// another cluster has the job.
void read_ended_runs_text(std::string_view text, std::string_view separator, Instant since,
                          Instant until, EndedRuns& out);

// All of [since, until), in windows that grow while sacct has little to say and shrink when it says
// much; one that says more than the client takes is asked for again in parts. `use` is called with
// each window's runs and the moment up to which all is read.
using UseEndedRuns = std::function<Result<void>(const EndedRuns& runs, Instant read_until)>;
[[nodiscard]] Result<void> read_ended_runs(SlurmClient& client, const SlurmCluster& cluster,
                                           Instant since, Instant until, const UseEndedRuns& use);

}  // namespace asbb::slurm
