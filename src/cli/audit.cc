#include <ostream>

#include "cli/commands.h"

namespace asbb::cli {
namespace {

int verify(Context& context) {
  context.set_timeouts(2'000, 3'600'000);
  const auto report = context.call<api::AuditReport>("GET", "/api/v1/audit/verify");
  if (!report) return context.failed(report.error());
  Table table(std::vector<Column>{{"PROBLEM", "problem"}});
  for (const std::string& problem : report->problems) table.add({problem});
  if (!context.wants_table()) {
    const int code = context.show(table, api::to_json(*report));
    return report->ok ? code : exit_failed;
  }
  if (report->ok) {
    return context.done("The ledger verifies: " + std::to_string(report->entries) +
                        " entries, chain head " + report->head + ".");
  }
  for (const std::string& problem : report->problems) {
    context.err() << "asbb: " << harmless(problem) << "\n";
  }
  context.err() << "asbb: the ledger does not verify: " << report->problems.size()
                << " problems in " << report->entries << " entries\n";
  return exit_failed;
}

}  // namespace

void add_audit(Command& root, Context& context) {
  Command audit = root.add("audit", "Checks of the ledger.");
  audit.add("verify", "Checks every entry, every sum and the chain of the whole ledger.")
      .note("Exit code 1 when anything does not fit.")
      .example("asbb audit verify")
      .action([&context] { return verify(context); });
}

}  // namespace asbb::cli
