#include "service/reconciler_pass.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "base/token.h"
#include "service/used_nodes.h"

namespace asbb::service {
namespace {

// Tasks whose last known run is settled and was not requeued.
std::int64_t finished_tasks(const std::vector<ledger::Share>& shares) {
  std::map<std::int64_t, const ledger::Share*> last;
  for (const ledger::Share& share : shares) {
    const ledger::Share*& known = last[share.key.task];
    if (known == nullptr || known->settled_at < share.settled_at ||
        known->key.run < share.key.run) {
      known = &share;
    }
  }
  return std::count_if(last.begin(), last.end(), [](const auto& task) {
    return task.second->status == ledger::ShareStatus::settled && !task.second->requeued;
  });
}

// Of the row's tasks, those that the hold pays for.
std::int64_t tasks_in(const slurm::QueueJob& job, const HoldScope& scope) {
  const Tasks tasks = tasks_of(job);
  if (tasks.empty()) return 1;
  return std::count_if(tasks.begin(), tasks.end(),
                       [&](std::int64_t task) { return pays_for(scope, task); });
}

template <typename Row>
Instant first_submit(const Row& row, bool ran_before) {
  const std::string_view token = find_token(row.admin_comment);
  return ran_before && !token.empty() ? std::min(row.submit, token_time(token)) : row.submit;
}

}  // namespace

std::int64_t root_id(const slurm::QueueJob& job) {
  return job.array_job_id != 0 ? job.array_job_id : job.job_id;
}

std::int64_t root_id(const slurm::AccountingRecord& record) {
  return record.array_job_id != 0 ? record.array_job_id : record.job_id;
}

ledger::JobRef job_of(const slurm::QueueJob& row) {
  return {row.cluster, root_id(row), first_submit(row, row.restart_count > 0)};
}

ledger::JobRef job_of(const slurm::AccountingRecord& row) {
  return {row.cluster, root_id(row), first_submit(row, row.run > 1)};
}

bool is_same_submission(const ledger::JobRef& job, Instant submit) {
  constexpr Span before = seconds(60);
  constexpr Span rounding = seconds(2);
  return job.submit_time - before <= submit && submit <= job.submit_time + rounding;
}

bool is_one_job(const ledger::JobRef& named, const ledger::JobRef& job, std::string_view token) {
  if (named == job) return true;
  return !token.empty() && ledger::is_same_job(named, job.cluster, job.job_id) &&
         job.submit_time == token_time(token);
}

bool is_late(const ledger::Hold& hold, const ledger::JobRef& job) {
  constexpr Span answered_within = seconds(5);
  return job.submit_time + answered_within < hold.placed_at;
}

bool is_since_submit(const ledger::JobRef& job, Instant submit) {
  constexpr Span tolerance = seconds(2);  // slurmctld and slurmdbd may round it differently
  return job.submit_time <= submit + tolerance;
}

bool is_complete(const slurm::AccountingRecord& record, Instant now, Span grace) {
  if (!record.status.has_ended() || record.status.revoked || !record.end) return false;
  const bool is_whole = !record.partition.empty() && !record.account.empty();
  if (has_run(record)) return is_whole || now >= *record.end + grace;
  if (record.elapsed_seconds != 0) return false;
  const bool ends_while_pending = record.status.base == slurm::JobState::cancelled ||
                                  record.status.base == slurm::JobState::deadline;
  const bool never_began = ends_while_pending && !was_allocated(record);
  return (is_whole && never_began) || now >= *record.end + grace;
}

bool was_allocated(const slurm::AccountingRecord& record) {
  return record.start.has_value() && !record.allocated_tres.empty();
}

const ledger::Share* settled_share(const std::vector<ledger::Share>& shares,
                                   const ledger::ShareKey& key) {
  const auto found = std::find_if(shares.begin(), shares.end(), [&](const ledger::Share& share) {
    return share.key == key && share.status == ledger::ShareStatus::settled;
  });
  return found == shares.end() ? nullptr : &*found;
}

bool has_charged_some(const std::vector<ledger::Share>& shares,
                      const slurm::AccountingRecord& record) {
  const Tasks tasks = tasks_of(record);
  return std::any_of(shares.begin(), shares.end(), [&](const ledger::Share& share) {
    return share.status == ledger::ShareStatus::settled && share.key.cluster == record.cluster &&
           share.key.job_id == root_id(record) &&
           std::find(tasks.begin(), tasks.end(), share.key.task) != tasks.end();
  });
}

bool has_run(const slurm::AccountingRecord& record) {
  return was_allocated(record) && !record.nodes.empty();
}

Result<pricing::Charge> charge_of(const pricing::PriceBook& book,
                                  const slurm::AccountingRecord& record,
                                  const slurm::ClusterCache& view) {
  pricing::Usage usage;
  auto allocated = pricing::parse_allocated_tres(record.allocated_tres);
  if (!allocated) return tl::unexpected(allocated.error());
  usage.allocated = std::move(*allocated);
  usage.node_count = record.node_count;
  usage.elapsed_seconds = record.elapsed_seconds;
  usage.started = has_run(record);
  const pricing::Rate* rate = book.find_priced(record.cluster, record.partition);
  if (rate != nullptr && rate->tells_instances() && usage.started) {
    const auto cluster = view.cluster(record.cluster);
    if (cluster) usage.nodes = used_nodes(*cluster, record.nodes);
    const bool all_known = cluster && std::all_of(usage.nodes.begin(), usage.nodes.end(),
                                                  [](const auto& node) { return node.is_known; });
    if (!all_known && (!cluster || cluster->read_at < record.end.value_or(*record.start))) {
      return fail(ErrorKind::unavailable, "the instance types of " + in_quotes(record.nodes) +
                                              " are not known before slurmctld of cluster " +
                                              record.cluster + " is read again");
    }
  }
  return pricing::charge(book, record.cluster, record.partition, usage);
}

ledger::Command reconciler_command(ledger::Action action, std::string reason) {
  ledger::Command command;
  command.context.actor = reconciler_name;
  command.context.reason = std::move(reason);
  command.action = std::move(action);
  return command;
}

PassReport Reconciler::Pass::run() {
  report_.at = now_;
  {
    const std::lock_guard lock(owner_.mutex_);
    wanted_ = std::exchange(owner_.wanted_, {});
  }
  read_queues();
  read_holds();
  bind_sightings();
  cover_sightings();
  move_periods();
  follow_changes();
  settle_bound();
  arm_runs();
  follow_all_units();
  release_gone_tasks();
  if (owner_.options_.looks_back && owner_.next_rescan_ <= now_) rescan();
  if (wanted_.recovers || owner_.next_sweep_ <= now_) sweep();
  tend_allowances();
  alarm_unexplained();
  enforce();
  look_at_wanted_jobs();
  if (wanted_.explains) explain_open_holds();
  for (const auto& [cluster, list] : queues_) {
    if (!unread_.contains(cluster)) report_.complete.emplace(cluster, now_);
  }
  return std::move(report_);
}

void Reconciler::Pass::problem(const std::string& key, const std::string& message) {
  report_.problems.push_back(message);
  owner_.alarms_.raise(key, message, now_);
}

void Reconciler::Pass::read_queues() {
  for (const std::string& cluster : owner_.source_.clusters()) {
    owner_.say_step("squeue of cluster " + cluster);
    const auto asked_at = std::chrono::steady_clock::now();
    auto list = owner_.source_.list_queue(cluster);
    const std::string key = "slurmctld " + cluster;
    if (!list) {
      const auto waited = std::chrono::steady_clock::now() - asked_at;
      report_.in_vain.microseconds +=
          std::chrono::duration_cast<std::chrono::microseconds>(waited).count();
      problem(key, "cluster " + cluster +
                       ": the controller's jobs cannot be read: " + list.error().message);
      continue;
    }
    if (!list->is_evidence()) {
      problem(key, "cluster " + cluster + ": the list of jobs is not complete (" +
                       list->operator_proof + "): holds without a job are kept");
    } else {
      owner_.alarms_.clear(key);
    }
    queues_.emplace(cluster, std::move(*list));
  }
}

std::vector<Reconciler::Pass::OpenHold> Reconciler::Pass::open_holds(
    bool (*is_wanted)(const ledger::Hold&)) const {
  return owner_.committer_.read([&](const ledger::Book& book) {
    std::vector<OpenHold> out;
    for (const ledger::Hold* hold : book.open_holds()) {
      if (hold->kind != ledger::HoldKind::slurm || !is_wanted(*hold)) continue;
      OpenHold& open = out.emplace_back(OpenHold{*hold, {}});
      for (const ledger::Share* share : book.shares_of(hold->id)) open.shares.push_back(*share);
    }
    return out;
  });
}

void Reconciler::Pass::read_holds() {
  holds_ = open_holds([](const ledger::Hold&) { return true; });
  replaced_ = false;
  open_jobs_.clear();
  for (const OpenHold& open : holds_) {
    if (open.hold.job) open_jobs_.emplace(open.hold.request_id, *open.hold.job);
  }
}

// A submission that was let through without its answer may arrive after a change of its job got it
// a hold: that one pays. True as well when nobody can tell now.
bool Reconciler::Pass::gives_way(const ledger::Hold& hold, const ledger::JobRef& job) {
  if (!is_late(hold, job)) return false;
  const auto found = owner_.committer_.find_job_holds(job.cluster, job.job_id);
  if (!found) return true;
  const bool is_held = std::any_of(found->begin(), found->end(), [&](const auto& other) {
    const HoldScope scope = scope_of(other.hold.group);
    return other.hold.id != hold.id && other.hold.job && !other.hold.backfilled &&
           scope.only.empty() && scope.except.empty() &&
           is_one_job(*other.hold.job, job, hold.request_id);
  });
  if (!is_held) return false;
  const auto voided = owner_.committer_.run(
      reconciler_command(ledger::VoidHold{hold.id}, "its job got a hold when it was changed"));
  if (!voided || !voided->accepted()) return true;
  report_.actions.push_back("gave back " + to_display(voided->released, voided->unit) + " of " +
                            job.cluster + " job " + std::to_string(job.job_id) +
                            ", which got a hold when it was changed");
  return true;
}

void Reconciler::Pass::bind_sightings() {
  std::map<std::string, OpenHold*> unbound;
  for (OpenHold& open : holds_) {
    if (!open.hold.job) unbound.emplace(open.hold.request_id, &open);
  }
  std::vector<ledger::Command> commands;
  std::vector<std::pair<OpenHold*, ledger::JobRef>> bound;
  for (const auto& [cluster, list] : queues_) {
    for (const slurm::QueueJob& job : list.jobs) {
      const auto found = unbound.find(std::string(find_token(job.admin_comment)));
      if (found == unbound.end()) continue;
      const ledger::JobRef ref = job_of(job);
      if (gives_way(found->second->hold, ref)) continue;
      bound.emplace_back(found->second, ref);
      commands.push_back(
          reconciler_command(ledger::BindHold{found->second->hold.id, ref},
                             "seen on " + cluster + " as job " + std::to_string(ref.job_id)));
      unbound.erase(found);
    }
  }
  const auto outcomes = run_all(std::move(commands));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i] || !outcomes[i]->accepted()) continue;
    bound[i].first->hold.job = bound[i].second;
    open_jobs_.insert_or_assign(bound[i].first->hold.request_id, bound[i].second);
    ++report_.bound;
  }
}

