// /accounts: budgets and limits, and what is held on them.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "service/account_view.h"
#include "service/operations.h"
#include "service/paying_account.h"

namespace asbb::service {
namespace {

std::optional<std::int64_t> factor_of(const std::optional<Micros>& percentage) {
  if (!percentage) return std::nullopt;
  return percentage->count();
}

Result<ledger::NewBudget> budget_of(const api::NewBudget& from, const OperationsOptions& options) {
  ledger::NewBudget budget;
  budget.unit = from.unit.empty() ? options.default_unit : from.unit;
  budget.limit = from.limit;
  if (const auto fits = check_bounds(options.bounds, "limit", from.limit); !fits) {
    return tl::unexpected(fits.error());
  }
  budget.credit_limit = from.credit_limit;
  if (options.bounds.lends_to_running && from.credit_limit.is_zero()) {
    budget.credit_limit = from.limit;
  }
  if (!from.carry_over.empty()) {
    const auto part = api::parse_carry_over(from.carry_over);
    if (!part) return tl::unexpected(part.error());
    budget.carry_over_millionths = *part;
  }
  const auto start = api::period_start(from.start_date, options.zone);
  if (!start) return tl::unexpected(start.error());
  const auto end = api::period_end(from.end_date, options.zone);
  if (!end) return tl::unexpected(end.error());
  budget.start = *start;
  budget.end = *end;
  return budget;
}

// Of several budgets in one request the last: the ledger does not say which one it means.
void add_given(Given& given, const std::string& unit, const std::optional<api::Date>& end_date) {
  if (!unit.empty()) given["unit"] = unit;
  if (end_date) given["end_date"] = api::to_string(*end_date);
}

Result<ledger::CreateAccount> creation_of(const api::AccountCreate& request,
                                          const OperationsOptions& options) {
  ledger::CreateAccount create;
  create.name = request.slurm_account;
  create.display_name = request.name.empty() ? request.slurm_account : request.name;
  create.description = request.description;
  create.parent = request.parent;
  create.hold_factor_millionths = factor_of(request.hold_percentage);
  create.aliases = request.aliases;
  create.owners = request.owners;
  for (const api::NewBudget& asked : request.budgets) {
    const auto budget = budget_of(asked, options);
    if (!budget) return tl::unexpected(budget.error());
    create.budgets.push_back(*budget);
  }
  return create;
}

// Of one of many: its field begins with which one.
api::Problem problem_at(const std::string& place, const Error& error) {
  api::Problem out = api::problem_of(error);
  out.field = place + "." + out.field;
  return out;
}

std::optional<api::Problem> may_change(const Caller& caller) {
  if (caller.may_admin) return std::nullopt;
  return not_allowed(caller).value();
}

}  // namespace

bool Operations::may_see(const Caller& caller, const std::string& account) const {
  if (with_.authority.may_see(caller, account)) return true;
  return with_.committer.read(
      [&](const ledger::Book& book) { return owns(book, caller.user, account); });
}

std::vector<std::string> Operations::visible_accounts(const Caller& caller) const {
  std::vector<std::string> names;
  std::set<std::string> owned;
  with_.committer.read([&](const ledger::Book& book) {
    for (const ledger::Account* account : book.accounts()) {
      names.push_back(account->name);
      if (owns(book, caller.user, account->name)) owned.insert(account->name);
    }
  });
  std::erase_if(names, [&](const std::string& name) {
    return !owned.contains(name) && !with_.authority.may_see(caller, name);
  });
  return names;
}

Reply<api::Account> Operations::show_account(const std::string& name) const {
  const Instant at = now();
  auto shown = with_.committer.read([&](const ledger::Book& book) -> Reply<api::Account> {
    const ledger::Account* account = book.account(name);
    if (account == nullptr) return no_such_account(name);
    api::Account view = account_view(book, *account, options_.default_unit, at);
    for (const ledger::Hold* hold : book.open_holds()) {
      if (hold->account == account->id) ++view.open_holds;
    }
    return view;
  });
  if (!shown) return shown;
  add_days(*shown, options_.zone);
  add_slurm_accounts({&*shown, 1});
  add_unit_warnings(*shown, *with_.prices.history());
  return shown;
}

Reply<api::Account> Operations::account(const Caller& caller, const std::string& name) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!may_see(caller, name)) return no_such_account(name);
  return show_account(name);
}

