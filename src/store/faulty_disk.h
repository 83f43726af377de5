// A file system layer for SQLite that fails on purpose and remembers what was synced. Real files,
// real SQLite; only the answers to writes and syncs are bent. Tests only, one thread, one at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace asbb::store {

enum class DiskFailure {
  full,     // a write writes nothing: SQLITE_FULL
  torn,     // a write writes its first half, then the quota is used up: SQLITE_IOERR_WRITE
  ignored,  // a write or sync says it failed, though all of it happened
};

class FaultyDisk {
 public:
  // Registers the layer; `synced_folder` receives what would be left after a power cut that loses
  // all that was never synced.
  explicit FaultyDisk(std::string synced_folder);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // What SqliteOptions::vfs is to be.
  [[nodiscard]] static const char* name();

  // The write, sync or truncate with that number, counted from now, fails: alone, or with all that
  // follow until heal(). A sync that fails syncs nothing.
  void fail_at(std::int64_t operation, DiskFailure failure, bool for_good);
  void heal();
  [[nodiscard]] bool has_failed() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace asbb::store
