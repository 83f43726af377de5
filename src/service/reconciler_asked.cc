// What somebody who asks for a pass wants to know beside what the pass did: what Slurm says of a
// job, and why the holds that are still open are open.
#include <algorithm>
#include <utility>

#include "base/token.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

std::string seconds_text(Span span) {
  return std::to_string(span.microseconds / 1'000'000) + " s";
}

}  // namespace

void Reconciler::Pass::look_at_wanted_jobs() {
  for (const std::int64_t job_id : wanted_.jobs) {
    JobSight& sight = report_.sights[job_id];
    for (const std::string& cluster : owner_.source_.clusters()) {
      const auto queue = queues_.find(cluster);
      if (queue == queues_.end()) {
        sight.unread.insert(cluster);
      } else {
        for (const slurm::QueueJob& row : queue->second.jobs) {
          if (root_id(row) == job_id) sight.rows.push_back(row);
        }
      }
      slurm::AccountingQuery query;
      query.job_ids = {job_id};
      auto list = read_accounting(cluster, query);
      if (!list) {
        sight.unread.insert(cluster);
        continue;
      }
      for (slurm::AccountingRecord& record : list->records) {
        if (root_id(record) == job_id) sight.records.push_back(std::move(record));
      }
    }
  }
}

// Of holds as they are now, which is after all that the pass did.
void Reconciler::Pass::explain_open_holds() {
  const auto open = owner_.committer_.read([](const ledger::Book& book) {
    std::vector<ledger::Hold> holds;
    for (const ledger::Hold* hold : book.open_holds()) holds.push_back(*hold);
    return holds;
  });
  for (const ledger::Hold& hold : open) {
    if (auto why = why_open(hold)) report_.findings.push_back({hold.id, std::move(*why)});
  }
}

// Nothing: a job that waits or runs, or the settings, explain it.
std::optional<std::string> Reconciler::Pass::why_open(const ledger::Hold& hold) const {
  if (is_allowance(hold)) return std::nullopt;
  if (hold.kind == ledger::HoldKind::external) {
    return "another program than Slurm asked for it, which settles it with POST "
           "/api/v1/budget/reconcile";
  }
  if (is_proposal(hold)) {
    return "it is for a change of a job that Slurm has not been seen to make; it goes back when "
           "the "
           "job shows another change or has ended";
  }
  if (!hold.job) return why_unbound_open(hold);
  const QueueRows rows = rows_of(*hold.job);
  if (std::any_of(rows.begin(), rows.end(), [](const auto* row) { return is_live(*row); })) {
    return std::nullopt;
  }
  return why_bound_open(hold);
}

std::string Reconciler::Pass::why_bound_open(const ledger::Hold& hold) const {
  const ledger::JobRef& job = *hold.job;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (!ledger::is_same_job(job, cluster, job.job_id)) continue;
    if (!queues_.contains(cluster)) {
      return "slurmctld of cluster " + cluster + " does not answer: it may have the job";
    }
    if (unread_.contains(cluster)) {
      return "slurmdbd of cluster " + cluster + " does not answer: the job is charged when it does";
    }
  }
  const auto untold = untold_.find(hold.id);
  if (untold != untold_.end()) {
    return "the job waits and runs no more, and slurmdbd only says: " + untold->second +
           "; it is charged when the rest is told";
  }
  if (!rows_of(job).empty()) return "the job has just ended, and slurmdbd has no end of it yet";
  return "slurmctld does not know the job, and slurmdbd has no end of it: look at sacctmgr show "
         "runawayjobs; if the job is over, end the hold with asbb reconcile " +
         std::to_string(job.job_id) + " --cluster=" + job.cluster +
         " --actual-cost=AMOUNT --reason=TEXT";
}

std::string Reconciler::Pass::why_unbound_open(const ledger::Hold& hold) const {
  for (const Alarm& alarm : owner_.alarms_.list()) {
    if (alarm.key == "hold " + hold.request_id) return alarm.message;
  }
  for (const std::string& cluster : owner_.source_.clusters()) {
    const auto list = queues_.find(cluster);
    if (list == queues_.end()) {
      return "slurmctld of cluster " + cluster + " does not answer: it may have the job";
    }
    if (!list->second.is_evidence()) {
      return "the list of jobs of cluster " + cluster + " is not complete (" +
             list->second.operator_proof + "): it may have the job";
    }
    const Instant from =
        hold.placed_at + grace_of(owner_.view_, cluster, owner_.options_.sweep_grace_min);
    if (list->second.read_at <= from) {
      return "it was placed " + seconds_text(now_ - hold.placed_at) +
             " ago: its submission may still become a job until " + to_rfc3339(from);
    }
  }
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (unread_.contains(cluster)) {
      return "slurmdbd of cluster " + cluster + " does not answer: it may have the job";
    }
    if (!had_told_all(cluster)) {
      return "slurmctld of cluster " + cluster +
             " still has something to tell slurmdbd, or does not say: the job may be in it";
    }
  }
  return "what slurmdbd says does not prove that its job never came to be";
}

}  // namespace asbb::service
