#include "store/fault_store.h"

#include <thread>

namespace asbb::store {
namespace {

tl::unexpected<Error> injected(ErrorKind kind, const char* what) {
  return asbb::fail(kind, std::string("injected: ") + what);
}

}  // namespace

FaultStore::FaultStore(std::unique_ptr<Store> inside, std::chrono::milliseconds slowness)
    : FaultStore(std::move(inside), [slowness] { std::this_thread::sleep_for(slowness); }) {}

FaultStore::FaultStore(std::unique_ptr<Store> inside, Wait wait)
    : inside_(std::move(inside)), wait_(std::move(wait)) {}

void FaultStore::fail(Call kind, std::int64_t call, Fault fault) {
  const std::lock_guard lock(mutex_);
  scripts_[kind].faults[call] = fault;
}

void FaultStore::heal() {
  const std::lock_guard lock(mutex_);
  for (auto& [kind, script] : scripts_) script.faults.clear();
}

std::int64_t FaultStore::calls(Call kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = scripts_.find(kind);
  return found == scripts_.end() ? 0 : found->second.calls;
}

Fault FaultStore::next(Call kind) {
  const std::lock_guard lock(mutex_);
  Script& script = scripts_[kind];
  const auto found = script.faults.find(++script.calls);
  return found == script.faults.end() ? Fault::none : found->second;
}

template <typename Work>
auto FaultStore::run(Call kind, Work work) -> decltype(work()) {
  const Fault fault = next(kind);
  if (fault == Fault::before) {
    return injected(ErrorKind::unavailable, "the database does not answer");
  }
  if (fault == Fault::slow) wait_();
  auto result = work();
  if (fault == Fault::late) wait_();
  return result;
}

Result<void> FaultStore::own(int wait_ms) {
  auto owned = run(Call::own, [&] { return inside_->own(wait_ms); });
  const std::lock_guard lock(mutex_);
  if (owned) ousted_ = false;
  return owned;
}

Result<Snapshot> FaultStore::load(Instant answers_since) {
  return run(Call::load, [&] { return inside_->load(answers_since); });
}

Result<void> FaultStore::commit(const Batch& batch) {
  const Fault fault = next(Call::commit);
  {
    const std::lock_guard lock(mutex_);
    if (fault == Fault::denied) ousted_ = true;
    if (ousted_) return injected(ErrorKind::denied, "another service has taken over");
  }
  if (fault == Fault::before) return injected(ErrorKind::unavailable, "the disk is full");
  if (fault == Fault::lost) {
    return injected(ErrorKind::unknown_outcome, "no answer before COMMIT");
  }
  if (fault == Fault::slow) wait_();
  auto committed = inside_->commit(batch);
  if (fault == Fault::late) wait_();
  if (committed && fault == Fault::after) {
    return injected(ErrorKind::unknown_outcome, "no answer to COMMIT");
  }
  return committed;
}

Result<std::vector<HoldRecord>> FaultStore::find_holds(const HoldQuery& query) {
  return run(Call::find, [&] { return inside_->find_holds(query); });
}

Result<std::vector<ChainedEntry>> FaultStore::entries(const EntryQuery& query) {
  return inside_->entries(query);
}

Result<std::int64_t> FaultStore::archive(Instant before, std::int64_t count_max) {
  return run(Call::archive, [&] { return inside_->archive(before, count_max); });
}

Result<void> FaultStore::forget_answers(Instant before) {
  return run(Call::forget, [&] { return inside_->forget_answers(before); });
}

Result<void> FaultStore::rewrite() {
  return run(Call::forget, [&] { return inside_->rewrite(); });
}

Result<void> FaultStore::ping() {
  return inside_->ping();
}

}  // namespace asbb::store
