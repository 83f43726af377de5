// /accounts: budgets and limits, and what is held on them.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <utility>

#include "base/text.h"
#include "service/account_view.h"
#include "service/operations.h"

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
  budget.credit_limit = from.credit_limit;
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

std::optional<api::Problem> may_change(const Caller& caller) {
  if (caller.may_admin) return std::nullopt;
  return not_allowed(caller).value();
}

}  // namespace

std::vector<std::string> Operations::visible_accounts(const Caller& caller) const {
  std::vector<std::string> names = with_.committer.read([](const ledger::Book& book) {
    std::vector<std::string> all;
    for (const ledger::Account* account : book.accounts()) all.push_back(account->name);
    return all;
  });
  std::erase_if(names,
                [&](const std::string& name) { return !with_.authority.may_see(caller, name); });
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
  add_unit_warnings(*shown, *with_.prices.history());
  return shown;
}

Reply<api::Account> Operations::account(const Caller& caller, const std::string& name) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!with_.authority.may_see(caller, name)) return no_such_account(name);
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
  return page;
}

void Operations::create_account(const Caller& caller, const api::AccountCreate& request,
                                const Promise<api::Account>& promise) {
  if (const auto denied = may_change(caller)) return fail_with(promise, *denied);
  ledger::CreateAccount create;
  create.name = request.slurm_account;
  create.display_name = request.name.empty() ? request.slurm_account : request.name;
  create.description = request.description;
  create.parent = request.parent;
  create.hold_factor_millionths = factor_of(request.hold_percentage);
  for (const api::NewBudget& asked : request.budgets) {
    const auto budget = budget_of(asked, options_);
    if (!budget) return fail_with(promise, api::problem_of(budget.error()));
    create.budgets.push_back(*budget);
  }
  Given given{{"slurm_account", request.slurm_account},
              {"name", request.name},
              {"description", request.description},
              {"parent", request.parent}};
  for (const api::NewBudget& asked : request.budgets) add_given(given, asked.unit, asked.end_date);
  const auto show = [this, name = request.slurm_account](const ledger::Outcome&) {
    return show_account(name);
  };
  if (request.aliases.empty()) {
    return commit<api::Account>(command(caller, std::move(create)), request.slurm_account, promise,
                                show, given);
  }
  if (const auto taken = taken_alias(request)) return fail_with(promise, *taken);
  // The aliases are a command of their own, right behind it; who asked hears of the first refusal.
  auto is_refused = std::make_shared<std::atomic<bool>>(false);
  const Promise<api::Account> created = [promise,
                                         is_refused](std::function<Reply<api::Account>()> make) {
    const auto reply = make();
    if (reply) return;
    is_refused->store(true);
    promise([reply] { return reply; });
  };
  commit<api::Account>(
      command(caller, std::move(create)), request.slurm_account, created,
      [](const ledger::Outcome&) -> Reply<api::Account> { return api::Account{}; }, given);
  ledger::UpdateAccount name_too;
  name_too.name = request.slurm_account;
  name_too.aliases = request.aliases;
  const Promise<api::Account> named = [promise,
                                       is_refused](std::function<Reply<api::Account>()> make) {
    if (!is_refused->load()) promise(std::move(make));
  };
  commit<api::Account>(command(caller, std::move(name_too)), request.slurm_account, named, show);
}

std::optional<api::Problem> Operations::taken_alias(const api::AccountCreate& request) const {
  return with_.committer.read([&](const ledger::Book& book) -> std::optional<api::Problem> {
    for (const std::string& alias : request.aliases) {
      const ledger::Account* taken = book.account(alias);
      if (taken == nullptr && alias != request.slurm_account) continue;
      return conflict("alias_taken",
                      "aliases: " + in_quotes(alias) + " names account " +
                          in_quotes(taken == nullptr ? alias : taken->name) + " already",
                      "aliases")
          .value();
    }
    return std::nullopt;
  });
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
  update.unit = request.unit.empty() ? options_.default_unit : request.unit;
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
  update.limit = request.budget_limit;
  update.credit_limit = request.credit_limit;
  update.aliases = request.aliases;
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
      command(caller, std::move(update)), name, promise,
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
  ledger::SetPartitionLimit set;
  set.account = name;
  set.unit = request.unit.empty() ? options_.default_unit : request.unit;
  set.partition = partition;
  set.limit = request.limit;
  commit<api::Account>(command(caller, std::move(set)), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"partition", partition}, {"unit", request.unit}});
}

Reply<std::vector<api::OpenHold>> Operations::open_holds(const Caller& caller,
                                                         const std::string& account) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!with_.authority.may_see(caller, account)) return no_such_account(account);
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
