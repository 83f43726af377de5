// Copies of a SQLite database: made while a service writes it, and put in its place while none
// does. A copy is one file without a log beside it, with mode 0600; the key of the chain is never
// in it. Functions without state; blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "store/migrations.h"

namespace asbb::store {

// Pages done, and in all; called now and then.
using CopyProgress = std::function<void(std::int64_t done, std::int64_t all)>;

// The last entry of a ledger: two ledgers that end alike are alike.
struct LedgerEnd {
  std::int64_t sequence = 0;
  std::string chain;  // hex; empty before the first entry
  bool operator==(const LedgerEnd&) const = default;
};

// One moment of the database at `path` into `copy`, which must not exist, through a reading
// connection of its own: writers go on meanwhile. What stands in `copy` is whole only when this
// returns well; a process that dies leaves a part of it.
[[nodiscard]] Result<void> copy_database(const std::string& path, const std::string& copy,
                                         const CopyProgress& progress = {});

// SQLite's own check of every page and index, and that no row refers to one that is not there.
[[nodiscard]] Result<void> check_pages(const std::string& path);

[[nodiscard]] Result<LedgerEnd> ledger_end(const std::string& path);

struct Restored {
  std::string kept;                 // where the database that was there lies now; empty: none was
  std::optional<LedgerEnd> before;  // of it; nothing where it could not be read
  LedgerEnd after;
};

// Puts a copy of `file` in the place of the database at `path`, under its lock. `check` runs before
// anything is changed, and stops it by an error. `suffix` names what is kept: PATH.SUFFIX.
// unavailable: a service owns the database. conflict: there is a file of that name already.
[[nodiscard]] Result<Restored> restore_database(const std::string& file, const std::string& path,
                                                const std::string& suffix,
                                                const std::function<Result<void>()>& check = {});

// Where migrate() keeps the database as it was before it left that version.
[[nodiscard]] std::string kept_version(const std::string& path, int version);

// Back to the schema before the last migration, from what migrate() kept, when no entry was written
// since. not_found: there is none. conflict: entries would be lost; the message says how many.
[[nodiscard]] Result<Restored> roll_back(
    const std::string& path, const std::string& suffix,
    std::span<const Migration> migrations = sqlite_migrations());

}  // namespace asbb::store
