#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/assert.h"
#include "base/time.h"
#include "store/backup.h"
#include "store/durable_file.h"
#include "store/lock_file.h"
#include "store/migrations.h"
#include "store/sqlite.h"

namespace asbb::store {
namespace {

constexpr char schema_table_sql[] =
    "CREATE TABLE asbb_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT";
constexpr char schema_rows_sql[] =
    "SELECT version, name, checksum FROM asbb_schema ORDER BY version";
constexpr char schema_insert_sql[] =
    "INSERT INTO asbb_schema (version, name, checksum, applied_at) VALUES (?,?,?,?)";

struct Applied {
  std::int64_t version = 0;
  std::string name;
  std::string checksum;
};

std::string now_text() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  return to_rfc3339(Instant::from_unix_seconds(seconds));
}

Result<std::vector<Applied>> read_applied(sqlite::Connection& connection) {
  const auto objects = connection.number("SELECT count(*) FROM sqlite_master");
  if (!objects) return tl::unexpected(objects.error());
  if (*objects == 0) return std::vector<Applied>();
  const auto tables =
      connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'asbb_schema'");
  if (!tables) return tl::unexpected(tables.error());
  if (*tables == 0) {
    return fail(ErrorKind::broken,
                connection.path() + " is a database of another program: give asbb its own file");
  }
  auto statement = connection.prepare(schema_rows_sql);
  if (!statement) return tl::unexpected(std::move(statement.error()));
  std::vector<Applied> applied;
  while (true) {
    const auto more = statement->row();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return applied;
    Applied& step = applied.emplace_back();
    step.version = statement->integer();
    step.name = statement->text();
    step.checksum = statement->text();
  }
}

Result<void> check_applied(const std::string& path, const std::vector<Applied>& applied,
                           std::span<const Migration> migrations) {
  if (applied.size() > migrations.size()) {
    return fail(ErrorKind::broken, "the database " + path + " is at version " +
                                       std::to_string(applied.back().version) +
                                       ", made by a newer asbb; this one " +
                                       "knows versions up to " + std::to_string(migrations.size()) +
                                       ": install the newer asbb, or restore a copy from before");
  }
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const Migration& known = migrations[i];
    ASBB_ASSERT(known.version == static_cast<int>(i) + 1);
    if (applied[i].version != known.version || applied[i].checksum != checksum(known)) {
      return fail(ErrorKind::broken,
                  "step " + std::to_string(applied[i].version) + " (" + applied[i].name +
                      ") of the database " + path + " has another text in this program (" +
                      std::string(known.name) + "): a step that was applied never changes; use " +
                      "an asbb from an unchanged source");
    }
  }
  return {};
}

Result<void> apply(sqlite::Connection& connection, const Migration& migration) {
  auto done = connection.execute(std::string(migration.text));
  if (!done) {
    done.error().message = "step " + std::to_string(migration.version) + " (" +
                           std::string(migration.name) + ") failed: " + done.error().message;
    return done;
  }
  auto statement = connection.prepare(schema_insert_sql);
  if (!statement) return tl::unexpected(std::move(statement.error()));
  return statement->put(std::int64_t{migration.version})
      .put(migration.name)
      .put(checksum(migration))
      .put(now_text())
      .run();
}

Result<void> check_foreign_keys(sqlite::Connection& connection) {
  const auto violations = connection.number("SELECT count(*) FROM pragma_foreign_key_check");
  if (!violations) return tl::unexpected(violations.error());
  if (*violations == 0) return {};
  return fail(ErrorKind::broken, "after the migration " + std::to_string(*violations) +
                                     " rows of " + connection.path() +
                                     " refer to rows that are not there");
}

Result<void> apply_pending(sqlite::Connection& connection, std::span<const Migration> migrations,
                           MigrationReport& report) {
  const auto applied = read_applied(connection);
  if (!applied) return tl::unexpected(applied.error());
  if (auto checked = check_applied(connection.path(), *applied, migrations); !checked) {
    return checked;
  }
  report.from_version = static_cast<int>(applied->size());
  report.to_version = static_cast<int>(migrations.size());
  if (applied->empty()) {
    if (auto created = connection.execute(schema_table_sql); !created) return created;
  }
  for (const Migration& migration : migrations.subspan(applied->size())) {
    if (auto done = apply(connection, migration); !done) return done;
    report.applied.emplace_back(migration.name);
  }
  return check_foreign_keys(connection);
}

