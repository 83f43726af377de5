// What becomes of holds whose budget has ended (docs/concepts/job-life.md): a job that still waits
// will start in the next period and is held there; one that runs stays in the period in which it
// started, unless the settings say otherwise.
#include <algorithm>
#include <set>

#include "base/token.h"
#include "service/digest.h"
#include "service/job_change.h"
#include "service/reconciler_pass.h"

namespace asbb::service {

// Those that a budget pays which has ended.
std::set<ledger::HoldId> Reconciler::Pass::holds_of_ended_periods() const {
  return owner_.committer_.read([&](const ledger::Book& book) {
    std::set<ledger::HoldId> out;
    for (const OpenHold& open : holds_) {
      const auto& parts = open.hold.parts;
      const bool has_ended = std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
        return book.budget(part.budget)->end <= now_;
      });
      if (has_ended) out.insert(open.hold.id);
    }
    return out;
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

// Each task with what it has in the hold now. Its price stays the one at which it was held.
void Reconciler::Pass::move_to_period(const OpenHold& open) {
  const ReconcilerOptions& options = owner_.options_;
  QueueRows rows;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (!is_live(*row) || awaits_runs(open, *row)) continue;
    if (is_pending(*row) ? options.moves_waiting : options.moves_running) rows.push_back(row);
  }
  const auto tasks = leaving_tasks(open, rows);
  if (!tasks) return;
  ledger::PlaceHold place;
  place.account = account_of(open.hold.id);
  place.partition = open.hold.partition;
  for (const ledger::HoldPart& part : open.hold.parts) {
    const auto count = static_cast<std::int64_t>(tasks->size());
    place.parts.push_back({part.unit, part_of_tasks(part.estimate, count, open.hold.task_count),
                           part_of_tasks(part.granted, count, open.hold.task_count),
                           part.price_version});
  }
  const std::string name = fresh_token(now_);
  place.transaction_id = name;
  const Cause cause{"goes on into the next period of its account",
                    "goes on into the next period of its account", std::nullopt};
  if (!replace(open, rows, std::nullopt, std::move(place), cause)) return;
  if (const auto request = owner_.known_.request(open.hold.request_id)) {
    owner_.known_.priced(name, *request);
  }
}

void Reconciler::Pass::move_periods() {
  const std::set<ledger::HoldId> ended = holds_of_ended_periods();
  // Those whose job may be changing follow that first.
  const std::set<ledger::HoldId> changing = holds_being_changed();
  for (const OpenHold& open : holds_) {
    if (!open.hold.job || open.hold.backfilled || changing.contains(open.hold.id)) continue;
    if (ended.contains(open.hold.id)) move_to_period(open);
  }
  if (replaced_) read_holds();
}

}  // namespace asbb::service
