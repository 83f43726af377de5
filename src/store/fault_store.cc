#include "store/fault_store.h"

#include <thread>

namespace asbb::store {
namespace {

tl::unexpected<Error> injected(ErrorKind kind, const char* what) {
  return fail(kind, std::string("injected: ") + what);
}

}  // namespace

Fault FaultStore::Script::next() {
  const auto found = faults.find(++calls);
  return found == faults.end() ? Fault::none : found->second;
}

FaultStore::FaultStore(std::unique_ptr<Store> inside, std::chrono::milliseconds slowness)
    : inside_(std::move(inside)), slowness_(slowness) {}

void FaultStore::fail_commit(std::int64_t call, Fault fault) {
  const std::lock_guard lock(mutex_);
  commits_.faults[call] = fault;
}

void FaultStore::fail_load(std::int64_t call, Fault fault) {
  const std::lock_guard lock(mutex_);
  loads_.faults[call] = fault;
}

void FaultStore::fail_find(std::int64_t call, Fault fault) {
  const std::lock_guard lock(mutex_);
  finds_.faults[call] = fault;
}

void FaultStore::heal() {
  const std::lock_guard lock(mutex_);
  commits_.faults.clear();
  loads_.faults.clear();
  finds_.faults.clear();
}

std::int64_t FaultStore::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_.calls;
}

std::int64_t FaultStore::loads() const {
  const std::lock_guard lock(mutex_);
  return loads_.calls;
}

std::int64_t FaultStore::finds() const {
  const std::lock_guard lock(mutex_);
  return finds_.calls;
}

Result<void> FaultStore::own(int wait_ms) {
  auto owned = inside_->own(wait_ms);
  const std::lock_guard lock(mutex_);
  if (owned) ousted_ = false;
  return owned;
}

Result<Snapshot> FaultStore::load(Instant answers_since) {
  Fault fault = Fault::none;
  {
    const std::lock_guard lock(mutex_);
    fault = loads_.next();
  }
  if (fault == Fault::slow) std::this_thread::sleep_for(slowness_);
  if (fault == Fault::none || fault == Fault::slow) return inside_->load(answers_since);
  return injected(ErrorKind::unavailable, "the database cannot be read");
}

Result<void> FaultStore::commit(const Batch& batch) {
  Fault fault = Fault::none;
  {
    const std::lock_guard lock(mutex_);
    fault = commits_.next();
    if (fault == Fault::denied) ousted_ = true;
    if (ousted_) return injected(ErrorKind::denied, "another service has taken over");
  }
  switch (fault) {
    case Fault::before:
      return injected(ErrorKind::unavailable, "the disk is full");
    case Fault::lost:
      return injected(ErrorKind::unknown_outcome, "no answer before COMMIT");
    case Fault::slow:
      std::this_thread::sleep_for(slowness_);
      break;
    default:
      break;
  }
  auto committed = inside_->commit(batch);
  if (committed && fault == Fault::after) {
    return injected(ErrorKind::unknown_outcome, "no answer to COMMIT");
  }
  return committed;
}

Result<std::vector<HoldRecord>> FaultStore::find_holds(const HoldQuery& query) {
  {
    const std::lock_guard lock(mutex_);
    if (finds_.next() == Fault::before) {
      return injected(ErrorKind::unavailable, "the database cannot be read");
    }
  }
  return inside_->find_holds(query);
}

Result<std::vector<ChainedEntry>> FaultStore::entries(const EntryQuery& query) {
  return inside_->entries(query);
}

Result<void> FaultStore::forget_answers(Instant before) {
  return inside_->forget_answers(before);
}

Result<void> FaultStore::ping() {
  return inside_->ping();
}

}  // namespace asbb::store
