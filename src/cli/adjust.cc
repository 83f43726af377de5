#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct Flags {
  std::string account;
  std::string amount;
  std::string reason;
  std::string unit;
  std::string request_id;
};

int adjust(Context& context, const Flags& flags) {
  const auto amount = read_amount("--amount", flags.amount);
  if (!amount) return context.misused(amount.error().message);
  if (amount->is_zero()) return context.misused("--amount: an amount other than 0 is expected");
  const api::Adjustment request{*amount, flags.unit, flags.reason, flags.request_id};
  const auto account = context.call<api::Account>(
      "POST", account_path(flags.account) + "/adjustments", api::to_json(request));
  if (!account) return context.failed(account.error());
  std::string sentence =
      "Adjusted what account " + account->slurm_account + " has used by " + to_display(*amount);
  for (const api::Budget& budget : account->budgets) {
    if (!budget.in_force || (!flags.unit.empty() && budget.unit != flags.unit)) continue;
    sentence += " " + budget.unit + ": " + to_display(budget.used) + " used, " +
                to_display(budget.available) + " available";
    break;
  }
  return context.done(sentence + ".", api::to_json(*account));
}

}  // namespace

void add_adjust(Command& root, Context& context) {
  auto flags = std::make_shared<Flags>();
  root.add("adjust", "Corrects what an account has used, with a reason that stays.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, flags->account)
      .take({"--amount", "AMOUNT", "Added to what is used; negative gives money back.",
             Presence::required},
            flags->amount)
      .take({"--reason", "TEXT", "Why; it is kept in the ledger.", Presence::required},
            flags->reason)
      .take({"--unit", "UNIT", "Which budget: the one counted in this."}, flags->unit)
      .take({"--request-id", "ID", "The same id changes the ledger only once."}, flags->request_id)
      .example("asbb adjust proj001 --amount=-2.50 --reason='node failed, ticket 4711'")
      .action([&context, flags] { return adjust(context, *flags); });
}

}  // namespace asbb::cli
