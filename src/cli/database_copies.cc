// asbb database backup, restore, verify and rollback: on the database itself, without a service.
#include "cli/database_copies.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "api/json_writer.h"
#include "cli/audit.h"
#include "cli/commands.h"
#include "store/backup.h"
#include "store/durable_file.h"
#include "store/open_store.h"

namespace asbb::cli {
namespace {

bool is_there(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::int64_t size_of(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

// "20250615T120000Z"
std::string stamp(Instant now) {
  std::string text = to_second_text(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  std::replace(text.begin(), text.end(), ' ', 'T');
  return text.ends_with('Z') ? text : text + "Z";
}

std::string entries_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " entry" : " entries");
}

// On a terminal alone, one line that is written over.
store::CopyProgress progress_of(const Context& context) {
  if (&context.err() != &std::cerr || isatty(STDERR_FILENO) == 0) return {};
  return [&context, last = std::int64_t{-1}](std::int64_t done, std::int64_t all) mutable {
    const std::int64_t percent = all == 0 ? 100 : done * 100 / all;
    if (percent == last) return;
    last = percent;
    context.err() << "\rcopying: " << percent << " %" << (done == all ? "\n" : "") << std::flush;
  };
}

// Pages, schema and the whole ledger of a copy, whose heads may be older than those written down.
Result<store::Verdict> check_copy(const config::Config& settings, const std::string& file) {
  const auto status = store::database_status(settings.database.driver, file);
  if (!status) return tl::unexpected(status.error());
  if (!is_there(file)) return fail(ErrorKind::not_found, "there is no file " + file);
  if (!status->is_current()) {
    return fail(ErrorKind::broken,
                file + " has schema version " + std::to_string(status->version) +
                    " and this asbb needs " + std::to_string(status->latest) +
                    ": use the asbb that made it, and 'asbb database migrate' afterwards");
  }
  if (auto pages = store::check_pages(file); !pages) return tl::unexpected(pages.error());
  config::Config of_copy = settings;
  of_copy.database.dsn = file;
  of_copy.audit.head_file.clear();
  return check_database(of_copy, {}, {});
}

Result<void> refuse_unverified(const Context& context, const std::string& file,
                               const Result<store::Verdict>& verdict) {
  if (!verdict) return tl::unexpected(verdict.error());
  if (verdict->ok()) return {};
  for (const std::string& problem : verdict->problems) {
    context.err() << "asbb: " << harmless(problem) << "\n";
  }
  return fail(ErrorKind::broken, "the ledger in " + file + " does not verify");
}

int backup(Context& context, const std::string& file) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const config::Database& database = settings->database;
  const auto status = store::database_status(database.driver, database.dsn);
  if (!status) return context.failed(status.error());
  if (status->version == 0) {
    return context.failed(
        Error{ErrorKind::not_found,
              "there is no database " + database.dsn + ": 'asbb database migrate' makes it",
              {}});
  }
  if (is_there(file)) {
    return context.failed(
        Error{ErrorKind::conflict, file + " exists; it is not replaced: give another name", {}});
  }
  const std::string partial = file + ".partial";
  unlink(partial.c_str());  // of a backup that was killed
  const auto copied = store::copy_database(database.dsn, partial, progress_of(context));
  if (!copied) return context.failed(copied.error());
  const auto verdict = check_copy(*settings, partial);
  auto done = refuse_unverified(context, partial, verdict).and_then([&] {
    return store::rename_durably(partial, file);
  });
  if (!done) {
    unlink(partial.c_str());
    return context.failed(done.error());
  }
  api::JsonWriter json;
  json.begin_object();
  json.key("file"), json.text(file);
  json.key("entries"), json.number(verdict->entries);
  json.key("head"), json.text(verdict->head);
  json.key("bytes"), json.number(size_of(file));
  json.end_object();
  return context.done("Backed up " + database.dsn + " to " + file + ": " +
                          entries_text(verdict->entries) + ", verified, chain head " +
                          verdict->head + ".\nThe chain key " + database.chain_key_file +
                          " is not in it: keep a copy of the key somewhere else.",
                      json.take());
}

int tell_restored(const Context& context, const std::string& dsn, const std::string& from,
                  const store::Restored& restored) {
  api::JsonWriter json;
  json.begin_object();
  json.key("entries"), json.number(restored.after.sequence);
  json.key("kept"), json.text(restored.kept);
  json.end_object();
  std::string told =
      "Restored " + dsn + " from " + from + ": " + entries_text(restored.after.sequence) + ".";
  if (!restored.kept.empty()) {
    told += "\nWhat was there is kept as " + restored.kept;
    if (restored.before) told += ", with " + entries_text(restored.before->sequence);
    told += ".";
  }
  if (restored.before && restored.before->sequence > restored.after.sequence) {
    told +=
        " What came after entry " + std::to_string(restored.after.sequence) + " is in there alone.";
  }
  return context.done(told + "\nStart the service: it looks at all jobs that Slurm knows.",
                      json.take());
}

int restore(Context& context, const std::string& file) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const config::Database& database = settings->database;
  const auto check = [&] { return refuse_unverified(context, file, check_copy(*settings, file)); };
  const auto restored =
      store::restore_database(file, database.dsn, "before-restore-" + stamp(context.now()), check);
  if (!restored) return context.failed(restored.error());
  return tell_restored(context, database.dsn, file, *restored);
}

int verify(Context& context, const std::string& file) {
  auto settings = context.settings();
  if (!settings) return exit_failed;
  if (!file.empty()) {
    settings->database.dsn = file;
    settings->audit.head_file.clear();
  }
  const config::Database& database = settings->database;
  const auto status = store::database_status(database.driver, database.dsn);
  if (!status) return context.failed(status.error());
  if (const auto pages = store::check_pages(database.dsn); !pages) {
    return context.failed(pages.error());
  }
  const auto verdict = check_database(*settings, {}, {});
  if (!verdict) return context.failed(verdict.error());
  if (verdict->ok() && context.wants_table()) {
    context.out() << harmless(database.dsn) << " is sound: pages, indexes and references fit, "
                  << "schema version " << status->version << " of " << status->latest << ".\n";
  }
  return show_verdict(context, {verdict->ok(), verdict->entries, verdict->problems, verdict->head});
}

int rollback(Context& context) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const config::Database& database = settings->database;
  const auto status = store::database_status(database.driver, database.dsn);
  if (!status) return context.failed(status.error());
  if (status->version == 0) {
    return context.failed(Error{ErrorKind::not_found, "there is no database " + database.dsn, {}});
  }
  const auto restored = store::roll_back(database.dsn, "before-rollback-" + stamp(context.now()));
  if (!restored) return context.failed(restored.error());
  context.warn("the schema is now older than this asbb: install the one from before");
  return tell_restored(context, database.dsn, "what the migration kept", *restored);
}

}  // namespace

