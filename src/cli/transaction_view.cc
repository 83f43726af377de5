#include "cli/transaction_view.h"

#include <ostream>
#include <string_view>
#include <utility>

#include "cli/account_view.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t page_entries = 1'000;

bool has_amount(const api::Transaction& entry) {
  return !entry.unit.empty() && entry.type != "bind";
}

}  // namespace

Table transactions_table(const std::vector<api::Transaction>& oldest_first, bool says_account) {
  std::vector<std::string> units;
  for (const api::Transaction& entry : oldest_first) {
    if (has_amount(entry)) units.push_back(entry.unit);
  }
  const std::string unit = common_unit(units);
  std::vector<Column> columns = {{"ID", "id", Align::right},
                                 {"TIME (UTC)", "time"},
                                 {"TYPE", "type"},
                                 {"JOB", "job_id", Align::right, true, job_least},
                                 {"PARTITION", "partition", Align::left, true},
                                 {"USER", "user", Align::left, true},
                                 {"AMOUNT" + unit, "amount", Align::decimal}};
  const bool says_unit = unit.empty() && !units.empty();
  if (says_unit) columns.push_back({"UNIT", "unit"});
  if (says_account) columns.insert(columns.begin() + 3, {"ACCOUNT", "account", Align::left, true});
  Table table(columns);
  for (const api::Transaction& entry : oldest_first) {
    std::vector<std::string> row = {std::to_string(entry.id),
                                    to_second_text(entry.created_at),
                                    entry.type,
                                    entry.job_id,
                                    entry.partition,
                                    entry.user,
                                    has_amount(entry) ? to_display(entry.amount) : ""};
    if (says_unit) row.push_back(has_amount(entry) ? entry.unit : "");
    if (says_account) row.insert(row.begin() + 3, entry.account);
    table.add(std::move(row));
  }
  return table;
}

Table transactions_csv(const std::vector<api::Transaction>& oldest_first) {
  std::vector<Column> columns;
  for (const char* key :
       {"id", "time", "type", "status", "account", "job_id", "transaction_id", "cluster",
        "partition", "user", "unit", "amount", "price_version", "actor", "reason", "description"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (const api::Transaction& entry : oldest_first) {
    table.add({std::to_string(entry.id), to_rfc3339(entry.created_at), entry.type, entry.status,
               entry.account, entry.job_id, entry.transaction_id, entry.cluster, entry.partition,
               entry.user, entry.unit, to_decimal(entry.amount),
               entry.price_version == 0 ? "" : std::to_string(entry.price_version), entry.actor,
               entry.reason, entry.description});
  }
  return table;
}

namespace {

// A page after another one; a header again only when it differs.
class Pages {
 public:
  Pages(const Context& context, bool says_account)
      : context_(context), says_account_(says_account) {}

  void print(const std::vector<api::Transaction>& page) {
    std::ostream& out = context_.out();
    if (context_.flags.output == "json") {
      const std::string json = api::to_json(page);
      out << (is_first_ ? "[" : ",") << std::string_view(json).substr(1, json.size() - 2);
    } else {
      const std::string text = context_.wants_table()
                                   ? transactions_table(page, says_account_).text()
                                   : transactions_csv(page).csv();
      const std::size_t end = text.find('\n') + 1;
      const bool is_same = !is_first_ && text.compare(0, end, header_) == 0;
      header_ = text.substr(0, end);
      out << std::string_view(text).substr(is_same ? end : 0);
    }
    is_first_ = false;
  }

  void finish() {
    std::ostream& out = context_.out();
    if (context_.flags.output == "json") {
      out << (is_first_ ? "[]\n" : "]\n");
    } else if (is_first_) {
      out << (context_.wants_table() ? std::string("No transactions fit.\n")
                                     : transactions_csv({}).csv());
    }
  }

 private:
  const Context& context_;
  const bool says_account_;
  bool is_first_ = true;
  std::string header_;
};

Table parts_table(const std::vector<api::TransactionPart>& parts) {
  Table table({{"UNIT", "unit"},
               {"ESTIMATE", "estimate", Align::decimal},
               {"GRANTED", "granted", Align::decimal},
               {"HELD", "held", Align::decimal},
               {"CHARGED", "charged", Align::decimal},
               {"OVERRUN", "overrun", Align::decimal},
               {"RELEASED", "released", Align::decimal},
               {"REFUNDED", "refunded", Align::decimal}});
  for (const api::TransactionPart& part : parts) {
    std::vector<std::string> cells{part.unit};
    for (const Micros amount : {part.estimate, part.granted, part.held, part.charged, part.overrun,
                                part.released, part.refunded}) {
      cells.push_back(to_display(amount));
    }
    table.add(std::move(cells));
  }
  return table;
}

void print_head(std::ostream& out, const api::TransactionDetails& found) {
  const auto line = [&](const char* title, const std::string& value) {
    if (!value.empty()) out << title << harmless(value) << "\n";
  };
  line("Transaction:  ", found.transaction_id);
  line("Status:       ", found.status);
  line("Account:      ", found.account);
  for (const api::TransactionPart& part : found.parts) {
    if (part.paying_account != found.account) {
      line("Paid by:      ", part.paying_account + " (" + part.unit + ")");
    }
  }
  line("User:         ", found.user);
  line("Cluster:      ", found.cluster);
  line("Partition:    ", found.partition);
  line("Job:          ", found.job_id);
  if (found.task_count > 1) line("Tasks:        ", std::to_string(found.task_count));
  if (found.submitted_at) line("Submitted:    ", to_second_text(*found.submitted_at) + " UTC");
  if (found.placed_at) line("Held since:   ", to_second_text(*found.placed_at) + " UTC");
  if (found.closed_at) line("Closed:       ", to_second_text(*found.closed_at) + " UTC");
  for (const api::TransactionPart& part : found.parts) {
    line("Prices:       ", part.price_version == 0
                               ? "given by the caller"
                               : "version " + std::to_string(part.price_version) +
                                     ": 'asbb prices show " + std::to_string(part.price_version) +
                                     "'");
  }
}

}  // namespace

int stream_transactions(Context& context, api::TransactionQuery query) {
  query.limit = page_entries;
  query.after = 0;
  Pages pages(context, query.account.empty());
  for (;;) {
    const auto page = context.call<std::vector<api::Transaction>>(
        "GET", "/api/v1/transactions" + api::to_query_string(query));
    if (!page) return context.failed(page.error());
    if (!page->empty()) pages.print(*page);
    // Nobody reads on: a closed pipe or a full disk.
    if (!context.out()) return exit_failed;
    if (static_cast<std::int64_t>(page->size()) < page_entries) break;
    query.after = page->back().id;
  }
  pages.finish();
  return exit_done;
}

int show_transaction(const Context& context, const api::TransactionDetails& found) {
  if (!context.wants_table()) {
    return context.show(transactions_csv(found.entries), api::to_json(found));
  }
  std::ostream& out = context.out();
  print_head(out, found);
  if (!found.parts.empty()) out << "\n" << parts_table(found.parts).text();
  out << "\n" << transactions_table(found.entries, false).text();
  for (const api::Transaction& entry : found.entries) {
    if (!entry.reason.empty()) {
      out << entry.id << ": " << harmless(entry.actor) << ": " << harmless(entry.reason) << "\n";
    }
  }
  if (found.has_more) {
    out << "There are more entries: 'asbb transactions list --all --transaction="
        << harmless(found.transaction_id) << "' lists them.\n";
  }
  return exit_done;
}

}  // namespace asbb::cli
