// The runs of a requeued job: whether another one follows, who bears what one cost, and money for
// the next, as long as the account has it (docs/concepts/job-life.md).
#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "base/token.h"
#include "ledger/ledger.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

constexpr std::string_view uncovered_word = "uncovered ";

std::string job_name(const ledger::ShareKey& key) {
  return key.cluster + " job " + std::to_string(key.job_id) +
         (key.task < 0 ? "" : "_" + std::to_string(key.task));
}

// The latest known run of the task.
const ledger::Share* latest_of(const std::vector<ledger::Share>& shares, std::int64_t task) {
  const ledger::Share* latest = nullptr;
  for (const ledger::Share& share : shares) {
    if (share.key.task == task && (latest == nullptr || latest->key.run < share.key.run)) {
      latest = &share;
    }
  }
  return latest;
}

// A job has one user. Empty: not told.
bool differ(const std::string& user, const std::string& other) {
  return !user.empty() && !other.empty() && user != other;
}

bool lacks_money(const ledger::Hold& hold) {
  if (hold.backfilled || !hold.job || hold.pending_runs == 0) return false;
  return std::any_of(hold.parts.begin(), hold.parts.end(), [&](const ledger::HoldPart& part) {
    return ledger::lack_for_runs(hold, part) > Micros();
  });
}

}  // namespace

// A controller that lost its last seconds gives out the same ids again. Each job has its own token,
// and so each of its rows; of one that has not ended, slurmctld shows it. The job of a hold that
// was given back and placed anew has a token that no hold has. A federation's sibling has such a
// one or none, and is of the latest job with its id.
bool Reconciler::Pass::is_of_another_job(const ledger::Hold& hold,
                                         const slurm::AccountingRecord& record) {
  std::string_view token = find_token(record.admin_comment);
  const auto queue = queues_.find(record.cluster);
  if (token.empty() && !record.status.has_ended() && queue != queues_.end()) {
    for (const slurm::QueueJob& row : queue->second.jobs) {
      if (row.job_id == record.job_id) token = find_token(row.admin_comment);
    }
  }
  if (token == hold.request_id) return false;
  const bool is_federated = ledger::is_federated(record.job_id);
  const Instant submit = job_of(record).submit_time;
  const bool is_same = is_same_submission(*hold.job, submit);
  if (token.empty()) {
    const bool may_be_later = !is_same && record.cluster != hold.job->cluster;
    return is_federated &&
           (has_later_job(hold, submit) || (may_be_later && was_told_again(hold, submit)));
  }
  const auto known = jobs_of_tokens_.find(token);
  if (known != jobs_of_tokens_.end())
    return known->second && !is_one_job(*known->second, *hold.job, token);
  store::HoldQuery query;
  query.request_id = std::string(token);
  const auto found = owner_.committer_.find_holds(query);
  if (!found) return true;  // nobody can tell now; the next pass may
  // A job that was let through has a token that no hold has, and may have got a hold when it was
  // changed.
  if (found->empty()) {
    const bool may_be_sibling =
        is_federated && record.cluster != hold.job->cluster && record.user == hold.user;
    if (!may_be_sibling) return !is_same;
    return has_later_job(hold, submit) || was_given_again(*hold.job, record.submit) ||
           (!is_same && was_told_again(hold, submit));
  }
  const ledger::Hold& named = found->front().hold;
  if (named.status == ledger::HoldStatus::open && !named.job) return true;  // bound by its own row
  jobs_of_tokens_.emplace(token, named.job);
  return named.job && !is_one_job(*named.job, *hold.job, token);
}

// Whether another hold is of a job with the same id that was submitted since, and by then; on any
// cluster of a federation, where ids are its own. True when nobody can tell now.
bool Reconciler::Pass::has_later_job(const ledger::Hold& hold, Instant submit) const {
  const auto is_later = [&](const store::HoldRecord& other) {
    const auto& job = other.hold.job;
    return job && !other.hold.backfilled && hold.job->submit_time < job->submit_time &&
           is_since_submit(*job, submit);
  };
  const std::vector<std::string> clusters = owner_.source_.clusters();
  return std::any_of(clusters.begin(), clusters.end(), [&](const std::string& cluster) {
    if (!ledger::is_same_job(*hold.job, cluster, hold.job->job_id)) return false;
    const auto found = owner_.committer_.find_job_holds(cluster, hold.job->job_id);
    return !found || std::any_of(found->begin(), found->end(), is_later);
  });
}

