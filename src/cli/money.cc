#include <sys/random.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <ostream>
#include <utility>

#include "base/text.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct MoneyFlags {
  std::string account;
  std::string to;
  std::string from_flag;  // of transfer, instead of the two above
  std::string to_flag;
  std::string job;
  std::string transaction;
  std::string cluster;
  std::string charged_account;
  std::optional<std::string> amount;
  std::optional<std::string> percent;
  std::string reason;
  std::string unit;
  std::string to_unit;
  std::string request_id;
};

// So that the same command can be given again when nobody knows whether it was carried out.
std::string make_request_id(const std::string& verb) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 12> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) return "";
  std::string out = verb + "-";
  for (const unsigned char byte : random) {
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

// What was done, around the amount with its unit.
struct Sentence {
  std::string before;
  std::string after;
  bool has_figures = true;  // of the budget in force
  std::string all{};        // instead of both: what it came to, the ledger knows
  std::string type{};       // then that of its entries
};

// What the newest entries of that type came to: one for each budget, written at one moment. Empty
// when nobody tells.
std::string newest_amounts(Context& context, const MoneyFlags& flags, const std::string& type) {
  api::TransactionQuery query;
  query.account = flags.account;
  query.transaction_id = flags.transaction;
  query.types = {type};
  const auto found = context.call<std::vector<api::Transaction>>(
      "GET", "/api/v1/transactions" + api::to_query_string(query));
  if (!found) return {};
  std::map<std::string, Micros> sums;
  for (const api::Transaction& entry : *found) {
    if (entry.created_at == found->front().created_at) sums[entry.unit] += entry.amount;
  }
  std::vector<std::string> amounts;
  for (const auto& [unit, sum] : sums) amounts.push_back(to_display(sum, unit));
  return joined(amounts, " and ");
}

// A service that was told no unit took the only one, of a budget that has not ended where there is
// one. Of a conversion it is the one that it was not turned into.
std::string unit_meant(const MoneyFlags& flags, const api::Account& account) {
  if (!flags.unit.empty()) return flags.unit;
  const api::Budget* meant = nullptr;
  for (const api::Budget& budget : account.budgets) {
    if (budget.unit == flags.to_unit) continue;
    if (meant == nullptr || meant->end_date < budget.end_date) meant = &budget;
  }
  return meant == nullptr ? "" : meant->unit;
}

std::string told(Context& context, const Sentence& sentence, const MoneyFlags& flags, Micros amount,
                 const api::Account& account) {
  if (!sentence.all.empty()) {
    const std::string amounts = newest_amounts(context, flags, sentence.type);
    return sentence.all + (amounts.empty() ? "." : ": " + amounts + ".");
  }
  const std::string unit = sentence.has_figures ? unit_meant(flags, account) : flags.unit;
  std::string figures;
  for (const api::Budget& budget : account.budgets) {
    if (!sentence.has_figures || !budget.in_force || budget.unit != unit) continue;
    figures =
        ": " + to_display(budget.used) + " used, " + to_display(budget.available) + " available";
    break;
  }
  return sentence.before + to_display(amount) + (unit.empty() ? "" : " " + unit) + sentence.after +
         figures + ".";
}

// Sends it; the answer is the account as it is then. Says on the error stream how to repeat what
// may or may not have been carried out.
int send(Context& context, const MoneyFlags& flags, const std::string& route,
         const std::string& body, const std::string& request_id, Micros amount,
         const Sentence& sentence) {
  const auto account =
      context.call<api::Account>("POST", account_path(flags.account) + "/" + route, body);
  if (!account) {
    const int code = context.failed(account.error());
    if (account.error().status == 0 || account.error().status >= 500) {
      context.err() << "Whether it was made is not known: the same command with --request-id="
                    << harmless(request_id) << " makes it once at most.\n";
    }
    return code;
  }
  return context.done(told(context, sentence, flags, amount, *account), api::to_json(*account));
}

std::string id_of(const MoneyFlags& flags, const std::string& verb) {
  return flags.request_id.empty() ? make_request_id(verb) : flags.request_id;
}

Result<Micros> read_positive(const std::string& text) {
  auto amount = read_amount("--amount", text);
  if (amount && *amount <= Micros()) {
    return fail(ErrorKind::invalid, "--amount: an amount above 0 is expected");
  }
  return amount;
}

int adjust(Context& context, const MoneyFlags& flags) {
  const auto amount = read_amount("--amount", flags.amount.value_or(""));
  if (!amount) return context.misused(amount.error().message);
  if (amount->is_zero()) return context.misused("--amount: an amount other than 0 is expected");
  const std::string id = id_of(flags, "adjust");
  return send(context, flags, "adjustments",
              api::to_json(api::Adjustment{*amount, flags.unit, flags.reason, id}), id, *amount,
              {"Adjusted what account " + flags.account + " has used by ", ""});
}

int deposit(Context& context, const MoneyFlags& flags) {
  const auto amount = read_positive(flags.amount.value_or(""));
  if (!amount) return context.misused(amount.error().message);
  const std::string id = id_of(flags, "deposit");
  return send(context, flags, "deposits",
              api::to_json(api::MoneyMove{*amount, flags.unit, flags.reason, id}), id, *amount,
              {"Put ", " into account " + flags.account});
}

int withdraw(Context& context, const MoneyFlags& flags) {
  const auto amount = read_positive(flags.amount.value_or(""));
  if (!amount) return context.misused(amount.error().message);
  const std::string id = id_of(flags, "withdraw");
  return send(context, flags, "withdrawals",
              api::to_json(api::MoneyMove{*amount, flags.unit, flags.reason, id}), id, *amount,
              {"Took ", " out of account " + flags.account});
}

// 'transfer FROM TO' or 'transfer --from=FROM --to=TO': fills in the first form. The exit code when
// the line has neither, or something of both.
std::optional<int> name_both(const Context& context, MoneyFlags& flags) {
  const bool has_words = !flags.account.empty() || !flags.to.empty();
  const bool has_flags = !flags.from_flag.empty() || !flags.to_flag.empty();
  if (has_words && has_flags) {
    return context.misused(
        "give the accounts either as 'transfer FROM TO' or with --from and --to, "
        "not both");
  }
  if (has_flags) {
    flags.account = flags.from_flag;
    flags.to = flags.to_flag;
  }
  if (!flags.account.empty() && !flags.to.empty()) return std::nullopt;
  const std::string missing = flags.account.empty() ? "from" : "to";
  return context.misused("which account the money goes " + missing +
                         " is not said: --from=ACCOUNT --to=ACCOUNT");
}

int transfer(Context& context, const MoneyFlags& given) {
  MoneyFlags flags = given;
  if (const auto code = name_both(context, flags)) return *code;
  const auto amount = read_positive(flags.amount.value_or(""));
  if (!amount) return context.misused(amount.error().message);
  const std::string id = id_of(flags, "transfer");
  return send(context, flags, "transfers",
              api::to_json(api::MoneyTransfer{flags.to, *amount, flags.unit, flags.reason, id}), id,
              *amount, {"Moved ", " from account " + flags.account + " to account " + flags.to});
}

// Who was charged for a job, each once.
struct Charged {
  std::vector<std::string> accounts;
  std::vector<std::string> transactions;  // of another program's job: it is known by these alone
};

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// An array's task is looked for by the array.
api::Reply<Charged> find_charged(Context& context, const MoneyFlags& flags) {
  api::TransactionQuery query;
  query.job_id = is_job_id(flags.job) ? flags.job.substr(0, flags.job.find('_')) : flags.job;
  query.account = flags.account;
  query.types = {"charge", "overrun"};
  query.limit = 1000;
  const auto found = context.call<std::vector<api::Transaction>>(
      "GET", "/api/v1/transactions" + api::to_query_string(query));
  if (!found) return tl::unexpected(found.error());
  Charged charged;
  for (const api::Transaction& charge : *found) {
    if (!flags.cluster.empty() && charge.cluster != flags.cluster) continue;
    add_once(charged.accounts, charge.account);
    if (charge.cluster.empty()) add_once(charged.transactions, charge.transaction_id);
  }
  return charged;
}

// 'VERB JOB', or 'VERB ACCOUNT --job=JOB': fills in what was left out. The exit code when that
// cannot be done.
std::optional<int> name_charge(Context& context, MoneyFlags& flags) {
  if (!flags.transaction.empty()) return std::nullopt;
  const bool has_account = !flags.job.empty() || !flags.charged_account.empty();
  if (flags.job.empty()) flags.job = std::exchange(flags.account, flags.charged_account);
  if (has_account && is_job_id(flags.job)) return std::nullopt;
  const auto charged = find_charged(context, flags);
  if (!charged) return context.failed(charged.error());
  const auto& accounts = charged->accounts;
  if (accounts.empty() && !has_account && !is_job_id(flags.job)) {
    return context.misused("no charge of a job '" + flags.job +
                           "' is known; where that is an account, --job=JOB or --transaction=ID is "
                           "needed");
  }
  if (accounts.empty()) {
    api::Problem problem;
    problem.status = 404;
    problem.message = "No charge of a job '" + flags.job +
                      "' is known; 'asbb transactions list --job=" + flags.job + "' shows what is.";
    return context.failed(problem);
  }
  if (accounts.size() > 1) {
    return context.misused("job '" + flags.job + "' was charged to " + joined(accounts, ", ") +
                           ": say which with --account");
  }
  flags.account = accounts.front();
  const auto& transactions = charged->transactions;
  if (transactions.size() > 1) {
    return context.misused("there are several charges of a job '" + flags.job +
                           "': say which with --transaction, one of " + joined(transactions, ", "));
  }
  if (!transactions.empty()) flags.transaction = transactions.front();
  return std::nullopt;
}

int refund(Context& context, const MoneyFlags& given) {
  api::MoneyRefund request;
  if (given.amount.has_value() == given.percent.has_value()) {
    return context.misused("either --amount=AMOUNT or --percent=PERCENT is needed");
  }
  if (given.amount) {
    const auto amount = read_positive(*given.amount);
    if (!amount) return context.misused(amount.error().message);
    request.amount = *amount;
  } else {
    const auto percent = parse_micros(*given.percent);
    if (!percent || *percent <= Micros() || *percent > api::percent_whole) {
      return context.misused("--percent: '" + *given.percent +
                             "' is not a number above 0 and at most 100");
    }
    request.percent = *percent;
  }
  MoneyFlags flags = given;
  if (const auto code = name_charge(context, flags)) return *code;
  const std::string id = id_of(flags, "refund");
  request.transaction_id = flags.transaction;
  request.job_id = flags.job;
  request.cluster = flags.cluster;
  request.unit = flags.unit;
  request.reason = flags.reason;
  request.request_id = id;
  Sentence sentence{"Gave ", " back to account " + flags.account, false};
  if (request.percent) {
    sentence.all = "Gave " + to_decimal(*request.percent) +
                   " % of what was charged back to account " + flags.account;
    sentence.type = "refund";
  }
  return send(context, flags, "refunds", api::to_json(request), id,
              request.amount.value_or(Micros()), sentence);
}

// Without --amount all that is left of the charge.
int write_off(Context& context, const MoneyFlags& given) {
  std::optional<Micros> amount;
  if (given.amount) {
    const auto read = read_positive(*given.amount);
    if (!read) return context.misused(read.error().message);
    amount = *read;
  }
  MoneyFlags flags = given;
  if (const auto code = name_charge(context, flags)) return *code;
  const std::string id = id_of(flags, "write-off");
  Sentence sentence{"Wrote ", " of account " + flags.account + " off", false};
  if (!amount) {
    sentence.all = "Wrote all that was charged to account " + flags.account + " off";
    sentence.type = "write_off_out";
  }
  return send(context, flags, "write-offs",
              api::to_json(api::MoneyWriteOff{flags.transaction, flags.job, flags.cluster, amount,
                                              flags.unit, flags.reason, id}),
              id, amount.value_or(Micros()), sentence);
}

int convert(Context& context, const MoneyFlags& flags) {
  const auto amount = read_positive(flags.amount.value_or(""));
  if (!amount) return context.misused(amount.error().message);
  const std::string id = id_of(flags, "convert");
  return send(
      context, flags, "conversions",
      api::to_json(api::MoneyConversion{*amount, flags.unit, flags.to_unit, flags.reason, id}), id,
      *amount, {"Converted ", " of account " + flags.account + " to " + flags.to_unit});
}

using Action = int (*)(Context&, const MoneyFlags&);

// What all of these verbs take, and what they do.
void complete(Command verb, Context& context, const std::shared_ptr<MoneyFlags>& flags,
              const char* amount_help, Action action, Presence amount = Presence::required) {
  verb.take({"--amount", "AMOUNT", amount_help, amount}, flags->amount)
      .take({"--reason", "TEXT", "Why; it is kept in the ledger.", Presence::required},
            flags->reason)
      .take({"--unit", "UNIT",
             "Which budget: the one counted in this; needed where there are several."},
            flags->unit)
      .take({"--request-id", "ID", "The same id changes the ledger only once."}, flags->request_id)
      .action([&context, flags, action] { return action(context, *flags); });
}

Command add_verb(Command& root, const char* name, const char* summary,
                 const std::shared_ptr<MoneyFlags>& flags) {
  return root.add(name, summary)
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, flags->account);
}

