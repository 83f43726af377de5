// What a budget leaves at its end goes on into the account's next budget of that unit, as far as
// its own rule says. Counted over all that ever came free, so that it does not matter in how many
// pieces it does: the sum of what was carried is the rule's part of that, rounded down once.
#include <algorithm>

#include "base/assert.h"
#include "ledger/decide.h"

namespace asbb::ledger {
namespace {

// The account's first budget of that unit that starts when this one ends, or later.
const Budget* next_budget(const Stage& stage, const Budget& ended) {
  const Budget* next = nullptr;
  for (const BudgetId id : stage.budgets_of(ended.account)) {
    const Budget* budget = stage.budget(id);
    if (budget->unit != ended.unit || budget->start < ended.end) continue;
    if (next == nullptr || budget->start < next->start) next = budget;
  }
  return next;
}

// The rule's part of what came free, less what was carried of it. Not above what is available,
// because the part is not above the whole.
Micros due(const Budget& ended) {
  const Micros free = ended.available() + ended.carried;
  if (free <= Micros()) return Micros();
  // Rounded down: minus the rounded-up negative.
  const auto part = mul_div(-free.count(), ended.carry_over_millionths, carry_all, Rounding::up);
  ASBB_ASSERT(part.has_value());
  return Micros(-*part) - ended.carried;
}

// Whether anything was carried.
bool carry_from(Stage& stage, const Context& context, BudgetId id) {
  const Budget* ended = stage.budget(id);
  const Budget* next = next_budget(stage, *ended);
  if (next == nullptr) return false;
  // What the next one cannot take stays until it can.
  const Micros amount = std::min({due(*ended), max_amount - next->limit,
                                  counter_max - ended->carried, counter_max - next->carried_in});
  if (amount <= Micros()) return false;
  const BudgetId target = next->id;
  stage.edit(id).carried += amount;
  stage.edit(target).carried_in += amount;
  move_limit(stage, context, id, EntryType::carry_out, amount, target);
  move_limit(stage, context, target, EntryType::carry_in, amount, id);
  return true;
}

}  // namespace

void carry_over(Stage& stage, const Context& context, AccountId account) {
  if (stage.account(account)->status == AccountStatus::closed) return;
  // In order of their ends: what comes into one that has ended as well goes on from there.
  std::vector<std::pair<Instant, BudgetId>> ended;
  for (const BudgetId id : stage.budgets_of(account)) {
    const Budget* budget = stage.budget(id);
    if (budget->carry_over_millionths > 0 && budget->end <= context.at) {
      ended.emplace_back(budget->end, id);
    }
  }
  std::sort(ended.begin(), ended.end());
  // What goes on from one that was full makes room in it.
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [end, id] : ended) moved |= carry_from(stage, context, id);
  }
}

Outcome decide_action(Stage& stage, const Context& context, const CarryOver&) {
  for (const AccountId account : stage.accounts_with_ended(context.at)) {
    carry_over(stage, context, account);
  }
  return {};
}

}  // namespace asbb::ledger
