#include "store/sqlite_store.h"

#include <unistd.h>

#include "store/durable_file.h"
#include "store/migrations.h"
#include "store/queries.h"
#include "store/sqlite.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_rows.h"
#include "store/sqlite_wal_vfs.h"

namespace asbb::store {
namespace {

constexpr char epoch_sql[] = "SELECT epoch FROM asbb_owner WHERE id = 1";
constexpr char next_epoch_sql[] = "UPDATE asbb_owner SET epoch = epoch + 1 WHERE id = 1";
constexpr char same_epoch_sql[] = "UPDATE asbb_owner SET epoch = epoch WHERE id = 1";
constexpr char forget_sql[] = "DELETE FROM budget_request_answers WHERE at_us < ?";

sqlite::OpenOptions reading(const SqliteOptions& options) {
  return {options.path, options.vfs, sqlite::Access::read_only, options.busy_timeout_ms, true};
}

Result<void> check_schema(const std::string& path) {
  const auto status = schema_status(path);
  if (!status) return tl::unexpected(status.error());
  if (status->is_current()) return {};
  return fail(ErrorKind::broken,
              "the database " + path + " is at version " + std::to_string(status->version) +
                  " and this program needs version " + std::to_string(status->latest) +
                  ": run `asbb database migrate`");
}

}  // namespace

SqliteStore::SqliteStore(SqliteOptions options)
    : options_(std::move(options)),
      readers_(std::make_unique<sqlite::ReaderPool>(reading(options_))) {}

// The writing connection closes last, so that it moves the WAL into the database, and under the
// lock.
SqliteStore::~SqliteStore() {
  readers_.reset();
  writer_.reset();
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteOptions options) {
  auto path = true_path(options.path);
  if (!path) return tl::unexpected(std::move(path.error()));
  options.path = std::move(*path);
  if (::access(options.path.c_str(), F_OK) != 0) {
    return fail(ErrorKind::not_found, "there is no database " + options.path +
                                          ": create it with `asbb database migrate`");
  }
  if (auto checked = check_schema(options.path); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(options)));
}

Result<void> SqliteStore::own(int wait_ms) {
  if (!lock_) {
    auto lock = LockFile::acquire(options_.path + ".lock", wait_ms);
    if (!lock) return tl::unexpected(std::move(lock.error()));
    lock_.emplace(std::move(*lock));
  }
  auto owned =
      check_schema(options_.path).and_then([this] { return open_writer(); }).and_then([this] {
        auto begun = writer_->begin_write();
        if (begun) lengthen_log();
        return new_epoch(std::move(begun));
      });
  if (!owned) {
    epoch_ = 0;
    writer_.reset();
    lock_.reset();
  }
  return owned;
}

Result<void> SqliteStore::open_writer() {
  if (writer_) return {};
  if (!wal_vfs_) wal_vfs_ = std::make_unique<sqlite::WalVfs>(options_.vfs);
  sqlite::OpenOptions writing = reading(options_);
  writing.vfs = wal_vfs_->name();
  writing.access = sqlite::Access::read_write;
  writing.with_triggers = false;
  auto opened = sqlite::Connection::open(writing);
  if (!opened) return tl::unexpected(std::move(opened.error()));
  sqlite::Connection& connection = **opened;
  auto done = connection.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
      "PRAGMA journal_size_limit = 67108864;"
      "PRAGMA wal_autocheckpoint = " +
      std::to_string(options_.checkpoint_pages));
  if (!done) return done;
  auto mode = connection.prepare("PRAGMA journal_mode");
  if (!mode) return tl::unexpected(std::move(mode.error()));
  auto answered = mode->row();
  if (!answered) return tl::unexpected(std::move(answered.error()));
  if (!*answered || mode->text() != "wal") {
    return fail(ErrorKind::broken, "the file system of " + options_.path +
                                       " does not support SQLite's WAL: use a local disk");
  }
  const auto synchronous = connection.number("PRAGMA synchronous");
  if (!synchronous) return tl::unexpected(synchronous.error());
  if (*synchronous != 2) return fail(ErrorKind::broken, "SQLite does not sync in full");
  if (auto read = mode->run(); !read) return read;
  writer_ = std::move(*opened);
  return {};
}

// A commit may go beyond the page that asks for a checkpoint; an eighth is more than any batch has.
void SqliteStore::lengthen_log() {
  constexpr std::int64_t frame_bytes = 4096 + 24;
  const std::int64_t frames = options_.checkpoint_pages + options_.checkpoint_pages / 8;
  const auto done = writer_->lengthen_log(frames * frame_bytes);
  if (!done && options_.warn) {
    options_.warn("commits are slower until the log has grown: " + done.error().message);
  }
}