Reply<std::vector<api::Account>> Operations::accounts(const Caller& caller,
                                                      const AccountsQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const auto names = visible_accounts(caller);
  const Instant at = now();
  std::vector<api::Account> page = with_.committer.read([&](const ledger::Book& book) {
    std::map<ledger::AccountId, std::int64_t> open;
    for (const ledger::Hold* hold : book.open_holds()) ++open[hold->account];
    std::vector<api::Account> views;
    std::int64_t skipped = 0;
    for (const std::string& name : names) {
      const ledger::Account* account = book.account(name);
      const bool fits = query.status.empty() ? account->status != ledger::AccountStatus::closed
                                             : query.status == ledger::to_string(account->status);
      if (!fits || skipped++ < query.offset) continue;
      if (static_cast<std::int64_t>(views.size()) >= query.limit) break;
      views.push_back(account_view(book, *account, options_.default_unit, at));
      views.back().open_holds = open[account->id];
    }
    return views;
  });
  for (api::Account& view : page) add_days(view, options_.zone);
  add_slurm_accounts(page);
  return page;
}

void Operations::add_slurm_accounts(std::span<api::Account> views) const {
  constexpr std::size_t names_per_look = 200;  // so that no submission waits for the book
  std::map<std::string, api::Account*> by_name;
  for (api::Account& view : views) by_name[view.slurm_account] = &view;
  for (const std::string& cluster : options_.clusters) {
    const auto associations = with_.view.associations(cluster);
    if (!associations) continue;
    const std::vector<std::string> names = associations->accounts(cluster);
    for (std::size_t first = 0; first < names.size(); first += names_per_look) {
      const std::size_t last = std::min(names.size(), first + names_per_look);
      with_.committer.read([&](const ledger::Book& book) {
        for (std::size_t at = first; at < last; ++at) {
          const auto* payer = paying_account(book, associations.get(), cluster, names[at]);
          if (payer == nullptr || payer->name == names[at]) continue;
          const auto view = by_name.find(payer->name);
          if (view == by_name.end()) continue;
          view->second->slurm_accounts.push_back({cluster, names[at]});
        }
      });
    }
  }
}

void Operations::create_account(const Caller& caller, const api::AccountCreate& request,
                                const Promise<api::Account>& promise) {
  if (const auto denied = may_change(caller)) return fail_with(promise, *denied);
  auto create = creation_of(request, options_);
  if (!create) return fail_with(promise, api::problem_of(create.error()));
  Given given{{"slurm_account", request.slurm_account},
              {"name", request.name},
              {"description", request.description},
              {"parent", request.parent}};
  for (const api::NewBudget& asked : request.budgets) add_given(given, asked.unit, asked.end_date);
  commit<api::Account>(
      command(caller, std::move(*create)), request.slurm_account, promise,
      [this, name = request.slurm_account](const ledger::Outcome&) { return show_account(name); },
      given);
}

void Operations::import_accounts(const Caller& caller, const api::AccountImport& request,
                                 const Promise<api::AccountImportAnswer>& promise) {
  if (const auto denied = may_change(caller)) return fail_with(promise, *denied);
  ledger::ImportAccounts import;
  std::map<std::string, std::string> names;  // of the accounts, by the field's beginning
  for (const api::AccountCreate& asked : request.accounts) {
    auto create = creation_of(asked, options_);
    const std::string place = "accounts[" + std::to_string(import.accounts.size()) + "]";
    if (!create) return fail_with(promise, problem_at(place, create.error()));
    names[place] = asked.slurm_account;
    import.accounts.push_back(std::move(*create));
  }
  for (const api::BudgetAddition& asked : request.budgets) {
    const auto budget = budget_of(asked.budget, options_);
    const std::string place = "budgets[" + std::to_string(import.budgets.size()) + "]";
    if (!budget) return fail_with(promise, problem_at(place, budget.error()));
    names[place] = asked.account;
    import.budgets.push_back({asked.account, *budget});
  }
  const api::AccountImportAnswer done{static_cast<std::int64_t>(import.accounts.size()),
                                      static_cast<std::int64_t>(import.budgets.size())};
  const bool queued = with_.committer.submit(
      command(caller, std::move(import)), [promise, names, done](Result<ledger::Outcome> outcome) {
        promise([names, done, outcome = std::move(outcome)]() -> Reply<api::AccountImportAnswer> {
          if (!outcome) return problem(outcome.error());
          if (outcome->accepted()) return done;
          const auto at = names.find(outcome->field.substr(0, outcome->field.find('.')));
          return tl::unexpected(problem_of(*outcome, at == names.end() ? "" : at->second));
        });
      });
  if (!queued) promise([]() -> Reply<api::AccountImportAnswer> { return too_busy(); });
}

