// What the `group` text of a hold says (ledger/types.h): which tasks and runs of its job a hold
// pays for, or that it is money set aside for a change of a job that Slurm has not been seen to
// make. Written by the service alone, kept by the ledger, in the audit trail. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/types.h"
#include "slurm/job_source.h"

namespace asbb::service {

using Tasks = std::vector<std::int64_t>;  // ascending; -1 alone: a job that is no array

// "1-3,7,9-12"; "" for none. tasks_of_text gives nothing for text that is no such list.
[[nodiscard]] std::string text_of_tasks(const Tasks& tasks);
[[nodiscard]] std::optional<Tasks> tasks_of_text(std::string_view text);

// Longer lists are not kept.
inline constexpr std::size_t task_text_max = 1'500;

// So many runs of a job. Each cluster of a federation counts those that began there.
struct RunCount {
  std::int64_t of_job = 0;
  std::map<std::string, std::int64_t> by_cluster;  // of a federated job, instead
  [[nodiscard]] std::int64_t on(const std::string& cluster) const;
  bool operator==(const RunCount&) const = default;
};
// That run and those before it are counted.
void count_run(RunCount& runs, const ledger::ShareKey& run);

// An empty text pays for every task and run.
struct HoldScope {
  std::string only;                 // these tasks alone
  std::string except;               // all but these
  RunCount first_run;               // and no earlier run
  std::optional<RunCount> end_run;  // nor this one and later
  bool operator==(const HoldScope&) const = default;
};
[[nodiscard]] std::string to_text(const HoldScope& scope);
[[nodiscard]] HoldScope scope_of(std::string_view group);
[[nodiscard]] bool pays_for_run(const HoldScope& scope, std::int64_t task,
                                const std::string& cluster, std::int64_t run);
// For runs of it that are still to come.
[[nodiscard]] bool pays_for(const HoldScope& scope, std::int64_t task);
// What is left of the scope when these tasks leave; -1: the job itself, of which that many runs
// stay.
[[nodiscard]] HoldScope without(const HoldScope& scope, const Tasks& tasks, RunCount runs);

// A change of a job: what its record must show before it is taken for true.
struct Proposal {
  ledger::HoldId hold;   // of the job; not set when it has none
  std::string token;     // of the job, empty when it is not known
  std::int64_t job = 0;  // root id, 0 when only the token is known
  std::string tasks;     // empty: all
  bool moves = false;    // to another account, partition or unit: all is set aside anew
  std::string account;   // these three only when they were touched
  std::string partition;
  std::optional<std::int64_t> time_limit_minutes;
  std::string size;  // what size_of said before the change, when the size was touched
  bool operator==(const Proposal&) const = default;
};
[[nodiscard]] std::string to_text(const Proposal& proposal);
[[nodiscard]] std::optional<Proposal> proposal_of(std::string_view group);
[[nodiscard]] bool is_proposal(const ledger::Hold& hold);

// The size of a job in one word, to be compared.
[[nodiscard]] std::string size_of(const slurm::QueueJob& job);
// Whether the job, which waits or runs, shows all that was asked for.
[[nodiscard]] bool shows(const slurm::QueueJob& job, const Proposal& proposal);

[[nodiscard]] bool is_pending(const slurm::QueueJob& job);
// The tasks that the row stands for.
[[nodiscard]] Tasks tasks_of(const slurm::QueueJob& job);
// Whether the hold pays for one of them.
[[nodiscard]] bool pays_for_row(const HoldScope& scope, const slurm::QueueJob& row);

}  // namespace asbb::service
