// What administrators of the simulated centre do with money.
#include "ledger/testing/test_ledger.h"
#include "simulation/centre.h"

namespace asbb::simulation {
namespace {

ledger::Command by_root(ledger::Action action, const std::string& reason) {
  ledger::Command command;
  command.context.actor = "root";
  command.context.reason = reason;
  command.action = std::move(action);
  return command;
}

}  // namespace

// A correction may leave a budget with more used than there is.
void Centre::do_something_with_money() {
  static const std::vector<std::string> accounts{"proj001", "proj002", "lab"};
  const std::string account = chance_.of(accounts);
  const std::string unit = chance_.one_in(3) ? "core-hours" : "USD";
  const Micros amount = ledger::testing::usd(1 + chance_.below(300));
  ledger::Command command;
  switch (chance_.below(4)) {
    case 0:
      return refund_something();
    case 1:
      command = by_root(ledger::Deposit{account, unit, amount}, "more for the group");
      break;
    case 2:
      command = by_root(ledger::Adjust{account, unit, Micros() - amount}, "an invoice was wrong");
      break;
    default:
      if (!rules_.enforcement.enabled) return;
      command = by_root(ledger::Adjust{account, unit, amount}, "an invoice");
  }
  const bool is_deposit = std::holds_alternative<ledger::Deposit>(command.action);
  Result<ledger::Outcome> outcome = fail(ErrorKind::unavailable, "nobody answered");
  if (!with_service([&] { outcome = service_->committer().run(command); })) return;
  if (!outcome || !outcome->accepted()) return;
  count(is_deposit ? "a deposit" : "an adjustment");
  note((is_deposit ? "a deposit for " : "an adjustment of ") + account + ": " + unit);
}

void Centre::refund_something() {
  const auto charged = truth_.something_charged(chance_);
  if (!charged) return;
  api::MoneyRefund request;
  store::HoldQuery query;
  query.id = charged->hold;
  const auto found = database_->reader().find_holds(query);
  require(found.has_value() && found->size() == 1, "a charge without a hold");
  request.transaction_id = found->front().hold.request_id;
  request.amount = Micros(1 + chance_.below(charged->micros));
  request.unit = charged->unit;
  request.reason = "the node was broken";
  bool is_done = false;
  if (!with_service([&] { is_done = service_->refund(charged->account, request); })) return;
  if (is_done) note("a refund for " + charged->account);
}

}  // namespace asbb::simulation
