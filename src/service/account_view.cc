#include "service/account_view.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/zone.h"

namespace asbb::service {
namespace {

api::Budget budget_view(const ledger::Book& book, const ledger::Budget& budget, Instant at) {
  api::Budget view;
  view.id = budget.id.value;
  view.unit = budget.unit;
  view.start_date = budget.start;
  view.end_date = budget.end;
  view.in_force = budget.covers(at);
  view.limit = budget.limit;
  view.used = budget.used;
  view.held = budget.held;
  view.available = budget.available();
  view.credit_limit = budget.credit_limit;
  view.carry_over = api::carry_over_text(budget.carry_over_millionths);
  view.carried_over = budget.carried;
  view.carried_in = budget.carried_in;
  view.granted = budget.granted();
  for (const ledger::PartitionLimit* limit : book.limits_of(budget.id)) {
    if (!limit->limit) continue;
    view.partition_limits.push_back({limit->partition, budget.unit, *limit->limit, limit->used,
                                     limit->held, *limit->limit - limit->held - limit->used});
  }
  return view;
}

// In force first, then the next to come, then the last that was; the default unit before others.
const api::Budget* leading_budget(const std::vector<api::Budget>& budgets,
                                  const std::string& default_unit, Instant at) {
  const auto rank = [&](const api::Budget& budget) {
    const bool coming = at < budget.start_date;
    const Span distance = coming ? budget.start_date - at : at - budget.end_date;
    return std::tuple(budget.unit != default_unit, !budget.in_force, !coming,
                      budget.in_force ? Span{} : distance);
  };
  const auto best =
      std::min_element(budgets.begin(), budgets.end(),
                       [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return best == budgets.end() ? nullptr : &*best;
}

}  // namespace

api::Account account_view(const ledger::Book& book, const ledger::Account& account,
                          const std::string& default_unit, Instant at) {
  api::Account view;
  view.id = account.id.value;
  view.slurm_account = account.name;
  view.aliases = account.aliases;
  view.owners = account.owners;
  view.name = account.display_name.empty() ? account.name : account.display_name;
  view.description = account.description;
  view.may_convert = account.may_convert;
  if (const ledger::Account* parent = book.account(account.parent)) view.parent = parent->name;
  view.status = ledger::to_string(account.status);
  view.created_at = account.created_at;
  view.updated_at = account.updated_at;
  if (account.hold_factor_millionths)
    view.hold_percentage = Micros(*account.hold_factor_millionths);
  for (const ledger::Budget* budget : book.budgets_of(account.id)) {
    view.budgets.push_back(budget_view(book, *budget, at));
  }
  if (const api::Budget* leading = leading_budget(view.budgets, default_unit, at)) {
    view.unit = leading->unit;
    view.budget_limit = view.total_allocated = leading->limit;
    view.budget_used = leading->used;
    view.budget_held = leading->held;
    view.budget_available = leading->available;
    view.start_date = leading->start_date;
    view.end_date = leading->end_date;
  }
  return view;
}

void add_days(api::Account& account, const std::string& zone) {
  for (api::Budget& budget : account.budgets) {
    const auto first = day_of(budget.start_date, zone);
    const auto last = day_of(budget.end_date - Span{1}, zone);
    if (first) budget.first_day = *first;
    if (last) budget.last_day = *last;
  }
}

void add_unit_warnings(api::Account& account, const pricing::PriceHistory& history) {
  std::set<std::string> units;
  for (const pricing::PriceBook& book : history.books()) {
    for (const pricing::Rate& rate : book.rates) {
      if (!rate.free) units.insert(rate.unit);
    }
  }
  if (history.books().empty()) return;
  std::set<std::string> told;
  for (const api::Budget& budget : account.budgets) {
    if (units.contains(budget.unit) || !told.insert(budget.unit).second) continue;
    account.warnings.push_back("no price is counted in " + budget.unit +
                               ", so no Slurm job can be charged to this budget");
  }
}

void add_hold_view(const ledger::Book& book, const ledger::Hold& hold,
                   std::vector<api::OpenHold>& views) {
  const ledger::Account* account = book.account(hold.account);
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    const ledger::HoldPart& part = hold.parts[i];
    api::OpenHold view;
    view.transaction_id = hold.request_id;
    if (account != nullptr) view.account = account->name;
    view.user = hold.user;
    view.cluster = hold.job ? hold.job->cluster : hold.cluster;
    view.partition = hold.partition;
    if (hold.job) view.job_id = hold.job->job_id;
    view.kind = ledger::to_string(hold.kind);
    view.unit = part.unit;
    view.estimate = part.estimate;
    view.granted = part.granted;
    view.held = part.unopened;
    for (const ledger::Share* share : book.shares_of(hold.id)) {
      if (share->status == ledger::ShareStatus::open) view.held += share->held[i];
    }
    view.task_count = hold.task_count;
    view.placed_at = hold.placed_at;
    views.push_back(std::move(view));
  }
}

std::vector<std::string> units_of(const ledger::Book& book, const ledger::Account& account,
                                  Instant at) {
  std::set<std::string> lasting;
  std::set<std::string> all;
  for (const ledger::Budget* budget : book.budgets_of(account.id)) {
    all.insert(budget->unit);
    if (at < budget->end) lasting.insert(budget->unit);
  }
  const std::set<std::string>& units = lasting.empty() ? all : lasting;
  return {units.begin(), units.end()};
}

bool owns(const ledger::Book& book, const std::string& user, const std::string& account) {
  if (user.empty()) return false;
  for (const ledger::Account* at = book.account(account); at != nullptr;
       at = book.account(at->parent)) {
    if (std::find(at->owners.begin(), at->owners.end(), user) != at->owners.end()) return true;
  }
  return false;
}

std::vector<std::string> owners_of(const ledger::Book& book, const ledger::Account& account) {
  for (const ledger::Account* at = &account; at != nullptr; at = book.account(at->parent)) {
    if (!at->owners.empty()) return at->owners;
  }
  return {};
}

std::vector<std::string> subtree(const ledger::Book& book, const std::string& account) {
  const ledger::Account* top = book.account(account);
  if (top == nullptr) return {};
  std::vector<std::string> names;
  for (const ledger::Account* candidate : book.accounts()) {
    for (const ledger::Account* at = candidate; at != nullptr; at = book.account(at->parent)) {
      if (at->id != top->id) continue;
      names.push_back(candidate->name);
      break;
    }
  }
  return names;
}

}  // namespace asbb::service
