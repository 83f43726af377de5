#include "store/sqlite.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/assert.h"

namespace asbb::store::sqlite {
namespace {

int open_flags(Access access) {
  constexpr int common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case Access::read_only:
      return common | SQLITE_OPEN_READONLY;
    case Access::read_write:
      return common | SQLITE_OPEN_READWRITE;
    case Access::create:
      return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  ASBB_ASSERT(false);
}

// Counting every allocation under a lock is a twentieth of a commit's time, and nobody asks for it.
// Has to be said before SQLite is used for the first time; later it is refused, which does no harm.
void spare_memory_statistics() {
  static const int said = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)said;
}

struct Meaning {
  ErrorKind kind;
  const char* advice;
};

Meaning meaning_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorKind::unavailable, "the disk or quota is full: free some space"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::unavailable,
              "another program is writing to it: only the service may, end the other one"};
    case SQLITE_IOERR:
      return {ErrorKind::unavailable,
              "the disk does not do as asked: see the kernel's log, free space and quota"};
    case SQLITE_CANTOPEN:
      return {ErrorKind::unavailable,
              "the file or its folder cannot be used: see owner, mode and the limit of open files"};
    case SQLITE_NOMEM:
      return {ErrorKind::unavailable, "there is no memory left"};
    case SQLITE_CONSTRAINT:
      return {ErrorKind::broken, "the database refuses the rows"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorKind::broken, "the user of the service may not write to it: see owner and mode"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorKind::broken,
              "it is damaged or no SQLite database: stop the service, keep the files, restore a "
              "copy"};
    default:
      return {ErrorKind::broken, "this should not happen"};
  }
}

// Nothing before the first transaction.
sqlite3_file* log_of(sqlite3* handle) {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  return log == nullptr || log->pMethods == nullptr ? nullptr : log;
}

// errno of the last failing call on the WAL; sqlite3_system_errno is not set by a COMMIT.
int last_failure_of_wal(sqlite3* handle) {
  sqlite3_file* wal = log_of(handle);
  int code = 0;
  if (wal != nullptr) wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &code);
  return code;
}

int write_zeros(sqlite3_file& file, std::int64_t from, std::int64_t to) {
  const std::string zeros(std::size_t{1} << 16U, '\0');
  int code = SQLITE_OK;
  while (from < to && code == SQLITE_OK) {
    const std::int64_t count = std::min(to - from, static_cast<std::int64_t>(zeros.size()));
    code = file.pMethods->xWrite(&file, zeros.data(), static_cast<int>(count), from);
    from += count;
  }
  return code == SQLITE_OK ? file.pMethods->xSync(&file, SQLITE_SYNC_NORMAL) : code;
}

// The index of the log's frames, in shared memory, is written after the sync: where there is no
// space for more of it then, a COMMIT fails that is on the disk. So it has room for more frames
// than the log has. A region is 32 KiB and has at most 4096 of them (walIndexPage in wal.c).
int lengthen_index(sqlite3* handle, std::int64_t log_bytes) {
  constexpr int region_bytes = 32'768;
  constexpr std::int64_t region_log_bytes = 4096 * 4096;
  sqlite3_file* database = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&database));
  int code = SQLITE_OK;
  for (int region = 0; code == SQLITE_OK && region <= log_bytes / region_log_bytes; ++region) {
    void volatile* memory = nullptr;
    code = database->pMethods->xShmMap(database, region, region_bytes, 1, &memory);
  }
  return code;
}

// In WAL mode COMMIT writes frames, the last of them with the commit mark, and then syncs. A write
// without space leaves the mark out (store/sqlite_wal_vfs.h). A sync (or what follows it) that
// failed, or a write that failed for another reason, may leave it on the disk although SQLite has
// rolled back (sqlite3WalFrames in wal.c).
bool left_no_commit_mark(sqlite3* handle, int code) {
  if (code == SQLITE_FULL) return true;
  const int system_code = last_failure_of_wal(handle);
  return code == SQLITE_IOERR_WRITE &&
         (system_code == EDQUOT || system_code == EFBIG || system_code == ENOSPC);
}

}  // namespace

