// Jobs that ran on a priced partition and that no hold knows: submitted while the service was away,
// or let through by policy. Each ends in a charge or in an alarm (DESIGN 4.9).
#include <algorithm>
#include <utility>

#include "base/token.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// Records of a while ago are looked at again: slurmdbd may learn of an end late.
constexpr Span overlap = hours(1);

// Of a window, run numbers say nothing: the hold's own runs are told apart when it is settled.
bool pays_for_some(const ledger::Hold& hold, const slurm::AccountingRecord& record) {
  const HoldScope scope = scope_of(hold.group);
  if (record.array_task_id) return pays_for(scope, *record.array_task_id);
  if (record.array_tasks.empty()) return true;
  const Tasks tasks = tasks_of_text(record.array_tasks).value_or(Tasks{});
  return std::any_of(tasks.begin(), tasks.end(),
                     [&](std::int64_t task) { return pays_for(scope, task); });
}

}  // namespace

void Reconciler::Pass::rescan() {
  if (owner_.scanned_until_.empty()) {
    const auto recalled = recall_scans();
    if (!recalled) {
      report_.problems.push_back("the ledger cannot be read: " + recalled.error().message);
      return;
    }
  }
  bool up_to_now = true;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (!rescan_cluster(cluster)) up_to_now = false;
  }
  check_changed_records();
  if (up_to_now) owner_.next_rescan_ = now_ + owner_.options_.rescan_interval;
}

// False when there is more to look at, for the next pass. What cannot be read is read again from
// the same moment on, when it is time for the next look.
bool Reconciler::Pass::rescan_cluster(const std::string& cluster) {
  Instant& scanned_until = owner_.scanned_until_[cluster];
  const bool is_all_told = has_told_all(cluster);
  // What it kept to itself since then may have ended at any time since.
  if (is_all_told) {
    scanned_until = std::min(scanned_until, std::exchange(owner_.told_until_[cluster], now_));
  }
  const Instant until = std::min(now_, scanned_until + owner_.options_.rescan_window);
  slurm::AccountingQuery query;
  query.since = scanned_until - overlap;
  if (until < now_) query.until = until;
  const auto list = read_accounting(cluster, query);
  if (!list) return true;
  note_unreadable(*list);
  HeldJobs held;
  for (const slurm::AccountingRecord& record : list->records) rescan_record(record, held);
  if (!rescan_begun(*list, held)) return true;
  if (until == now_ && is_all_told) alarm_endless(*list);
  const bool is_settled = held.jobs.empty() || settle_held(cluster, held);
  if (held.waits || !is_settled) return true;
  // What the controller has not sent yet may have ended long ago: slurmdbd was away.
  const Instant told_until =
      is_all_told ? until : std::min(until, now_ - owner_.options_.rescan_window);
  scanned_until = std::max(scanned_until, told_until);
  return until == now_;
}

// slurmctld takes the moment of its suspension for the end of a job that is cancelled while it is
// suspended: such a row moves out of the window when it gets its end, and is asked for by its id.
// False: it cannot be read now.
bool Reconciler::Pass::rescan_begun(const slurm::AccountingList& list, HeldJobs& held) {
  std::set<std::int64_t>& begun = owner_.begun_[list.cluster];
  std::set<std::int64_t> gone = begun;
  for (const slurm::AccountingRecord& record : list.records) gone.erase(record.job_id);
  if (!gone.empty()) {
    slurm::AccountingQuery query;
    query.job_ids.assign(gone.begin(), gone.end());
    const auto told = read_accounting(list.cluster, query);
    if (!told) return false;
    for (const slurm::AccountingRecord& record : told->records) rescan_record(record, held);
    for (const std::int64_t job_id : gone) begun.erase(job_id);
  }
  const auto history = owner_.prices_.history();
  for (const slurm::AccountingRecord& record : list.records) {
    const pricing::PriceBook* book = record.start ? history->in_force(*record.start) : nullptr;
    const bool costs =
        book != nullptr && book->find_priced(record.cluster, record.partition) != nullptr;
    if (record.status.has_ended() || record.status.revoked) begun.erase(record.job_id);
    if (!record.status.has_ended() && has_run(record) && costs) begun.insert(record.job_id);
  }
  return true;
}

