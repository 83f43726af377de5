// A store that fails on purpose: it wraps another one and injects, at the call of a given kind and
// number, what databases do at their worst. Used by the tests of whoever commits. With an
// empty script it behaves as the store inside. Threads: as the port says; the script may be changed
// at any time from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "store/store.h"

namespace asbb::store {

enum class Fault {
  none,
  before,  // commit: unavailable, nothing is written (disk full). Of all others: unavailable
  lost,    // commit: unknown_outcome, nothing is written (the connection went before COMMIT)
  after,   // commit: unknown_outcome, all of it is written (the answer to COMMIT went missing)
  denied,  // commit: another owner's epoch; every later commit too, until own() succeeds again
  slow,    // of every kind: waits, then does its work
  late     // of every kind: does its work, then waits before it says so
};

// What is called upon the database.
enum class Call { own, load, commit, find, forget, archive };

class FaultStore final : public Store {
 public:
  // How slow and late calls wait; what it does is the caller's, on the calling thread.
  using Wait = std::function<void()>;

  explicit FaultStore(std::unique_ptr<Store> inside,
                      std::chrono::milliseconds slowness = std::chrono::milliseconds(50));
  FaultStore(std::unique_ptr<Store> inside, Wait wait);

  // Calls count from 1, each kind apart. A fault happens once, at its call.
  void fail(Call kind, std::int64_t call, Fault fault);
  void fail_commit(std::int64_t call, Fault fault) { fail(Call::commit, call, fault); }
  void fail_load(std::int64_t call, Fault fault) { fail(Call::load, call, fault); }
  void fail_find(std::int64_t call, Fault fault) { fail(Call::find, call, fault); }

  // What has not happened by now does not happen.
  void heal();

  // How many there have been so far.
  [[nodiscard]] std::int64_t calls(Call kind) const;
  [[nodiscard]] std::int64_t commits() const { return calls(Call::commit); }
  [[nodiscard]] std::int64_t loads() const { return calls(Call::load); }
  [[nodiscard]] std::int64_t finds() const { return calls(Call::find); }

  Result<void> own(int wait_ms) override;
  Result<Snapshot> load(Instant answers_since) override;
  Result<void> commit(const Batch& batch) override;
  Result<std::vector<HoldRecord>> find_holds(const HoldQuery& query) override;
  Result<std::vector<ChainedEntry>> entries(const EntryQuery& query) override;
  Result<void> forget_answers(Instant before) override;
  Result<void> rewrite() override;
  Result<std::int64_t> archive(Instant before, std::int64_t count_max) override;
  Result<void> ping() override;

 private:
  struct Script {
    std::int64_t calls = 0;
    std::map<std::int64_t, Fault> faults;
  };
  [[nodiscard]] Fault next(Call kind);
  // The work of a call of that kind, with what the script has for it.
  template <typename Work>
  auto run(Call kind, Work work) -> decltype(work());

  const std::unique_ptr<Store> inside_;
  const Wait wait_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<Call, Script> scripts_;
  bool ousted_ = false;
};

}  // namespace asbb::store
