// Settles what has ended: what slurmdbd tells of a hold's job, row by row, as commands of the
// ledger.
#include <algorithm>
#include <set>

#include "base/token.h"
#include "service/job_holds.h"
#include "service/paying_account.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// The key of the alarm about a job whose charge the ledger refuses.
std::string unsettled_key(const std::string& cluster, std::int64_t job_id) {
  return "settle " + cluster + " job " + std::to_string(job_id);
}

}  // namespace

const ledger::HoldPart* paying_part(const ledger::Hold& hold, const pricing::PriceHistory& history,
                                    const std::string& cluster, const std::string& partition) {
  for (const ledger::HoldPart& part : hold.parts) {
    const pricing::PriceBook* book = history.by_version(part.price_version);
    const pricing::Rate* rate = book == nullptr ? nullptr : book->find_priced(cluster, partition);
    if (rate != nullptr && rate->unit == part.unit) return &part;
  }
  return nullptr;
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
    if (owner_.ask_first_.erase(cluster) > 0) (void)has_told_all(cluster);
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

void Reconciler::Pass::settle_row(const OpenHold& open, const slurm::AccountingRecord& told,
                                  const AccountingRows& runs,
                                  std::vector<ledger::Command>& commands) {
  const auto whole = whole_row(open.hold, told);
  if (!whole) {
    note_untold(open, told);
    const bool lacks_something = told.status.has_ended() && !told.status.revoked;
    if (lacks_something) owner_.ask_first_.insert(told.cluster);
    return;
  }
  const slurm::AccountingRecord& record = *whole;
  const NextRun next = next_run(record, runs);
  if (next == NextRun::none && may_follow_unseen(record)) return;
  const HoldScope scope = scope_of(open.hold.group);
  bool is_settled = true;
  std::vector<ledger::ShareKey> settling;
  for (const std::int64_t task : tasks_of(record)) {
    const ledger::ShareKey key{record.cluster, root_id(record), task, record.run - 1, ""};
    if (const ledger::Share* share = settled_share(open.shares, key)) {
      owner_.alarms_.clear(unsettled_key(record.cluster, key.job_id));
      check_settled(open.hold, record, *share);
      continue;
    }
    if (!pays_for_run(scope, task, record.cluster, record.run - 1)) continue;
    if (may_be_settled_elsewhere(open.hold, record, key)) continue;
    const auto backfill = backfill_of(record);
    is_settled = is_settled && backfill;
    if (!backfill) continue;
    if (*backfill) {
      (void)charge_to_its_account(record);  // it is charged; the row may have changed since
      if (next == NextRun::none) {
        release_charged(open, record, task, "was charged before its submission arrived");
      }
      continue;
    }
    if (has_run(record) && !pays_for_account(open.hold, record)) {
      const bool is_charged = charge_to_its_account(record);
      is_settled = is_settled && is_charged;
      if (is_charged && next == NextRun::none) {
        release_charged(open, record, task, "ran under account " + record.account);
      }
      continue;
    }
    if (goes_to_next_period(open, record, task, runs)) {
      is_settled = false;
      continue;
    }
    if (auto command = settlement(open, record, task, next)) {
      settling_.emplace(key, open.hold.id);
      settling.push_back(key);
      commands.push_back(std::move(*command));
    }
  }
  if (!is_settled || next == NextRun::none) return;
  const bool resized = record.status.resizing;
  const EndedRuns ended{record.restart_count() + (resized ? 0 : 1),
                        record.resizes + (resized ? 1 : 0)};
  ended_rows_.push_back({open.hold.id, record.job_id, std::move(settling), ended});
}

// What follows such a run must wait for its charge: a run that the ledger did not take stays the
// hold's to pay.
void Reconciler::Pass::note_ended_rows() {
  for (const EndedRow& row : ended_rows_) {
    const bool is_charged = std::all_of(row.settling.begin(), row.settling.end(),
                                        [&](const auto& key) { return settling_.contains(key); });
    if (!is_charged) continue;
    auto& ended = owner_.ended_runs_[{row.hold, row.job_id}];
    ended.restarts = std::max(ended.restarts, row.runs.restarts);
    ended.resizes = std::max(ended.resizes, row.runs.resizes);
  }
  ended_rows_.clear();
}

// A job whose hold is closed gets another when it is changed to where it costs something: what ran
// before was charged out of the first. True as well when nobody can tell now.
bool Reconciler::Pass::may_be_settled_elsewhere(const ledger::Hold& hold,
                                                const slurm::AccountingRecord& record,
                                                const ledger::ShareKey& key) const {
  const std::string_view token = find_token(record.admin_comment);
  const auto settling = settling_.find(key);
  if (settling != settling_.end() && settling->second != hold.id) return true;
  const bool is_first = token == hold.request_id && !is_late(hold, *hold.job);
  if (is_first && hold.status == ledger::HoldStatus::open) return false;
  const auto found = owner_.committer_.find_job_holds(hold.job->cluster, hold.job->job_id);
  return !found || std::any_of(found->begin(), found->end(), [&](const auto& other) {
    const auto& job = other.hold.job;
    if (other.hold.id == hold.id || !job || other.hold.backfilled) return false;
    const bool is_same = is_one_job(*job, *hold.job, token) || is_one_job(*hold.job, *job, token);
    return is_same && settled_share(other.shares, key) != nullptr;
  });
}

// False: the job was changed to another account, and no pass saw it there before this run was over.
// An account that got a budget of its own since leaves the run to the hold above it.
bool Reconciler::Pass::pays_for_account(const ledger::Hold& hold,
                                        const slurm::AccountingRecord& record) const {
  const auto associations = owner_.view_.associations(record.cluster);
  return record.account.empty() || owner_.committer_.read([&](const ledger::Book& book) {
    return may_pay_for(book, hold.account, associations.get(), record.cluster, record.account);
  });
}

// The row as it is charged, when it says all that a charge needs. slurmctld may have died with the
// start of a run: its row then has no partition for ever, and the hold's is the one that it was let
// into.
std::optional<slurm::AccountingRecord> Reconciler::Pass::whole_row(
    const ledger::Hold& hold, const slurm::AccountingRecord& record) {
  if (!is_complete(record, now_, owner_.options_.pieces_grace)) return std::nullopt;
  const bool is_short = record.partition.empty() || record.account.empty();
  const bool may_be_told =
      has_run(record) ? is_short && !had_told_all(record.cluster) : may_have_run(record);
  if (may_be_told) return std::nullopt;
  slurm::AccountingRecord whole = record;
  if (whole.partition.empty()) whole.partition = hold.partition;
  return whole;
}

// A row without nodes is of a job that waited, or the rest is not told yet. The controller knows
// which, as long as it shows the job, and may still have what slurmdbd lacks.
bool Reconciler::Pass::may_have_run(const slurm::AccountingRecord& record) {
  if (has_run(record)) return false;
  if (*record.end + owner_.options_.pieces_grace <= now_) return !had_told_all(record.cluster);
  const slurm::QueueList* queue = whole_queue(record.cluster);
  if (queue == nullptr) return true;
  return std::any_of(queue->jobs.begin(), queue->jobs.end(), [&](const slurm::QueueJob& row) {
    return row.job_id == record.job_id && !row.nodes.empty() &&
           row.restart_count <= record.restart_count();
  });
}

// Whether slurmdbd has all that the controller had to tell it. The first who wants to know asks,
// after the lists of jobs were read, and everybody in the pass has his answer: what made a job
// leave such a list was told by then, so that whatever is read from slurmdbd afterwards has it.
// What was read before is not judged by this (had_told_all).
bool Reconciler::Pass::has_told_all(const std::string& cluster) {
  const auto [known, is_new] = told_all_.emplace(cluster, false);
  if (is_new) {
    owner_.say_step("sdiag of cluster " + cluster);
    const auto queued = owner_.source_.accounting_queue_length(cluster);
    known->second = queued && *queued == 0;
  }
  return known->second;
}

// The same, as far as it was asked before the rows in hand were read: a piece that came in between
// would be missed. Rows that lack one have the next pass ask first (ask_first_).
bool Reconciler::Pass::had_told_all(const std::string& cluster) const {
  const auto known = told_all_.find(cluster);
  return known != told_all_.end() && known->second;
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

std::optional<ledger::Command> Reconciler::Pass::settlement(const OpenHold& open,
                                                            const slurm::AccountingRecord& record,
                                                            std::int64_t task, NextRun next) {
  const std::string job = describe_job(record);
  const std::string key = "charge " + job;
  const auto history = owner_.prices_.history();
  const auto* pays = paying_part(open.hold, *history, record.cluster, record.partition);
  const ledger::HoldPart& part = pays == nullptr ? open.hold.parts.front() : *pays;
  const pricing::PriceBook* book = history->by_version(part.price_version);
  if (book == nullptr) {
    problem(key, job + ": price version " + std::to_string(part.price_version) +
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
  settle.unit = charge->amount.is_zero() ? part.unit : charge->unit;
  settle.actual = charge->amount;
  settle.requeued = next != NextRun::none;
  settle.rearms = next == NextRun::begins;
  settle.bearer = bearer_for(record, [&] { return account_of(open.hold.id); });
  settle.cause = record.status.text;
  return reconciler_command(std::move(settle), record.status.text + " after " +
                                                   std::to_string(record.elapsed_seconds) +
                                                   " s with " + record.allocated_tres);
}

bool Reconciler::Pass::run_settlements(std::vector<ledger::Command> commands) {
  bool all_judged = true;
  const auto outcomes = run_all(commands);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& settle = std::get<ledger::SettleShare>(commands[i].action);
    const std::string job = settle.key.cluster + " job " + std::to_string(settle.key.job_id);
    if (!outcomes[i]) {
      all_judged = false;
      settling_.erase(settle.key);
      report_.problems.push_back(job + ": not settled: " + outcomes[i].error().message);
    } else if (!outcomes[i]->accepted()) {
      problem(unsettled_key(settle.key.cluster, settle.key.job_id),
              job + ": cannot be settled: " + std::string(to_string(outcomes[i]->refusal)) +
                  "; look at its transactions, and set what it is charged with asbb reconcile " +
                  share_name(settle.key) + " --cluster=" + settle.key.cluster +
                  " --actual-cost=AMOUNT --unit=" + settle.unit + " --reason=TEXT");
    } else {
      ++report_.settled;
      const std::string account = owner_.committer_.read(
          [&](const ledger::Book& book) { return book.account(outcomes[i]->account)->name; });
      report_.actions.push_back("charged " + to_display(outcomes[i]->amount, settle.unit) +
                                " to account " + account + " for " + job + " (" + settle.cause +
                                ")");
      note_bearer(settle, *outcomes[i]);
    }
  }
  note_ended_rows();
  return all_judged;
}

}  // namespace asbb::service
