// The ledger's thread (DESIGN 3, "The committer"). It owns the Book: drains a bounded queue, lets
// the pure ledger decide every command in order on a stage, writes all effects in one transaction,
// and only after the commit adopts the stage and answers each caller. A definite failure drops the
// stage and answers with the error; an unknown outcome makes it reload the book from the store and
// answer from the memory of request ids. Public functions may be called from any thread but its
// own. It never waits to make a batch larger.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "service/clock.h"
#include "store/chain.h"
#include "store/store.h"

namespace asbb::service {

struct CommitterOptions {
  std::size_t queue_max = 4096;  // commands that may wait; beyond it submit() says unavailable
  std::size_t batch_max = 512;   // commands per transaction
  int own_wait_ms = 0;           // how long start() waits for another owner to go
};

struct CommitterFigures {
  std::int64_t commits = 0;
  std::int64_t commands = 0;
  std::int64_t failures = 0;
  std::int64_t queue_length = 0;
};

class Committer {
 public:
  // Called exactly once per accepted submit, on the committer's thread, after the commit (or its
  // failure). Must not block and must not throw.
  using Done = std::function<void(Result<ledger::Outcome>)>;

  Committer(store::Store& store, store::ChainKey key, Clock clock, CommitterOptions options);
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;
  ~Committer();

  // Takes ownership of the database, loads the book, starts the thread.
  [[nodiscard]] Result<void> start();
  // Commits what is queued, answers it, stops the thread. Idempotent.
  void stop();

  // context.at is set by the committer when the batch is decided. False: the queue is full or the
  // committer is stopped, and `done` is never called.
  [[nodiscard]] bool submit(ledger::Command command, Done done);
  // The same, waiting for the answer. Never called from the committer's thread.
  [[nodiscard]] Result<ledger::Outcome> run(ledger::Command command);

  // Calls `reader` with the committed book under a shared lock: keep it short, copy what you need.
  template <typename Reader>
  auto read(Reader&& reader) const {
    const std::shared_lock lock(book_mutex_);
    return reader(static_cast<const ledger::Book&>(book_));
  }

  // The hold with its shares, from memory or, when closed long ago, from the store.
  [[nodiscard]] Result<std::vector<store::HoldRecord>> find_holds(
      const store::HoldQuery& query) const;

  [[nodiscard]] store::Store& store() const { return store_; }
  [[nodiscard]] Clock clock() const { return clock_; }
  // What a command decided now would get as context.at: the clock's time, but never one before an
  // earlier command's. Deadlines count from here, so that a clock set back does not end them all.
  [[nodiscard]] Instant ledger_time() const;
  [[nodiscard]] CommitterFigures figures() const;
  // False after a failure that a reload could not mend; /health says so.
  [[nodiscard]] bool is_healthy() const;

 private:
  struct Waiting {
    ledger::Command command;
    Done done;
  };

  void loop();
  void process(std::vector<Waiting>& batch);
  void answer_failure(std::vector<Waiting>& batch, const Error& error);
  [[nodiscard]] Result<void> fetch_missing(const std::vector<Waiting>& batch);
  [[nodiscard]] store::Batch make_batch(const ledger::Stage& stage) const;
  void adopt(ledger::Stage& stage, const store::Batch& written);
  [[nodiscard]] Result<void> reload();
  void resolve_unknown(std::vector<Waiting>& batch);
  void housekeeping(Instant now);

  store::Store& store_;
  const store::ChainKey key_;
  const Clock clock_;
  const CommitterOptions options_;

  mutable std::shared_mutex book_mutex_;
  ledger::Book book_;
  store::ChainValue chain_head_{};

  mutable std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  bool healthy_ = true;
  bool lost_ownership_ = false;  // for ever: another service has the database
  CommitterFigures figures_;
  std::atomic<Instant> last_decided_{};  // ledger time never goes back, whatever the clock does
  Instant last_housekeeping_;
  std::deque<std::pair<Instant, ledger::HoldId>> closed_holds_;  // in memory until they are old
  std::thread thread_;
};

}  // namespace asbb::service