// A row that cannot be read may be of a job that ran. It is looked at again for as long as the
// looks overlap; after that the alarm stays, and a service that starts again looks once more.
void Reconciler::Pass::note_unreadable(const slurm::AccountingList& list) {
  constexpr std::size_t shown_max = 20;
  const std::string word = "record " + list.cluster + " ";
  std::set<std::string> unreadable;
  for (const std::string& text : list.problems) {
    if (unreadable.size() < shown_max) unreadable.insert(word + text);
  }
  for (const Alarm& alarm : owner_.alarms_.list()) {
    if (!alarm.key.starts_with(word) || unreadable.contains(alarm.key)) continue;
    if (now_ - alarm.since < overlap) owner_.alarms_.clear(alarm.key);
  }
  for (const std::string& key : unreadable) {
    problem(key,
            "cluster " + list.cluster +
                ": an accounting record cannot be read, and a job that ran may not be charged: " +
                key.substr(word.size()) +
                "; look at it with sacct and correct the account with asbb adjust");
  }
}

// Where the first look after a start begins: the last rescan_window, and what was before it since a
// rescan_window before the last charge from there. Such a charge proves that the cluster's
// accounting was read then, and looks are up to a window behind (rescan_cluster). One in the last
// window may be the first after years: it says nothing. Without any, nothing was seen since the
// ledger began.
Result<void> Reconciler::Pass::recall_scans() {
  constexpr std::int64_t charges_max = 10'000;
  store::EntryQuery charges;
  charges.types = {ledger::EntryType::charge, ledger::EntryType::overrun};
  charges.newest_first = true;
  charges.count_max = charges_max;
  charges.until = now_ - owner_.options_.rescan_window;
  store::EntryQuery begin;
  begin.count_max = 1;
  const auto last = owner_.committer_.store().entries(charges);
  if (!last) return tl::unexpected(last.error());
  const auto first = owner_.committer_.store().entries(begin);
  if (!first) return tl::unexpected(first.error());
  for (const std::string& cluster : owner_.source_.clusters()) {
    const auto charge = std::find_if(last->begin(), last->end(), [&](const auto& found) {
      return found.entry.actor == reconciler_name && found.entry.job.cluster == cluster;
    });
    Instant known = *charges.until;
    if (charge != last->end()) {
      known = charge->entry.at - owner_.options_.rescan_window;
    } else if (!first->empty()) {
      known = std::min(known, first->front().entry.at);
    }
    owner_.scanned_until_[cluster] = owner_.told_until_[cluster] = known;
  }
  return {};
}

void Reconciler::Pass::rescan_record(const slurm::AccountingRecord& record, HeldJobs& held) {
  if (!is_complete(record, now_, owner_.options_.pieces_grace)) return;
  if (!has_run(record)) return check_without_run(record, held);
  if (record.partition.empty() || record.account.empty()) return alarm_incomplete(record, held);
  const Reconciler::RecordName id{record.cluster, record.db_index};
  const std::size_t said = fingerprint_of(record);
  const auto done = owner_.done_records_.find(id);
  if (done != owner_.done_records_.end() && done->second == said) return;
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(*record.start);
  if (book == nullptr || book->find_priced(record.cluster, record.partition) == nullptr) return;
  const auto backfill = backfill_of(record);
  auto open = holds_of(record);
  if (open && open->empty() && ledger::is_federated(root_id(record))) {
    open = holds_by_siblings(record);
  }
  if (!backfill || !open) {
    held.waits = true;
    return;
  }
  if (may_follow_unseen(record)) {
    held.waits = true;
    return;
  }
  const bool is_begun = *backfill && (*backfill)->status == ledger::HoldStatus::open;
  if (!open->empty() && !is_begun) {
    hold_back(record, std::move(*open), held);
    return;
  }
  if (!charge_to_its_account(record)) held.waits = true;
}

// Its job's runs are looked at together.
void Reconciler::Pass::hold_back(const slurm::AccountingRecord& record, std::vector<OpenHold> open,
                                 HeldJobs& held) {
  const Reconciler::RecordName id{record.cluster, record.db_index};
  held.jobs.insert(root_id(record));
  held.rows.emplace_back(id, fingerprint_of(record));
  for (OpenHold& hold : open) held.holds.insert_or_assign(hold.hold.id, std::move(hold));
}

