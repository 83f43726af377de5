// Tasks of an array that are gone without a trace: Slurm 22.05 keeps no record of tasks that are
// cancelled by their number while they wait; they only leave the array's own row (scancel
// 12_[2-5]).
#include <algorithm>

#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// False when the row does not say which tasks it stands for.
template <typename Row>
bool add_tasks(std::set<std::int64_t>& seen, const HoldScope& scope, const Row& row) {
  const Tasks tasks = tasks_of(row);
  for (const std::int64_t task : tasks) {
    if (task >= 0 && pays_for(scope, task)) seen.insert(task);
  }
  return !tasks.empty();
}

}  // namespace

Tasks tasks_of(const slurm::AccountingRecord& record) {
  if (record.array_task_id) return {*record.array_task_id};
  if (record.array_tasks.empty()) return {-1};
  const auto tasks = slurm::expand_array_tasks(record.array_tasks);
  return tasks ? *tasks : std::vector<std::int64_t>{};
}

void Reconciler::Pass::note_told_tasks(const OpenHold& open,
                                       const slurm::AccountingRecord& record) {
  if (record.array_job_id == 0) return;
  ToldTasks& told = told_tasks_[open.hold.id];
  if (!add_tasks(told.tasks, scope_of(open.hold.group), record)) told.is_whole = false;
}

// The tasks of the hold that slurmctld, slurmdbd or the ledger has; nothing where one of the first
// two did not answer in full and legibly, or where slurmdbd has nothing of the array.
std::optional<std::set<std::int64_t>> Reconciler::Pass::seen_tasks(const OpenHold& open) const {
  const auto told = told_tasks_.find(open.hold.id);
  if (told == told_tasks_.end() || !told->second.is_whole) return std::nullopt;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (!ledger::is_same_job(*open.hold.job, cluster, open.hold.job->job_id)) continue;
    if (whole_queue(cluster) == nullptr || !told_whole_.contains(cluster)) return std::nullopt;
  }
  const HoldScope scope = scope_of(open.hold.group);
  std::set<std::int64_t> seen = told->second.tasks;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (!add_tasks(seen, scope, *row)) return std::nullopt;
  }
  for (const ledger::Share& share : open.shares) seen.insert(share.key.task);
  return seen;
}

// The money of tasks that two passes in a row have not seen goes back, when no controller had
// anything left to send to slurmdbd in between.
void Reconciler::Pass::release_gone_tasks() {
  std::map<ledger::HoldId, std::set<std::int64_t>> seen;
  for (const OpenHold& open : holds_) {
    if (!open.hold.job || open.hold.backfilled) continue;
    auto tasks = seen_tasks(open);
    if (!tasks || static_cast<std::int64_t>(tasks->size()) >= open.hold.task_count) continue;
    const auto before = owner_.seen_tasks_.find(open.hold.id);
    if (before != owner_.seen_tasks_.end()) {
      std::set<std::int64_t> ever = *tasks;
      ever.insert(before->second.begin(), before->second.end());
      release_tasks(as_it_is(open.hold), static_cast<std::int64_t>(ever.size()));
    }
    seen.emplace(open.hold.id, std::move(*tasks));
  }
  owner_.seen_tasks_.clear();
  if (seen.empty()) return;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (!has_told_all(cluster)) return;
  }
  owner_.seen_tasks_ = std::move(seen);
}

// All but the `seen` ones. REQUIRES: the hold as it is now, which a task may have left in this
// pass.
void Reconciler::Pass::release_tasks(const ledger::Hold& hold, std::int64_t seen) {
  const std::int64_t count = hold.task_count - seen;
  if (count <= 0) return;
  ledger::ReplaceHold leave;
  leave.hold = hold.id;
  leave.task_count = count;
  leave.group = hold.group;
  const auto left = owner_.committer_.run(reconciler_command(
      std::move(leave), std::to_string(count) + " tasks were cancelled while they waited"));
  if (!left || !left->accepted()) return;
  report_.actions.push_back("gave back " + to_display(left->released, left->unit) + " of " +
                            std::to_string(count) + " cancelled tasks of " + describe_job(hold));
}

}  // namespace asbb::service
