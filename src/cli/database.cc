#include <ostream>

#include "api/json_writer.h"
#include "cli/commands.h"
#include "cli/database_copies.h"
#include "store/chain.h"
#include "store/durable_file.h"
#include "store/open_store.h"

namespace asbb::cli {
namespace {

std::string list_json(const std::vector<std::pair<std::string, std::int64_t>>& numbers,
                      const std::string& key, const std::vector<std::string>& names) {
  api::JsonWriter out;
  out.begin_object();
  for (const auto& [name, value] : numbers) {
    out.key(name);
    out.number(value);
  }
  out.key(key);
  out.begin_array();
  for (const std::string& name : names) out.text(name);
  out.end_array();
  out.end_object();
  return out.take();
}

// A database that has entries cannot verify without the key they were chained with.
Error key_is_lost(const config::Database& database) {
  return Error{ErrorKind::not_found,
               "the database " + database.dsn + " exists, but its chain key " +
                   database.chain_key_file +
                   " does not: put the key file back from your copy, or the ledger cannot be "
                   "verified and the service does not start",
               "database.chain_key_file"};
}

int migrate(Context& context, bool dry_run) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const config::Database& database = settings->database;
  const auto before = store::database_status(database.driver, database.dsn);
  if (!before) return context.failed(before.error());
  const bool has_key = store::file_exists(database.chain_key_file);
  if (!has_key && before->version > 0) return context.failed(key_is_lost(database));
  if (!has_key && !dry_run) {
    if (const auto made = store::create_chain_key(database.chain_key_file); !made) {
      return context.failed(made.error());
    }
  }
  // What is pending can be read beside a service that runs; a change cannot be made.
  const auto report = dry_run && before->version > 0
                          ? Result<store::MigrationReport>(store::MigrationReport{
                                before->version, before->latest, before->pending, true})
                          : store::migrate_database(
                                database.driver, database.dsn,
                                dry_run ? store::MigrateMode::dry_run : store::MigrateMode::apply);
  if (!report) return context.failed(report.error());
  if (context.flags.output == "json") {
    context.out() << list_json({{"from_version", report->from_version},
                                {"to_version", report->to_version}},
                               "applied", report->applied)
                  << "\n";
    return exit_done;
  }
  const char* would = dry_run ? "Would make " : "Made ";
  if (!has_key)
    context.out() << would << "the chain key " << database.chain_key_file << "; keep a "
                  << "copy of it elsewhere.\n";
  for (const std::string& name : report->applied) {
    context.out() << (dry_run ? "Would apply " : "Applied ") << harmless(name) << "\n";
  }
  context.out() << database.dsn
                << (report->applied.empty() ? " is at version "
                    : dry_run               ? " would be at version "
                                            : " is now at version ")
                << report->to_version << ".\n";
  return exit_done;
}

int status(Context& context) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const config::Database& database = settings->database;
  const auto found = store::database_status(database.driver, database.dsn);
  if (!found) return context.failed(found.error());
  if (found->version > 0 && !store::file_exists(database.chain_key_file)) {
    return context.failed(key_is_lost(database));
  }
  if (context.flags.output == "json") {
    context.out() << list_json({{"version", found->version}, {"latest", found->latest}}, "pending",
                               found->pending)
                  << "\n";
    return exit_done;
  }
  if (found->is_current()) {
    return context.done(database.dsn + " is at version " + std::to_string(found->version) +
                        ", the newest of this program.");
  }
  context.out() << database.dsn << " is at version " << found->version << " of " << found->latest
                << ". Pending:\n";
  for (const std::string& name : found->pending) context.out() << "  " << harmless(name) << "\n";
  context.out() << "'asbb database migrate' applies them.\n";
  return exit_done;
}

}  // namespace

void add_database(Command& root, Context& context) {
  Command database = root.add("database", "The database of the ledger.");
  auto dry_run = std::make_shared<bool>(false);
  database.add("migrate", "Makes the database and its chain key, or brings it up to date.")
      .take({"--dry-run", "", "Only says what it would do."}, *dry_run)
      .note(
          "Run it as the service's user, with the service stopped. All steps are applied, or "
          "none.")
      .example("asbb database migrate --dry-run")
      .action([&context, dry_run] { return migrate(context, *dry_run); });
  database.add("status", "Says which version the database is at.").action([&context] {
    return status(context);
  });
  add_database_copies(database, context);
}

}  // namespace asbb::cli