Statement::Statement(const Connection& connection, sqlite3_stmt* handle)
    : connection_(&connection), handle_(handle) {}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      handle_(std::exchange(other.handle_, nullptr)),
      next_parameter_(other.next_parameter_),
      next_column_(other.next_column_),
      put_failure_(other.put_failure_) {}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement& Statement::note(int code) {
  if (code != SQLITE_OK && put_failure_ == SQLITE_OK) put_failure_ = code;
  return *this;
}

Statement& Statement::put(std::int64_t value) {
  return note(sqlite3_bind_int64(handle_, next_parameter_++, value));
}

Statement& Statement::put(std::string_view value) {
  const char* text = value.data() == nullptr ? "" : value.data();
  return note(sqlite3_bind_text64(handle_, next_parameter_++, text, value.size(), SQLITE_STATIC,
                                  SQLITE_UTF8));
}

Statement& Statement::put_blob(const void* bytes, std::size_t count) {
  return note(sqlite3_bind_blob64(handle_, next_parameter_++, bytes, count, SQLITE_STATIC));
}

Statement& Statement::put_or_null(std::int64_t value) {
  return value == 0 ? put(std::optional<std::int64_t>()) : put(value);
}

Statement& Statement::put_or_null(std::string_view value) {
  return value.empty() ? put(std::optional<std::int64_t>()) : put(value);
}

Statement& Statement::put(std::optional<std::int64_t> value) {
  return value ? put(*value) : note(sqlite3_bind_null(handle_, next_parameter_++));
}

void Statement::reset() {
  sqlite3_reset(handle_);
  next_parameter_ = 1;
  next_column_ = 0;
  put_failure_ = SQLITE_OK;
}

Result<bool> Statement::row() {
  int code = put_failure_;
  if (code == SQLITE_OK) {
    if (next_parameter_ > 0) {
      ASBB_ASSERT(next_parameter_ == sqlite3_bind_parameter_count(handle_) + 1);
      next_parameter_ = 0;  // the rows have begun
    }
    code = sqlite3_step(handle_);
  }
  next_column_ = 0;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  Error failure = connection_->error(code);
  reset();
  return tl::unexpected(std::move(failure));
}

Result<void> Statement::run() {
  while (true) {
    const auto more = row();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
  }
}

std::int64_t Statement::integer() {
  return sqlite3_column_int64(handle_, next_column_++);
}

std::optional<std::int64_t> Statement::integer_or_null() {
  if (sqlite3_column_type(handle_, next_column_) != SQLITE_NULL) return integer();
  ++next_column_;
  return std::nullopt;
}

std::string Statement::text() {
  const int column = next_column_++;
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int count = sqlite3_column_bytes(handle_, column);
  if (bytes == nullptr) return {};
  return std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

std::optional<std::string> Statement::text_or_null() {
  if (sqlite3_column_type(handle_, next_column_) != SQLITE_NULL) return text();
  ++next_column_;
  return std::nullopt;
}

Connection::Connection(sqlite3* handle, std::string path)
    : handle_(handle), path_(std::move(path)) {}

Connection::~Connection() {
  statements_.clear();
  const int code = sqlite3_close(handle_);
  ASBB_ASSERT(code == SQLITE_OK);
}

Result<std::unique_ptr<Connection>> Connection::open(const OpenOptions& options) {
  if (options.access != Access::create && ::access(options.path.c_str(), F_OK) != 0) {
    return fail(ErrorKind::not_found, "there is no database " + options.path);
  }
  spare_memory_statistics();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(options.path.c_str(), &handle, open_flags(options.access),
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (handle == nullptr) return fail(ErrorKind::unavailable, "there is no memory left for SQLite");
  std::unique_ptr<Connection> connection(new Connection(handle, options.path));
  if (code != SQLITE_OK) return tl::unexpected(connection->error(code));
  sqlite3_busy_timeout(handle, options.busy_timeout_ms);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, options.with_triggers ? 1 : 0, nullptr);
  return connection;
}

Result<Statement> Connection::prepare(const std::string& sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.c_str(), static_cast<int>(sql.size()) + 1, 0,
                                      &handle, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error(code));
  return Statement(*this, handle);
}

