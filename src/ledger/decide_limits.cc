// Limits of partitions inside budgets. They go on from period to period, so that none vanishes
// because a budget ends.
#include <algorithm>

#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

constexpr std::size_t name_length_max = 128;

std::optional<LimitId> limit_of(const Stage& stage, BudgetId budget, const std::string& partition) {
  for (const LimitId id : stage.limits_of(budget)) {
    if (stage.limit(id)->partition == partition) return id;
  }
  return std::nullopt;
}

void set_limit(Stage& stage, const Context& context, BudgetId id, const std::string& partition,
               Micros most) {
  const Budget& budget = *stage.budget(id);
  auto known = limit_of(stage, id, partition);
  if (!known) {
    PartitionLimit fresh;
    fresh.budget = id;
    fresh.partition = partition;
    known = stage.add(std::move(fresh)).id;
  }
  PartitionLimit& limit = stage.edit(*known);
  limit.limit = most;
  limit.updated_at = context.at;
  Entry entry = account_entry(context, EntryType::limit_set, *stage.account(budget.account));
  entry.budget = id;
  entry.unit = budget.unit;
  entry.amount = most;
  entry.partition = partition;
  entry.details = RecordWriter().add("limit", known->value).text();
  stage.add(std::move(entry));
}

// The account's budgets of that unit in order of their periods.
std::vector<const Budget*> periods_of(const Stage& stage, AccountId account,
                                      const std::string& unit) {
  std::vector<const Budget*> periods;
  for (const BudgetId id : stage.budgets_of(account)) {
    if (stage.budget(id)->unit == unit) periods.push_back(stage.budget(id));
  }
  std::sort(periods.begin(), periods.end(),
            [](const Budget* a, const Budget* b) { return a->start < b->start; });
  return periods;
}

// The budget and those after it that have the same limit for the partition, or none: they follow
// each other until somebody sets one apart.
std::vector<BudgetId> limited_together(const Stage& stage, const Budget& first,
                                       const std::string& partition) {
  const auto limit = [&](BudgetId budget) {
    const auto id = limit_of(stage, budget, partition);
    return id ? stage.limit(*id)->limit : std::nullopt;
  };
  const auto before = limit(first.id);
  std::vector<BudgetId> together{first.id};
  for (const Budget* budget : periods_of(stage, first.account, first.unit)) {
    if (budget->start <= first.start) continue;
    const auto own = limit(budget->id);
    if (own && own != before) break;
    together.push_back(budget->id);
  }
  return together;
}

}  // namespace

bool is_valid_name(const std::string& name) {
  if (name.empty() || name.size() > name_length_max || name.front() == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '@' || c == '+' || c == ':';
  });
}

bool is_valid_limit(Micros limit) {
  return !limit.is_negative() && limit <= max_amount;
}

void inherit_limits(Stage& stage, const Context& context, BudgetId id) {
  const Budget* before = nullptr;
  for (const Budget* budget :
       periods_of(stage, stage.budget(id)->account, stage.budget(id)->unit)) {
    if (budget->start < stage.budget(id)->start) before = budget;
  }
  if (before == nullptr) return;
  for (const LimitId limit : stage.limits_of(before->id)) {
    const PartitionLimit known = *stage.limit(limit);
    if (known.limit) set_limit(stage, context, id, known.partition, *known.limit);
  }
}

Outcome decide_action(Stage& stage, const Context& context, const SetPartitionLimit& action) {
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  if (account->status == AccountStatus::closed) return refuse(Refusal::account_closed, "account");
  if (!is_valid_name(action.partition)) return refuse(Refusal::bad_name, "partition");
  if (!is_valid_limit(action.limit)) return refuse(Refusal::bad_amount, "limit");
  const Budget* budget = nearest_budget(stage, account->id, action.unit, context.at);
  if (budget == nullptr) return refuse(Refusal::unknown_budget, "unit");
  Outcome outcome;
  outcome.account = account->id;
  outcome.budget = budget->id;
  outcome.unit = budget->unit;
  const auto together = limited_together(stage, *budget, action.partition);
  for (const BudgetId id : together) {
    const auto limit = limit_of(stage, id, action.partition);
    const PartitionLimit* known = limit ? stage.limit(*limit) : nullptr;
    if (known != nullptr && (!known->limit || action.limit < *known->limit) &&
        action.limit < known->held + known->used) {
      return refuse_with_figures(stage, {Leg::Kind::partition_limit, limit->value},
                                 Refusal::limit_below_committed, "limit", action.limit);
    }
  }
  for (const BudgetId id : together) {
    set_limit(stage, context, id, action.partition, action.limit);
  }
  outcome.amount = action.limit;
  return outcome;
}

}  // namespace asbb::ledger
