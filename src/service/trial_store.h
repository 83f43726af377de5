// A store on which a ledger can be tried out: what is committed stays in memory and is gone with
// this, what was there before is read from the store behind it. Owned by who tries; commit(), own()
// and load() are called by the trial committer's thread, the rest by any. It must never write to
// the store behind it.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "store/store.h"

namespace asbb::service {

class TrialStore final : public store::Store {
 public:
  // `behind` outlives this; `book` is what load() gives.
  TrialStore(store::Store& behind, store::Snapshot book)
      : behind_(behind), book_(std::move(book)) {}

  Result<void> own(int wait_ms) override;
  Result<store::Snapshot> load(Instant answers_since) override;
  Result<void> commit(const store::Batch& batch) override;
  Result<std::vector<store::HoldRecord>> find_holds(const store::HoldQuery& query) override;
  Result<std::vector<store::ChainedEntry>> entries(const store::EntryQuery& query) override;
  Result<void> forget_answers(Instant before) override;
  Result<void> rewrite() override;
  Result<void> ping() override;

  // What would have been written.
  [[nodiscard]] std::vector<ledger::Entry> tried() const;

 private:
  store::Store& behind_;
  const store::Snapshot book_;
  mutable std::mutex mutex_;
  std::map<ledger::HoldId, store::HoldRecord> holds_;  // those that were changed, as they are
  std::vector<ledger::Entry> tried_;
};

// The committed book as a store gives it, without the answers that are remembered.
[[nodiscard]] store::Snapshot snapshot_of(const ledger::Book& book);

}  // namespace asbb::service
