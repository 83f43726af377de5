// Money that people move: corrections, deposits, withdrawals, transfers, refunds, conversions.
// Administrators only; each has a reason, and is carried out once for each key that the caller
// gives.
#include <algorithm>
#include <utility>

#include "api/json.h"
#include "base/text.h"
#include "service/digest.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

std::optional<api::Problem> may_move(const Caller& caller) {
  if (caller.may_admin) return std::nullopt;
  return not_allowed(caller).value();
}

// The same key with another request is a conflict, whatever the verb.
template <typename Request>
void add_key(ledger::Command& made, const std::string& verb, const std::string& account,
             const Caller& caller, Request request) {
  if (request.request_id.empty()) return;
  made.context.request_id = verb + ":" + caller.actor + ":" + request.request_id;
  request.request_id.clear();
  made.context.body_digest = sha256_hex(account + "\n" + api::to_json(request));
}

// The run that a refund of job "123", "123_4" or "cloud/node-1" is about; nothing for all runs.
std::optional<ledger::ShareKey> refunded_run(const store::HoldRecord& found,
                                             const std::string& job) {
  const ledger::Share* best = nullptr;
  for (const ledger::Share& share : found.shares) {
    std::string name = std::to_string(share.key.job_id);
    if (share.key.task >= 0) name += "_" + std::to_string(share.key.task);
    if (!share.key.external_id.empty()) name = share.key.external_id;
    if (name != job || share.refunded >= share.actual) continue;
    if (best == nullptr ||
        std::pair(best->key.run, best->id) < std::pair(share.key.run, share.id)) {
      best = &share;
    }
  }
  if (best == nullptr) return std::nullopt;
  return best->key;
}

template <typename Request>
api::BudgetReconcile sought_by(const Request& request) {
  api::BudgetReconcile sought;
  sought.transaction_id = request.transaction_id;
  sought.job_id = request.job_id;
  sought.cluster = request.cluster;
  return sought;
}

}  // namespace

void Operations::adjust(const Caller& caller, const std::string& name,
                        const api::Adjustment& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  ledger::Adjust adjust{name, unit_or_default(request.unit), request.amount};
  ledger::Command made = command(caller, std::move(adjust), request.reason);
  add_key(made, "adjust", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); });
}

void Operations::deposit(const Caller& caller, const std::string& name,
                         const api::MoneyMove& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  ledger::Deposit deposit{name, unit_or_default(request.unit), request.amount};
  ledger::Command made = command(caller, std::move(deposit), request.reason);
  add_key(made, "deposit", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); });
}

void Operations::withdraw(const Caller& caller, const std::string& name,
                          const api::MoneyMove& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  ledger::Withdraw withdraw{name, unit_or_default(request.unit), request.amount};
  ledger::Command made = command(caller, std::move(withdraw), request.reason);
  add_key(made, "withdraw", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); });
}

void Operations::transfer(const Caller& caller, const std::string& name,
                          const api::MoneyTransfer& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  ledger::Transfer transfer{name, request.to, unit_or_default(request.unit), request.amount};
  ledger::Command made = command(caller, std::move(transfer), request.reason);
  add_key(made, "transfer", name, caller, request);
  const Promise<api::Account> of_either = promise;
  commit<api::Account>(
      std::move(made), name,
      [of_either, to = request.to](const std::function<Reply<api::Account>()>& answered) {
        of_either([answered, to]() -> Reply<api::Account> {
          auto reply = answered();
          if (!reply && reply.error().details == "unknown_account" && reply.error().field == "to") {
            reply.error().message = no_such_account(to).value().message;
          }
          return reply;
        });
      },
      [this, name](const ledger::Outcome&) { return show_account(name); });
}

// What was charged: of which hold, in which unit, and which run alone.
struct Operations::Charge {
  ledger::HoldId hold;
  std::string unit;
  std::optional<ledger::ShareKey> run;
};

// `unit` empty: the one that was charged.
Reply<Operations::Charge> Operations::find_charge(const std::string& name, const std::string& unit,
                                                  const api::BudgetReconcile& sought) const {
  const auto found = find_hold(sought);
  if (!found) return tl::unexpected(found.error());
  const bool is_its_own = with_.committer.read([&](const ledger::Book& book) {
    const ledger::Account* account = book.account(name);
    return account != nullptr && account->id == found->hold.account;
  });
  if (!is_its_own) {
    return problem(409, "CONFLICT", "Account '" + name + "' did not pay for this job.",
                   sought.job_id.empty() ? "transaction_id" : "job_id");
  }
  Charge charge{found->hold.id, unit, std::nullopt};
  const bool names_run =
      !sought.job_id.empty() &&
      (found->hold.kind == ledger::HoldKind::external ||
       sought.job_id.find('_') != std::string::npos || found->hold.task_count == 1);
  if (names_run) charge.run = refunded_run(*found, sought.job_id);
  if (names_run && !charge.run) {
    return problem(
        409, "CONFLICT",
        "Nothing is charged for job " + in_quotes(sought.job_id) + " that has not been given back.",
        "job_id");
  }
  for (const ledger::Share& share : found->shares) {
    const bool fits = !charge.run || share.key == *charge.run;
    if (charge.unit.empty() && fits && !share.unit.empty()) charge.unit = share.unit;
  }
  if (charge.unit.empty()) charge.unit = found->hold.parts.front().unit;
  return charge;
}

void Operations::refund(const Caller& caller, const std::string& name,
                        const api::MoneyRefund& request, const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto charge = find_charge(name, request.unit, sought_by(request));
  if (!charge) return fail_with(promise, charge.error());
  ledger::Refund refund{charge->hold, charge->run, charge->unit, request.amount};
  ledger::Command made = command(caller, std::move(refund), request.reason);
  add_key(made, "refund", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); });
}

void Operations::write_off(const Caller& caller, const std::string& name,
                           const api::MoneyWriteOff& request,
                           const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  const auto charge = find_charge(name, request.unit, sought_by(request));
  if (!charge) return fail_with(promise, charge.error());
  if (options_.write_off_account.empty()) {
    return fail_with(promise,
                     problem(409, "CONFLICT",
                             "The settings name no account that bears what is written off: "
                             "budget.write_off_account.")
                         .value());
  }
  ledger::WriteOff write_off{charge->hold, charge->run, charge->unit, request.amount,
                             options_.write_off_account};
  ledger::Command made = command(caller, std::move(write_off), request.reason);
  add_key(made, "write-off", name, caller, request);
  // What is wrong with an account is wrong with the one that shall bear the cost.
  commit<api::Account>(std::move(made), options_.write_off_account, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); });
}

void Operations::convert(const Caller& caller, const std::string& name,
                         const api::MoneyConversion& request,
                         const Promise<api::Account>& promise) {
  if (const auto denied = may_move(caller)) return fail_with(promise, *denied);
  ledger::Convert convert{name, unit_or_default(request.unit), request.to_unit, request.amount};
  ledger::Command made = command(caller, std::move(convert), request.reason);
  add_key(made, "convert", name, caller, request);
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"unit", request.unit}, {"to_unit", request.to_unit}});
}

}  // namespace asbb::service
