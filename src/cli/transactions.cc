#include "cli/commands.h"
#include "cli/transaction_view.h"
#include "config/duration.h"

namespace asbb::cli {
namespace {

struct TransactionFlags {
  std::string account;
  std::optional<std::string> last;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::int64_t limit = api::transactions_limit_default;
  std::string type;
  std::string job;
  std::string status;
  std::string transaction;
  bool all = false;
  bool operator==(const TransactionFlags&) const = default;
};

Result<api::TransactionQuery> read_query(const TransactionFlags& flags, Instant now) {
  api::TransactionQuery out;
  out.account = flags.account;
  out.job_id = flags.job;
  out.status = flags.status;
  out.transaction_id = flags.transaction;
  out.limit = flags.limit;
  if (flags.last) {
    if (flags.from) return fail(ErrorKind::invalid, "give either --last or --from");
    const auto span = config::parse_span(*flags.last);
    if (!span) {
      return fail(ErrorKind::invalid,
                  "--last: '" + *flags.last + "' is not a duration such as 30d, 12h or 90m");
    }
    out.start_date = now - *span;
  }
  for (const auto& [text, target] :
       {std::pair{&flags.from, &out.start_date}, std::pair{&flags.to, &out.end_date}}) {
    if (!*text) continue;
    const auto date = api::parse_date(**text);
    if (!date) {
      const std::string flag = text == &flags.from ? "--from: " : "--to: ";
      return fail(ErrorKind::invalid, flag + date.error().message);
    }
    *target = *date;
  }
  if (const auto error = reversed(out.start_date, out.end_date)) return tl::unexpected(*error);
  if (!flags.type.empty()) {
    const auto types = api::parse_transaction_query({{"type", flags.type}});
    if (!types) return tl::unexpected(types.error());
    out.types = types->types;
  }
  return out;
}

int list(Context& context, const TransactionFlags& flags) {
  const auto query = read_query(flags, context.now());
  if (!query) return context.misused(query.error());
  if (flags.all) return stream_transactions(context, *query);
  const auto found = context.call<std::vector<api::Transaction>>(
      "GET", "/api/v1/transactions" + api::to_query_string(*query));
  if (!found) return context.failed(found.error());
  const std::vector<api::Transaction> oldest_first(found->rbegin(), found->rend());
  const Table table = context.wants_table()
                          ? transactions_table(oldest_first, flags.account.empty())
                          : transactions_csv(oldest_first);
  const int code = context.show(table, api::to_json(*found),
                                "No transactions fit. Without --type, --job and --last all of an "
                                "account's are listed.");
  if (static_cast<std::int64_t>(found->size()) == flags.limit) {
    context.warn("only the newest " + std::to_string(flags.limit) +
                 " are listed; --limit=N lists more, --all everything");
  }
  return code;
}

int show_hold(Context& context, const std::string& id) {
  const auto found = context.call<api::TransactionDetails>(
      "GET", "/api/v1/transactions/" + api::percent_encode(id));
  if (!found) return context.failed(found.error());
  return show_transaction(context, *found);
}

// What 'asbb transactions' itself takes counts for nothing before or behind one of its verbs.
std::optional<int> misplaced(Context& context, const TransactionFlags& flags) {
  if (flags == TransactionFlags{}) return std::nullopt;
  return context.misused(
      "either 'asbb transactions ACCOUNT [FLAGS]', or 'asbb transactions list --account=ACCOUNT "
      "[FLAGS]', or 'asbb transactions show TRANSACTION'");
}

// Of both spellings.
void take_filters(Command& command, TransactionFlags& flags) {
  command.take({"--last", "DURATION", "Of the last 30d, 12h, ..."}, flags.last)
      .take({"--from", "YYYY-MM-DD", "From this day on."}, flags.from)
      .take({"--to", "YYYY-MM-DD", "Up to this day, included."}, flags.to)
      .take({"--type", "TYPES",
             "hold, bind, charge, release, overrun, refund, deposit, ...; with "
             "commas."},
            flags.type)
      .take({"--job", "JOB", "Of this job."}, flags.job)
      .take({"--status",
             "STATUS",
             "pending: holds that are open still.",
             Presence::optional,
             {"completed", "pending"}},
            flags.status)
      .take({"--transaction", "ID", "Of this hold."}, flags.transaction)
      .take({"--limit", "N", "At most the newest N; 100 when left out."}, flags.limit, 1,
            api::transactions_limit_max)
      .take({"--all", "", "Everything that fits, page by page, the oldest first."}, flags.all);
}

}  // namespace

void add_transactions(Command& root, Context& context) {
  auto flags = std::make_shared<TransactionFlags>();
  Command transactions =
      root.add("transactions", "Lists the entries of the ledger, the newest last.");
  transactions.take({"ACCOUNT", "", "Of this Slurm account; of all when left out."},
                    flags->account);
  take_filters(transactions, *flags);
  transactions.note("'asbb transactions list --account=ACCOUNT' is the same.")
      .example("asbb transactions proj001 --last=30d")
      .example("asbb transactions proj001 --type=charge,overrun --output=csv")
      .action([&context, flags] { return list(context, *flags); });

  auto listed = std::make_shared<TransactionFlags>();
  Command list_verb = transactions.add("list", "Lists entries, by what they are of.");
  list_verb.take({"--account", "ACCOUNT", "Of this Slurm account; of all when left out."},
                 listed->account);
  take_filters(list_verb, *listed);
  list_verb
      .note(
          "--all keeps neither the service nor this program's memory busy, however many there are: "
          "a million rows go through a page at a time.")
      .example("asbb transactions list --account=proj001 --type=charge --from=2025-01-01")
      .example("asbb transactions list --status=pending")
      .example("asbb transactions list --all --output=csv")
      .action([&context, flags, listed] {
        if (const auto code = misplaced(context, *flags)) return *code;
        return list(context, *listed);
      });

  auto id = std::make_shared<std::string>();
  transactions.add("show", "Shows one hold: its job, its prices and all its entries.")
      .take({"TRANSACTION", "",
             "The number in the first column of the list, or a transaction's whole name.",
             Presence::required},
            *id)
      .example("asbb transactions show 2")
      .action([&context, flags, id] {
        if (const auto code = misplaced(context, *flags)) return *code;
        return show_hold(context, *id);
      });
}

}  // namespace asbb::cli
