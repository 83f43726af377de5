#include "service/reconciler_pass.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/assert.h"
#include "base/text.h"
#include "base/token.h"
#include "service/used_nodes.h"

namespace asbb::service {
namespace {

const ledger::Share* settled_share(const std::vector<ledger::Share>& shares,
                                   const ledger::ShareKey& key) {
  const auto found = std::find_if(shares.begin(), shares.end(), [&](const ledger::Share& share) {
    return share.key == key && share.status == ledger::ShareStatus::settled;
  });
  return found == shares.end() ? nullptr : &*found;
}

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

bool was_allocated(const slurm::AccountingRecord& record) {
  return record.start.has_value() && !record.allocated_tres.empty();
}

// Of the row's tasks, those that the hold pays for.
std::int64_t tasks_in(const slurm::QueueJob& job, const HoldScope& scope) {
  const Tasks tasks = tasks_of(job);
  if (tasks.empty()) return 1;
  return std::count_if(tasks.begin(), tasks.end(),
                       [&](std::int64_t task) { return pays_for(scope, task, scope.first_run); });
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

bool is_since_submit(const ledger::JobRef& job, Instant submit) {
  constexpr Span tolerance = seconds(2);  // slurmctld and slurmdbd may round it differently
  return job.submit_time <= submit + tolerance;
}

bool is_complete(const slurm::AccountingRecord& record, Instant now, Span grace) {
  if (!record.status.has_ended() || record.status.revoked || !record.end) return false;
  const bool is_whole = !record.partition.empty() && !record.account.empty();
  if (has_run(record)) return is_whole;
  if (record.elapsed_seconds != 0 || !record.nodes.empty()) return false;
  const bool ends_while_pending = record.status.base == slurm::JobState::cancelled ||
                                  record.status.base == slurm::JobState::deadline;
  const bool never_began = ends_while_pending && !was_allocated(record);
  return (is_whole && never_began) || now >= *record.end + grace;
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
  if (owner_.next_rescan_ <= now_) rescan();
  sweep();
  tend_allowances();
  alarm_unexplained();
  enforce();
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
      if (!is_row_of(job, row)) continue;
      const auto named = open_jobs_.find(find_token(row.admin_comment));
      if (named == open_jobs_.end() || named->second == job) rows.push_back(&row);
    }
  }
  return rows;
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
    if (row->restart_count > scope.first_run) {
      const ledger::ShareKey earlier{row->cluster, open.hold.job->job_id,
                                     row->array_task_id.value_or(-1), row->restart_count - 1, ""};
      if (settled_share(open.shares, earlier) == nullptr) return true;
    }
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

void Reconciler::Pass::settle_bound() {
  std::map<std::string, std::set<std::int64_t>> wanted;
  for (const OpenHold& open : holds_) {
    if (!open.hold.job || open.hold.backfilled || !needs_accounting(open)) continue;
    for (const std::string& cluster : owner_.source_.clusters()) {
      const std::int64_t id = open.hold.job->job_id;
      if (ledger::is_same_job(*open.hold.job, cluster, id)) wanted[cluster].insert(id);
    }
  }
  std::vector<ledger::Command> commands;
  for (const auto& [cluster, ids] : wanted) {
    slurm::AccountingQuery query;
    query.job_ids.assign(ids.begin(), ids.end());
    const auto list = read_accounting(cluster, query);
    if (!list) continue;
    told_.insert(cluster);
    if (list->is_evidence()) told_whole_.insert(cluster);
    std::map<std::int64_t, std::vector<slurm::AccountingRecord>> by_job;
    for (const slurm::AccountingRecord& record : list->records) {
      by_job[root_id(record)].push_back(record);
    }
    for (const OpenHold& open : holds_) {
      if (!open.hold.job || open.hold.backfilled) continue;
      const auto found = by_job.find(open.hold.job->job_id);
      if (found != by_job.end()) settle_records(open, found->second, commands);
    }
  }
  run_settlements(std::move(commands));
}

void Reconciler::Pass::settle_records(const OpenHold& open,
                                      const std::vector<slurm::AccountingRecord>& records,
                                      std::vector<ledger::Command>& commands) {
  std::map<std::int64_t, AccountingRows> runs;  // by the job's or the task's own id
  for (const slurm::AccountingRecord& record : records) {
    if (!is_row_of(*open.hold.job, record) || is_of_another_job(open.hold, record)) continue;
    runs[record.job_id].push_back(&record);
    note_told_tasks(open, record);
  }
  for (const auto& [id, rows] : runs) {
    for (const slurm::AccountingRecord* record : rows) settle_row(open, *record, rows, commands);
  }
}

void Reconciler::Pass::settle_row(const OpenHold& open, const slurm::AccountingRecord& record,
                                  const AccountingRows& runs,
                                  std::vector<ledger::Command>& commands) {
  if (!is_complete(record, now_, owner_.options_.pieces_grace) || may_have_run(record)) {
    note_untold(open, record);
    return;
  }
  const NextRun next = next_run(record, runs);
  const HoldScope scope = scope_of(open.hold.group);
  for (const std::int64_t task : tasks_of(record)) {
    if (!pays_for(scope, task, record.run - 1)) continue;
    const ledger::ShareKey key{record.cluster, root_id(record), task, record.run - 1, ""};
    if (const ledger::Share* share = settled_share(open.shares, key)) {
      check_settled(open, record, *share);
      continue;
    }
    const auto backfill = backfill_of(record);
    if (!backfill) continue;
    if (*backfill) {
      if (next == NextRun::none) release_charged(open, record, task);
      continue;
    }
    if (auto command = settlement(open, record, task, next)) {
      commands.push_back(std::move(*command));
    }
  }
}

// A cancelled row without nodes is of a job that waited, or its start is not told yet: the
// controller knows which, as long as it shows the job.
bool Reconciler::Pass::may_have_run(const slurm::AccountingRecord& record) const {
  if (has_run(record) || *record.end + owner_.options_.pieces_grace <= now_) return false;
  const auto queue = queues_.find(record.cluster);
  return queue == queues_.end() || std::any_of(queue->second.jobs.begin(), queue->second.jobs.end(),
                                               [&](const slurm::QueueJob& row) {
                                                 return row.job_id == record.job_id &&
                                                        !row.nodes.empty() &&
                                                        row.restart_count < record.run;
                                               });
}

void Reconciler::Pass::note_untold(const OpenHold& open, const slurm::AccountingRecord& record) {
  if (record.status.revoked) return;
  std::string said = record.status.text + " on " + record.cluster;
  if (record.status.has_ended() && record.end) {
    said += ", ended at " + to_rfc3339(*record.end) + " after " +
            std::to_string(record.elapsed_seconds) + " s";
    if (record.account.empty()) said += ", without an account";
    if (record.partition.empty()) said += ", without a partition";
    if (!was_allocated(record)) said += ", without what was allocated";
    if (record.nodes.empty()) said += ", without nodes";
  } else {
    said += ", without an end";
  }
  untold_[open.hold.id] = said;
}

// A row that changed after it was charged is never charged again by itself: a person looks
// (DESIGN 4.4).
void Reconciler::Pass::check_settled(const OpenHold& open, const slurm::AccountingRecord& record,
                                     const ledger::Share& share) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->by_version(open.hold.parts.front().price_version);
  if (book == nullptr) return;
  const auto charge = charge_of(*book, record, owner_.view_);
  // A node that Slurm has forgotten since says nothing against what was charged.
  if (!charge || charge->amount == share.actual || !charge->unknown_nodes.empty()) return;
  const std::string job = record.cluster + " job " + std::to_string(record.job_id);
  problem("changed " + job, job + " was charged " + to_display(share.actual, share.unit) +
                                ", but slurmdbd now says " +
                                to_display(charge->amount, share.unit) +
                                ": correct it with asbb adjust");
}

std::optional<ledger::Command> Reconciler::Pass::settlement(const OpenHold& open,
                                                            const slurm::AccountingRecord& record,
                                                            std::int64_t task, NextRun next) {
  const std::string job = record.cluster + " job " + std::to_string(record.job_id);
  const std::string key = "charge " + job;
  const ledger::HoldPart& first = open.hold.parts.front();
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->by_version(first.price_version);
  if (book == nullptr) {
    problem(key, job + ": price version " + std::to_string(first.price_version) +
                     " is not known, the job is not charged yet");
    return std::nullopt;
  }
  const auto charge = charge_of(*book, record, owner_.view_);
  if (!charge) {
    problem(key, job + ": the record cannot be charged: " + charge.error().message);
    return std::nullopt;
  }
  owner_.alarms_.clear(key);
  note_instances(record, *charge);
  ledger::SettleShare settle;
  settle.hold = open.hold.id;
  settle.key = {record.cluster, root_id(record), task, record.run - 1, ""};
  // What cost nothing may have ended where the hold has no unit: a job that never started does.
  settle.unit = charge->amount.is_zero() ? first.unit : charge->unit;
  settle.actual = charge->amount;
  settle.requeued = next != NextRun::none;
  settle.rearms = next == NextRun::begins;
  settle.bearer = bearer_for(record, [&] { return account_of(open.hold.id); });
  settle.cause = record.status.text;
  return reconciler_command(std::move(settle), record.status.text + " after " +
                                                   std::to_string(record.elapsed_seconds) +
                                                   " s with " + record.allocated_tres);
}

std::string Reconciler::Pass::account_of(ledger::HoldId id) const {
  for (const OpenHold& open : holds_) {
    if (open.hold.id != id) continue;
    return owner_.committer_.read(
        [&](const ledger::Book& book) { return book.account(open.hold.account)->name; });
  }
  return {};
}

bool Reconciler::Pass::run_settlements(std::vector<ledger::Command> commands) {
  bool all_judged = true;
  const auto outcomes = run_all(commands);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& settle = std::get<ledger::SettleShare>(commands[i].action);
    const std::string job = settle.key.cluster + " job " + std::to_string(settle.key.job_id);
    if (!outcomes[i]) {
      all_judged = false;
      report_.problems.push_back(job + ": not settled: " + outcomes[i].error().message);
    } else if (!outcomes[i]->accepted()) {
      problem("settle " + job,
              job + ": cannot be settled: " + std::string(to_string(outcomes[i]->refusal)) +
                  "; look at its transactions and correct it with asbb adjust");
    } else {
      ++report_.settled;
      report_.actions.push_back("charged " + to_display(outcomes[i]->amount, settle.unit) +
                                " to account " + account_of(settle.hold) + " for " + job + " (" +
                                settle.cause + ")");
      note_bearer(settle, *outcomes[i]);
    }
  }
  return all_judged;
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