// What refund and write-off both take.
Command add_charge_verb(Command& root, const char* name, const char* summary,
                        const std::shared_ptr<MoneyFlags>& flags) {
  return root.add(name, summary)
      .take({"JOB", "",
             "The job, such as 123 or 123_4, or as another program calls it; with --job or "
             "--transaction the account.",
             Presence::required},
            flags->account)
      .take({"--account", "ACCOUNT", "That was charged; needed where there are several."},
            flags->charged_account)
      .take({"--job", "JOBID", "The job, when the account is named first."}, flags->job)
      .take({"--transaction", "ID", "The transaction that held the money for it."},
            flags->transaction)
      .take({"--cluster", "CLUSTER", "Of the job."}, flags->cluster);
}

void add_charge_verbs(Command& root, Context& context) {
  auto flags = std::make_shared<MoneyFlags>();
  complete(add_charge_verb(root, "refund", "Gives back what a job was charged.", flags)
               .take({"--percent", "PERCENT", "Instead of --amount: of all that was charged."},
                     flags->percent)
               .note("It goes back to the budget that paid, also after its end.")
               .example("asbb refund 4711 --percent=50 --reason='the node was slow'")
               .example("asbb refund proj001 --job=4711 --amount=2.50 --reason='node failed'"),
           context, flags, "At most what was charged less what was refunded.", refund,
           Presence::optional);

  flags = std::make_shared<MoneyFlags>();
  complete(
      add_charge_verb(root, "write-off", "Moves what a job was charged to the overhead.", flags)
          .note("The account of the setting budget.write_off_account bears it from then on.")
          .example("asbb write-off 4711 --reason='node failed, not billed'"),
      context, flags, "At most what was charged less what was refunded; all of it if left out.",
      write_off, Presence::optional);
}

}  // namespace