// slurmctld died with the start of the run. Where the job has a hold, that one says what is lost.
void Reconciler::Pass::alarm_incomplete(const slurm::AccountingRecord& record, HeldJobs& held) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(*record.start);
  const auto may_cost = [&](const pricing::Rate& rate) {
    return !rate.free && (rate.cluster == "*" || rate.cluster == record.cluster);
  };
  const bool is_priced =
      book != nullptr &&
      (record.partition.empty() ? std::any_of(book->rates.begin(), book->rates.end(), may_cost)
                                : book->find_priced(record.cluster, record.partition) != nullptr);
  if (!is_priced) return;
  const auto open = holds_of(record);
  if (!open) held.waits = true;
  if (!open || !open->empty()) return;
  problem("charge " + describe_job(record),
          describe_job(record) + " of user " + record.user + " ran for " +
              std::to_string(record.elapsed_seconds) + " s without a hold, and slurmdbd has it " +
              (record.partition.empty() ? "without a partition" : "without an account") +
              ": it cannot be charged; look at it with sacct -D -j " +
              std::to_string(record.job_id) + " -M " + record.cluster +
              ", and charge what it cost with asbb adjust");
}

bool Reconciler::Pass::is_shown(const slurm::AccountingRecord& record) const {
  const auto& rows = queues_.at(record.cluster).jobs;
  return std::any_of(rows.begin(), rows.end(), [&](const slurm::QueueJob& row) {
    return row.job_id == record.job_id && is_live(row);
  });
}

// A job that runs for slurmdbd alone, and that no hold waits for: its end is lost. Nothing tells
// how long it ran. REQUIRES: the controller had told everything before the list was read.
void Reconciler::Pass::alarm_endless(const slurm::AccountingList& list) {
  const std::string word = "endless " + list.cluster + " ";
  const slurm::QueueList* queue = whole_queue(list.cluster);
  if (queue == nullptr) return;
  const Instant latest = queue->read_at - owner_.options_.hold_alarm_after;
  const auto history = owner_.prices_.history();
  std::set<std::string> found;
  for (const slurm::AccountingRecord& record : list.records) {
    if (record.status.has_ended() || record.status.revoked || !has_run(record)) continue;
    if (latest < *record.start || is_shown(record)) continue;
    const pricing::PriceBook* book = history->in_force(*record.start);
    if (book == nullptr || book->find_priced(record.cluster, record.partition) == nullptr) continue;
    const std::string key = word + "job " + std::to_string(record.job_id);
    const auto open = holds_of(record);
    if (!open || !open->empty()) continue;
    found.insert(key);
    problem(key, describe_job(record) + " of account " + record.account + " runs since " +
                     to_rfc3339(*record.start) +
                     " for slurmdbd, without a hold, and slurmctld does not know it: its end is "
                     "lost, and it is not charged before it has one; see sacctmgr show "
                     "runawayjobs " +
                     list.cluster);
  }
  for (const Alarm& alarm : owner_.alarms_.list()) {
    if (alarm.key.starts_with(word) && !found.contains(alarm.key)) owner_.alarms_.clear(alarm.key);
  }
}

// One question for all of them, by job: the run numbers of a window may not reach back to a job's
// first run.
// False: nobody can tell now.
bool Reconciler::Pass::settle_held(const std::string& cluster, const HeldJobs& held) {
  slurm::AccountingQuery query;
  query.job_ids.assign(held.jobs.begin(), held.jobs.end());
  const auto list = read_accounting(cluster, query);
  if (!list) return false;
  std::map<std::int64_t, std::vector<slurm::AccountingRecord>> by_job;
  for (const slurm::AccountingRecord& record : list->records) {
    by_job[root_id(record)].push_back(record);
  }
  std::vector<ledger::Command> commands;
  for (const auto& [id, open] : held.holds) {
    const auto rows = by_job.find(open.hold.job->job_id);
    if (rows != by_job.end()) settle_records(open, rows->second, commands);
  }
  const std::size_t problems_before = report_.problems.size();
  bool all_judged = run_settlements(std::move(commands));
  std::map<Reconciler::RecordName, const slurm::AccountingRecord*> known;
  for (const slurm::AccountingRecord& record : list->records) {
    known.emplace(Reconciler::RecordName{record.cluster, record.db_index}, &record);
  }
  for (const auto& [id, said] : held.rows) {
    const auto row = known.find(id);
    const bool has_payer = row == known.end() || is_paid(held, *row->second);
    if (!has_payer && !charge_to_its_account(*row->second)) all_judged = false;
    if (has_payer && report_.problems.size() == problems_before) {
      owner_.done_records_.insert_or_assign(id, said);
    }
  }
  return all_judged;
}