// Whether slurmdbd has the id, on the hold's cluster, for another job that was submitted since, and
// by then.
bool Reconciler::Pass::was_told_again(const ledger::Hold& hold, Instant submit) {
  const auto [known, is_new] = told_of_ids_.try_emplace({hold.job->cluster, hold.job->job_id});
  if (is_new) {
    slurm::AccountingQuery query;
    query.job_ids = {hold.job->job_id};
    if (auto list = read_accounting(hold.job->cluster, query)) {
      known->second = std::move(list->records);
    }
  }
  return std::any_of(known->second.begin(), known->second.end(), [&](const auto& row) {
    const ledger::JobRef job = job_of(row);
    return job.job_id == hold.job->job_id && hold.job->submit_time < job.submit_time &&
           is_since_submit(job, submit) && is_of_another_job(hold, row);
  });
}

// Ids come back, to tasks of arrays as well; then the tokens, the arrays or the users differ.
bool Reconciler::Pass::may_be_same_job(const slurm::AccountingRecord& record,
                                       const slurm::QueueJob& row) const {
  if (row.job_id != record.job_id || root_id(row) != root_id(record) ||
      row.array_task_id != record.array_task_id) {
    return false;
  }
  if (differ(row.user, record.user)) return false;
  const std::string_view token = find_token(record.admin_comment);
  const auto other = open_jobs_.find(find_token(row.admin_comment));
  const auto own = open_jobs_.find(token);
  return other == open_jobs_.end() || own == open_jobs_.end() ||
         is_one_job(own->second, other->second, token);
}

// Slurm gives each requeue a new time of submission.
bool Reconciler::Pass::follows_elsewhere(const slurm::AccountingRecord& record) const {
  if (!ledger::is_federated(root_id(record))) return false;
  for (const auto& [cluster, list] : queues_) {
    const bool follows =
        cluster != record.cluster &&
        std::any_of(list.jobs.begin(), list.jobs.end(), [&](const auto& row) {
          return may_be_same_job(record, row) && is_live(row) && record.submit < row.submit;
        });
    if (follows) return true;
  }
  return false;
}

// Where the next run would be shown, its row may be one that could not be read, and slurmdbd may
// hear of it after this one's end.
bool Reconciler::Pass::may_follow_unseen(const slurm::AccountingRecord& record) const {
  const slurm::JobState end = record.status.base;
  const bool may_be_requeued = end == slurm::JobState::node_fail ||
                               end == slurm::JobState::boot_fail ||
                               end == slurm::JobState::preempted;
  if (!may_be_requeued) return false;
  std::vector<std::string> clusters{record.cluster};
  if (ledger::is_federated(root_id(record)) && !record.array_task_id) {
    clusters = owner_.source_.clusters();
  }
  return std::any_of(clusters.begin(), clusters.end(),
                     [&](const std::string& cluster) { return whole_queue(cluster) == nullptr; });
}

Reconciler::Pass::NextRun Reconciler::Pass::next_run(const slurm::AccountingRecord& record,
                                                     const AccountingRows& runs) const {
  bool follows = record.status.requeued || record.status.resizing || follows_elsewhere(record);
  for (const slurm::AccountingRecord* other : runs) {
    if (other->cluster != record.cluster || other->run <= record.run ||
        other->db_index < record.db_index || !other->array_tasks.empty() ||
        differ(other->user, record.user)) {
      continue;
    }
    if (other->status.has_ended()) return NextRun::over;
    follows = true;
  }
  if (const auto queue = queues_.find(record.cluster); !follows && queue != queues_.end()) {
    follows = std::any_of(queue->second.jobs.begin(), queue->second.jobs.end(),
                          [&](const slurm::QueueJob& row) {
                            return may_be_same_job(record, row) && !row.status.has_ended() &&
                                   row.restart_count > record.restart_count();
                          });
  }
  if (!follows) return NextRun::none;
  return record.status.resizing ? NextRun::goes_on : NextRun::begins;
}

// Empty when the job's account pays, which is looked for only where it matters.
std::string Reconciler::Pass::bearer_for(const slurm::AccountingRecord& record,
                                         const std::function<std::string()>& account) const {
  std::string bearer = bearer_of(owner_.options_.run_costs, record.status);
  return bearer.empty() || bearer == account() ? std::string() : bearer;
}