void add_money(Command& root, Context& context) {
  auto flags = std::make_shared<MoneyFlags>();
  complete(add_verb(root, "adjust", "Corrects what an account has used, with a reason that stays.",
                    flags)
               .example("asbb adjust proj001 --amount=-2.50 --reason='node failed, ticket 4711'"),
           context, flags, "Added to what is used; negative gives money back.", adjust);

  flags = std::make_shared<MoneyFlags>();
  complete(add_verb(root, "deposit", "Puts money into a budget of an account.", flags)
               .note("The budget in force, or the next to come.")
               .example("asbb deposit proj001 --amount=100 --reason='second instalment'"),
           context, flags, "How much.", deposit);

  flags = std::make_shared<MoneyFlags>();
  complete(add_verb(root, "withdraw", "Takes money out of a budget of an account.", flags)
               .note("At most what is available: neither held nor used.")
               .example("asbb withdraw proj001 --amount=25 --reason='returned to the funder'"),
           context, flags, "How much.", withdraw);

  flags = std::make_shared<MoneyFlags>();
  complete(
      root.add("transfer", "Moves money from one account to another.")
          .take({"FROM", "", "The account that gives it; --from says the same."}, flags->account)
          .take({"TO", "", "The account that gets it; --to says the same."}, flags->to)
          .take({"--from", "ACCOUNT", "Instead of FROM, together with --to."}, flags->from_flag)
          .take({"--to", "ACCOUNT", "Instead of TO, together with --from."}, flags->to_flag)
          .note("Both happen or neither. Limits of the accounts above do not move.")
          .example("asbb transfer proj001 proj002 --amount=10 --reason='agreed on 2 June'")
          .example("asbb transfer --from=proj001 --to=proj002 --amount=10 "
                   "--reason='agreed on 2 June'"),
      context, flags, "How much; at most what is available.", transfer);

  add_charge_verbs(root, context);
  flags = std::make_shared<MoneyFlags>();
  complete(
      add_verb(root, "convert", "Pays one unit of an account with another.", flags)
          .take({"--to", "UNIT", "The unit that it becomes.", Presence::required}, flags->to_unit)
          .note("At the rate in force, rounded down; where the account may convert.")
          .example("asbb convert proj001 --amount=10 --unit=USD --to=core-hours "
                   "--reason='the cloud is full'"),
      context, flags, "How much; at most what is available.", convert);
}

}  // namespace asbb::cli
