#include "store/backup.h"

#include <unistd.h>

#include <vector>

#include "store/durable_file.h"
#include "store/lock_file.h"
#include "store/sqlite.h"

namespace asbb::store {
namespace {

Result<void> copy_into(const std::string& path, const std::string& copy,
                       const CopyProgress& progress) {
  auto from = sqlite::Connection::open({path, "", sqlite::Access::read_only});
  if (!from) return tl::unexpected(std::move(from.error()));
  auto to = sqlite::Connection::open({copy, "", sqlite::Access::read_write});
  if (!to) return tl::unexpected(std::move(to.error()));
  return (*from)
      ->begin_read()
      .and_then([&] { return (*from)->copy_to(**to, progress); })
      .and_then([&] { return (*to)->execute("PRAGMA journal_mode = DELETE"); });
}

// The log goes into the database, so that one file is all of it. Where that cannot be done, the log
// moves together with the database.
void fold_log(const std::string& path) {
  auto opened = sqlite::Connection::open({path, "", sqlite::Access::read_write});
  if (opened) (void)(*opened)->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<void> set_aside(const std::string& path, const std::string& kept) {
  for (const char* part : {"", "-wal", "-shm"}) {
    if (!file_exists(path + part)) continue;
    if (auto moved = rename_durably(path + part, kept + part); !moved) return moved;
  }
  return {};
}

Result<std::string> text_of(sqlite::Connection& connection, const std::string& sql) {
  auto statement = connection.prepare(sql);
  if (!statement) return tl::unexpected(std::move(statement.error()));
  std::string text;
  while (true) {
    const auto more = statement->row();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return text;
    if (text.empty()) text = statement->text();
  }
}

Result<Restored> put_in_place(const std::string& file, const std::string& path,
                              const std::string& suffix) {
  Restored out;
  const std::string fresh = path + ".restoring";
  ::unlink(fresh.c_str());  // what an attempt that died left
  if (file_exists(path)) {
    out.kept = path + "." + suffix;
    if (file_exists(out.kept)) {
      return fail(ErrorKind::conflict, out.kept + " exists; it is not replaced");
    }
    if (const auto end = ledger_end(path)) out.before = *end;
  }
  auto done = copy_database(file, fresh);
  if (!done) return tl::unexpected(std::move(done.error()));
  const auto after = ledger_end(fresh);
  if (!after) return tl::unexpected(after.error());
  out.after = *after;
  if (!out.kept.empty()) fold_log(path);
  done = set_aside(path, out.kept).and_then([&] { return rename_durably(fresh, path); });
  if (!done) return tl::unexpected(std::move(done.error()));
  return out;
}

}  // namespace

Result<void> copy_database(const std::string& path, const std::string& copy,
                           const CopyProgress& progress) {
  return create_durable_file(copy, 0600, "").and_then([&]() -> Result<void> {
    auto done = copy_into(path, copy, progress);
    if (!done) ::unlink(copy.c_str());
    return done;
  });
}

Result<void> check_pages(const std::string& path) {
  auto opened = sqlite::Connection::open({path, "", sqlite::Access::read_only});
  if (!opened) return tl::unexpected(std::move(opened.error()));
  const auto said = text_of(**opened, "PRAGMA integrity_check(1)");
  if (!said) return tl::unexpected(said.error());
  if (*said != "ok") {
    return fail(ErrorKind::broken, "the database " + path + " is damaged: " + *said);
  }
  const auto dangling = (*opened)->number("SELECT count(*) FROM pragma_foreign_key_check");
  if (!dangling) return tl::unexpected(dangling.error());
  if (*dangling == 0) return {};
  return fail(ErrorKind::broken,
              std::to_string(*dangling) + " rows of " + path + " refer to rows that are not there");
}

Result<LedgerEnd> ledger_end(const std::string& path) {
  auto opened = sqlite::Connection::open({path, "", sqlite::Access::read_only});
  if (!opened) return tl::unexpected(std::move(opened.error()));
  auto statement = (*opened)->prepare(
      "SELECT sequence, hex(chain) FROM budget_transactions ORDER BY sequence DESC LIMIT 1");
  if (!statement) return tl::unexpected(std::move(statement.error()));
  LedgerEnd end;
  const auto found = statement->row();
  if (!found) return tl::unexpected(found.error());
  if (!*found) return end;
  end.sequence = statement->integer();
  end.chain = statement->text();
  if (auto read = statement->run(); !read) return tl::unexpected(std::move(read.error()));
  return end;
}

Result<Restored> restore_database(const std::string& file, const std::string& path,
                                  const std::string& suffix,
                                  const std::function<Result<void>()>& check) {
  const auto place = true_path(path);
  if (!place) return tl::unexpected(place.error());
  if (const auto given = true_path(file); given && *given == *place) {
    return fail(ErrorKind::invalid, file + " is the database itself");
  }
  const auto lock = LockFile::acquire(*place + ".lock", 0);
  if (!lock) {
    Error failure = lock.error();
    if (failure.kind == ErrorKind::unavailable) failure.message += ": stop the service first";
    return tl::unexpected(std::move(failure));
  }
  if (check) {
    if (auto checked = check(); !checked) return tl::unexpected(std::move(checked.error()));
  }
  return put_in_place(file, *place, suffix);
}

std::string kept_version(const std::string& path, int version) {
  return path + ".version-" + std::to_string(version);
}

Result<Restored> roll_back(const std::string& path, const std::string& suffix,
                           std::span<const Migration> migrations) {
  const auto place = true_path(path);
  if (!place) return tl::unexpected(place.error());
  const auto status = schema_status(*place, migrations);
  if (!status) return tl::unexpected(status.error());
  int version = status->version - 1;
  while (version > 0 && !file_exists(kept_version(*place, version))) --version;
  if (version <= 0) {
    const std::string at = *place + " is at version " + std::to_string(status->version);
    return fail(ErrorKind::not_found,
                status->version <= 1
                    ? at + ", the first one: there is no schema before it to go back to"
                    : at + ", and no migration kept the database as it was before (" +
                          kept_version(*place, status->version - 1) +
                          "): restore a backup with 'asbb database restore FILE'");
  }
  const std::string kept = kept_version(*place, version);
  const auto check = [&]() -> Result<void> {
    if (auto pages = check_pages(kept); !pages) return pages;
    const auto now = ledger_end(*place);
    if (!now) return tl::unexpected(now.error());
    const auto then = ledger_end(kept);
    if (!then) return tl::unexpected(then.error());
    if (*now == *then) return {};
    return fail(ErrorKind::conflict,
                "the ledger has " + std::to_string(now->sequence) + " entries, and had " +
                    std::to_string(then->sequence) + " before the migration: what came since " +
                    "would be lost, so nothing was changed; 'asbb database restore " + kept +
                    "' does it all the same");
  };
  auto restored = restore_database(kept, *place, suffix, check);
  if (restored) ::unlink(kept.c_str());
  return restored;
}

}  // namespace asbb::store
