// Money that people move: corrections, deposits, withdrawals, transfers and refunds. Each has a
// reason.
#include <algorithm>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

bool has_reason(const Context& context) {
  return context.reason.find_first_not_of(" \t\r\n") != std::string::npos &&
         is_valid_text(context.reason);
}

// The first leg that has used less than the amount; nullptr when all have used as much.
const Leg* leg_without(const Stage& stage, const std::vector<Leg>& legs, Micros used) {
  const auto found = std::find_if(
      legs.begin(), legs.end(), [&](const Leg& leg) { return figures_of(stage, leg).used < used; });
  return found == legs.end() ? nullptr : &*found;
}

Outcome check_amount(const Context& context, Micros amount) {
  if (amount <= Micros() || amount > max_amount) return refuse(Refusal::bad_amount, "amount");
  if (!has_reason(context)) return refuse(Refusal::reason_missing, "reason");
  return {};
}

Leg leg_of(const Budget& budget) {
  return {Leg::Kind::budget, budget.id.value};
}

// The budget that money goes into, in `budget`, or why it cannot.
Outcome find_target(const Stage& stage, const Context& context, const std::string& name,
                    const std::string& field, const std::string& unit, Micros amount,
                    const Budget*& budget) {
  const Account* account = stage.account(name);
  if (account == nullptr) return refuse(Refusal::unknown_account, field);
  if (account->status == AccountStatus::closed) return refuse(Refusal::account_closed, field);
  budget = nearest_budget(stage, account->id, unit, context.at);
  if (budget == nullptr) return refuse(Refusal::unknown_budget, "unit");
  if (budget->end <= context.at) {
    return refuse_with_figures(stage, leg_of(*budget), Refusal::budget_ended, "unit", amount);
  }
  if (max_amount - budget->limit < amount) {
    return refuse_with_figures(stage, leg_of(*budget), Refusal::limit_too_large, "amount", amount);
  }
  return {};
}

// The budget that money comes out of, in `budget`, or why it cannot. Also of a closed account, so
// that what is left there can be used elsewhere.
Outcome find_source(const Stage& stage, const Context& context, const std::string& name,
                    const std::string& unit, Micros amount, const Budget*& budget) {
  const Account* account = stage.account(name);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  budget = nearest_budget(stage, account->id, unit, context.at);
  if (budget == nullptr) return refuse(Refusal::unknown_budget, "unit");
  if (budget->available() < amount) {
    return refuse_with_figures(stage, leg_of(*budget), Refusal::exceeds_available, "amount",
                               amount);
  }
  return {};
}

// Moves the limit and writes the entry; `other` is the budget at the other end of a transfer.
void move_limit(Stage& stage, const Context& context, BudgetId id, EntryType type, Micros amount,
                BudgetId other = {}) {
  const bool comes_in = type == EntryType::deposit || type == EntryType::transfer_in;
  Budget& budget = stage.edit(id);
  budget.limit += comes_in ? amount : Micros() - amount;
  budget.updated_at = context.at;
  Entry entry = account_entry(context, type, *stage.account(budget.account));
  entry.budget = id;
  entry.unit = budget.unit;
  entry.amount = amount;
  RecordWriter details;
  details.add("limit_micros", budget.limit.count());
  if (other.is_set()) {
    details.add("other_account", stage.account(stage.budget(other)->account)->name)
        .add("other_budget", other.value);
  }
  entry.details = details.text();
  stage.add(std::move(entry));
}

Outcome moved(const Stage& stage, BudgetId id, Micros amount) {
  const Budget* budget = stage.budget(id);
  Outcome outcome;
  outcome.account = budget->account;
  outcome.budget = id;
  outcome.unit = budget->unit;
  outcome.amount = amount;
  outcome.leg = figures_of(stage, leg_of(*budget));
  return outcome;
}