Reconciler::Pass::QueueRows Reconciler::Pass::rows_of(const ledger::JobRef& job) const {
  QueueRows rows;
  for (const auto& [cluster, list] : queues_) {
    for (const slurm::QueueJob& row : list.jobs) {
      if (is_its_row(job, row)) rows.push_back(&row);
    }
  }
  return rows;
}

const slurm::QueueList* Reconciler::Pass::whole_queue(const std::string& cluster) const {
  const auto list = queues_.find(cluster);
  return list == queues_.end() || !list->second.is_evidence() ? nullptr : &list->second;
}

// Ids come back. A row whose token no open hold has is of the job when it was submitted as it was:
// the hold may have been placed anew. A federation's sibling has a token of its own.
bool Reconciler::Pass::is_its_row(const ledger::JobRef& job, const slurm::QueueJob& row) const {
  if (!is_row_of(job, row)) return false;
  const std::string_view token = find_token(row.admin_comment);
  const auto named = open_jobs_.find(token);
  if (named != open_jobs_.end()) return is_one_job(named->second, job, token);
  const bool is_sibling = ledger::is_federated(job.job_id) && row.cluster != job.cluster;
  if (is_sibling) return !was_given_again(job, row.submit);
  return token.empty() || is_same_submission(job, job_of(row).submit_time);
}

