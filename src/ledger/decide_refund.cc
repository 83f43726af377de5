// What settled runs were charged, taken back from the budget that paid: as a refund, or onto
// another account that bears the cost.
#include <algorithm>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

// Settled runs of the hold that were charged in that unit and not given back in full, the first
// settled first; one of them alone when `key` names it.
std::vector<const Share*> charged_shares(const Stage& stage, HoldId hold, const std::string& unit,
                                         const std::optional<ShareKey>& key) {
  std::vector<const Share*> shares;
  for (const Share* share : stage.shares_of(hold)) {
    const bool fits = !key || share->key == *key;
    if (fits && share->status == ShareStatus::settled && share->unit == unit &&
        share->refunded < share->actual) {
      shares.push_back(share);
    }
  }
  std::sort(shares.begin(), shares.end(), [](const Share* a, const Share* b) {
    return std::pair(a->settled_at, a->id) < std::pair(b->settled_at, b->id);
  });
  return shares;
}

// Runs of one hold may together have cost more than 64 bits count: stops at `enough`.
Micros sum_of(const std::vector<const Share*>& shares, Micros enough) {
  Micros sum;
  for (const Share* share : shares) {
    sum += share->actual - share->refunded;
    if (sum >= enough) return sum;
  }
  return sum;
}

// What is taken back: from which part of which hold, out of which runs, how much.
struct Claim {
  const Hold* hold = nullptr;
  const HoldPart* paid = nullptr;
  std::vector<const Share*> shares;
  Micros amount;
};

// The claim of a Refund or WriteOff, or why it cannot be; without an amount it is all there is.
template <typename Action>
Outcome find_claim(const Stage& stage, const Context& context, const Action& action,
                   std::optional<Micros> amount, Claim& claim) {
  claim.hold = stage.hold(action.hold);
  if (claim.hold == nullptr) return refuse(Refusal::unknown_hold, "transaction_id");
  Outcome outcome = check_amount(context, amount.value_or(max_amount));
  if (!outcome.accepted()) return outcome;
  const auto& parts = claim.hold->parts;
  const auto paid = std::find_if(parts.begin(), parts.end(),
                                 [&](const HoldPart& part) { return part.unit == action.unit; });
  if (paid == parts.end()) return refuse(Refusal::unit_not_held, "unit");
  claim.paid = &*paid;
  claim.shares = charged_shares(stage, action.hold, action.unit, action.key);
  const Micros most = sum_of(claim.shares, amount.value_or(max_amount));
  claim.amount = amount.value_or(std::min(most, max_amount));
  outcome.account = claim.hold->account;
  outcome.budget = paid->budget;
  outcome.hold = claim.hold->id;
  outcome.unit = action.unit;
  outcome.amount = claim.amount;
  outcome.charged = most;
  if (most < claim.amount || most.is_zero()) {
    outcome.refusal = Refusal::exceeds_charge;
    outcome.field = "amount";
    return outcome;
  }
  if (const Leg* leg = leg_without(stage, paid->legs, claim.amount)) {
    return refuse_with_figures(stage, *leg, Refusal::exceeds_used, "amount", claim.amount);
  }
  return outcome;
}

// Marks it on the runs, the first settled first, and calls `write` with each and its amount.
template <typename Write>
void take_back(Stage& stage, const Claim& claim, Write write) {
  const bool added = add_to_legs(stage, claim.paid->legs, Micros(), Micros() - claim.amount);
  ASBB_ASSERT(added);
  Micros left = claim.amount;
  for (const Share* known : claim.shares) {
    const Micros back = std::min(left, known->actual - known->refunded);
    if (back.is_zero()) break;
    Share& share = stage.edit(known->id);
    share.refunded += back;
    left -= back;
    write(share.key, back);
  }
  ASBB_ASSERT(left.is_zero());
}

// The two lines of a run's cost that moves on.
void write_pair(Stage& stage, const Context& context, const Claim& claim, const Account& to,
                const Legs& target, const ShareKey& run, Micros amount) {
  const Hold& hold = *claim.hold;
  Entry out = entry_for(stage, context, EntryType::write_off_out, hold, *claim.paid);
  out.amount = amount;
  out.job = run;
  Entry in = out;
  out.details =
      RecordWriter().add("other_account", to.name).add("other_budget", target.budget.value).text();
  in.type = EntryType::write_off_in;
  in.account = to.id;
  in.account_name = to.name;
  in.budget = target.budget;
  in.details = RecordWriter()
                   .add("legs", to_string(target.legs))
                   .add("other_account", out.account_name)
                   .add("other_budget", claim.paid->budget.value)
                   .text();
  stage.add(std::move(out));
  stage.add(std::move(in));
}

}  // namespace

Outcome decide_action(Stage& stage, const Context& context, const Refund& action) {
  Claim claim;
  Outcome outcome = find_claim(stage, context, action, action.amount, claim);
  if (!outcome.accepted()) return outcome;
  take_back(stage, claim, [&](const ShareKey& run, Micros back) {
    Entry entry = entry_for(stage, context, EntryType::refund, *claim.hold, *claim.paid);
    entry.amount = back;
    entry.job = run;
    stage.add(std::move(entry));
  });
  outcome.leg = figures_of(stage, claim.paid->legs.front());
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const WriteOff& action) {
  Claim claim;
  Outcome outcome = find_claim(stage, context, action, action.amount, claim);
  if (!outcome.accepted()) return outcome;
  const Account* to = stage.account(action.to);
  if (to == nullptr) return refuse(Refusal::unknown_account, "to");
  if (to->status == AccountStatus::closed) return refuse(Refusal::account_closed, "to");
  const Legs target = find_legs(stage, to->id, action.unit, "", context.at);
  if (target.refusal != Refusal::none) {
    outcome.refusal = target.refusal;
    outcome.field = "to";
    return outcome;
  }
  if (target.budget == claim.paid->budget) return refuse(Refusal::same_budget, "to");
  // This first: it alone can fail, and then nothing has changed.
  if (!add_to_legs(stage, target.legs, Micros(), claim.amount)) return refuse(Refusal::overflow);
  take_back(stage, claim, [&](const ShareKey& run, Micros back) {
    write_pair(stage, context, claim, *to, target, run, back);
  });
  outcome.leg = figures_of(stage, claim.paid->legs.front());
  return outcome;
}

}  // namespace asbb::ledger
