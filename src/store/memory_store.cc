#include "store/memory_store.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "store/memory_rows.h"
#include "store/queries.h"

namespace asbb::store {

struct MemoryDisk::State {
  std::mutex mutex;  // guards what follows
  std::condition_variable released;
  bool locked = false;
  std::int64_t epoch = 0;
  MemoryRows rows;
};

MemoryDisk::MemoryDisk() : state_(std::make_unique<State>()) {}
MemoryDisk::~MemoryDisk() = default;

void MemoryDisk::take_over() {
  const std::lock_guard lock(state_->mutex);
  ++state_->epoch;
  state_->locked = false;
}

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

MemoryStore::~MemoryStore() {
  if (epoch_ == 0) return;
  {
    const std::lock_guard lock(disk_->state_->mutex);
    disk_->state_->locked = false;
  }
  disk_->state_->released.notify_one();
}

Result<void> MemoryStore::own(int wait_ms) {
  MemoryDisk::State& state = *disk_->state_;
  std::unique_lock lock(state.mutex);
  if (epoch_ == 0) {
    const bool free = state.released.wait_for(lock, std::chrono::milliseconds(wait_ms),
                                              [&] { return !state.locked; });
    if (!free) return fail(ErrorKind::unavailable, "another service owns the database in memory");
  }
  state.locked = true;
  epoch_ = ++state.epoch;
  return {};
}

Result<Snapshot> MemoryStore::load(Instant answers_since) {
  const std::lock_guard lock(disk_->state_->mutex);
  return disk_->state_->rows.snapshot(answers_since);
}

Result<void> MemoryStore::commit(const Batch& batch) {
  MemoryDisk::State& state = *disk_->state_;
  const std::lock_guard lock(state.mutex);
  if (epoch_ == 0 || epoch_ != state.epoch) {
    return fail(ErrorKind::denied, "this service does not own the database in memory");
  }
  return state.rows.write(batch);
}

Result<std::vector<HoldRecord>> MemoryStore::find_holds(const HoldQuery& query) {
  return check_query(query).map([&] {
    const std::lock_guard lock(disk_->state_->mutex);
    return disk_->state_->rows.find(query);
  });
}

Result<std::vector<ChainedEntry>> MemoryStore::entries(const EntryQuery& query) {
  return check_query(query).map([&] {
    const std::lock_guard lock(disk_->state_->mutex);
    return disk_->state_->rows.find(query);
  });
}

Result<void> MemoryStore::forget_answers(Instant before) {
  MemoryDisk::State& state = *disk_->state_;
  const std::lock_guard lock(state.mutex);
  if (epoch_ == 0 || epoch_ != state.epoch) {
    return fail(ErrorKind::denied, "this service does not own the database in memory");
  }
  state.rows.forget_answers(before);
  return {};
}

Result<void> MemoryStore::rewrite() {
  return forget_answers(Instant());
}

Result<void> MemoryStore::ping() {
  return {};
}

}  // namespace asbb::store