// Whether its cluster shows the job's id as that of another job, which was submitted by then.
bool Reconciler::Pass::was_given_again(const ledger::JobRef& job, Instant submit) const {
  const auto list = queues_.find(job.cluster);
  if (list == queues_.end()) return false;
  const auto& rows = list->second.jobs;
  return std::any_of(rows.begin(), rows.end(), [&](const slurm::QueueJob& row) {
    return root_id(row) == job.job_id && is_since_submit(job_of(row), submit) &&
           !is_its_row(job, row);
  });
}

// Whether slurmdbd may know more than the ledger. A job that the controllers show as waiting or
// running, with as many runs behind it as are settled, has nothing new to tell.
bool Reconciler::Pass::needs_accounting(const OpenHold& open) const {
  std::int64_t live = 0;
  const HoldScope scope = scope_of(open.hold.group);
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (row->status.revoked || row->status.has_ended()) continue;
    const std::int64_t tasks = tasks_in(*row, scope);
    if (tasks == 0) continue;
    live += tasks;
    if (has_unsettled_runs(open, *row)) return true;
  }
  return live + finished_tasks(open.shares) < open.hold.task_count;
}

std::optional<slurm::AccountingList> Reconciler::Pass::read_accounting(
    const std::string& cluster, const slurm::AccountingQuery& query) {
  owner_.say_step("sacct of cluster " + cluster);
  auto list = owner_.source_.list_accounting(cluster, query);
  const std::string key = "slurmdbd " + cluster;
  if (!list) {
    unread_.insert(cluster);
    problem(key, "cluster " + cluster + ": the accounting cannot be read: " + list.error().message);
    return std::nullopt;
  }
  if (list->problems.empty()) {
    owner_.alarms_.clear(key);
  } else {
    problem(key, "cluster " + cluster +
                     ": an accounting record cannot be read: " + list->problems.front());
  }
  return std::move(*list);
}