// Also what decides an unknown outcome: the write starts where the doubtful one started in the WAL
// and so overwrites it.
Result<void> SqliteStore::new_epoch(Result<void> begun) {
  std::int64_t epoch = 0;
  begun = finish(begun.and_then([this] { return writer_->execute(next_epoch_sql); })
                     .and_then([this] { return writer_->number(epoch_sql); })
                     .map([&](std::int64_t number) { epoch = number; }));
  if (!begun) return begun;
  epoch_ = epoch;
  unresolved_ = false;
  return {};
}

Result<void> SqliteStore::check_owner() {
  const auto epoch = writer_->number(epoch_sql);
  if (!epoch) return tl::unexpected(epoch.error());
  if (*epoch == epoch_) return {};
  return fail(ErrorKind::denied, "another service has taken over the database " + options_.path +
                                     " (epoch " + std::to_string(*epoch) + ", this one's is " +
                                     std::to_string(epoch_) + ")");
}

// Commits what was written well, else rolls it back.
Result<void> SqliteStore::finish(Result<void> written) {
  if (!written) {
    writer_->rollback();
    return written;
  }
  written = writer_->commit();
  if (!written && written.error().kind == ErrorKind::unknown_outcome) unresolved_ = true;
  return written;
}

Result<Snapshot> SqliteStore::load(Instant answers_since) {
  if (epoch_ == 0) {
    return readers_->read([&](sqlite::Connection& connection) {
      return sqlite::read_snapshot(connection, answers_since);
    });
  }
  if (unresolved_) {
    auto decided = new_epoch(writer_->begin_write().and_then([this] { return check_owner(); }));
    if (!decided) return tl::unexpected(std::move(decided.error()));
  }
  if (auto begun = writer_->begin_read(); !begun) {
    return tl::unexpected(std::move(begun.error()));
  }
  auto snapshot = sqlite::read_snapshot(*writer_, answers_since);
  writer_->rollback();
  return snapshot;
}

// One transaction of the owner.
template <typename Write>
Result<void> SqliteStore::in_transaction(Write&& write) {
  if (epoch_ == 0) return fail(ErrorKind::denied, "this service does not own " + options_.path);
  if (unresolved_) {
    return fail(ErrorKind::unavailable,
                "the outcome of an earlier commit is unknown: nothing is written before a reload");
  }
  return finish(writer_->begin_write()
                    .and_then([this] { return check_owner(); })
                    .and_then(std::forward<Write>(write)));
}

// Either outcome is good: nobody has to reload before the next commit.
template <typename Write>
Result<void> SqliteStore::in_transaction_of_no_worth(Write&& write) {
  auto done = in_transaction(std::forward<Write>(write));
  if (!done && done.error().kind == ErrorKind::unknown_outcome) {
    unresolved_ = false;
    done.error().kind = ErrorKind::unavailable;
  }
  return done;
}

Result<void> SqliteStore::commit(const Batch& batch) {
  return in_transaction([&] { return sqlite::write_batch(*writer_, batch); });
}

Result<void> SqliteStore::forget_answers(Instant before) {
  return in_transaction_of_no_worth([&]() -> Result<void> {
    const auto statement = writer_->cached(forget_sql);
    if (!statement) return tl::unexpected(statement.error());
    return (*statement)->put(before.microseconds).run();
  });
}

Result<void> SqliteStore::rewrite() {
  return in_transaction_of_no_worth([&] { return writer_->execute(same_epoch_sql); });
}

Result<std::int64_t> SqliteStore::archive(Instant before, std::int64_t count_max) {
  std::int64_t moved = 0;
  auto done = in_transaction_of_no_worth([&]() -> Result<void> {
    return sqlite::archive_entries(*writer_, before, count_max).map([&](std::int64_t count) {
      moved = count;
    });
  });
  if (!done) return tl::unexpected(std::move(done.error()));
  return moved;
}

Result<std::vector<HoldRecord>> SqliteStore::find_holds(const HoldQuery& query) {
  if (auto checked = check_query(query); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  return readers_->read(
      [&](sqlite::Connection& connection) { return sqlite::read_holds(connection, query); });
}

Result<std::vector<ChainedEntry>> SqliteStore::entries(const EntryQuery& query) {
  if (auto checked = check_query(query); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  return readers_->read(
      [&](sqlite::Connection& connection) { return sqlite::read_entries(connection, query); });
}

Result<void> SqliteStore::ping() {
  return readers_->read([](sqlite::Connection& connection) { return connection.number(epoch_sql); })
      .map([](std::int64_t) {});
}

}  // namespace asbb::store
