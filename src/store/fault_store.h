// A store that fails on purpose: it wraps another one and injects, at the commit, load or search of
// a given number, what databases do at their worst. Used by the tests of whoever commits. With an
// empty script it behaves as the store inside. Threads: as the port says; the script may be changed
// at any time from any thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>

#include "store/store.h"

namespace asbb::store {

enum class Fault {
  none,
  before,  // commit: unavailable, nothing is written (disk full). load, search: unavailable
  lost,    // commit: unknown_outcome, nothing is written (the connection went before COMMIT)
  after,   // commit: unknown_outcome, all of it is written (the answer to COMMIT went missing)
  denied,  // commit: another owner's epoch; every later commit too, until own() succeeds again
  slow     // commit or load: sleeps, then does its work
};

class FaultStore final : public Store {
 public:
  explicit FaultStore(std::unique_ptr<Store> inside,
                      std::chrono::milliseconds slowness = std::chrono::milliseconds(50));

  // Calls count from 1, each kind apart. A fault happens once, at its call.
  void fail_commit(std::int64_t call, Fault fault);
  void fail_load(std::int64_t call, Fault fault);
  void fail_find(std::int64_t call, Fault fault);  // find_holds

  // What has not happened by now does not happen.
  void heal();

  // How many there have been so far.
  [[nodiscard]] std::int64_t commits() const;
  [[nodiscard]] std::int64_t loads() const;
  [[nodiscard]] std::int64_t finds() const;

  Result<void> own(int wait_ms) override;
  Result<Snapshot> load(Instant answers_since) override;
  Result<void> commit(const Batch& batch) override;
  Result<std::vector<HoldRecord>> find_holds(const HoldQuery& query) override;
  Result<std::vector<ChainedEntry>> entries(const EntryQuery& query) override;
  Result<void> forget_answers(Instant before) override;
  Result<void> ping() override;

 private:
  struct Script {
    std::int64_t calls = 0;
    std::map<std::int64_t, Fault> faults;
    Fault next();
  };

  const std::unique_ptr<Store> inside_;
  const std::chrono::milliseconds slowness_;
  mutable std::mutex mutex_;  // guards what follows
  Script commits_;
  Script loads_;
  Script finds_;
  bool ousted_ = false;
};

}  // namespace asbb::store
