// Money that people move: corrections, deposits, withdrawals, transfers, conversions.
// Administrators only; each has a reason, and is carried out once for each key that the caller
// gives.
#include <utility>

#include "base/text.h"
#include "ledger/decide.h"
#include "service/account_view.h"
#include "service/moves.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

std::optional<api::Problem> may_move(const Caller& caller) {
  if (caller.may_admin) return std::nullopt;
  return not_allowed(caller).value();
}

}  // namespace

Reply<std::string> Operations::unit_or_only(const std::string& account, const std::string& given,
                                            const std::string& other) const {
  if (!given.empty()) return given;
  const Instant at = now();
  auto units = with_.committer.read([&](const ledger::Book& book) {
    std::vector<std::string> found;
    for (const ledger::Account* one = book.account(account); one != nullptr && found.empty();
         one = book.account(one->parent)) {
      found = units_of(book, *one, at);
    }
    return found;
  });
  std::erase(units, other);
  if (units.empty()) return options_.default_unit;
  if (units.size() == 1) return units.front();
  return problem(400, "VALIDATION_ERROR",
                 "Account '" + account + "' has budgets in " + joined(units, " and ") +
                     ": which of them is meant is not said.",
                 "unit");
}

api::Problem Operations::explain(const ledger::Outcome& outcome, const std::string& asked,
                                 const Given& given) const {
  api::Problem why = problem_of(outcome, asked, given);
  if (outcome.refusal != ledger::Refusal::unknown_budget) return why;
  const Instant at = now();
  const auto units = with_.committer.read([&](const ledger::Book& book) {
    const ledger::Account* account = book.account(account_of(outcome, asked));
    return account == nullptr ? std::vector<std::string>() : units_of(book, *account, at);
  });
  if (!units.empty()) why.message += " It has one in " + joined(units, " and ") + ".";
  return why;
}

void Operations::adjust(const Caller& caller, const std::string& name,
                        const api::Adjustment& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto unit = unit_or_only(name, request.unit);
  if (!unit) return fail_with(promise, unit.error());
  ledger::Adjust adjust{name, *unit, request.amount};
  ledger::Command made = command(caller, std::move(adjust), request.reason);
  add_key(made, "adjust", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"unit", *unit}, {"request_id", request.request_id}});
}

Result<void> Operations::check_deposit(const std::string& name, const std::string& unit,
                                       Micros amount) const {
  if (const auto fits = check_bounds(options_.bounds, "amount", amount); !fits) return fits;
  return check_limit_with(name, unit, amount);
}

// As the budget is now: two deposits at once may together go beyond what is allowed.
Result<void> Operations::check_limit_with(const std::string& name, const std::string& unit,
                                          Micros amount) const {
  const Instant at = now();
  const auto limit = with_.committer.read([&](const ledger::Book& book) -> std::optional<Micros> {
    const ledger::Account* account = book.account(name);
    if (account == nullptr) return std::nullopt;
    const ledger::Budget* budget =
        ledger::nearest_budget(ledger::Stage(book), account->id, unit, at);
    if (budget == nullptr) return std::nullopt;
    return budget->limit.plus(amount);
  });
  if (!limit || *limit <= options_.bounds.most) return {};
  return check_bounds(options_.bounds, "amount", *limit, "the budget's limit of ");
}

void Operations::deposit(const Caller& caller, const std::string& name,
                         const api::MoneyMove& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto unit = unit_or_only(name, request.unit);
  if (!unit) return fail_with(promise, unit.error());
  if (const auto fits = check_deposit(name, *unit, request.amount); !fits) {
    return fail_with(promise, api::problem_of(fits.error()));
  }
  ledger::Deposit deposit{name, *unit, request.amount};
  ledger::Command made = command(caller, std::move(deposit), request.reason);
  add_key(made, "deposit", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"unit", *unit}, {"request_id", request.request_id}});
}

void Operations::withdraw(const Caller& caller, const std::string& name,
                          const api::MoneyMove& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto unit = unit_or_only(name, request.unit);
  if (!unit) return fail_with(promise, unit.error());
  ledger::Withdraw withdraw{name, *unit, request.amount};
  ledger::Command made = command(caller, std::move(withdraw), request.reason);
  add_key(made, "withdraw", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"unit", *unit}, {"request_id", request.request_id}});
}

void Operations::transfer(const Caller& caller, const std::string& name,
                          const api::MoneyTransfer& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto unit = unit_or_only(name, request.unit);
  if (!unit) return fail_with(promise, unit.error());
  const auto fits = check_limit_with(request.to, *unit, request.amount);
  if (!fits) return fail_with(promise, api::problem_of(fits.error()));
  ledger::Transfer transfer{name, request.to, *unit, request.amount};
  ledger::Command made = command(caller, std::move(transfer), request.reason);
  add_key(made, "transfer", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"unit", *unit}, {"request_id", request.request_id}});
}

void Operations::convert(const Caller& caller, const std::string& name,
                         const api::MoneyConversion& request,
                         const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto unit = unit_or_only(name, request.unit, request.to_unit);
  if (!unit) return fail_with(promise, unit.error());
  ledger::Convert convert{name, *unit, request.to_unit, request.amount};
  ledger::Command made = command(caller, std::move(convert), request.reason);
  add_key(made, "convert", name, caller, request);
  commit<api::Account>(
      std::move(made), name, promise,
      [this, name](const ledger::Outcome&) { return show_account(name); },
      {{"from_unit", *unit}, {"to_unit", request.to_unit}, {"request_id", request.request_id}});
}

}  // namespace asbb::service
