#include "cli/audit.h"

#include <ostream>

#include "cli/commands.h"
#include "store/open_store.h"
#include "store/verify.h"

namespace asbb::cli {
namespace {

struct VerifyFlags {
  bool offline = false;
  std::string archive;
  std::string key_file;
  std::string heads_file;
};

api::AuditReport report_of(const store::Verdict& verdict) {
  return {verdict.ok(), verdict.entries, verdict.problems, verdict.head};
}

int verify_online(Context& context) {
  context.set_timeouts(2'000, 3'600'000);
  const auto report = context.call<api::AuditReport>("GET", "/api/v1/audit/verify");
  if (!report) return context.failed(report.error());
  return show_verdict(context, *report);
}

int verify_offline(Context& context, const VerifyFlags& flags) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const config::Database& database = settings->database;
  const auto owner = store::database_owner(database.driver, database.dsn);
  if (owner && *owner) {
    context.warn("a service, " + **owner + ", has " + database.dsn +
                 " open: what is checked is what it has written up to now");
  }
  const auto verdict = check_database(*settings, flags.key_file, flags.heads_file);
  if (!verdict) return context.failed(verdict.error());
  return show_verdict(context, report_of(*verdict));
}

int verify(Context& context, const VerifyFlags& flags) {
  if (flags.archive.empty()) {
    if (flags.offline) return verify_offline(context, flags);
    if (!flags.key_file.empty() || !flags.heads_file.empty()) {
      return context.misused("--key-file and --heads-file go with --offline or --archive");
    }
    return verify_online(context);
  }
  if (flags.offline) return context.misused("give either --offline or --archive");
  std::string key_file = flags.key_file;
  if (key_file.empty()) {
    const auto settings = context.settings();
    if (!settings) return exit_failed;
    key_file = settings->database.chain_key_file;
  }
  const auto report = verify_archive(flags.archive, key_file, flags.heads_file);
  if (!report) return context.failed(report.error());
  return show_verdict(context, *report);
}

void add_verify(Command& audit, Context& context) {
  auto flags = std::make_shared<VerifyFlags>();
  audit.add("verify", "Checks every entry, every sum and the chain of the whole ledger.")
      .take({"--offline", "", "Reads the database of the settings, without a service."},
            flags->offline)
      .take({"--archive", "FILE", "Checks exported JSON lines instead, without a database."},
            flags->archive)
      .take({"--key-file", "FILE", "The chain's key; that of the settings when left out."},
            flags->key_file)
      .take({"--heads-file", "FILE",
             "Heads written down earlier; the settings' audit.head_file when left out, for an "
             "archive "
             "none."},
            flags->heads_file)
      .note(
          "Says of each entry that does not fit what was done to it. Exit code 1 when anything "
          "does not fit.")
      .note("An archive has no tables to compare with, and only --heads-file shows a cut tail.")
      .example("asbb audit verify")
      .example("asbb audit verify --offline")
      .action([&context, flags] { return verify(context, *flags); });
}

void add_export(Command& audit, Context& context) {
  auto flags = std::make_shared<ExportFlags>();
  Argument format{"--format", "FORMAT",
                  "jsonl: with records and the chain, as --archive reads it; csv; or journal: "
                  "double entries for hledger. jsonl when left out."};
  format.words = {"jsonl", "csv", "journal"};
  audit.add("export", "Writes every entry of the ledger, the oldest first.")
      .take(format, flags->format)
      .take({"--file", "FILE", "Into this file, which then is complete or not there."}, flags->file)
      .take({"--force", "", "Replaces the file when there is one."}, flags->force)
      .example("asbb audit export --file=ledger.jsonl")
      .example("asbb audit export --format=journal --file=ledger.journal")
      .action([&context, flags] { return export_entries(context, *flags); });
}

}  // namespace

// The rows as they are stored stand for what a service would believe.
Result<store::Verdict> check_database(const config::Config& settings, const std::string& key_file,
                                      const std::string& heads_file) {
  const config::Database& database = settings.database;
  const auto key = store::read_chain_key(key_file.empty() ? database.chain_key_file : key_file);
  if (!key) return tl::unexpected(key.error());
  auto heads = store::read_heads(heads_file.empty() ? settings.audit.head_file : heads_file);
  if (!heads) return tl::unexpected(heads.error());
  const auto opened = store::open_store(database.driver, database.dsn);
  if (!opened) return tl::unexpected(opened.error());
  constexpr Instant no_answers{std::numeric_limits<std::int64_t>::max()};
  const auto snapshot = (*opened)->load(no_answers);
  if (!snapshot) return tl::unexpected(snapshot.error());
  return store::verify_ledger(**opened, *key, store::believed_of(*snapshot), std::move(*heads));
}

int show_verdict(Context& context, const api::AuditReport& report) {
  Table table(std::vector<Column>{{"PROBLEM", "problem"}});
  for (const std::string& problem : report.problems) table.add({problem});
  if (!context.wants_table()) {
    const int code = context.show(table, api::to_json(report));
    return report.ok ? code : exit_failed;
  }
  if (report.ok) {
    return context.done("The ledger verifies: " + std::to_string(report.entries) +
                        " entries, chain head " + report.head + ".");
  }
  for (const std::string& problem : report.problems) {
    context.err() << "asbb: " << harmless(problem) << "\n";
  }
  context.err() << "asbb: the ledger does not verify: " << report.problems.size() << " problems in "
                << report.entries << " entries\n";
  return exit_failed;
}

void add_audit(Command& root, Context& context) {
  Command audit = root.add("audit", "Checks of the ledger, and copies of it.");
  add_verify(audit, context);
  add_export(audit, context);
}

}  // namespace asbb::cli
