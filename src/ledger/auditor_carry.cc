// The auditor's checks of what is due to be carried over: it must have come before the ledger's
// time moves on.
#include <algorithm>

#include "ledger/auditor_state.h"

namespace asbb::ledger {
const AuditedLimit* Auditor::State::next_of(const AuditedLimit& budget, std::int64_t& id) const {
  const AuditedLimit* next = nullptr;
  for (const std::int64_t other_id : accounts.at(budget.account).budgets) {
    const AuditedLimit& other = budgets.at(other_id);
    if (other.unit != budget.unit || other.start_us < budget.end_us) continue;
    if (next == nullptr || other.start_us < next->start_us) {
      next = &other;
      id = other_id;
    }
  }
  return next;
}

// Carried is, all in all, the rule's part of what came free in the budget, and no more than the
// next one can take.
AuditSum Auditor::State::due_of(const AuditedLimit& budget) const {
  std::int64_t id = 0;
  const AuditedLimit* next = next_of(budget, id);
  if (next == nullptr) return 0;
  const AuditSum free = budget.limit - budget.held - budget.used + budget.carried;
  const AuditSum part = free <= 0 ? 0 : free * budget.carry_share / audit_whole;
  return std::min({part - budget.carried, audit_limit_edge - next->limit,
                   audit_counter_edge - budget.carried, audit_counter_edge - next->carried_in});
}

// Something happened to a budget of the account, or to its rule: those that have ended may have
// something to carry.
void Auditor::State::may_carry(std::int64_t account, std::int64_t at_us) {
  const AuditedAccount& owner = accounts[account];
  if (owner.carrying == 0) return;
  for (const std::int64_t id : owner.budgets) {
    const AuditedLimit& budget = budgets[id];
    if (budget.carry_share > 0 && budget.end_us <= at_us) carry_due.insert(id);
  }
}

std::string Auditor::State::carry_left() const {
  for (const std::int64_t id : carry_due) {
    const AuditedLimit& budget = budgets.at(id);
    if (accounts.at(budget.account).status == "closed") continue;
    if (const AuditSum due = due_of(budget); due > 0) {
      return "budget " + std::to_string(id) + " has not carried over " + audit_amount(due) +
             " that was due";
    }
  }
  return {};
}

void Auditor::State::time_moves(const AuditRecord& record) {
  if (record.at_us <= last_at_us) return;
  if (const std::string fault = carry_left(); !fault.empty()) problem(record.sequence, fault);
  carry_due.clear();
  while (!carry_ends.empty() && carry_ends.begin()->first <= record.at_us) {
    carry_due.insert(carry_ends.begin()->second);
    carry_ends.erase(carry_ends.begin());
  }
}

// Each account's last budget that ended before, else the first to come.
AuditLegs Auditor::State::legs_out_of_force(const AuditRecord& record, std::int64_t at_us) const {
  AuditLegs out;
  auto account = accounts.find(record.account);
  while (account != accounts.end()) {
    std::int64_t ended = 0;
    std::int64_t coming = 0;
    for (const std::int64_t id : account->second.budgets) {
      const AuditedLimit& budget = budgets.at(id);
      if (budget.unit != record.unit) continue;
      std::int64_t& best = budget.end_us <= at_us ? ended : coming;
      const bool is_later = best != 0 && budgets.at(best).start_us < budget.start_us;
      if (best == 0 || is_later == (&best == &ended)) best = id;
    }
    if (const std::int64_t id = ended != 0 ? ended : coming; id != 0) {
      out.emplace_back('b', id);
      if (!record.partition.empty()) out.emplace_back('l', partition_of(id, record.partition));
    }
    const auto parent = account_names.find(account->second.parent);
    account = parent == account_names.end() ? accounts.end() : accounts.find(parent->second);
  }
  return out;
}

}  // namespace asbb::ledger
