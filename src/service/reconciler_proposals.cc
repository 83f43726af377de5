// Money that was set aside for a change of a job: it becomes the job's hold once its record shows
// the change, and goes back once a later list shows that Slurm did not make it.
#include <algorithm>
#include <string_view>

#include "base/token.h"
#include "service/digest.h"
#include "service/job_change.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// slurmctld makes a change right after it was answered, or never.
constexpr Span change_grace = seconds(10);

}  // namespace

Reconciler::Pass::QueueRows Reconciler::Pass::rows_of_change(const ledger::Hold& money,
                                                             const Proposal& proposal) const {
  QueueRows rows;
  HoldScope scope;
  scope.only = proposal.tasks;
  for (const auto& [cluster, list] : queues_) {
    for (const slurm::QueueJob& row : list.jobs) {
      const bool is_named =
          proposal.job > 0 &&
          ledger::is_same_job({money.cluster, proposal.job, row.submit}, cluster, root_id(row));
      const bool has_token =
          !proposal.token.empty() && find_token(row.admin_comment) == proposal.token;
      if ((is_named || has_token) && is_live(row) && pays_for_row(scope, row)) {
        rows.push_back(&row);
      }
    }
  }
  return rows;
}

// A full list, made well after the change was answered, on every cluster that may have the job.
bool Reconciler::Pass::may_give_back(const ledger::Hold& money, const Proposal& proposal) const {
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (cluster != money.cluster && !ledger::is_federated(proposal.job)) continue;
    const slurm::QueueList* list = whole_queue(cluster);
    if (list == nullptr || list->read_at <= money.placed_at + change_grace) return false;
  }
  return true;
}

void Reconciler::Pass::follow_proposal(const ledger::Hold& money) {
  const Proposal proposal = *proposal_of(money.group);
  const QueueRows all = rows_of_change(money, proposal);
  QueueRows rows;
  for (const slurm::QueueJob* row : all) {
    const auto list = queues_.find(row->cluster);
    if (shows(*row, proposal) && money.placed_at < list->second.read_at) rows.push_back(row);
  }
  if (rows.empty()) {
    if (may_give_back(money, proposal)) give_back(money, "Slurm did not make the change");
    return;
  }
  if (proposal.hold.is_set()) return adopt(money, proposal, rows);
  become_hold(money, proposal, rows);
}

// Of the rows' tasks, those that no hold pays for: a later change of the job may have become one.
Tasks Reconciler::Pass::unheld_tasks(const OpenHold& open, const QueueRows& rows) const {
  const HoldScope own = scope_of(open.hold.group);
  std::vector<HoldScope> others;
  owner_.committer_.read([&](const ledger::Book& book) {
    for (const ledger::Hold* hold :
         book.holds_of_job(open.hold.job->cluster, open.hold.job->job_id)) {
      const bool pays =
          hold->id != open.hold.id && hold->status == ledger::HoldStatus::open && !hold->backfilled;
      if (pays) others.push_back(scope_of(hold->group));
    }
  });
  Tasks out;
  for (const slurm::QueueJob* row : rows) {
    for (const std::int64_t task : tasks_of(*row)) {
      const bool is_held = std::any_of(others.begin(), others.end(),
                                       [&](const auto& scope) { return pays_for(scope, task); });
      if (!is_held && pays_for(own, task)) out.push_back(task);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Of a job that had no hold: what it ran before was not held, and tasks that are over by now are
// not the hold's to pay.
void Reconciler::Pass::become_hold(const ledger::Hold& money, Proposal proposal,
                                   const QueueRows& rows) {
  const ledger::JobRef ref = job_of(*rows.front());
  OpenHold open{money, {}};
  open.hold.job = ref;
  const auto unheld = unheld_tasks(open, rows);
  if (unheld.empty()) return give_back(money, "a later change of the job is held");
  const auto bound = owner_.committer_.run(
      reconciler_command(ledger::BindHold{money.id, ref}, "the change was made"));
  if (!bound || !bound->accepted()) return;
  ++report_.bound;
  if (unheld.front() >= 0) proposal.tasks = text_of_tasks(unheld);
  open.hold.group = to_text(proposal);
  const auto tasks = leaving_tasks(open, rows);
  if (!tasks) return;
  const auto count = std::min(static_cast<std::int64_t>(tasks->size()), money.task_count);
  if (count < money.task_count) {
    ledger::ReplaceHold over;
    over.hold = money.id;
    over.task_count = money.task_count - count;
    over.group = money.group;
    const auto left =
        owner_.committer_.run(reconciler_command(std::move(over), "the other tasks have ended"));
    if (!left || !left->accepted()) return;
  }
  replace_with_money(open, rows, money, std::nullopt, same_place(open, count));
}

void Reconciler::Pass::give_back(const ledger::Hold& money, const std::string& why) {
  (void)owner_.known_.settle(money.request_id);
  const auto voided = owner_.committer_.run(reconciler_command(ledger::VoidHold{money.id}, why));
  if (!voided || !voided->accepted()) return;
  report_.actions.push_back("gave back " + to_display(voided->released, money.parts.front().unit) +
                            " that was held for a change of a job: " + why);
}

void Reconciler::Pass::adopt(const ledger::Hold& money, const Proposal& proposal,
                             const QueueRows& rows) {
  const auto found = std::find_if(holds_.begin(), holds_.end(), [&](const OpenHold& open) {
    return open.hold.id == proposal.hold;
  });
  const bool is_there = found != holds_.end() && found->hold.job &&
                        owner_.committer_.read([&](const ledger::Book& book) {
                          const ledger::Hold* hold = book.hold(proposal.hold);
                          return hold != nullptr && hold->status == ledger::HoldStatus::open;
                        });
  if (!is_there) {
    if (may_give_back(money, proposal)) give_back(money, "the job's hold was replaced since");
    return;
  }
  const bool is_early = std::any_of(rows.begin(), rows.end(), [&](const slurm::QueueJob* row) {
    return awaits_runs(*found, *row);
  });
  if (is_early) return;
  const auto tasks = leaving_tasks(*found, rows);
  if (!tasks) return give_back(money, "the tasks have ended");
  const auto count = static_cast<std::int64_t>(tasks->size());
  ledger::PlaceHold place;
  place.account = account_of(money.id);
  place.partition = money.partition;
  for (const ledger::HoldPart& part : money.parts) {
    ledger::PlacePart sum{part.unit, part_of_tasks(part.estimate, count, money.task_count),
                          part_of_tasks(part.granted, count, money.task_count), part.price_version};
    for (const ledger::HoldPart& had : found->hold.parts) {
      if (proposal.moves || had.unit != part.unit) continue;
      sum.estimate += part_of_tasks(had.estimate, count, found->hold.task_count);
      sum.amount += part_of_tasks(had.granted, count, found->hold.task_count);
    }
    place.parts.push_back(std::move(sum));
  }
  replace_with_money(*found, rows, money, money.id, std::move(place));
}

// The job as it was changed is known by the new hold's name from then on.
void Reconciler::Pass::replace_with_money(const OpenHold& open, const QueueRows& rows,
                                          const ledger::Hold& money,
                                          std::optional<ledger::HoldId> proposal,
                                          ledger::PlaceHold place) {
  const std::string name = fresh_token(now_);
  place.transaction_id = name;
  if (!replace(open, rows, proposal, std::move(place))) return;
  if (const auto changed = owner_.known_.settle(money.request_id)) {
    owner_.known_.priced(name, *changed);
  }
}

}  // namespace asbb::service