// Whether one of the job's holds pays for that run, of which the number is known here. A hold that
// ended when its job was moved to where it costs nothing pays for no run after that, and the job
// may have come back unseen.
bool Reconciler::Pass::is_paid(const HeldJobs& held, const slurm::AccountingRecord& record) {
  return std::any_of(held.holds.begin(), held.holds.end(), [&](const auto& named) {
    const ledger::Hold& hold = named.second.hold;
    const HoldScope scope = scope_of(hold.group);
    const Tasks tasks = tasks_of(record);
    const std::int64_t run = record.run - 1;
    return is_row_of(*hold.job, record) && !is_of_another_job(hold, record) &&
           std::any_of(tasks.begin(), tasks.end(), [&](std::int64_t task) {
             const ledger::ShareKey key{record.cluster, root_id(record), task, run, ""};
             return pays_for_run(scope, task, record.cluster, run) ||
                    settled_share(named.second.shares, key) != nullptr;
           });
  });
}

// The origin's row of a federated job alone has the token that the service knows.
Result<std::vector<Reconciler::Pass::OpenHold>> Reconciler::Pass::holds_by_siblings(
    const slurm::AccountingRecord& record) {
  slurm::AccountingQuery query;
  query.job_ids = {root_id(record)};
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (cluster == record.cluster) continue;
    const auto list = read_accounting(cluster, query);
    if (!list) return fail(ErrorKind::unavailable, "the siblings of a job cannot be read");
    for (const slurm::AccountingRecord& row : list->records) {
      if (!find_token(row.admin_comment).empty()) (void)holds_of(row);
    }
  }
  return holds_of(record);
}

// Those of the record's job: one, unless it was changed. An error: nobody can tell now.
Result<std::vector<Reconciler::Pass::OpenHold>> Reconciler::Pass::holds_of(
    const slurm::AccountingRecord& record) {
  std::vector<OpenHold> out;
  std::vector<store::HoldQuery> queries;
  if (const auto token = find_token(record.admin_comment); !token.empty()) {
    queries.emplace_back().request_id = std::string(token);
  }
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (cluster != record.cluster && !ledger::is_federated(root_id(record))) continue;
    store::HoldQuery& query = queries.emplace_back();
    query.cluster = cluster;
    query.job_id = root_id(record);
  }
  for (const store::HoldQuery& query : queries) {
    auto found = owner_.committer_.find_holds(query);
    if (!found) {
      report_.problems.push_back(found.error().message);
      return tl::unexpected(found.error());
    }
    for (auto at = found->rbegin(); at != found->rend(); ++at) {
      ledger::Hold& hold = at->hold;
      if (hold.backfilled || is_proposal(hold)) continue;
      if (!hold.job && hold.status == ledger::HoldStatus::open && !query.request_id.empty()) {
        const ledger::JobRef ref = job_of(record);
        if (gives_way(hold, ref)) continue;
        const auto bound = owner_.committer_.run(reconciler_command(
            ledger::BindHold{hold.id, ref}, "found in the accounting of " + record.cluster));
        if (!bound) return tl::unexpected(bound.error());
        if (!bound->accepted()) continue;
        hold.job = ref;
        ++report_.bound;
      }
      if (hold.job && is_row_of(*hold.job, record) &&
          (pays_for_some(hold, record) || has_charged_some(at->shares, record)) &&
          !is_of_another_job(hold, record)) {
        out.push_back({std::move(hold), std::move(at->shares)});
      }
    }
  }
  if (out.empty()) {
    auto covered = cover_record(record);
    if (!covered) return tl::unexpected(covered.error());
    if (*covered) out.push_back(std::move(**covered));
  }
  return out;
}

}  // namespace asbb::service
