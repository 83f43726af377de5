// The store on SQLite, the embedded default: WAL, synchronous=FULL, so that a commit is on the disk
// when it returns. There is one writing connection, opened by own() under the lock file and used by
// the committer's thread alone; it is also the only one that checkpoints (SQLite before 3.51.3 can
// corrupt a WAL that two connections write and checkpoint at once). Everything else reads through a
// few read-only connections. It never decides anything about money.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "store/lock_file.h"
#include "store/store.h"

namespace asbb::store {

namespace sqlite {
class Connection;
class ReaderPool;
class WalVfs;
}  // namespace sqlite

struct SqliteOptions {
  std::string path;
  std::string vfs;              // SQLite's name of a file system layer; empty for the usual one
  int busy_timeout_ms = 2000;   // how long to wait for a program that writes past the lock
  int checkpoint_pages = 4000;  // pages of WAL (4 KiB each) after which a commit also checkpoints
  std::function<void(const std::string&)> warn;  // of what makes it slower, but not wrong
};

class SqliteStore final : public Store {
 public:
  // Refuses a database that is missing or not at this program's version. Takes no lock.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(SqliteOptions options);
  ~SqliteStore() override;

  // Also gives the WAL the length it will have, since a sync of a file that grows takes longer.
  Result<void> own(int wait_ms) override;
  // After an unknown outcome it first makes the outcome definite: what SQLite shows as not written
  // is overwritten durably, so that it cannot come back after a power cut. Without ownership it
  // reads only.
  Result<Snapshot> load(Instant answers_since) override;
  Result<void> commit(const Batch& batch) override;
  Result<std::vector<HoldRecord>> find_holds(const HoldQuery& query) override;
  Result<std::vector<ChainedEntry>> entries(const EntryQuery& query) override;
  Result<void> forget_answers(Instant before) override;
  Result<std::int64_t> archive(Instant before, std::int64_t count_max) override;
  Result<void> rewrite() override;
  Result<void> ping() override;

 private:
  explicit SqliteStore(SqliteOptions options);
  [[nodiscard]] Result<void> open_writer();
  void lengthen_log();
  [[nodiscard]] Result<void> new_epoch(Result<void> begun);
  [[nodiscard]] Result<void> check_owner();
  template <typename Write>
  [[nodiscard]] Result<void> in_transaction(Write&& write);
  template <typename Write>
  [[nodiscard]] Result<void> in_transaction_of_no_worth(Write&& write);
  [[nodiscard]] Result<void> finish(Result<void> written);

  const SqliteOptions options_;
  std::unique_ptr<sqlite::ReaderPool> readers_;
  std::optional<LockFile> lock_;
  std::unique_ptr<sqlite::WalVfs> wal_vfs_;  // under the writer
  std::unique_ptr<sqlite::Connection> writer_;
  std::int64_t epoch_ = 0;   // 0: not the owner
  bool unresolved_ = false;  // a commit ended with an unknown outcome, and no load since
};

}  // namespace asbb::store