void Operations::update_account(const Caller& caller, const std::string& name,
                                const api::AccountUpdate& request,
                                const Promise<api::Account>& promise) {
  if (const auto denied = may_change(caller)) return fail_with(promise, *denied);
  ledger::UpdateAccount update;
  update.name = name;
  update.display_name = request.name;
  update.description = request.description;
  update.parent = request.parent;
  update.hold_factor_millionths = factor_of(request.hold_percentage);
  const bool is_of_budget = request.budget_limit || request.credit_limit || request.carry_over ||
                            request.start_date || request.end_date;
  if (is_of_budget) {
    const auto unit = unit_or_only(name, request.unit);
    if (!unit) return fail_with(promise, unit.error());
    update.unit = *unit;
  }
  if (request.status) {
    update.status = ledger::parse_account_status(*request.status);
    if (!update.status) {
      return fail_with(promise, api::Problem{400,
                                             "VALIDATION_ERROR",
                                             "The status is one of active, inactive, suspended.",
                                             {},
                                             "status"});
    }
  }
  if (request.budget_limit) {
    const auto fits = check_bounds(options_.bounds, "budget_limit", *request.budget_limit);
    if (!fits) return fail_with(promise, api::problem_of(fits.error()));
  }
  update.limit = request.budget_limit;
  update.credit_limit = request.credit_limit;
  update.aliases = request.aliases;
  update.owners = request.owners;
  update.may_convert = request.may_convert;
  if (request.carry_over) {
    const auto part = api::parse_carry_over(*request.carry_over);
    if (!part) return fail_with(promise, api::problem_of(part.error()));
    update.carry_over_millionths = *part;
  }
  if (request.start_date) {
    const auto start = api::period_start(*request.start_date, options_.zone);
    if (!start) return fail_with(promise, api::problem_of(start.error()));
    update.start = *start;
  }
  if (request.end_date) {
    const auto end = api::period_end(*request.end_date, options_.zone);
    if (!end) return fail_with(promise, api::problem_of(end.error()));
    update.end = *end;
  }
  Given given{{"name", request.name.value_or("")},
              {"description", request.description.value_or("")},
              {"parent", request.parent.value_or("")}};
  add_given(given, request.unit, request.end_date);
  commit<api::Account>(
      command(caller, std::move(update), request.reason), name, promise,
      [this, name](const ledger::Outcome&) { return show_account(name); }, given);
}

void Operations::close_account(const Caller& caller, const std::string& name,
                               const Promise<Nothing>& promise) {
  if (const auto denied = may_change(caller)) return fail_with(promise, *denied);
  commit<Nothing>(command(caller, ledger::CloseAccount{name}), name, promise,
                  [](const ledger::Outcome&) { return Nothing{}; });
}

void Operations::set_partition_limit(const Caller& caller, const std::string& name,
                                     const std::string& partition,
                                     const api::PartitionLimitSet& request,
                                     const Promise<api::Account>& promise) {
  if (const auto denied = may_change(caller)) return fail_with(promise, *denied);
  const auto unit = unit_or_only(name, request.unit);
  if (!unit) return fail_with(promise, unit.error());
  ledger::SetPartitionLimit set;
  set.account = name;
  set.unit = *unit;
  set.partition = partition;
  set.limit = request.limit;
  commit<api::Account>(command(caller, std::move(set), request.reason), name, promise,
                       [this, name, partition, unit = *unit](const ledger::Outcome&) {
                         auto shown = show_account(name);
                         if (shown) warn_of_limit(partition, unit, *shown);
                         return shown;
                       },
                       {{"partition", partition}, {"unit", *unit}});
}

// A cluster that was not read may have any partition.
void Operations::warn_of_limit(const std::string& partition, const std::string& unit,
                               api::Account& account) const {
  const auto history = with_.prices.history();
  const pricing::PriceBook* book = history->in_force(now());
  bool is_known = false;
  std::set<std::string> units;
  for (const std::string& cluster : options_.clusters) {
    const auto snapshot = with_.view.cluster(cluster);
    if (snapshot && std::none_of(snapshot->partitions.begin(), snapshot->partitions.end(),
                                 [&](const auto& one) { return one.name == partition; })) {
      continue;
    }
    is_known = true;
    const pricing::Rate* rate = book == nullptr ? nullptr : book->find(cluster, partition);
    if (rate != nullptr && !rate->free) units.insert(rate->unit);
  }
  if (!is_known) {
    account.warnings.push_back("no cluster has a partition " + in_quotes(partition) +
                               ": the limit counts once there is one");
  } else if (!units.contains(unit)) {
    const std::vector<std::string> priced(units.begin(), units.end());
    account.warnings.push_back(
        "partition " + in_quotes(partition) +
        (priced.empty() ? " has no price" : " is priced in " + joined(priced, " and ")) +
        ": no job there counts against a limit in " + unit);
  }
}

Reply<std::vector<api::OpenHold>> Operations::open_holds(const Caller& caller,
                                                         const std::string& account) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!may_see(caller, account)) return no_such_account(account);
  return with_.committer.read([&](const ledger::Book& book) -> Reply<std::vector<api::OpenHold>> {
    const ledger::Account* known = book.account(account);
    if (known == nullptr) return no_such_account(account);
    std::vector<api::OpenHold> views;
    for (const ledger::Hold* hold : book.open_holds()) {
      if (hold->account == known->id) add_hold_view(book, *hold, views);
    }
    return views;
  });
}

}  // namespace asbb::service
