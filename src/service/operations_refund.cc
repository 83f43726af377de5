// What jobs were charged and people give back or write off: of one hold, or of every run and hold
// of a Slurm job. Administrators only; each has a reason, and is carried out once for each key that
// the caller gives.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "service/moves.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

template <typename Request>
api::BudgetReconcile sought_by(const Request& request) {
  api::BudgetReconcile sought;
  sought.transaction_id = request.transaction_id;
  sought.job_id = request.job_id;
  sought.cluster = request.cluster;
  return sought;
}

// The runs that job "123" (an array with all its tasks), "123_4" or "cloud/node-1" stands for;
// nothing when the hold can have no job of that name.
std::optional<ledger::ShareKey> runs_of(const std::string& job, ledger::HoldKind kind) {
  ledger::ShareKey key;
  if (kind == ledger::HoldKind::external) {
    key.external_id = job;
    return key;
  }
  auto named = slurm_key(job);
  if (named) named->run = -1;
  return named;
}

bool is_run_of(const ledger::ShareKey& run, const std::optional<ledger::ShareKey>& key) {
  if (!key) return true;
  if (!key->external_id.empty()) return run.external_id == key->external_id;
  return run.external_id.empty() && run.job_id == key->job_id &&
         (key->task < 0 || run.task == key->task);
}

bool is_of_charge(const ledger::Share& share, const std::optional<ledger::ShareKey>& key) {
  return share.status == ledger::ShareStatus::settled && is_run_of(share.key, key);
}

// What the runs were charged in that unit, also where some of it was given back since.
Micros charged_for(const std::vector<store::HoldRecord>& holds,
                   const std::optional<ledger::ShareKey>& key, const std::string& unit) {
  Micros sum;
  for (const store::HoldRecord& record : holds) {
    for (const ledger::Share& share : record.shares) {
      if (is_of_charge(share, key) && share.unit == unit) sum += share.actual;
    }
  }
  return sum;
}

// In which of the units, all of them when it is empty, the runs have something left to give back.
std::vector<std::string> units_left(const std::vector<store::HoldRecord>& holds,
                                    const std::optional<ledger::ShareKey>& key,
                                    const std::string& unit) {
  std::vector<std::string> units;
  for (const store::HoldRecord& record : holds) {
    for (const ledger::Share& share : record.shares) {
      if (!is_of_charge(share, key) || share.refunded >= share.actual ||
          (!unit.empty() && share.unit != unit)) {
        continue;
      }
      if (std::find(units.begin(), units.end(), share.unit) == units.end()) {
        units.push_back(share.unit);
      }
    }
  }
  return units;
}

}  // namespace

// What was charged: of which holds, the first bound first, in which unit, and which runs alone.
struct Operations::Charge {
  std::vector<ledger::HoldId> holds;
  std::string unit;
  std::optional<ledger::ShareKey> runs;
  Micros amount;  // of all of these
};

// `unit` empty: the one that was charged.
Reply<Operations::Charge> Operations::find_charge(const std::string& name, const std::string& unit,
                                                  const api::BudgetReconcile& sought) const {
  auto found = find_holds(sought);
  if (!found) return tl::unexpected(found.error());
  const std::string& job = sought.job_id;
  const ledger::AccountId payer = with_.committer.read([&](const ledger::Book& book) {
    const ledger::Account* account = book.account(name);
    return account == nullptr ? ledger::AccountId() : account->id;
  });
  std::erase_if(*found, [&](const auto& record) { return record.hold.account != payer; });
  if (found->empty()) {
    return conflict("other_account", "Account '" + name + "' did not pay for this job.",
                    job.empty() ? "transaction_id" : "job_id");
  }
  Charge charge{{}, unit, std::nullopt, Micros()};
  if (!job.empty()) charge.runs = runs_of(job, found->front().hold.kind);
  const bool is_nameless = !job.empty() && !charge.runs;
  const auto units =
      is_nameless ? std::vector<std::string>() : units_left(*found, charge.runs, unit);
  if (units.empty() && !job.empty()) {
    return conflict("exceeds_charge",
                    "Nothing is charged for job " + in_quotes(job) +
                        (unit.empty() ? "" : " in " + unit) + " that has not been given back.",
                    "job_id");
  }
  if (units.size() > 1) {
    return conflict(
        "several_units",
        "This job was charged in " + units[0] + " and " + units[1] + ": say which unit is meant.",
        "unit");
  }
  for (const store::HoldRecord& record : *found) charge.holds.push_back(record.hold.id);
  if (charge.unit.empty()) {
    charge.unit = units.empty() ? found->front().hold.parts.front().unit : units.front();
  }
  charge.amount = charged_for(*found, charge.runs, charge.unit);
  return charge;
}

namespace {

Micros part_of(Micros charged, Micros percent) {
  const auto part =
      mul_div(charged.count(), percent.count(), api::percent_whole.count(), Rounding::half_even);
  return Micros(part.value_or(0));
}

}  // namespace

void Operations::refund(const Caller& caller, const std::string& name,
                        const api::MoneyRefund& request, const Promise<api::Account>& promise) {
  if (!caller.may_admin) return fail_with(promise, not_allowed(caller).value());
  ledger::Command made = command(caller, ledger::Refund{}, request.reason);
  add_key(made, "refund", name, caller, request);
  auto charge = find_charge(name, request.unit, sought_by(request));
  // Looked up last, so that the answer to a request that came just before this one is seen.
  if (!charge && !is_answered(made.context.request_id)) return fail_with(promise, charge.error());
  if (charge) {
    std::vector<ledger::HoldId>& holds = charge->holds;
    made.action = ledger::Refund{holds.front(),
                                 charge->runs,
                                 charge->unit,
                                 request.percent ? part_of(charge->amount, *request.percent)
                                                 : request.amount.value_or(Micros()),
                                 {holds.begin() + 1, holds.end()}};
  }
  commit<api::Account>(std::move(made), name, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"request_id", request.request_id}});
}

void Operations::write_off(const Caller& caller, const std::string& name,
                           const api::MoneyWriteOff& request,
                           const Promise<api::Account>& promise) {
  if (!caller.may_admin) return fail_with(promise, not_allowed(caller).value());
  ledger::Command made = command(caller, ledger::WriteOff{}, request.reason);
  add_key(made, "write-off", name, caller, request);
  auto charge = find_charge(name, request.unit, sought_by(request));
  if (charge && options_.write_off_account.empty()) {
    charge = conflict("no_write_off_account",
                      "The settings name no account that bears what is written off: "
                      "budget.write_off_account.");
  }
  if (!charge && !is_answered(made.context.request_id)) return fail_with(promise, charge.error());
  if (charge) {
    std::vector<ledger::HoldId>& holds = charge->holds;
    made.action = ledger::WriteOff{holds.front(),
                                   charge->runs,
                                   charge->unit,
                                   request.amount,
                                   options_.write_off_account,
                                   {holds.begin() + 1, holds.end()}};
  }
  // What is wrong with an account is wrong with the one that shall bear the cost.
  commit<api::Account>(std::move(made), options_.write_off_account, promise,
                       [this, name](const ledger::Outcome&) { return show_account(name); },
                       {{"request_id", request.request_id}});
}

}  // namespace asbb::service
