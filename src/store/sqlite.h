// A thin, owning layer over SQLite's C interface: connections, statements, transactions, and what
// each failure means for whoever asked. It knows nothing of money. A connection and its statements
// belong to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace asbb::store::sqlite {

class Connection;

// Parameters are put and columns are read one after the other, from the left. Texts may hold any
// byte; they and blobs are not copied, and must live until the statement has been run to its end. A
// statement resets itself at the end of its rows and at an error, so rows are always read to the
// end.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& put(std::int64_t value);
  Statement& put(std::string_view value);
  Statement& put_blob(const void* bytes, std::size_t count);
  // 0 and "" are kept as NULL: ids that name nothing, texts that are not there.
  Statement& put_or_null(std::int64_t value);
  Statement& put_or_null(std::string_view value);
  Statement& put(std::optional<std::int64_t> value);

  // To the end, for statements that give no rows.
  [[nodiscard]] Result<void> run();
  // Whether there is a next row; the columns are then read from the left.
  [[nodiscard]] Result<bool> row();

  [[nodiscard]] std::int64_t integer();  // NULL is 0
  [[nodiscard]] std::optional<std::int64_t> integer_or_null();
  [[nodiscard]] std::string text();  // NULL is ""; of a blob its bytes
  [[nodiscard]] std::optional<std::string> text_or_null();

 private:
  friend class Connection;
  Statement(const Connection& connection, sqlite3_stmt* handle);
  void reset();
  Statement& note(int code);

  const Connection* connection_;
  sqlite3_stmt* handle_;
  int next_parameter_ = 1;
  int next_column_ = 0;
  int put_failure_ = 0;
};

enum class Access { read_only, read_write, create };

struct OpenOptions {
  std::string path;
  std::string vfs;  // empty: the usual one
  Access access = Access::read_only;
  int busy_timeout_ms = 2000;
  bool with_triggers = true;  // without them, whoever writes checks what they check
};

class Connection {
 public:
  // not_found when there is no such file and `access` is not create. Foreign keys are on.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const OpenOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Statements of a text that lives as long as the program are made once and kept, under the
  // text's address.
  [[nodiscard]] Result<Statement*> cached(const char* sql);
  [[nodiscard]] Result<Statement> prepare(const std::string& sql);
  // One or many statements without parameters; rows are dropped.
  [[nodiscard]] Result<void> execute(const std::string& sql);
  // The first column of the only row of such a text, which has no parameters.
  [[nodiscard]] Result<std::int64_t> number(const char* sql);

  [[nodiscard]] Result<void> begin_write();  // takes SQLite's write lock at once
  // Between begin_write() and the first change: makes the write-ahead log at least that long, with
  // zeros, which SQLite takes for no frames, and syncs it; and the index of it as long as needed.
  // On failure it is as long as before.
  [[nodiscard]] Result<void> lengthen_log(std::int64_t bytes);
  [[nodiscard]] Result<void> begin_read();  // one consistent view until commit or rollback
  // Durable when it returns well. unknown_outcome: SQLite could not tell the disk's answer, so the
  // transaction may come back after a crash; any other error: it will not, and is rolled back.
  [[nodiscard]] Result<void> commit();
  void rollback();
  [[nodiscard]] bool in_transaction() const;
  // Between begin_read() and rollback(): all that this connection sees into `to`, which is empty
  // and nobody else's. `progress` hears of pages done and in all.
  [[nodiscard]] Result<void> copy_to(
      Connection& to, const std::function<void(std::int64_t, std::int64_t)>& progress);
  // Rows that the last statement has written, without those of triggers.
  [[nodiscard]] std::int64_t changes() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Error error(int code) const;

 private:
  Connection(sqlite3* handle, std::string path);

  sqlite3* handle_;
  const std::string path_;
  std::unordered_map<const char*, Statement> statements_;
};

}  // namespace asbb::store::sqlite
