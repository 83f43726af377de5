// Accounts, budgets and prices.
#include <algorithm>
#include <set>

#include "base/assert.h"
#include "base/text.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

constexpr std::size_t aliases_max = 100;
constexpr std::size_t owners_max = 20;
constexpr std::int64_t hold_factor_max = 100'000'000;  // x 100

bool is_valid_factor(std::optional<std::int64_t> factor) {
  return !factor || (*factor > 0 && *factor <= hold_factor_max);
}

// A user name, or a mail address.
bool is_valid_owner(const std::string& owner) {
  const std::size_t at = owner.find('@');
  const bool is_address = at != std::string::npos;
  if (is_address && (at == 0 || at + 1 == owner.size())) return false;
  return is_valid_name(owner) && owner.find(':') == std::string::npos &&
         (!is_address || owner.find('@', at + 1) == std::string::npos);
}

// In order, each once.
std::vector<std::string> sorted(const std::vector<std::string>& names) {
  const std::set<std::string> set(names.begin(), names.end());
  return {set.begin(), set.end()};
}

std::string account_details(const Stage& stage, const Account& account) {
  RecordWriter writer;
  writer.add("display_name", account.display_name).add("description", account.description);
  const Account* parent = stage.account(account.parent);
  writer.add("parent", parent == nullptr ? "" : parent->name);
  writer.add("status", to_string(account.status));
  if (account.may_convert) writer.add("may_convert", 1);
  if (!account.aliases.empty()) writer.add("aliases", joined(account.aliases, ","));
  if (!account.owners.empty()) writer.add("owners", joined(account.owners, ","));
  if (account.hold_factor_millionths) {
    writer.add("hold_factor_millionths", *account.hold_factor_millionths);
  }
  return writer.text();
}

void write_budget_entry(Stage& stage, const Context& context, EntryType type,
                        const Budget& budget) {
  Entry entry = account_entry(context, type, *stage.account(budget.account));
  entry.budget = budget.id;
  entry.unit = budget.unit;
  entry.amount = budget.limit;
  RecordWriter details;
  details.add("start_us", budget.start.microseconds)
      .add("end_us", budget.end.microseconds)
      .add("credit_limit_micros", budget.credit_limit.count());
  if (budget.carry_over_millionths > 0) {
    details.add("carry_over_millionths", budget.carry_over_millionths);
  }
  if (budget.granted() != budget.limit) details.add("granted_micros", budget.granted().count());
  entry.details = details.text();
  stage.add(std::move(entry));
}

Outcome check_budget(const Stage& stage, AccountId account, const NewBudget& budget,
                     BudgetId except = {}) {
  if (!is_valid_unit(budget.unit)) return refuse(Refusal::bad_name, "unit");
  if (!is_valid_limit(budget.limit)) return refuse(Refusal::bad_amount, "budget_limit");
  if (!is_valid_limit(budget.credit_limit)) return refuse(Refusal::bad_amount, "credit_limit");
  if (budget.carry_over_millionths < 0 || budget.carry_over_millionths > carry_all) {
    return refuse(Refusal::bad_amount, "carry_over");
  }
  if (budget.end <= budget.start) return refuse(Refusal::bad_period, "end_date");
  for (const BudgetId id : stage.budgets_of(account)) {
    const Budget* other = stage.budget(id);
    if (id == except || other->unit != budget.unit) continue;
    if (other->start < budget.end && budget.start < other->end) {
      return refuse(Refusal::budget_overlaps, "start_date");
    }
  }
  return {};
}

Budget& add_budget(Stage& stage, const Context& context, AccountId account, const NewBudget& from) {
  Budget budget;
  budget.account = account;
  budget.unit = from.unit;
  budget.start = from.start;
  budget.end = from.end;
  budget.limit = from.limit;
  budget.credit_limit = from.credit_limit;
  budget.carry_over_millionths = from.carry_over_millionths;
  budget.created_at = budget.updated_at = context.at;
  Budget& added = stage.add(std::move(budget));
  write_budget_entry(stage, context, EntryType::budget_create, added);
  inherit_limits(stage, context, added.id);
  return added;
}

bool makes_cycle(const Stage& stage, AccountId account, AccountId parent) {
  for (AccountId id = parent; id.is_set(); id = stage.account(id)->parent) {
    if (id == account) return true;
  }
  return false;
}

// The first of the account's own budgets of that unit that shares a moment with [start, end).
const Budget* overlapped_budget(const Stage& stage, AccountId account, const std::string& unit,
                                Instant start, Instant end) {
  for (const BudgetId id : stage.budgets_of(account)) {
    const Budget* budget = stage.budget(id);
    if (budget->unit == unit && budget->start < end && start < budget->end) return budget;
  }
  return nullptr;
}

