// The store in memory: rows kept as values. It refuses what the database's constraints refuse, so
// the service, its tests and the simulator meet the same behaviour as on SQLite. A MemoryDisk
// outlives the stores opened on it, as a file outlives the processes: dropping a store without
// ceremony is a crash. Threads: as the port says; the disk has its own lock. It is never used for
// real money: nothing survives the process.
#pragma once

#include <memory>

#include "store/store.h"

namespace asbb::store {

class MemoryDisk {
 public:
  MemoryDisk();
  ~MemoryDisk();
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  // What a second service that does not honour the lock does: a new epoch. The owner's next commit
  // is denied, and the lock keeps nobody out.
  void take_over();

 private:
  friend class MemoryStore;
  struct State;
  std::unique_ptr<State> state_;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>());
  // Gives the ownership back.
  ~MemoryStore() override;

  Result<void> own(int wait_ms) override;
  Result<Snapshot> load(Instant answers_since) override;
  Result<void> commit(const Batch& batch) override;
  Result<std::vector<HoldRecord>> find_holds(const HoldQuery& query) override;
  Result<std::vector<ChainedEntry>> entries(const EntryQuery& query) override;
  Result<void> forget_answers(Instant before) override;
  Result<void> rewrite() override;
  Result<void> ping() override;

 private:
  std::shared_ptr<MemoryDisk> disk_;
  std::int64_t epoch_ = 0;  // 0: not the owner
};

}  // namespace asbb::store
