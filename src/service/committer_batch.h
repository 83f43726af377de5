// What the committer does with a batch, without its thread (DESIGN 3, "The committer"). Owns the
// Book: decides every command in order on a stage, writes all effects in one transaction, and only
// after the commit adopts the stage. A definite failure drops the stage; an unknown outcome makes
// it reload the book from the store and answer from the memory of request ids. What changes it is
// called by one thread, the committer's or the simulation's; the rest by any. It never answers yes
// before the commit, and writes nothing once another service has taken over.
#pragma once

#include <atomic>
#include <deque>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "service/answer_shares.h"
#include "service/clock.h"
#include "store/chain.h"
#include "store/store.h"

namespace asbb::service {

// How many answers are remembered at most, some 700 bytes each.
inline constexpr std::size_t answers_max_usual = 2'000'000;

// How far the clock may be before the last entry at a start: then the ledger's time stands still
// until the clock is there. As long as the plugin's tokens are good.
inline constexpr Span clock_behind_max = ledger::token_age_max;

class BatchCommitter {
 public:
  using Answer = Result<ledger::Outcome>;

  BatchCommitter(store::Store& store, store::ChainKey key, Clock clock,
                 std::size_t answers_max = answers_max_usual, Span retention = {});
  BatchCommitter(const BatchCommitter&) = delete;
  BatchCommitter& operator=(const BatchCommitter&) = delete;

  // Takes ownership of the database, waiting up to own_wait_ms for another owner to go, and loads
  // the book. conflict: the clock is more than clock_behind_max before the last entry, and the
  // store was not told to let time go back.
  [[nodiscard]] Result<void> start(int own_wait_ms);

  // The answers, one for each command in order; what they say is durable. context.at is set here.
  // Errors: unavailable: nothing of it was recorded, and a retry may help. unknown_outcome: it may
  // have been recorded; only a command without a request id, or when the database cannot be read.
  // denied: another service has taken over, for good. broken: the database refuses the rows.
  [[nodiscard]] std::vector<Answer> decide(std::vector<ledger::Command>& commands);

  // Carries over what budgets leave that have ended since this was done last, or since the start;
  // decide() does so too, before anything else. Cheap when no end has passed.
  void carry_over();

  // Once a minute drops what is old enough: answers after ledger::answer_memory, closed holds
  // after an hour. Entries beyond `retention`, where that is not 0, move into the store's archive,
  // a few at a time, so that no caller waits long behind them. Cheap when there is nothing to do.
  void keep_house();

  // After a failure, while nobody wants anything: whether the database would take a commit now, or
  // can be read again; is_healthy() says so then. Does nothing otherwise.
  void try_again();

  // Calls `reader` with the committed book under a shared lock.
  template <typename Reader>
  auto read(Reader&& reader) const {
    const std::shared_lock lock(book_mutex_);
    return reader(static_cast<const ledger::Book&>(book_));
  }

  // The clock's time, but never one before an earlier command's.
  [[nodiscard]] Instant ledger_time() const;
  // False between an unknown outcome and a reload that worked, between a commit that the database
  // did not take (a full disk) and one that it took, and for ever once lost.
  [[nodiscard]] bool is_healthy() const { return state_ == State::healthy && !is_refused_; }
  [[nodiscard]] std::int64_t commits() const { return commits_; }
  [[nodiscard]] std::int64_t commands() const { return commands_; }
  [[nodiscard]] std::int64_t failures() const { return failures_; }
  [[nodiscard]] std::int64_t answers_remembered() const { return answers_remembered_; }
  [[nodiscard]] std::int64_t archived() const { return archived_; }

 private:
  using Commands = std::vector<ledger::Command>;
  using Answers = std::vector<Answer>;
  enum class State {
    healthy,
    must_reload,
    lost  // for ever: another service has the database
  };

  void decide_in_order(Commands& commands, std::size_t from, std::size_t count, bool look_up_all,
                       Answers& answers);
  void decide_alone(Commands& commands, std::size_t from, std::size_t count, Answers& answers);
  void answer_failure(std::size_t from, std::size_t count, const Error& error, Answers& answers);
  [[nodiscard]] Result<void> fetch_missing(const ledger::Command* commands, std::size_t count,
                                           bool look_up_all);
  [[nodiscard]] Result<void> fetch(const store::HoldQuery& query);
  [[nodiscard]] bool may_be_forgotten(const std::string& name) const;
  [[nodiscard]] Answer decide_one(ledger::Stage& stage, ledger::Command& command);
  [[nodiscard]] bool has_budget_ended(Instant at) const;
  [[nodiscard]] store::Batch make_batch(ledger::Changes changes) const;
  void adopt(store::Batch& written, const ledger::Counters& counters);
  [[nodiscard]] Result<void> reload();
  void resolve_unknown(const Commands& commands, std::size_t from, std::size_t count,
                       Answers& answers);
  [[nodiscard]] Result<void> take_time();
  void forget_answers(Instant before);
  void archive_some(Instant now);

  store::Store& store_;
  const store::ChainKey key_;
  const Clock clock_;
  const Span retention_;  // of entries, before they are archived; 0: for ever

  mutable std::shared_mutex book_mutex_;  // held alone to write, on the deciding thread only
  ledger::Book book_;
  store::ChainValue chain_head_{};

  std::atomic<State> state_ = State::healthy;
  std::atomic<bool> is_refused_ = false;  // by the database, of the last commit
  std::atomic<std::int64_t> commits_ = 0;
  std::atomic<std::int64_t> commands_ = 0;
  std::atomic<std::int64_t> failures_ = 0;
  std::atomic<std::int64_t> answers_remembered_ = 0;
  std::atomic<std::int64_t> archived_ = 0;
  std::atomic<Instant> last_decided_{};   // ledger time never goes back, whatever the clock does
  std::optional<Instant> carried_until_;  // ends of budgets up to here are done
  Instant last_housekeeping_;
  Instant next_archiving_;
  Instant forgotten_before_;  // answers from before this moment may be gone
  AnswerShares shares_;       // of what the book, and the batch in hand, remember
  std::deque<std::pair<Instant, ledger::HoldId>> closed_holds_;  // in memory until they are old
};

}  // namespace asbb::service
