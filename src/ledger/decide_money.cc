// Money that people move between budgets: corrections, deposits, withdrawals and transfers. Each
// has a reason.
#include <algorithm>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

Leg leg_of(const Budget& budget) {
  return {Leg::Kind::budget, budget.id.value};
}

bool is_slurm_job(const ShareKey& job) {
  return job.external_id.empty() && !job.cluster.empty() && is_valid_text(job.cluster) &&
         job.job_id > 0 && job.task >= -1 && job.run >= 0;
}

}  // namespace

const Leg* leg_without(const Stage& stage, const std::vector<Leg>& legs, Micros used) {
  const auto found = std::find_if(
      legs.begin(), legs.end(), [&](const Leg& leg) { return figures_of(stage, leg).used < used; });
  return found == legs.end() ? nullptr : &*found;
}

bool has_reason(const Context& context) {
  return context.reason.find_first_not_of(" \t\r\n") != std::string::npos &&
         is_valid_text(context.reason);
}

Outcome check_amount(const Context& context, Micros amount) {
  if (amount <= Micros() || amount > max_amount) return refuse(Refusal::bad_amount, "amount");
  if (!has_reason(context)) return refuse(Refusal::reason_missing, "reason");
  return {};
}

Outcome find_target(const Stage& stage, const Context& context, const std::string& name,
                    const std::string& field, const std::string& unit, Micros amount,
                    const Budget*& budget) {
  const auto refuse_it = [&](Refusal refusal, const std::string& of_field) {
    Outcome outcome = refuse(refusal, of_field);
    outcome.leg.account = name;
    return outcome;
  };
  const Account* account = stage.account(name);
  if (account == nullptr) return refuse_it(Refusal::unknown_account, field);
  if (account->status == AccountStatus::closed) return refuse_it(Refusal::account_closed, field);
  budget = nearest_budget(stage, account->id, unit, context.at);
  if (budget == nullptr) return refuse_it(Refusal::unknown_budget, "unit");
  if (budget->end <= context.at) {
    return refuse_with_figures(stage, leg_of(*budget), Refusal::budget_ended, "unit", amount);
  }
  if (max_amount - budget->limit < amount) {
    return refuse_with_figures(stage, leg_of(*budget), Refusal::limit_too_large, "amount", amount);
  }
  return {};
}

// Also of a closed account, so that what is left there can be used elsewhere.
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

void move_limit(Stage& stage, const Context& context, BudgetId id, EntryType type, Micros amount,
                BudgetId other, const std::string& more) {
  const bool comes_in = type == EntryType::deposit || type == EntryType::transfer_in ||
                        type == EntryType::carry_in || type == EntryType::convert_in;
  Budget& budget = stage.edit(id);
  budget.limit += comes_in ? amount : Micros() - amount;
  budget.updated_at = context.at;
  stage.touch(budget.account);  // a budget that has ended may wait for room in this one
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
  entry.details = details.text() + more;
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

Outcome decide_action(Stage& stage, const Context& context, const Adjust& action) {
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  if (action.amount > max_amount || action.amount < Micros(-max_amount.count()) ||
      (action.amount.is_zero() && !action.job)) {
    return refuse(Refusal::bad_amount, "amount");
  }
  if (action.job && !is_slurm_job(*action.job)) return refuse(Refusal::bad_name, "job");
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
  if (action.job) entry.job = *action.job;
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

}  // namespace asbb::ledger
