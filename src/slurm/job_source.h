// The truth about jobs (DESIGN 5): what slurmctld has now, and what slurmdbd has recorded. The port
// is small, blocking and thread-safe; the reconciler's thread calls it, never the HTTP thread or
// the ledger thread. It never guesses: a record that cannot be read is in `problems`, and a list
// that was not read with proven operator rights says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "slurm/job_state.h"
#include "slurm/slurm_text.h"

namespace asbb::slurm {

// The same job id can be on several clusters of a federation (all but one are revoked), and comes
// back when ids wrap: (cluster, job_id, submit) is the least that names a job.

struct QueueJob {
  std::string cluster;
  std::int64_t job_id = 0;
  std::int64_t array_job_id = 0;              // 0: not of an array
  std::optional<std::int64_t> array_task_id;  // of a task that has split off
  std::string array_tasks;      // of the pending rest: "5-90,95%4" (expand_array_tasks)
  std::int64_t het_job_id = 0;  // 0: not of a het job
  std::int64_t het_job_offset = 0;
  std::string het_job_ids;  // "67108868-67108869"
  std::uint32_t user_id = 0;
  std::string user;
  std::string account;
  std::string partition;  // may be a list while pending
  std::string qos;
  JobStatus status;
  std::string state_reason;
  Instant submit;
  std::optional<Instant> eligible;
  std::optional<Instant> start;  // of a pending job: what the scheduler expects, or empty
  std::optional<Instant> end;    // of a running job: start plus time limit
  std::int64_t time_limit_minutes = unlimited;
  std::int64_t node_count = 0;
  std::int64_t cpus = 0;
  std::string nodes;           // host list
  std::string requested_tres;  // "cpu=1,mem=4000M,node=1,billing=1"
  std::string allocated_tres;  // empty while pending
  // What was asked for by node or by CPU, squeue does not say which, exactly; 0: all of a node, or
  // asked for by GPU; empty: not shown.
  std::optional<std::int64_t> min_memory_mb;
  std::int64_t restart_count = 0;
  std::string admin_comment;
  std::string federation_origin;                 // empty: not federated
  std::vector<std::string> federation_siblings;  // viable ones
};

struct QueueList {
  std::string cluster;
  Instant read_at;  // taken before slurmctld was asked
  std::vector<QueueJob> jobs;
  std::vector<std::string> problems;
  bool proven_operator = false;
  std::string operator_proof;  // "user asbb has AdminLevel Operator", or why not

  // Whether the absence of a job from this list says anything (DESIGN 4.8).
  [[nodiscard]] bool is_evidence() const { return proven_operator && problems.empty(); }
};

// One row of `sacct -D -X`: one run of one job, or one size of a resized job.
struct AccountingRecord {
  std::string cluster;
  std::int64_t db_index = 0;  // slurmdbd's own number of the row, unique per cluster
  std::int64_t job_id = 0;    // raw id, of the task's own for an array task
  std::int64_t array_job_id = 0;
  std::optional<std::int64_t> array_task_id;
  std::string array_tasks;  // pending rest of an array
  std::int64_t het_job_id = 0;
  std::int64_t het_job_offset = 0;
  // 1, 2, ...: place of this row among the rows of the same job in this cluster, by db_index: one
  // for each requeue and for each resize, so it is not slurmctld's restart count. Only sure when
  // the list was asked for by job id, or the row had ended. 22.05 gives each requeue a new submit
  // time.
  std::int64_t run = 1;
  std::int64_t resizes = 0;  // of the rows before it, those that a resize ended
  // What slurmctld counted when the run of this row began.
  [[nodiscard]] std::int64_t restart_count() const { return run - 1 - resizes; }
  std::string user;  // empty when the system has forgotten the name
  std::uint32_t user_id = 0;
  std::string account;
  std::string partition;
  std::string qos;
  JobStatus status;
  std::optional<std::uint32_t> cancelled_by;  // user id
  Instant submit;
  std::optional<Instant> eligible;
  std::optional<Instant> start;
  std::optional<Instant> end;
  // Without suspended time. Of a row that follows a resize: start and elapsed since the resize,
  // where sacct says them since the job's start and so counts the time before it twice.
  std::int64_t elapsed_seconds = 0;
  std::int64_t suspended_seconds = 0;
  std::int64_t time_limit_minutes = unlimited;
  std::int64_t node_count = 0;
  std::string nodes;           // host list; empty when none was assigned
  std::string allocated_tres;  // "billing=1,cpu=1,node=1"
  std::string requested_tres;
  int exit_code = 0;
  int exit_signal = 0;
  std::string flags;
  std::string admin_comment;  // reaches slurmdbd at the job's end only
};

struct AccountingList {
  std::string cluster;
  Instant read_at;                        // taken before slurmdbd was asked
  std::vector<AccountingRecord> records;  // by db_index
  std::vector<std::string> problems;
  bool proven_operator = false;
  std::string operator_proof;

  [[nodiscard]] bool is_evidence() const { return proven_operator && problems.empty(); }
};

// Either job ids: all their rows, whenever; the id of an array or of a het job's leader gives all
// its tasks or components. Or a window: every row that ended in [since, until), jobs cancelled
// before they were eligible included; every row that was eligible before `until` and had not ended
// before `since`; and the earlier rows of those that ended. A job that never was eligible and has
// not ended is only in slurmctld's list (or found by its id).
struct AccountingQuery {
  std::vector<std::int64_t> job_ids;
  std::optional<Instant> since;
  std::optional<Instant> until;  // empty: now
};

class JobSource {
 public:
  virtual ~JobSource() = default;

  // The clusters this source was configured with, in that order.
  [[nodiscard]] virtual std::vector<std::string> clusters() const = 0;

  // Every job that slurmctld knows: all states, hidden partitions, this cluster only (revoked
  // siblings included). `unavailable` when it does not answer.
  [[nodiscard]] virtual Result<QueueList> list_queue(const std::string& cluster) = 0;

  // Rows of this cluster only, every user's. Long id lists are asked for in pieces; one piece that
  // fails fails the whole.
  [[nodiscard]] virtual Result<AccountingList> list_accounting(const std::string& cluster,
                                                               const AccountingQuery& query) = 0;

  // How many messages slurmctld still has to send to slurmdbd (sdiag "DBD Agent queue size"). Only
  // at 0 does the absence of a job from slurmdbd say anything.
  [[nodiscard]] virtual Result<std::int64_t> accounting_queue_length(
      const std::string& cluster) = 0;
};

}  // namespace asbb::slurm