// Settled runs of the hold that were charged in that unit and not refunded in full, first settled
// first.
std::vector<const Share*> refundable_shares(const Stage& stage, const Refund& action) {
  std::vector<const Share*> shares;
  for (const Share* share : stage.shares_of(action.hold)) {
    const bool fits = !action.key || share->key == *action.key;
    if (fits && share->status == ShareStatus::settled && share->unit == action.unit &&
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
Micros refundable_sum(const std::vector<const Share*>& shares, Micros enough) {
  Micros sum;
  for (const Share* share : shares) {
    sum += share->actual - share->refunded;
    if (sum >= enough) return sum;
  }
  return sum;
}

}  // namespace

Outcome decide_action(Stage& stage, const Context& context, const Adjust& action) {
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  if (action.amount > max_amount || action.amount < Micros(-max_amount.count()) ||
      action.amount.is_zero()) {
    return refuse(Refusal::bad_amount, "amount");
  }
  if (!has_reason(context)) return refuse(Refusal::reason_missing, "reason");
  const Legs legs = find_legs(stage, account->id, action.unit, "", context.at);
  if (legs.refusal != Refusal::none) return refuse(legs.refusal, "unit");
  Outcome outcome;
  outcome.account = account->id;
  outcome.budget = legs.budget;
  outcome.unit = action.unit;
  outcome.amount = action.amount;
  outcome.leg = figures_of(stage, legs.legs.front());
  if (const Leg* leg = leg_without(stage, legs.legs, Micros() - action.amount)) {
    return refuse_with_figures(stage, *leg, Refusal::exceeds_used, "amount", action.amount);
  }
  if (!add_to_legs(stage, legs.legs, Micros(), action.amount)) return refuse(Refusal::overflow);
  Entry entry = account_entry(context, EntryType::adjustment, *account);
  entry.budget = legs.budget;
  entry.unit = action.unit;
  entry.amount = action.amount;
  entry.details = RecordWriter().add("legs", to_string(legs.legs)).text();
  stage.add(std::move(entry));
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const Deposit& action) {
  Outcome outcome = check_amount(context, action.amount);
  const Budget* budget = nullptr;
  if (outcome.accepted()) {
    outcome =
        find_target(stage, context, action.account, "account", action.unit, action.amount, budget);
  }
  if (!outcome.accepted()) return outcome;
  const BudgetId id = budget->id;
  move_limit(stage, context, id, EntryType::deposit, action.amount);
  return moved(stage, id, action.amount);
}

Outcome decide_action(Stage& stage, const Context& context, const Withdraw& action) {
  Outcome outcome = check_amount(context, action.amount);
  const Budget* budget = nullptr;
  if (outcome.accepted()) {
    outcome = find_source(stage, context, action.account, action.unit, action.amount, budget);
  }
  if (!outcome.accepted()) return outcome;
  const BudgetId id = budget->id;
  move_limit(stage, context, id, EntryType::withdrawal, action.amount);
  return moved(stage, id, action.amount);
}

Outcome decide_action(Stage& stage, const Context& context, const Transfer& action) {
  Outcome outcome = check_amount(context, action.amount);
  const Budget* from = nullptr;
  const Budget* to = nullptr;
  if (outcome.accepted()) {
    outcome = find_source(stage, context, action.from, action.unit, action.amount, from);
  }
  if (outcome.accepted()) {
    outcome = find_target(stage, context, action.to, "to", action.unit, action.amount, to);
  }
  if (!outcome.accepted()) return outcome;
  if (from->id == to->id) return refuse(Refusal::same_budget, "to");
  const BudgetId source = from->id;
  const BudgetId target = to->id;
  move_limit(stage, context, source, EntryType::transfer_out, action.amount, target);
  move_limit(stage, context, target, EntryType::transfer_in, action.amount, source);
  return moved(stage, source, action.amount);
}

Outcome decide_action(Stage& stage, const Context& context, const Refund& action) {
  const Hold* hold = stage.hold(action.hold);
  if (hold == nullptr) return refuse(Refusal::unknown_hold, "transaction_id");
  Outcome outcome = check_amount(context, action.amount);
  if (!outcome.accepted()) return outcome;
  const auto paid = std::find_if(hold->parts.begin(), hold->parts.end(),
                                 [&](const HoldPart& part) { return part.unit == action.unit; });
  if (paid == hold->parts.end()) return refuse(Refusal::unit_not_held, "unit");
  const auto shares = refundable_shares(stage, action);
  outcome.account = hold->account;
  outcome.budget = paid->budget;
  outcome.hold = hold->id;
  outcome.unit = action.unit;
  outcome.amount = action.amount;
  outcome.charged = refundable_sum(shares, action.amount);
  if (outcome.charged < action.amount) {
    outcome.refusal = Refusal::exceeds_charge;
    outcome.field = "amount";
    return outcome;
  }
  if (const Leg* leg = leg_without(stage, paid->legs, action.amount)) {
    return refuse_with_figures(stage, *leg, Refusal::exceeds_used, "amount", action.amount);
  }
  const bool added = add_to_legs(stage, paid->legs, Micros(), Micros() - action.amount);
  ASBB_ASSERT(added);
  Micros left = action.amount;
  for (const Share* known : shares) {
    const Micros back = std::min(left, known->actual - known->refunded);
    if (back.is_zero()) break;
    Share& share = stage.edit(known->id);
    share.refunded += back;
    left -= back;
    Entry entry = entry_for(stage, context, EntryType::refund, *hold, *paid);
    entry.amount = back;
    entry.job = share.key;
    stage.add(std::move(entry));
  }
  ASBB_ASSERT(left.is_zero());
  outcome.leg = figures_of(stage, paid->legs.front());
  return outcome;
}

}  // namespace asbb::ledger