void Reconciler::Pass::note_bearer(const ledger::SettleShare& settle,
                                   const ledger::Outcome& outcome) {
  if (settle.bearer.empty() || outcome.replayed || settle.actual.is_zero()) return;
  const std::string amount = to_display(settle.actual, settle.unit);
  if (outcome.written_off == settle.actual) {
    report_.actions.push_back("wrote " + amount + " off to account " + settle.bearer + " for " +
                              job_name(settle.key) + " (" + settle.cause + ")");
    return;
  }
  problem("write-off " + job_name(settle.key),
          job_name(settle.key) + " ended as " + settle.cause + ": its cost of " + amount +
              " cannot be written off to account '" + settle.bearer +
              "' and stays with the job's; see that this account is open and has a budget in " +
              settle.unit + ", then use asbb account write-off");
}

// Of each task that waits for its next run or is in it, where the hold lacks money for it. A job
// that only has another size goes on in the time that is left.
std::vector<ledger::Command> Reconciler::Pass::missing_runs(const OpenHold& open) const {
  std::vector<ledger::Command> commands;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (!is_live(*row) || row->restart_count == 0) continue;
    for (const std::int64_t task : tasks_of(*row)) {
      const ledger::Share* latest = latest_of(open.shares, task);
      if (latest == nullptr || !latest->requeued) continue;
      ledger::ArmRun arm{open.hold.id, latest->key};
      arm.key.cluster = row->cluster;
      ++arm.key.run;
      if (!pays_for_run(scope_of(open.hold.group), task, arm.key.cluster, arm.key.run)) continue;
      commands.push_back(reconciler_command(std::move(arm), "the job was requeued"));
    }
  }
  return commands;
}

// Where the hold still lacks money for its runs; gives the alarm's key.
std::optional<std::string> Reconciler::Pass::alarm_of_uncovered(ledger::HoldId id) {
  const auto found = owner_.committer_.read([&](const ledger::Book& book) {
    const ledger::Hold* known = book.hold(id);
    return known == nullptr ? std::optional<ledger::Hold>() : *known;
  });
  if (!found) return std::nullopt;
  const ledger::Hold& hold = *found;
  std::string missing;
  for (const ledger::HoldPart& part : hold.parts) {
    const Micros lack = ledger::lack_for_runs(hold, part);
    if (lack.is_zero()) continue;
    missing += (missing.empty() ? "" : " and ") + to_display(lack, part.unit);
  }
  if (missing.empty()) return std::nullopt;
  const std::string name = describe_job(hold);
  std::string key = std::string(uncovered_word) + name;
  problem(key, name + " was requeued and is not covered: " + missing + " are missing on account " +
                   account_of(id) +
                   "; they are held as soon as the account has them, else what a run "
                   "uses beyond its hold is charged as an overrun");
  return key;
}

// One alarm for a partition: a node that left the cluster, or a price book that misses a type,
// concerns many jobs.
void Reconciler::Pass::note_instances(const slurm::AccountingRecord& record,
                                      const pricing::Charge& charge) {
  if (charge.unknown_nodes.empty()) return;
  problem("instances " + record.cluster + " " + record.partition,
          describe_job(record) + ": charged " + to_display(charge.amount, charge.unit) +
              ", with the dearest instance type of partition " + record.partition +
              " for nodes of unknown type: " + listed(charge.unknown_nodes) +
              "; correct it with asbb adjust, and name the type in the price book or in the node's "
              "features");
}

void Reconciler::Pass::arm_runs() {
  std::vector<ledger::Command> commands;
  for (const OpenHold& open : open_holds(lacks_money)) {
    for (ledger::Command& command : missing_runs(open)) commands.push_back(std::move(command));
  }
  std::set<ledger::HoldId> asked;
  for (const ledger::Command& command : commands) {
    asked.insert(std::get<ledger::ArmRun>(command.action).hold);
  }
  (void)run_all(std::move(commands));
  std::set<std::string> uncovered;
  for (const ledger::HoldId id : asked) {
    if (auto key = alarm_of_uncovered(id)) uncovered.insert(std::move(*key));
  }
  clear_alarms_but(uncovered_word, uncovered);
}

}  // namespace asbb::service
