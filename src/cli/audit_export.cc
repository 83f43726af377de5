// The whole ledger to a file or standard output, a page at a time.
#include <functional>
#include <ostream>

#include "cli/audit.h"
#include "cli/new_file.h"

namespace asbb::cli {
namespace {

Table csv_table() {
  std::vector<Column> columns;
  for (const char* key : {"id", "time", "type", "account", "budget_id", "unit", "amount", "job_id",
                          "transaction_id", "cluster", "partition", "user", "price_version",
                          "actor", "reason", "description", "request_id", "chain"}) {
    columns.push_back({"", key});
  }
  return Table(std::move(columns));
}

std::string csv_line(const api::AuditEntry& entry) {
  Table table = csv_table();
  const api::Transaction& shown = entry.transaction;
  table.add({std::to_string(shown.id), to_rfc3339(shown.created_at), shown.type, shown.account,
             entry.budget_id == 0 ? "" : std::to_string(entry.budget_id), shown.unit,
             to_decimal(shown.amount), shown.job_id, shown.transaction_id, shown.cluster,
             shown.partition, shown.user,
             shown.price_version == 0 ? "" : std::to_string(shown.price_version), shown.actor,
             shown.reason, shown.description, shown.request_id, entry.chain});
  return table.csv().substr(csv_table().csv().size());
}

struct Form {
  std::string head;
  std::function<std::string(const api::AuditEntry&)> line;
};

Form form_of(const std::string& format) {
  if (format == "csv") return {csv_table().csv(), csv_line};
  if (format == "journal") {
    auto journal = std::make_shared<JournalWriter>();
    return {JournalWriter::head(),
            [journal](const api::AuditEntry& entry) { return journal->add(entry); }};
  }
  return {"", [](const api::AuditEntry& entry) { return api::to_json(entry) + "\n"; }};
}

// How many entries were written.
api::Reply<std::int64_t> write_all(Context& context, const Form& form, std::ostream& out) {
  out << form.head;
  std::int64_t last = 0;
  std::int64_t count = 0;
  for (;;) {
    const auto page = context.call<std::vector<api::AuditEntry>>(
        "GET", "/api/v1/audit/entries?after=" + std::to_string(last) +
                   "&limit=" + std::to_string(api::audit_entries_limit_max));
    if (!page) return tl::unexpected(page.error());
    for (const api::AuditEntry& entry : *page) out << form.line(entry);
    count += static_cast<std::int64_t>(page->size());
    if (!out || static_cast<std::int64_t>(page->size()) < api::audit_entries_limit_max) break;
    last = page->back().transaction.id;
  }
  return count;
}

}  // namespace

int export_entries(Context& context, const ExportFlags& flags) {
  const Form form = form_of(flags.format);
  if (flags.file.empty()) {
    const auto count = write_all(context, form, context.out());
    return count ? exit_done : context.failed(count.error());
  }
  NewFile file(flags.file);
  if (const auto opened = file.open(flags.force); !opened) return context.failed(opened.error());
  const auto count = write_all(context, form, file.stream());
  if (!count) return context.failed(count.error());
  if (const auto done = file.finish(flags.force); !done) return context.failed(done.error());
  return context.done("Wrote " + std::to_string(*count) + " entries to " + flags.file + ".");
}

}  // namespace asbb::cli
