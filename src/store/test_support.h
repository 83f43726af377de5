// What the tests of the stores share: a folder that goes away, a database beside the store, and
// small rows that fit together. Tests only.
#pragma once

#include <string>
#include <vector>

#include "store/sqlite_store.h"
#include "store/store.h"

namespace asbb::store {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Runs SQL as the sqlite3 shell would, past every check of the store; the error's text, or empty.
std::string run_sql(const std::string& path, const std::string& sql);
// The first column of all rows, as text.
std::vector<std::string> query_sql(const std::string& path, const std::string& sql);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);

// A migrated database in the folder, and a store on it.
std::string make_database(const TemporaryFolder& folder);
std::unique_ptr<SqliteStore> open_sqlite(const std::string& path);

// An entry of that sequence, with a record and a chain value that tell it apart.
ChainedEntry make_entry(std::int64_t sequence);
// Account 1 "proj001" with budget 1 of USD and limit 1 on gpu-aws, and entry 1.
Batch first_batch();
// Hold and entry of that number on what first_batch made; sequence = number.
Batch hold_batch(std::int64_t number);
// One row of every kind, hold 2 among them; `sequence` is of its entry.
Batch full_batch(std::int64_t sequence);

}  // namespace asbb::store