// Other tasks of it may have left since it was read.
ledger::Hold Reconciler::Pass::as_it_is(const ledger::Hold& hold) const {
  return owner_.committer_.read([&](const ledger::Book& book) {
    const ledger::Hold* known = book.hold(hold.id);
    return known == nullptr ? hold : *known;
  });
}

std::string Reconciler::Pass::account_of(ledger::HoldId id) const {
  for (const OpenHold& open : holds_) {
    if (open.hold.id != id) continue;
    return owner_.committer_.read(
        [&](const ledger::Book& book) { return book.account(open.hold.account)->name; });
  }
  return {};
}

std::vector<Result<ledger::Outcome>> Reconciler::Pass::run_all(
    std::vector<ledger::Command> commands) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t answered = 0;
  };
  constexpr std::size_t in_flight_max = 256;
  owner_.say_step("the ledger");
  std::vector<Result<ledger::Outcome>> outcomes(commands.size(), ledger::Outcome{});
  Waiting waiting;
  for (std::size_t i = 0; i < commands.size();) {
    {
      std::unique_lock lock(waiting.mutex);
      waiting.changed.wait(lock, [&] { return i - waiting.answered < in_flight_max; });
    }
    const bool queued = owner_.committer_.submit(
        std::move(commands[i]), [&outcomes, &waiting, i](Result<ledger::Outcome> outcome) {
          const std::lock_guard lock(waiting.mutex);
          outcomes[i] = std::move(outcome);
          ++waiting.answered;
          waiting.changed.notify_all();
        });
    if (!queued) {
      const std::lock_guard lock(waiting.mutex);
      outcomes[i] = fail(ErrorKind::unavailable, "the ledger has too much to do");
      ++waiting.answered;
    }
    ++i;
  }
  std::unique_lock lock(waiting.mutex);
  waiting.changed.wait(lock, [&] { return waiting.answered == outcomes.size(); });
  return outcomes;
}

}  // namespace asbb::service
