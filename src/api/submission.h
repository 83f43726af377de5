// What the Slurm plugin sends before slurmctld accepts a job, and what it is told
// (docs/reference/plugin-protocol.md). Fields have Slurm's names; what the request left unset is an
// empty optional or an empty string. Nothing here is trusted but what slurmctld itself vouches for:
// cluster, submit_uid, user_id. Plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/money.h"

namespace asbb::api {

// "UNLIMITED" where a number of minutes is expected.
inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

enum class OnSilence { allow, deny };
[[nodiscard]] const char* to_string(OnSilence policy);

struct SpankOptions {
  bool cloud = false;
  std::string budget;  // account, empty when not given
  bool operator==(const SpankOptions&) const = default;
};

struct Submission {
  // Always there.
  std::string cluster;
  std::string slurm_version;
  std::int64_t time_budget_ms = 0;  // >= 1
  OnSilence on_silence = OnSilence::deny;
  std::int64_t submit_uid = 0;
  std::int64_t user_id = 0;

  std::optional<std::int64_t> group_id;
  std::string name;
  std::string account;
  std::string partition;  // may be a list
  std::string qos;
  std::string reservation;
  std::string licenses;
  std::string wckey;
  std::string clusters;
  std::string cluster_features;
  std::string features;
  std::string prefer;
  std::string req_nodes;
  std::string exc_nodes;
  std::string array;
  std::string dependency;
  std::optional<std::int64_t> begin_time;  // unix seconds
  std::optional<std::int64_t> min_nodes;
  std::optional<std::int64_t> max_nodes;  // 0: none was given
  std::optional<std::int64_t> min_cpus;   // of the whole job
  std::optional<std::int64_t> max_cpus;
  std::optional<std::int64_t> min_cpus_per_node;
  std::optional<std::int64_t> num_tasks;
  std::optional<std::int64_t> cpus_per_task;
  std::optional<std::int64_t> ntasks_per_node;
  std::optional<std::int64_t> ntasks_per_socket;
  std::optional<std::int64_t> ntasks_per_core;
  std::optional<std::int64_t> ntasks_per_board;
  std::optional<std::int64_t> ntasks_per_tres;
  std::optional<std::int64_t> boards_per_node;
  std::optional<std::int64_t> sockets_per_board;
  std::optional<std::int64_t> sockets_per_node;
  std::optional<std::int64_t> cores_per_socket;
  std::optional<std::int64_t> threads_per_core;
  std::optional<std::int64_t> core_spec;
  std::optional<std::int64_t> thread_spec;
  std::optional<std::int64_t> time_limit_minutes;  // or unlimited; "time_limit" on the wire
  std::optional<std::int64_t> time_min_minutes;    // or unlimited; "time_min" on the wire
  std::optional<std::int64_t> memory_per_node_mb;  // 0: all memory of the node
  std::optional<std::int64_t> memory_per_cpu_mb;
  std::string tres_per_job;
  std::string tres_per_node;
  std::string tres_per_socket;
  std::string tres_per_task;
  std::string mem_per_tres;
  std::string cpus_per_tres;
  std::optional<std::int64_t> shared;  // 0 exclusive, 1 oversubscribe, 2 user, 3 mcs
  std::optional<bool> contiguous;
  std::optional<bool> requeue;
  std::optional<bool> overcommit;
  std::optional<bool> spread_job;
  std::optional<bool> enforce_binding;  // --gres-flags=enforce-binding
  std::optional<bool> cron;
  std::optional<std::int64_t> het_job_offset;
  std::string het_group;  // token of the first component of a heterogeneous job
  std::optional<std::int64_t> job_id;
  std::optional<std::int64_t> fed_siblings_viable;
  SpankOptions spank;
  std::string allowances_spent;  // by this cluster's plugin, while nobody answered it
  bool operator==(const Submission&) const = default;
};

// A change of a job (scontrol update) before slurmctld makes it. Of `asked` only what the change
// touches is set, and never who the job belongs to: a change can be asked for by anybody.
struct JobChange {
  std::string cluster;
  std::string slurm_version;
  std::int64_t time_budget_ms = 0;  // >= 1
  OnSilence on_silence = OnSilence::deny;
  std::int64_t submit_uid = 0;           // who asks
  std::string job;                       // "123", "123_[1-5]", "123+1"
  std::string token;                     // of the job's record, empty when it has none
  std::string cleared;                   // names of texts that are taken away, with commas
  std::optional<std::int64_t> end_time;  // unix seconds: moves the time limit
  Submission asked;
  bool operator==(const JobChange&) const = default;
};

// For clients that want JSON; the plugin reads the decision from a header and the message as text.
struct SubmissionAnswer {
  std::string decision;  // "allow" or "deny"
  std::string code;      // stable reason of a deny, empty for allow
  std::string message;   // sentences for the user, lines ended by '\n'
  std::string account;
  std::string partition;
  std::string unit;
  Micros estimated_cost;
  Micros hold_amount;
  std::string transaction_id;  // the token, when a hold was placed
  // The --cluster-constraint that the job gets, when only some of its clusters can be paid.
  std::string cluster_features;
  bool operator==(const SubmissionAnswer&) const = default;
};

// A hook's wake-up call: "look at this job now".
struct Notify {
  std::string cluster;
  std::int64_t job_id = 0;  // >= 1
  bool operator==(const Notify&) const = default;
};
struct NotifyAnswer {
  bool accepted = false;
  bool operator==(const NotifyAnswer&) const = default;
};

// Asks the reconciler to look at a job now. `cluster` may be empty: all clusters. With
// `actual_cost` an administrator sets what the job or the array task is charged in all, for a
// reason.
struct JobReconcile {
  std::string cluster;
  std::optional<Micros> actual_cost = {};  // >= 0
  std::string unit = {};    // empty: the one that was charged, or the hold's only one
  std::string reason = {};  // with actual_cost alone
  bool operator==(const JobReconcile&) const = default;
};
struct JobOutcome {
  std::string job_id;  // "123", "123_4" for an array task
  std::string cluster;
  std::string state;           // Slurm's word, empty when Slurm does not know the job
  std::string action;          // "bound", "settled", "set", "unchanged"
  std::string transaction_id;  // of the hold, empty when there is none
  std::string unit;
  Micros charged;
  Micros released;
  Micros overrun;
  std::string message;
  bool operator==(const JobOutcome&) const = default;
};

}  // namespace asbb::api
