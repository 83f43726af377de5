#include <sys/random.h>

#include <array>
#include <ostream>

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

// So that the same command can be given again when nobody knows whether it was carried out.
std::string make_request_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 12> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) return "";
  std::string out = "adjust-";
  for (const unsigned char byte : random) {
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

int adjust(Context& context, const Flags& flags) {
  const auto amount = read_amount("--amount", flags.amount);
  if (!amount) return context.misused(amount.error().message);
  if (amount->is_zero()) return context.misused("--amount: an amount other than 0 is expected");
  const std::string request_id = flags.request_id.empty() ? make_request_id() : flags.request_id;
  const api::Adjustment request{*amount, flags.unit, flags.reason, request_id};
  const auto account = context.call<api::Account>(
      "POST", account_path(flags.account) + "/adjustments", api::to_json(request));
  if (!account) {
    const int code = context.failed(account.error());
    if (account.error().status == 0 || account.error().status >= 500) {
      context.err() << "Whether it was made is not known: the same command with --request-id="
                    << harmless(request_id) << " makes it once at most.\n";
    }
    return code;
  }
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