// What an update does to budgets: changes one, adds one, or neither.
struct BudgetPlan {
  BudgetId change;
  bool adds = false;
  NewBudget wanted;  // as the budget will be
};

bool is_committed(const Budget& budget) {
  return !budget.held.is_zero() || !budget.used.is_zero();
}

// The limit that a declared one comes to with what was carried: in `limit`, or why it cannot be.
Outcome check_declared(const Stage& stage, const Budget& budget, Micros declared, Micros& limit) {
  if (!is_valid_limit(declared)) return refuse(Refusal::bad_amount, "budget_limit");
  limit = declared - budget.carried + budget.carried_in;
  const Leg leg{Leg::Kind::budget, budget.id.value};
  if (limit < budget.limit && limit < budget.held + budget.used) {
    Outcome outcome =
        refuse_with_figures(stage, leg, Refusal::limit_below_committed, "limit", declared);
    outcome.released = std::max(budget.carried - budget.carried_in, Micros());
    return outcome;
  }
  if (limit > max_amount) {
    return refuse_with_figures(stage, leg, Refusal::limit_too_large, "budget_limit",
                               limit - budget.limit);
  }
  return {};
}

Outcome check_budget_change(const Stage& stage, const Context& context, const Budget& budget,
                            const NewBudget& wanted) {
  Outcome outcome = check_budget(stage, budget.account, wanted, budget.id);
  if (!outcome.accepted()) return outcome;
  const Leg leg{Leg::Kind::budget, budget.id.value};
  const bool moves = wanted.start != budget.start || wanted.end != budget.end;
  const bool covers_now = wanted.start <= context.at && context.at < wanted.end;
  if (moves && !covers_now && is_committed(budget)) {
    return refuse_with_figures(stage, leg, Refusal::budget_in_use,
                               context.at < wanted.start ? "start_date" : "end_date", wanted.limit);
  }
  return outcome;
}

// Checks the changes of limit and period of an update, and says in `plan` what they come to.
Outcome plan_budget_update(const Stage& stage, const Context& context, const UpdateAccount& action,
                           const Account& account, BudgetPlan& plan) {
  if (!action.limit && !action.start && !action.end && !action.credit_limit &&
      !action.carry_over_millionths) {
    return {};
  }
  const Budget* budget = nearest_budget(stage, account.id, action.unit, context.at);
  if (action.limit && action.start && action.end) {
    plan.wanted = {action.unit,
                   *action.start,
                   *action.end,
                   *action.limit,
                   action.credit_limit.value_or(Micros()),
                   action.carry_over_millionths.value_or(0)};
    if (*action.end <= *action.start) return refuse(Refusal::bad_period, "end_date");
    budget = overlapped_budget(stage, account.id, action.unit, *action.start, *action.end);
    plan.adds = budget == nullptr;
    const bool stays_closed = action.status.value_or(account.status) == AccountStatus::closed;
    if (plan.adds && stays_closed) return refuse(Refusal::account_closed, "account");
    if (plan.adds) return check_budget(stage, account.id, plan.wanted);
  }
  if (budget == nullptr) return refuse(Refusal::unknown_budget, "unit");
  plan.change = budget->id;
  plan.wanted = {budget->unit,
                 action.start.value_or(budget->start),
                 action.end.value_or(budget->end),
                 budget->limit,
                 action.credit_limit.value_or(budget->credit_limit),
                 action.carry_over_millionths.value_or(budget->carry_over_millionths)};
  if (action.limit) {
    Outcome declared = check_declared(stage, *budget, *action.limit, plan.wanted.limit);
    if (!declared.accepted()) return declared;
  }
  return check_budget_change(stage, context, *budget, plan.wanted);
}

void change_budget(Stage& stage, const Context& context, BudgetId id, const NewBudget& wanted) {
  Budget& budget = stage.edit(id);
  budget.start = wanted.start;
  budget.end = wanted.end;
  budget.limit = wanted.limit;
  budget.credit_limit = wanted.credit_limit;
  budget.carry_over_millionths = wanted.carry_over_millionths;
  stage.touch(budget.account);
  budget.updated_at = context.at;
  write_budget_entry(stage, context, EntryType::budget_update, budget);
}

bool changes_account(const UpdateAccount& action) {
  return action.display_name || action.description || action.parent || action.status ||
         action.hold_factor_millionths || action.aliases || action.owners || action.may_convert;
}

