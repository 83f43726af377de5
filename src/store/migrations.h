// The schema and its numbered, checksummed steps. Only `asbb database migrate` and tests apply
// them; a service refuses to open a database that is not at the version it was built for. Steps
// that were applied somewhere are never edited: a changed text is an error that names it. The
// functions here take the database's lock, so they never run beside a service.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::store {

struct Migration {
  int version = 0;  // 1, 2, 3 ... without a gap
  std::string_view name;
  std::string_view text;
};

// SHA-256 of the text in hex.
[[nodiscard]] std::string checksum(const Migration& migration);

// Those built into this program, in order.
[[nodiscard]] std::span<const Migration> sqlite_migrations();

enum class MigrateMode {
  apply,
  dry_run  // runs them and rolls back; creates no file
};

struct MigrationReport {
  int from_version = 0;  // 0: there was no database
  int to_version = 0;
  std::vector<std::string> applied;  // names, in order; empty when there was nothing to do
  bool dry_run = false;
};

struct SchemaStatus {
  int version = 0;  // of the database, 0 when it is empty or does not exist
  int latest = 0;   // of this program
  std::vector<std::string> pending;
  [[nodiscard]] bool is_current() const { return version == latest; }
};

// Before the first step it keeps a copy of what was there (store/backup.h). Brings the SQLite
// database at `path` to this program's version, all steps or none, and creates it
// (mode 0600) when there is none; root gives it to the owner of its folder. unavailable: a service
// owns it. broken: a newer version, a changed step, or not a database of asbb.
[[nodiscard]] Result<MigrationReport> migrate(
    const std::string& path, MigrateMode mode = MigrateMode::apply,
    std::span<const Migration> migrations = sqlite_migrations());

// What stands in the database, without changing it. Errors as above; it takes no lock.
[[nodiscard]] Result<SchemaStatus> schema_status(
    const std::string& path, std::span<const Migration> migrations = sqlite_migrations());

}  // namespace asbb::store