// All pending steps in one transaction. Foreign keys are off meanwhile, since a step may rebuild a
// table, and are checked as a whole before the commit (sqlite.org/lang_altertable.html, section 7).
Result<MigrationReport> run(sqlite::Connection& connection, std::span<const Migration> migrations,
                            MigrateMode mode) {
  MigrationReport report;
  report.dry_run = mode == MigrateMode::dry_run;
  auto done = connection.execute("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")
                  .and_then([&] { return connection.begin_write(); })
                  .and_then([&] { return apply_pending(connection, migrations, report); });
  if (done && mode == MigrateMode::apply) done = connection.commit();
  connection.rollback();
  if (!done) return tl::unexpected(std::move(done.error()));
  return report;
}

// A copy for the way back, before the first pending step on a database that is in use.
Result<void> keep_version(const std::string& file, std::span<const Migration> migrations) {
  const auto status = schema_status(file, migrations);
  if (!status) return tl::unexpected(status.error());
  if (status->version == 0 || status->is_current()) return {};
  const std::string kept = kept_version(file, status->version);
  const std::string fresh = kept + ".partial";
  ::unlink(fresh.c_str());
  return copy_database(file, fresh).and_then([&] {
    ::unlink(kept.c_str());  // of an earlier migration that was rolled back
    return rename_durably(fresh, kept);
  });
}

}  // namespace

std::string checksum(const Migration& migration) {
  std::array<unsigned char, 32> digest{};
  const int hashed = EVP_Digest(migration.text.data(), migration.text.size(), digest.data(),
                                nullptr, EVP_sha256(), nullptr);
  ASBB_ASSERT(hashed == 1);
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += digits[byte / 16];
    text += digits[byte % 16];
  }
  return text;
}

Result<MigrationReport> migrate(const std::string& path, MigrateMode mode,
                                std::span<const Migration> migrations) {
  const auto file = true_path(path);
  if (!file) return tl::unexpected(file.error());
  if (mode == MigrateMode::dry_run && !file_exists(*file)) {
    auto memory = sqlite::Connection::open({":memory:", "", sqlite::Access::create});
    if (!memory) return tl::unexpected(std::move(memory.error()));
    return run(**memory, migrations, mode);
  }
  const auto lock = LockFile::acquire(*file + ".lock", 0);
  if (!lock) {
    Error failure = lock.error();
    if (failure.kind == ErrorKind::unavailable) failure.message += ": stop the service first";
    return tl::unexpected(std::move(failure));
  }
  if (!file_exists(*file)) {
    if (auto created = create_durable_file(*file, 0600, ""); !created) {
      return tl::unexpected(std::move(created.error()));
    }
  }
  if (mode == MigrateMode::apply) {
    if (auto kept = keep_version(*file, migrations); !kept) {
      return tl::unexpected(std::move(kept.error()));
    }
  }
  auto connection = sqlite::Connection::open({*file, "", sqlite::Access::read_write});
  if (!connection) return tl::unexpected(std::move(connection.error()));
  if (mode == MigrateMode::apply) {
    if (auto set = (*connection)->execute("PRAGMA journal_mode = WAL"); !set) {
      return tl::unexpected(std::move(set.error()));
    }
  }
  return run(**connection, migrations, mode);
}

Result<SchemaStatus> schema_status(const std::string& path, std::span<const Migration> migrations) {
  const auto file = true_path(path);
  if (!file) return tl::unexpected(file.error());
  std::vector<Applied> applied;
  if (file_exists(*file)) {
    auto connection = sqlite::Connection::open({*file, "", sqlite::Access::read_only});
    if (!connection) return tl::unexpected(std::move(connection.error()));
    auto found = read_applied(**connection);
    if (!found) return tl::unexpected(std::move(found.error()));
    applied = std::move(*found);
    if (auto checked = check_applied(*file, applied, migrations); !checked) {
      return tl::unexpected(std::move(checked.error()));
    }
  }
  SchemaStatus status;
  status.version = static_cast<int>(applied.size());
  status.latest = static_cast<int>(migrations.size());
  for (const Migration& migration : migrations.subspan(applied.size())) {
    status.pending.emplace_back(migration.name);
  }
  return status;
}

}  // namespace asbb::store