// Unique among the names and aliases of all accounts; the refusal names the one that has it. `id`
// is not set while the account is not made.
Outcome check_aliases(const Stage& stage, const std::vector<std::string>& aliases,
                      const std::string& name, AccountId id) {
  if (aliases.size() > aliases_max) return refuse(Refusal::too_many_aliases, "aliases");
  for (const std::string& alias : aliases) {
    if (!is_valid_name(alias)) return refuse(Refusal::bad_name, "aliases");
    const Account* known = stage.account(alias);
    const bool is_free = known == nullptr || (id.is_set() && known->id == id);
    if (is_free && alias != name) continue;
    Outcome outcome = refuse(Refusal::alias_taken, "aliases");
    outcome.leg.account = known == nullptr ? name : known->name;
    return outcome;
  }
  return {};
}

Outcome check_owners(const std::vector<std::string>& owners) {
  if (owners.size() > owners_max) return refuse(Refusal::too_many_owners, "owners");
  const bool are_valid = std::all_of(owners.begin(), owners.end(), is_valid_owner);
  return are_valid ? Outcome() : refuse(Refusal::bad_name, "owners");
}

Outcome check_account_update(const Stage& stage, const UpdateAccount& action,
                             const Account& account) {
  if (action.display_name && !is_valid_text(*action.display_name)) {
    return refuse(Refusal::bad_name, "name");
  }
  if (action.description && !is_valid_text(*action.description)) {
    return refuse(Refusal::bad_name, "description");
  }
  if (!is_valid_factor(action.hold_factor_millionths)) {
    return refuse(Refusal::bad_amount, "hold_percentage");
  }
  if (action.status == AccountStatus::closed) return refuse(Refusal::bad_name, "status");
  if (action.parent && !action.parent->empty()) {
    const Account* parent = stage.account(*action.parent);
    if (parent == nullptr) return refuse(Refusal::unknown_parent, "parent");
    if (parent->status == AccountStatus::closed) return refuse(Refusal::account_closed, "parent");
    if (makes_cycle(stage, account.id, parent->id)) return refuse(Refusal::parent_cycle, "parent");
  }
  if (action.owners) {
    Outcome outcome = check_owners(*action.owners);
    if (!outcome.accepted()) return outcome;
  }
  if (!action.aliases) return {};
  return check_aliases(stage, *action.aliases, account.name, account.id);
}

void change_account(Stage& stage, const Context& context, AccountId id,
                    const UpdateAccount& action) {
  Account& changed = stage.edit(id);
  changed.display_name = action.display_name.value_or(changed.display_name);
  changed.description = action.description.value_or(changed.description);
  changed.status = action.status.value_or(changed.status);
  if (action.hold_factor_millionths) changed.hold_factor_millionths = action.hold_factor_millionths;
  if (action.parent) {
    changed.parent = action.parent->empty() ? AccountId{} : stage.account(*action.parent)->id;
  }
  changed.may_convert = action.may_convert.value_or(changed.may_convert);
  if (action.owners) changed.owners = sorted(*action.owners);
  changed.updated_at = context.at;
  stage.touch(id);  // it may have been closed
  if (action.aliases) stage.set_aliases(id, sorted(*action.aliases));
  Entry entry = account_entry(context, EntryType::account_update, changed);
  entry.details = account_details(stage, changed);
  stage.add(std::move(entry));
}

// Each by itself, and that no two of them overlap.
Outcome check_new_budgets(const Stage& stage, const std::vector<NewBudget>& budgets) {
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    const NewBudget& budget = budgets[i];
    Outcome outcome = check_budget(stage, {}, budget);
    for (std::size_t other = 0; other < i && outcome.accepted(); ++other) {
      if (budgets[other].unit == budget.unit && budgets[other].start < budget.end &&
          budget.start < budgets[other].end) {
        outcome = refuse(Refusal::budget_overlaps, "start_date");
      }
    }
    if (outcome.accepted()) continue;
    if (budgets.size() > 1) {
      outcome.field = "budgets[" + std::to_string(i) + "]." + outcome.field;
    }
    return outcome;
  }
  return {};
}

}  // namespace

Entry account_entry(const Context& context, EntryType type, const Account& account) {
  Entry entry;
  entry.at = context.at;
  entry.type = type;
  entry.actor = context.actor;
  entry.reason = context.reason;
  entry.request_id = context.request_id;
  entry.account = account.id;
  entry.account_name = account.name;
  return entry;
}

const Budget* nearest_budget(const Stage& stage, AccountId account, const std::string& unit,
                             Instant at) {
  const Budget* best = nullptr;
  for (const BudgetId id : stage.budgets_of(account)) {
    const Budget* budget = stage.budget(id);
    if (budget->unit != unit) continue;
    if (budget->covers(at)) return budget;
    if (best == nullptr) {
      best = budget;
      continue;
    }
    const bool coming = at < budget->start;
    const bool best_coming = at < best->start;
    const bool nearer = coming ? !best_coming || budget->start < best->start
                               : !best_coming && best->end < budget->end;
    if (nearer) best = budget;
  }
  return best;
}