Result<Statement*> Connection::cached(const char* sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    found->second.reset();
    return &found->second;
  }
  auto made = prepare(sql);
  if (!made) return tl::unexpected(std::move(made.error()));
  return &statements_.emplace(sql, std::move(*made)).first->second;
}

Result<void> Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error(code));
  return {};
}

Result<std::int64_t> Connection::number(const char* sql) {
  const auto statement = cached(sql);
  if (!statement) return tl::unexpected(statement.error());
  const auto found = (*statement)->row();
  if (!found) return tl::unexpected(found.error());
  if (!*found) return fail(ErrorKind::broken, "a row is missing in " + path_ + ": " + sql);
  const std::int64_t number = (*statement)->integer();
  return (*statement)->run().map([number] { return number; });
}

Result<void> Connection::begin_write() {
  rollback();
  return execute("BEGIN IMMEDIATE");
}

Result<void> Connection::lengthen_log(std::int64_t bytes) {
  sqlite3_file* log = log_of(handle_);
  ASBB_ASSERT(in_transaction() && log != nullptr);
  sqlite3_int64 size = 0;
  int code = log->pMethods->xFileSize(log, &size);
  if (code == SQLITE_OK && size < bytes) code = write_zeros(*log, size, bytes);
  if (code == SQLITE_OK) code = lengthen_index(handle_, bytes);
  if (code == SQLITE_OK) return {};
  log->pMethods->xTruncate(log, size);
  return fail(ErrorKind::unavailable, "the log of the database " + path_ + ": " +
                                          meaning_of(code).advice + " (SQLite " +
                                          std::to_string(code) + ")");
}

Result<void> Connection::begin_read() {
  rollback();
  return execute("BEGIN");
}

Result<void> Connection::commit() {
  const int code = sqlite3_exec(handle_, "COMMIT", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  Error failure = error(code);
  // A deferred constraint or a busy file: SQLite has not begun to write.
  if (in_transaction()) {
    rollback();
  } else if (!left_no_commit_mark(handle_, code)) {
    failure.kind = ErrorKind::unknown_outcome;
  }
  return tl::unexpected(std::move(failure));
}

void Connection::rollback() {
  // What it cannot undo now, the next begin undoes; nothing of it has a commit mark.
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

Result<void> Connection::copy_to(Connection& to,
                                 const std::function<void(std::int64_t, std::int64_t)>& progress) {
  constexpr int pages_at_once = 2000;
  sqlite3_backup* copy = sqlite3_backup_init(to.handle_, "main", handle_, "main");
  if (copy == nullptr) return tl::unexpected(to.error(sqlite3_errcode(to.handle_)));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(copy, pages_at_once);
    const std::int64_t all = sqlite3_backup_pagecount(copy);
    if (progress) progress(all - sqlite3_backup_remaining(copy), all);
  }
  sqlite3_backup_finish(copy);
  if (code == SQLITE_DONE) return {};
  return tl::unexpected(to.error(code));
}

std::int64_t Connection::changes() const {
  return sqlite3_changes(handle_);
}

Error Connection::error(int code) const {
  const Meaning meaning = meaning_of(code);
  return Error{meaning.kind,
               "the database " + path_ + ": " + meaning.advice + " (SQLite " +
                   std::to_string(code) + ", " + sqlite3_errmsg(handle_) + ")",
               {}};
}

}  // namespace asbb::store::sqlite
