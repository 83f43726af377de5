#include <algorithm>
#include <ostream>

#include "cli/account_view.h"
#include "cli/commands.h"
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
};

Result<api::TransactionQuery> read_query(const TransactionFlags& flags, Instant now) {
  api::TransactionQuery out;
  out.account = flags.account;
  out.job_id = flags.job;
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
    if (!date) return tl::unexpected(date.error());
    *target = *date;
  }
  if (!flags.type.empty()) {
    const auto types = api::parse_transaction_query({{"type", flags.type}});
    if (!types) return tl::unexpected(types.error());
    out.types = types->types;
  }
  return out;
}

bool has_amount(const api::Transaction& entry) {
  return !entry.unit.empty() && entry.type != "bind";
}

Table short_table(const std::vector<api::Transaction>& newest_first, bool says_account) {
  std::vector<std::string> units;
  for (const api::Transaction& entry : newest_first) {
    if (has_amount(entry)) units.push_back(entry.unit);
  }
  const std::string unit = common_unit(units);
  std::vector<Column> columns = {{"TIME (UTC)", "time"},
                                 {"TYPE", "type"},
                                 {"JOB", "job_id", Align::right},
                                 {"PARTITION", "partition", Align::left, true},
                                 {"USER", "user", Align::left, true},
                                 {"AMOUNT" + unit, "amount", Align::decimal}};
  const bool says_unit = unit.empty() && !units.empty();
  if (says_unit) columns.push_back({"UNIT", "unit"});
  if (says_account) columns.insert(columns.begin() + 2, {"ACCOUNT", "account", Align::left, true});
  Table table(columns);
  for (auto entry = newest_first.rbegin(); entry != newest_first.rend(); ++entry) {
    std::vector<std::string> row = {to_second_text(entry->created_at),
                                    entry->type,
                                    entry->job_id,
                                    entry->partition,
                                    entry->user,
                                    has_amount(*entry) ? to_display(entry->amount) : ""};
    if (says_unit) row.push_back(has_amount(*entry) ? entry->unit : "");
    if (says_account) row.insert(row.begin() + 2, entry->account);
    table.add(std::move(row));
  }
  return table;
}

Table full_table(const std::vector<api::Transaction>& newest_first) {
  std::vector<Column> columns;
  for (const char* key :
       {"id", "time", "type", "status", "account", "job_id", "transaction_id", "cluster",
        "partition", "user", "unit", "amount", "price_version", "actor", "reason", "description"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (auto entry = newest_first.rbegin(); entry != newest_first.rend(); ++entry) {
    table.add({std::to_string(entry->id), to_rfc3339(entry->created_at), entry->type, entry->status,
               entry->account, entry->job_id, entry->transaction_id, entry->cluster,
               entry->partition, entry->user, entry->unit, to_decimal(entry->amount),
               entry->price_version == 0 ? "" : std::to_string(entry->price_version), entry->actor,
               entry->reason, entry->description});
  }
  return table;
}

int list(Context& context, const TransactionFlags& flags) {
  const auto query = read_query(flags, context.now());
  if (!query) return context.misused(query.error().message);
  const auto found = context.call<std::vector<api::Transaction>>(
      "GET", "/api/v1/transactions" + api::to_query_string(*query));
  if (!found) return context.failed(found.error());
  const Table table =
      context.wants_table() ? short_table(*found, flags.account.empty()) : full_table(*found);
  const int code = context.show(table, api::to_json(*found),
                                "No transactions fit. Without --type, --job and --last all of an "
                                "account's are listed.");
  if (static_cast<std::int64_t>(found->size()) == flags.limit) {
    context.warn("only the newest " + std::to_string(flags.limit) +
                 " are listed; --limit=N lists more");
  }
  return code;
}

}  // namespace

void add_transactions(Command& root, Context& context) {
  auto flags = std::make_shared<TransactionFlags>();
  root.add("transactions", "Lists the entries of the ledger, the newest last.")
      .take({"ACCOUNT", "", "Of this Slurm account; of all when left out."}, flags->account)
      .take({"--last", "DURATION", "Of the last 30d, 12h, ..."}, flags->last)
      .take({"--from", "YYYY-MM-DD", "From this day on."}, flags->from)
      .take({"--to", "YYYY-MM-DD", "Up to this day, included."}, flags->to)
      .take({"--type", "TYPES",
             "hold, bind, charge, release, overrun, refund, deposit, ...; with "
             "commas."},
            flags->type)
      .take({"--job", "JOB", "Of this job."}, flags->job)
      .take({"--limit", "N", "At most the newest N; 100 when left out."}, flags->limit, 1,
            api::transactions_limit_max)
      .example("asbb transactions proj001 --last=30d")
      .example("asbb transactions proj001 --type=charge,overrun --output=csv")
      .action([&context, flags] { return list(context, *flags); });
}

}  // namespace asbb::cli
