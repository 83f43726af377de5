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

}  // namespace

// What the job needs now: as it was held where the hold has it, else as it costs today. Empty when
// nothing has changed, or when that cannot be said.
std::vector<ledger::PlacePart> Reconciler::Pass::parts_needed(const ledger::Hold& hold,
                                                              const slurm::QueueJob& row) const {
  if (is_pending(row) && row.restart_count == 0) return {};
  if (!is_pending(row)) {
    const auto history = owner_.prices_.history();
    const pricing::PriceBook* book = history->in_force(now_);
    const pricing::Rate* rate =
        book == nullptr ? nullptr : book->find_priced(row.cluster, row.partition);
    if (rate == nullptr) return {};
    if (const auto* part = part_in(hold, rate->unit)) return {same_part(*part)};
  }
  const auto price = owner_.known_.pricer();
  if (!price) return {};
  api::Submission request = submission_of(row);
  if (!is_pending(row)) request.clusters = row.cluster;
  const Verdict verdict = price(request);
  const auto* plan = std::get_if<HoldPlan>(&verdict);
  if (plan == nullptr) return {};
  std::vector<ledger::PlacePart> parts;
  for (const ledger::PlacePart& planned : parts_of(*plan)) {
    const auto* part = part_in(hold, planned.unit);
    parts.push_back(part == nullptr ? planned : same_part(*part));
  }
  return parts;
}

// The row that says where the job runs or waits; null for an array, whose tasks each go their way.
const slurm::QueueJob* Reconciler::Pass::row_of_units(const OpenHold& open) const {
  const slurm::QueueJob* found = nullptr;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (!is_live(*row)) continue;
    if (row->array_job_id != 0) return nullptr;
    // Where it runs counts: the others are siblings that will be revoked.
    if (found == nullptr || !is_pending(*row)) found = row;
  }
  return found;
}

void Reconciler::Pass::follow_units(const OpenHold& open) {
  const slurm::QueueJob* row = row_of_units(open);
  if (row == nullptr) return;
  std::vector<ledger::PlacePart> parts = parts_needed(open.hold, *row);
  const auto& had = open.hold.parts;
  const bool is_same =
      parts.size() == had.size() && std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
        return part_in(open.hold, part.unit) != nullptr;
      });
  if (parts.empty() || is_same) return;
  ledger::PlaceHold place;
  place.account = account_of(open.hold.id);
  place.partition = open.hold.partition;
  place.parts = std::move(parts);
  const std::string name = fresh_token(now_);
  place.transaction_id = name;
  const Cause cause{"needs other units", "is in the units that it needs", open.hold.placed_at};
  if (!replace(open, {row}, std::nullopt, std::move(place), cause)) return;
  if (const auto request = owner_.known_.request(open.hold.request_id)) {
    owner_.known_.priced(name, *request);
  }
}

void Reconciler::Pass::follow_all_units() {
  std::set<ledger::HoldId> changing;
  for (const OpenHold& open : holds_) {
    if (is_proposal(open.hold)) changing.insert(proposal_of(open.hold.group)->hold);
  }
  const auto may_change = [&](const OpenHold& open) {
    if (!open.hold.job || open.hold.backfilled || is_proposal(open.hold)) return false;
    if (changing.contains(open.hold.id)) return false;
    const slurm::QueueJob* row = row_of_units(open);
    return row != nullptr && (open.hold.parts.size() > 1 || row->restart_count > 0);
  };
  if (std::none_of(holds_.begin(), holds_.end(), may_change)) return;
  read_holds();
  for (const OpenHold& open : holds_) {
    if (may_change(open)) follow_units(open);
  }
  if (replaced_) read_holds();
}

}  // namespace asbb::service