void add_database_copies(Command& database, Context& context) {
  auto file = std::make_shared<std::string>();
  database.add("backup", "Copies the database into a file, also while the service runs.")
      .take({"FILE", "", "The copy; it must not be there yet.", Presence::required}, *file)
      .note(
          "The copy is of one moment, one file, and verified before it gets its name. The chain "
          "key is not in it: without the key no copy can be verified, so keep one apart.")
      .example("asbb database backup /backup/asbb.db")
      .action([&context, file] { return backup(context, *file); });
  database.add("restore", "Puts a copy in the place of the database.")
      .take({"FILE", "", "What 'asbb database backup' wrote.", Presence::required}, *file)
      .note(
          "Refuses while a service runs, and when the copy does not verify. The database that was "
          "there is kept beside it.")
      .example("asbb database restore /backup/asbb.db")
      .action([&context, file] { return restore(context, *file); });
  database.add("verify", "Checks pages, references, schema, chain and every sum.")
      .take({"FILE", "", "A copy; the database itself when left out."}, *file)
      .example("asbb database verify /backup/asbb.db")
      .action([&context, file] { return verify(context, *file); });
  database.add("rollback", "Goes back to the schema before the last migration.")
      .note(
          "'asbb database migrate' keeps the database as it was. It is put back when nothing was "
          "written since; else nothing is changed. The service has to be stopped.")
      .example("asbb database rollback")
      .action([&context] { return rollback(context); });
}

}  // namespace asbb::cli
