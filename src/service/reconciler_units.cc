// Holds in several units. A job that may run on clusters or partitions that are priced in different
// units has a part in each; once it runs, one of them is enough and the others go back. When it
// waits again after a requeue it may need them anew, and so it may when it goes on elsewhere.
#include <algorithm>

#include "base/token.h"
#include "service/digest.h"
#include "service/job_change.h"
#include "service/reconciler_pass.h"
#include "service/submission_gate.h"

namespace asbb::service {
namespace {

const ledger::HoldPart* part_in(const ledger::Hold& hold, const std::string& unit) {
  const auto found = std::find_if(hold.parts.begin(), hold.parts.end(),
                                  [&](const auto& part) { return part.unit == unit; });
  return found == hold.parts.end() ? nullptr : &*found;
}

ledger::PlacePart same_part(const ledger::HoldPart& part) {
  return {part.unit, part.estimate, part.granted, part.price_version};
}

// The dearest of each unit.
void add_dearest(std::vector<ledger::PlacePart>& parts, const ledger::PlacePart& more) {
  const auto known = std::find_if(parts.begin(), parts.end(),
                                  [&](const auto& part) { return part.unit == more.unit; });
  if (known == parts.end()) {
    parts.push_back(more);
  } else if (known->amount < more.amount) {
    *known = more;
  }
}

}  // namespace

// The rows that say where the job runs or may run: a running one alone, since its siblings will be
// revoked, or one of each cluster. None for an array, whose tasks each go their way.
Reconciler::Pass::QueueRows Reconciler::Pass::rows_of_units(const OpenHold& open) const {
  QueueRows rows;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (!is_live(*row)) continue;
    if (row->array_job_id != 0) return {};
    if (!is_pending(*row)) return {row};
    rows.push_back(row);
  }
  return rows;
}

// What the job needs now: as it was held where the hold has it, else as it costs today. Empty when
// nothing has changed, or when that cannot be said.
std::vector<ledger::PlacePart> Reconciler::Pass::parts_needed(const ledger::Hold& hold,
                                                              const QueueRows& rows) const {
  const slurm::QueueJob& first = *rows.front();
  if (is_pending(first) && first.restart_count == 0) return {};
  if (!is_pending(first)) {
    const auto history = owner_.prices_.history();
    const auto* part = paying_part(hold, *history, first.cluster, first.partition);
    if (part != nullptr) return {same_part(*part)};
    const pricing::PriceBook* book = history->in_force(now_);
    if (book == nullptr || book->find_priced(first.cluster, first.partition) == nullptr) return {};
  }
  const auto price = owner_.known_.pricer();
  if (!price) return {};
  std::vector<ledger::PlacePart> parts;
  for (const slurm::QueueJob* row : rows) {
    api::Submission request = submission_of(*row);
    request.clusters = row->cluster;
    const Verdict verdict = price(request);
    if (std::holds_alternative<Denial>(verdict)) return {};
    const auto* plan = std::get_if<HoldPlan>(&verdict);
    if (plan == nullptr) continue;
    for (const ledger::PlacePart& planned : parts_of(*plan)) {
      const auto* part = part_in(hold, planned.unit);
      add_dearest(parts, part == nullptr ? planned : same_part(*part));
    }
  }
  return parts;
}

// Whether what is not needed may go: every run before this one is settled, and a job that waits was
// looked for on every cluster.
bool Reconciler::Pass::may_drop_units(const OpenHold& open, const slurm::QueueJob& row) const {
  if (has_unsettled_runs(open, row)) return false;
  if (!is_pending(row)) return true;
  const auto clusters = owner_.source_.clusters();
  return std::all_of(clusters.begin(), clusters.end(),
                     [&](const std::string& cluster) { return whole_queue(cluster) != nullptr; });
}

void Reconciler::Pass::follow_units(const OpenHold& open) {
  const QueueRows rows = rows_of_units(open);
  std::vector<ledger::PlacePart> parts = parts_needed(open.hold, rows);
  if (parts.empty()) return;
  const auto& had = open.hold.parts;
  if (!may_drop_units(open, *rows.front())) {
    for (const ledger::HoldPart& part : had) add_dearest(parts, same_part(part));
  }
  const bool is_same =
      parts.size() == had.size() && std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
        return part_in(open.hold, part.unit) != nullptr;
      });
  if (is_same) return;
  ledger::PlaceHold place;
  place.account = account_of(open.hold.id);
  // Reports and limits go by it: not by the one of a cluster that lost.
  const slurm::QueueJob& first = *rows.front();
  place.partition = is_pending(first) ? open.hold.partition : first.partition;
  place.parts = std::move(parts);
  const std::string name = fresh_token(now_);
  place.transaction_id = name;
  const Cause cause{"needs other units", "is in the units that it needs", open.hold.placed_at};
  if (!replace(open, rows, std::nullopt, std::move(place), cause)) return;
  if (const auto request = owner_.known_.request(open.hold.request_id)) {
    owner_.known_.priced(name, *request);
  }
}

// Whether the hold may have parts too many, or too few.
bool Reconciler::Pass::may_need_other_units(const OpenHold& open) const {
  if (!open.hold.job || open.hold.backfilled || is_proposal(open.hold)) return false;
  const QueueRows rows = rows_of_units(open);
  if (rows.empty()) return false;
  const slurm::QueueJob& row = *rows.front();
  if (open.hold.parts.size() > 1 || row.restart_count > 0) return true;
  const auto history = owner_.prices_.history();
  return !is_pending(row) &&
         paying_part(open.hold, *history, row.cluster, row.partition) == nullptr;
}

void Reconciler::Pass::follow_all_units() {
  const std::set<ledger::HoldId> changing = holds_being_changed();
  const auto may_change = [&](const OpenHold& open) {
    return may_need_other_units(open) && !changing.contains(open.hold.id);
  };
  if (std::none_of(holds_.begin(), holds_.end(), may_change)) return;
  read_holds();
  for (const OpenHold& open : holds_) {
    if (may_change(open)) follow_units(open);
  }
  if (replaced_) read_holds();
}

}  // namespace asbb::service
