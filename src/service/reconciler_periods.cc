// What becomes of holds whose budget has ended (docs/concepts/job-life.md): a job that still waits
// will start in the next period and is held there; one that runs stays in the period in which it
// started, unless the settings say otherwise.
#include <algorithm>
#include <set>

#include "base/token.h"
#include "service/digest.h"
#include "service/job_change.h"
#include "service/job_holds.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

constexpr const char* into_next = "goes on into the next period of its account";

}  // namespace

// When the budget ended that pays for it, of several the last; nothing while all are in force.
std::optional<Instant> Reconciler::Pass::period_end(const ledger::Hold& hold) const {
  return owner_.committer_.read([&](const ledger::Book& book) {
    std::optional<Instant> end;
    for (const ledger::HoldPart& part : hold.parts) {
      const Instant of_part = book.budget(part.budget)->end;
      if (of_part <= now_) end = std::max(end.value_or(of_part), of_part);
    }
    return end;
  });
}

// A run that has ended belongs to the period in which it was: it is settled there first.
bool Reconciler::Pass::has_unsettled_runs(const OpenHold& open, const slurm::QueueJob& row) const {
  return ended_runs(open, row).restarts < row.restart_count;
}

Reconciler::EndedRuns Reconciler::Pass::ended_runs(const OpenHold& open,
                                                   const slurm::QueueJob& row) const {
  const auto known = owner_.ended_runs_.find({open.hold.id, row.job_id});
  return known == owner_.ended_runs_.end() ? Reconciler::EndedRuns() : known->second;
}

// Whether the row's hold has to stay as it is until such a run is charged out of it. A run that
// slurmdbd lacks, though it was told everything, is not waited for.
bool Reconciler::Pass::awaits_runs(const OpenHold& open, const slurm::QueueJob& row) {
  if (!has_unsettled_runs(open, row)) return false;
  owner_.ask_first_.insert(row.cluster);
  return now_ < row.submit + owner_.options_.pieces_grace || !had_told_all(row.cluster);
}

// So many tasks with what they have in the hold now. Its price stays the one at which it was held.
ledger::PlaceHold Reconciler::Pass::same_place(const OpenHold& open, std::int64_t tasks) const {
  ledger::PlaceHold place;
  place.account = account_of(open.hold.id);
  place.partition = open.hold.partition;
  for (const ledger::HoldPart& part : open.hold.parts) {
    place.parts.push_back({part.unit, part_of_tasks(part.estimate, tasks, open.hold.task_count),
                           part_of_tasks(part.granted, tasks, open.hold.task_count),
                           part.price_version});
  }
  place.transaction_id = fresh_token(now_);
  return place;
}

// Whether another budget than the one in force now was in force at that moment.
bool Reconciler::Pass::began_in_another(const OpenHold& open, Instant start) const {
  return owner_.committer_.read([&](const ledger::Book& book) {
    const ledger::Stage stage(book);
    return std::any_of(
        open.hold.parts.begin(), open.hold.parts.end(), [&](const ledger::HoldPart& part) {
          const auto then = ledger::find_legs(stage, open.hold.account, part.unit, "", start);
          const auto today = ledger::find_legs(stage, open.hold.account, part.unit, "", now_);
          return then.budget.is_set() && then.budget != today.budget;
        });
  });
}

// True when more of it has to move, into another period.
bool Reconciler::Pass::move_to_period(const OpenHold& open, Instant ended) {
  const ReconcilerOptions& options = owner_.options_;
  const QueueRows all = rows_of(*open.hold.job);
  // A cluster that was away shows its sibling of a job that runs elsewhere as waiting.
  const bool runs = ledger::is_federated(open.hold.job->job_id) &&
                    std::any_of(all.begin(), all.end(), [](const slurm::QueueJob* row) {
                      return is_live(*row) && !is_pending(*row);
                    });
  QueueRows rows;
  const slurm::QueueJob* began_before = nullptr;  // in a period that is over as well
  bool is_more = false;
  for (const slurm::QueueJob* row : all) {
    if (!is_live(*row) || awaits_runs(open, *row)) continue;
    if (runs && is_pending(*row)) continue;
    // It may have waited at the end, and started before a pass saw it.
    const bool waited = is_pending(*row) || (row->start && *row->start >= ended);
    const bool moves =
        (waited && options.moves_waiting) || (!is_pending(*row) && options.moves_running);
    if (!moves) continue;
    const bool is_of_another = !is_pending(*row) && waited && !options.moves_running &&
                               began_in_another(open, *row->start) && leaving_tasks(open, {row});
    if (is_of_another && began_before == nullptr) {
      began_before = row;
    } else if (is_of_another) {
      is_more = true;
    } else {
      rows.push_back(row);
    }
  }
  if (began_before != nullptr && move_rows(open, {began_before}, began_before->start)) {
    return is_more || !rows.empty();
  }
  (void)move_rows(open, rows, std::nullopt);
  return false;
}

