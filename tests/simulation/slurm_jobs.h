// The jobs of the simulated Slurm, with what every run of them really had: the truth that the
// ledger is held against. Plain values, changed by slurm_model.h alone.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"

namespace asbb::simulation {

inline constexpr const char* free_partition = "free";  // it has no price anywhere

// OverTimeLimit: for so long a job may run beyond its limit there.
inline std::int64_t over_time_minutes(const std::string& cluster) {
  return cluster == "cloud" ? 10 : 0;
}

// What somebody asks for with sbatch.
struct Request {
  std::string user;
  std::uint32_t user_id = 0;
  std::string account;
  std::string partition;
  std::int64_t cpus = 1;
  std::int64_t gpus = 0;
  std::int64_t limit_minutes = 60;
  std::vector<std::int64_t> tasks;  // of an array, ascending; empty: no array
  std::int64_t at_once = 0;         // "%4"; 0: all
  bool is_federated = false;        // whichever cluster is free runs it
  bool may_requeue = true;          // false: --no-requeue
};

// One row of slurmdbd that had nodes.
struct Run {
  std::string cluster;
  std::string account;
  std::string partition;
  std::int64_t cpus = 0;
  std::int64_t gpus = 0;
  std::int64_t job_id = 0;
  Instant submit;       // of the row
  Instant shown_start;  // of the row: after a resize, of the job
  Instant start;
  std::optional<Instant> end;
  Instant over_at;                     // no earlier; later than the end when it was suspended
  std::int64_t elapsed_seconds = 0;    // once it has ended, without what was suspended
  std::int64_t corrected_seconds = 0;  // by which a person made it longer afterwards
  std::string state;
};

// How a run, or the waiting for it, will end when nobody intervenes.
struct Fate {
  std::string state = "COMPLETED";
  std::int64_t after_seconds = 0;  // of work; the time limit may come first
  bool is_requeued = false;
};

// What slurmctld schedules: a job, a task of an array, a component of a het job.
struct Task {
  enum class State {
    pending,
    running,
    suspended,
    ended,
    gone  // cancelled by its number while it waited: there is no record of it
  };
  std::int64_t job_id = 0;  // 0: in the array's own row
  std::int64_t index = -1;  // of an array
  State state = State::pending;
  std::string cluster;  // of a federated job that runs: the one that won
  std::string account;
  std::string partition;
  std::int64_t limit_minutes = 0;
  Instant submit;
  std::optional<Instant> eligible;
  Instant due;  // when something happens to it
  std::int64_t restarts = 0;
  Fate fate;
  bool is_held = false;  // requeued in held state: it waits for a release
  Instant started_at;    // of what runs, whatever size it has by now
  std::optional<Instant> suspended_at;
  std::int64_t suspended_seconds = 0;  // of the last run
  std::int64_t suspended_before = 0;   // of the same start, when it had another size
  std::string last_state;              // of one that ended
  Instant shown_until;                 // by squeue
  std::vector<Run> runs;
  bool is_untold = false;       // something of it was dropped on its way to slurmdbd
  bool runs_after_end = false;  // it was requeued when it was over, and so was its hold

  [[nodiscard]] bool is_alive() const {
    return state == State::pending || state == State::running || state == State::suspended;
  }
  // Whether its last run is of its last submission, and not of one before a requeue.
  [[nodiscard]] bool has_nodes() const { return !runs.empty() && submit <= runs.back().submit; }
};

struct Job {
  std::int64_t number = 0;  // of the simulation; ids come back
  std::string cluster;      // where it was submitted
  std::int64_t id = 0;
  std::int64_t het_id = 0;  // of the leader; 0: no het job
  std::int64_t het_offset = 0;
  std::string token;
  std::string comment;  // admin_comment, as the plugin left it
  Request request;
  Instant submit;
  std::vector<Task> tasks;
  std::set<std::string> accounts;  // that it has had
  bool is_changed = false;         // by scontrol update
  bool is_acted_on = false;        // by a ladder of enforcement
  bool is_held_for = false;        // its submission was answered with money set aside
  bool is_forgotten = false;       // the controller lost it with its state
  Instant rest_shown_until;        // by squeue: what was cancelled of an array in one record

  [[nodiscard]] bool is_array() const { return !request.tasks.empty(); }
  [[nodiscard]] bool is_alive() const {
    if (is_forgotten) return false;
    for (const Task& task : tasks) {
      if (task.is_alive()) return true;
    }
    return false;
  }
  // Whether nobody can know all of it any more.
  [[nodiscard]] bool is_lost() const {
    for (const Task& task : tasks) {
      if (task.is_untold) return true;
    }
    return is_forgotten;
  }
  // Whether a part of its hold must be there.
  [[nodiscard]] bool needs_hold() const {
    if (is_forgotten) return false;
    for (const Task& task : tasks) {
      const bool is_free = task.partition == free_partition;
      if (task.is_alive() && !task.runs_after_end && !is_free) return true;
    }
    return false;
  }
};

}  // namespace asbb::simulation
