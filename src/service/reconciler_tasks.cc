// Tasks of an array that are gone without a trace: Slurm 22.05 keeps no record of tasks that are
// cancelled by their number while they wait; they only leave the array's own row (scancel
// 12_[2-5]).
#include <algorithm>

#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

void add_tasks(std::set<std::int64_t>& seen, const HoldScope& scope, const Tasks& tasks) {
  for (const std::int64_t task : tasks) {
    if (task >= 0 && pays_for(scope, task, scope.first_run)) seen.insert(task);
  }
}

}  // namespace

void Reconciler::Pass::note_told_tasks(const OpenHold& open,
                                       const slurm::AccountingRecord& record) {
  if (record.array_job_id == 0) return;
  add_tasks(told_tasks_[open.hold.id], scope_of(open.hold.group), tasks_of(record));
}

// How many of the hold's tasks neither slurmctld, slurmdbd nor the ledger has; 0 where one of the
// first two did not answer in full, or where slurmdbd has nothing of the array.
std::int64_t Reconciler::Pass::count_gone_tasks(const OpenHold& open) const {
  const auto told = told_tasks_.find(open.hold.id);
  if (told == told_tasks_.end()) return 0;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (!ledger::is_same_job(*open.hold.job, cluster, open.hold.job->job_id)) continue;
    const auto list = queues_.find(cluster);
    if (list == queues_.end() || !list->second.is_evidence() || !told_.contains(cluster)) return 0;
  }
  const HoldScope scope = scope_of(open.hold.group);
  std::set<std::int64_t> seen = told->second;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    add_tasks(seen, scope, tasks_of(*row));
  }
  for (const ledger::Share& share : open.shares) seen.insert(share.key.task);
  return open.hold.task_count - static_cast<std::int64_t>(seen.size());
}

// Their money goes back when they were gone in the pass before as well, and no controller had
// anything left to send to slurmdbd in between.
void Reconciler::Pass::release_gone_tasks() {
  std::map<ledger::HoldId, std::int64_t> gone;
  for (const OpenHold& open : holds_) {
    if (!open.hold.job || open.hold.backfilled) continue;
    const std::int64_t count = count_gone_tasks(open);
    if (count > 0) gone.emplace(open.hold.id, count);
  }
  for (const auto& [id, count] : gone) {
    const auto before = owner_.gone_tasks_.find(id);
    if (before == owner_.gone_tasks_.end() || before->second != count) continue;
    const auto open = std::find_if(holds_.begin(), holds_.end(),
                                   [&](const OpenHold& one) { return one.hold.id == id; });
    ledger::ReplaceHold leave;
    leave.hold = id;
    leave.task_count = count;
    leave.group = open->hold.group;
    const auto left = owner_.committer_.run(reconciler_command(
        std::move(leave), std::to_string(count) + " tasks were cancelled while they waited"));
    if (!left || !left->accepted()) continue;
    report_.actions.push_back("gave back " + to_display(left->released, left->unit) + " of " +
                              std::to_string(count) + " cancelled tasks of " +
                              open->hold.job->cluster + " job " +
                              std::to_string(open->hold.job->job_id));
  }
  owner_.gone_tasks_.clear();
  if (gone.empty()) return;
  for (const std::string& cluster : owner_.source_.clusters()) {
    const auto queued = owner_.source_.accounting_queue_length(cluster);
    if (!queued || *queued != 0) return;
  }
  owner_.gone_tasks_ = std::move(gone);
}

}  // namespace asbb::service