// Into the period of that moment, or of now. False: none of them can leave, or the money is
// lacking.
bool Reconciler::Pass::move_rows(const OpenHold& open, const QueueRows& rows,
                                 std::optional<Instant> period_at) {
  const auto tasks = leaving_tasks(open, rows);
  if (!tasks) return false;
  ledger::PlaceHold place = same_place(open, static_cast<std::int64_t>(tasks->size()));
  const std::string name = place.transaction_id;
  if (!replace(open, rows, std::nullopt, std::move(place), {into_next, into_next, period_at})) {
    return false;
  }
  if (const auto request = owner_.known_.request(open.hold.request_id)) {
    owner_.known_.priced(name, *request);
  }
  return true;
}

void Reconciler::Pass::move_periods() {
  // Those whose job may be changing follow that first.
  const std::set<ledger::HoldId> changing = holds_being_changed();
  for (bool is_more = true; is_more;) {
    is_more = false;
    for (const OpenHold& open : holds_) {
      if (!open.hold.job || open.hold.backfilled || changing.contains(open.hold.id)) continue;
      const auto ended = period_end(open.hold);
      if (ended && move_to_period(open, *ended)) is_more = true;
    }
    if (replaced_) read_holds();
  }
}

// Whether a run of the job before that one has to be charged yet, out of this hold or without one.
bool Reconciler::Pass::awaits_earlier_run(const OpenHold& open,
                                          const slurm::AccountingRecord& record,
                                          const AccountingRows& runs) const {
  const HoldScope scope = scope_of(open.hold.group);
  return std::any_of(runs.begin(), runs.end(), [&](const slurm::AccountingRecord* other) {
    const std::int64_t run = other->run - 1;
    const ledger::ShareKey key{other->cluster, root_id(*other), -1, run, ""};
    const bool is_its = other->cluster == record.cluster && other->run < record.run &&
                        !other->status.revoked && pays_for_run(scope, -1, other->cluster, run);
    if (!is_its || settled_share(open.shares, key) != nullptr) return false;
    if (may_be_settled_elsewhere(open.hold, *other, key)) return false;
    const auto backfill = backfill_of(*other);
    return !backfill || !*backfill;
  });
}

// A run that is over began after its hold's period, and no pass saw it in between: true when the
// hold goes on into the period in which it began, where the next pass charges it, and what came of
// the job after it. A run before it is charged first. True as well when the ledger cannot be asked.
bool Reconciler::Pass::goes_to_next_period(const OpenHold& open,
                                           const slurm::AccountingRecord& record, std::int64_t task,
                                           const AccountingRows& runs) {
  if (!owner_.options_.moves_waiting || open.hold.status == ledger::HoldStatus::closed ||
      open.hold.backfilled) {
    return false;
  }
  if (moved_on_.contains({open.hold.id, task})) return true;
  if (!has_run(record)) return false;
  const auto ended = period_end(open.hold);
  if (!ended || *record.start < *ended) return false;
  const std::int64_t run = record.run - 1;
  if (task >= 0 && run > 0) return false;  // it stays with its array's hold
  if (run > 0 && awaits_earlier_run(open, record, runs)) return true;
  const Cause cause{into_next, into_next, record.start};
  const OpenHold current{as_it_is(open.hold), open.shares};
  RunCount behind = runs_behind(current);
  count_run(behind, {record.cluster, root_id(record), task, run - 1, ""});
  const auto placed = replace_tasks(current, {{task}, std::move(behind), true}, std::nullopt,
                                    same_place(current, 1), cause);
  if (placed && !*placed) return false;
  moved_on_.emplace(open.hold.id, task);
  return true;
}

}  // namespace asbb::service
