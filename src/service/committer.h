// The ledger's thread (DESIGN 3, "The committer"): a bounded queue before a BatchCommitter
// (committer_batch.h), which it alone calls. It takes whatever waits as one batch, and answers each
// caller when the batch is durable or has failed. Public functions may be called from any thread
// but its own. It never waits to make a batch larger.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "service/clock.h"
#include "service/committer_batch.h"
#include "store/chain.h"
#include "store/store.h"

namespace asbb::service {

struct CommitterOptions {
  std::size_t queue_max = 4096;  // commands that may wait; beyond it submit() says unavailable
  std::size_t batch_max = 512;   // commands per transaction
  int own_wait_ms = 0;           // how long start() waits for another owner to go
  std::size_t answers_max = answers_max_usual;  // request ids remembered; beyond it: unavailable
  Span retention{};  // of entries, before they go to the store's archive; 0: for ever
  // False: submit() decides at once and answers on its caller's thread, of which there is only one:
  // that is how the simulation runs a service.
  bool has_thread = true;
};

struct CommitterFigures {
  std::int64_t commits = 0;
  std::int64_t commands = 0;
  std::int64_t failures = 0;
  std::int64_t queue_length = 0;
  std::int64_t answers_remembered = 0;
  std::int64_t archived = 0;  // entries, since the start
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

  // Takes ownership of the database, loads the book, starts the thread, where there is one.
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
    return batches_.read(std::forward<Reader>(reader));
  }

  // The hold with its shares, from memory or, when closed long ago, from the store.
  [[nodiscard]] Result<std::vector<store::HoldRecord>> find_holds(
      const store::HoldQuery& query) const;
  // All that a cluster's job id has had.
  [[nodiscard]] Result<std::vector<store::HoldRecord>> find_job_holds(const std::string& cluster,
                                                                      std::int64_t job_id) const;

  [[nodiscard]] store::Store& store() const { return store_; }
  [[nodiscard]] Clock clock() const { return clock_; }
  // What a command decided now would get as context.at: the clock's time, but never one before an
  // earlier command's. Deadlines count from here, so that a clock set back does not end them all.
  [[nodiscard]] Instant ledger_time() const;
  [[nodiscard]] CommitterFigures figures() const;
  // False while the database takes nothing, and after a failure that a reload could not mend;
  // /health says so.
  [[nodiscard]] bool is_healthy() const;

 private:
  struct Waiting {
    ledger::Command command;
    Done done;
  };

  void loop();
  void process(std::vector<Waiting>& batch);

  store::Store& store_;
  const Clock clock_;
  const CommitterOptions options_;
  BatchCommitter batches_;

  mutable std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace asbb::service