Outcome refuse_with_figures(const Stage& stage, const Leg& leg, Refusal refusal, std::string field,
                            Micros asked) {
  Outcome outcome = refuse(refusal, std::move(field));
  outcome.leg = figures_of(stage, leg);
  const BudgetId budget =
      leg.kind == Leg::Kind::budget ? BudgetId{leg.id} : stage.limit(LimitId{leg.id})->budget;
  outcome.unit = stage.budget(budget)->unit;
  outcome.amount = asked;
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const CreateAccount& action) {
  if (!is_valid_name(action.name)) return refuse(Refusal::bad_name, "slurm_account");
  if (!is_valid_text(action.display_name)) return refuse(Refusal::bad_name, "name");
  if (!is_valid_text(action.description)) return refuse(Refusal::bad_name, "description");
  if (!is_valid_factor(action.hold_factor_millionths)) {
    return refuse(Refusal::bad_amount, "hold_percentage");
  }
  if (stage.account(action.name) != nullptr)
    return refuse(Refusal::account_exists, "slurm_account");
  const Account* parent = nullptr;
  if (!action.parent.empty()) {
    parent = stage.account(action.parent);
    if (parent == nullptr) return refuse(Refusal::unknown_parent, "parent");
    if (parent->status == AccountStatus::closed) return refuse(Refusal::account_closed, "parent");
  }
  Outcome outcome = check_owners(action.owners);
  if (outcome.accepted()) outcome = check_aliases(stage, action.aliases, action.name, {});
  if (outcome.accepted()) outcome = check_new_budgets(stage, action.budgets);
  if (!outcome.accepted()) return outcome;
  Account account;
  account.name = action.name;
  account.display_name = action.display_name;
  account.description = action.description;
  if (parent != nullptr) account.parent = parent->id;
  account.hold_factor_millionths = action.hold_factor_millionths;
  account.owners = sorted(action.owners);
  account.created_at = account.updated_at = context.at;
  const AccountId id = stage.add(std::move(account)).id;
  if (!action.aliases.empty()) stage.set_aliases(id, sorted(action.aliases));
  const Account& added = *stage.account(id);
  Entry entry = account_entry(context, EntryType::account_create, added);
  entry.details = account_details(stage, added);
  stage.add(std::move(entry));
  outcome.account = id;
  for (const NewBudget& budget : action.budgets) {
    outcome.budget = add_budget(stage, context, id, budget).id;
  }
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const UpdateAccount& action) {
  const Account* account = stage.account(action.name);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  BudgetPlan plan;
  Outcome outcome = check_account_update(stage, action, *account);
  if (outcome.accepted()) outcome = plan_budget_update(stage, context, action, *account, plan);
  if (!outcome.accepted()) return outcome;
  const AccountId id = account->id;
  outcome.account = id;
  if (changes_account(action)) change_account(stage, context, id, action);
  if (plan.adds) {
    outcome.budget = add_budget(stage, context, id, plan.wanted).id;
  } else if (plan.change.is_set()) {
    outcome.budget = plan.change;
    change_budget(stage, context, plan.change, plan.wanted);
  }
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const CloseAccount& action) {
  const Account* account = stage.account(action.name);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  Outcome outcome;
  outcome.account = account->id;
  if (account->status == AccountStatus::closed) return outcome;
  Account& closed = stage.edit(account->id);
  closed.status = AccountStatus::closed;
  closed.updated_at = context.at;
  stage.add(account_entry(context, EntryType::account_close, closed));
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const AddBudget& action) {
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  if (account->status == AccountStatus::closed) return refuse(Refusal::account_closed, "account");
  Outcome outcome = check_budget(stage, account->id, action.budget);
  if (!outcome.accepted()) return outcome;
  outcome.account = account->id;
  outcome.budget = add_budget(stage, context, account->id, action.budget).id;
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const RecordPrices& action) {
  PriceVersion prices;
  prices.effective_from = action.effective_from;
  prices.imported_at = context.at;
  prices.text = action.text;
  const std::int64_t version = stage.add(std::move(prices)).version;
  Entry entry;
  entry.at = context.at;
  entry.type = EntryType::prices;
  entry.actor = context.actor;
  entry.reason = context.reason;
  entry.request_id = context.request_id;
  entry.price_version = version;
  entry.details = RecordWriter()
                      .add("effective_from_us", action.effective_from.microseconds)
                      .add("text", action.text)
                      .text();
  stage.add(std::move(entry));
  Outcome outcome;
  outcome.price_version = version;
  return outcome;
}

}  // namespace asbb::ledger
