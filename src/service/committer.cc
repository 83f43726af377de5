#include "service/committer.h"

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "ledger/record.h"

namespace asbb::service {
namespace {

constexpr Span housekeeping_interval = seconds(60);
constexpr Span closed_hold_memory = hours(1);

// The hold that a command is about, when it is about one that must be in memory.
std::optional<ledger::HoldId> hold_of(const ledger::Command& command) {
  return std::visit(
      [](const auto& action) -> std::optional<ledger::HoldId> {
        if constexpr (requires { action.hold; }) return action.hold;
        return std::nullopt;
      },
      command.action);
}

Error lost_error() {
  return {ErrorKind::denied,
          "another budget service has taken over this database; this one writes no more: stop it",
          ""};
}

template <typename Map, typename Row>
void copy_rows(const Map& map, std::vector<Row>& rows) {
  rows.reserve(map.size());
  for (const auto& [id, row] : map) rows.push_back(row);
}

}  // namespace

Committer::Committer(store::Store& store, store::ChainKey key, Clock clock,
                     CommitterOptions options)
    : store_(store), key_(key), clock_(std::move(clock)), options_(options) {}

Committer::~Committer() {
  stop();
}

Result<void> Committer::start() {
  ASBB_ASSERT(!thread_.joinable());
  if (auto owned = store_.own(options_.own_wait_ms); !owned) return owned;
  if (auto loaded = reload(); !loaded) return loaded;
  thread_ = std::thread([this] { loop(); });
  return {};
}

void Committer::stop() {
  {
    const std::lock_guard lock(queue_mutex_);
    stopping_ = true;
  }
  queue_filled_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Committer::submit(ledger::Command command, Done done) {
  {
    const std::lock_guard lock(queue_mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) return false;
    queue_.push_back({std::move(command), std::move(done)});
  }
  queue_filled_.notify_one();
  return true;
}

Result<ledger::Outcome> Committer::run(ledger::Command command) {
  ASBB_ASSERT(std::this_thread::get_id() != thread_.get_id());
  auto promise = std::make_shared<std::promise<Result<ledger::Outcome>>>();
  auto answer = promise->get_future();
  const bool queued = submit(std::move(command), [promise](Result<ledger::Outcome> outcome) {
    promise->set_value(std::move(outcome));
  });
  if (!queued) {
    return fail(ErrorKind::unavailable, "the budget service has too much to do; try again shortly");
  }
  return answer.get();
}

Result<std::vector<store::HoldRecord>> Committer::find_holds(const store::HoldQuery& query) const {
  std::vector<store::HoldRecord> found;
  read([&](const ledger::Book& book) {
    std::vector<const ledger::Hold*> holds;
    if (query.id.is_set()) {
      holds = {book.hold(query.id)};
    } else if (!query.request_id.empty()) {
      holds = {book.hold_of_request(query.request_id)};
    } else {
      holds = book.holds_of_job(query.cluster, query.job_id);
    }
    for (const ledger::Hold* hold : holds) {
      if (hold == nullptr) continue;
      auto& record = found.emplace_back(store::HoldRecord{*hold, {}});
      for (const ledger::Share* share : book.shares_of(hold->id)) record.shares.push_back(*share);
    }
  });
  const bool names_one = query.id.is_set() || !query.request_id.empty();
  if (names_one && !found.empty()) return found;
  auto stored = store_.find_holds(query);
  if (!stored) return stored;
  for (store::HoldRecord& record : *stored) {
    const auto same = [&](const store::HoldRecord& known) {
      return known.hold.id == record.hold.id;
    };
    if (std::none_of(found.begin(), found.end(), same)) found.push_back(std::move(record));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    const Instant a_time = a.hold.job ? a.hold.job->submit_time : a.hold.placed_at;
    const Instant b_time = b.hold.job ? b.hold.job->submit_time : b.hold.placed_at;
    return std::pair(a_time, a.hold.id) < std::pair(b_time, b.hold.id);
  });
  return found;
}

Instant Committer::ledger_time() const {
  return std::max(last_decided_.load(), clock_());
}

CommitterFigures Committer::figures() const {
  const std::lock_guard lock(queue_mutex_);
  CommitterFigures figures = figures_;
  figures.queue_length = static_cast<std::int64_t>(queue_.size());
  return figures;
}

bool Committer::is_healthy() const {
  const std::lock_guard lock(queue_mutex_);
  return healthy_ && !stopping_;
}

void Committer::loop() {
  std::vector<Waiting> batch;
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      queue_filled_.wait_for(lock, std::chrono::seconds(1),
                             [&] { return stopping_ || !queue_.empty(); });
      if (stopping_ && queue_.empty()) return;
      const std::size_t count = std::min(queue_.size(), options_.batch_max);
      batch.assign(std::make_move_iterator(queue_.begin()),
                   std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    if (!batch.empty()) process(batch);
    batch.clear();
    housekeeping(clock_());
  }
}

void Committer::process(std::vector<Waiting>& batch) {
  if (lost_ownership_) return answer_failure(batch, lost_error());
  if (!healthy_) {
    if (auto loaded = reload(); !loaded) return answer_failure(batch, loaded.error());
  }
  if (auto fetched = fetch_missing(batch); !fetched) return answer_failure(batch, fetched.error());
  const Instant decided_at = ledger_time();
  last_decided_ = decided_at;
  ledger::Stage stage(book_);
  std::vector<ledger::Outcome> outcomes;
  outcomes.reserve(batch.size());
  for (Waiting& waiting : batch) {
    waiting.command.context.at = decided_at;
    outcomes.push_back(ledger::decide(stage, waiting.command));
  }
  if (!stage.is_empty()) {
    const store::Batch rows = make_batch(stage);
    const auto committed = store_.commit(rows);
    if (!committed && committed.error().kind == ErrorKind::unknown_outcome) {
      return resolve_unknown(batch);
    }
    if (!committed) {
      // One command that the database refuses must not take the others with it.
      if (committed.error().kind != ErrorKind::broken || batch.size() == 1) {
        return answer_failure(batch, committed.error());
      }
      for (Waiting& waiting : batch) {
        std::vector<Waiting> alone;
        alone.push_back(std::move(waiting));
        process(alone);
      }
      return;
    }
    adopt(stage, rows);
  }
  {
    const std::lock_guard lock(queue_mutex_);
    ++figures_.commits;
    figures_.commands += static_cast<std::int64_t>(batch.size());
  }
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(outcomes[i]));
}

void Committer::answer_failure(std::vector<Waiting>& batch, const Error& error) {
  {
    const std::lock_guard lock(queue_mutex_);
    ++figures_.failures;
    // Another service owns the database now: nothing of ours may be written any more.
    if (error.kind == ErrorKind::denied) {
      lost_ownership_ = true;
      healthy_ = false;
    }
  }
  for (Waiting& waiting : batch) waiting.done(tl::unexpected(error));
}

Result<void> Committer::fetch_missing(const std::vector<Waiting>& batch) {
  for (const Waiting& waiting : batch) {
    const auto id = hold_of(waiting.command);
    if (!id || !id->is_set() || book_.hold(*id) != nullptr) continue;
    store::HoldQuery query;
    query.id = *id;
    const auto found = store_.find_holds(query);
    if (!found) return tl::unexpected(found.error());
    const std::unique_lock lock(book_mutex_);
    for (const store::HoldRecord& record : *found) {
      book_.put(record.hold);
      for (const ledger::Share& share : record.shares) book_.put(share);
      if (record.hold.status == ledger::HoldStatus::closed) {
        closed_holds_.emplace_back(last_decided_, record.hold.id);
      }
    }
  }
  return {};
}

store::Batch Committer::make_batch(const ledger::Stage& stage) const {
  store::Batch rows;
  copy_rows(stage.accounts(), rows.accounts);
  copy_rows(stage.budgets(), rows.budgets);
  copy_rows(stage.limits(), rows.limits);
  copy_rows(stage.holds(), rows.holds);
  copy_rows(stage.shares(), rows.shares);
  copy_rows(stage.prices(), rows.prices);
  copy_rows(stage.answers(), rows.answers);
  store::ChainValue head = chain_head_;
  for (const ledger::Entry& entry : stage.entries()) {
    store::ChainedEntry chained{entry, ledger::canonical_record(entry), {}};
    head = chained.chain = store::chain_next(key_, head, chained.record);
    rows.entries.push_back(std::move(chained));
  }
  return rows;
}

void Committer::adopt(ledger::Stage& stage, const store::Batch& written) {
  for (const ledger::Hold& hold : written.holds) {
    if (hold.status == ledger::HoldStatus::closed) {
      closed_holds_.emplace_back(last_decided_, hold.id);
    }
  }
  if (!written.entries.empty()) chain_head_ = written.entries.back().chain;
  const std::unique_lock lock(book_mutex_);
  book_.adopt(stage);
}

Result<void> Committer::reload() {
  const Instant now = ledger_time();
  auto snapshot = store_.load(now - ledger::answer_memory);
  if (!snapshot) return tl::unexpected(snapshot.error());
  ledger::Book fresh;
  for (const auto& row : snapshot->accounts) fresh.put(row);
  for (const auto& row : snapshot->budgets) fresh.put(row);
  for (const auto& row : snapshot->limits) fresh.put(row);
  for (const auto& row : snapshot->holds) fresh.put(row);
  for (const auto& row : snapshot->shares) fresh.put(row);
  for (const auto& row : snapshot->prices) fresh.put(row);
  for (const auto& row : snapshot->answers) fresh.put(row);
  fresh.set_counters(snapshot->counters);
  {
    const std::unique_lock lock(book_mutex_);
    book_ = std::move(fresh);
  }
  chain_head_ = snapshot->chain_head;
  closed_holds_.clear();
  last_housekeeping_ = now;
  const std::lock_guard lock(queue_mutex_);
  healthy_ = true;
  return {};
}

void Committer::resolve_unknown(std::vector<Waiting>& batch) {
  {
    const std::lock_guard lock(queue_mutex_);
    ++figures_.failures;
    healthy_ = false;
  }
  const auto loaded = reload();
  for (Waiting& waiting : batch) {
    const ledger::Context& context = waiting.command.context;
    if (!loaded || context.request_id.empty()) {
      waiting.done(fail(ErrorKind::unknown_outcome,
                        "the database did not say whether this was recorded; look at the "
                        "transactions before you repeat it"));
      continue;
    }
    const ledger::RememberedAnswer* answer = book_.answer(context.request_id);
    if (answer == nullptr) {
      waiting.done(fail(ErrorKind::unavailable, "nothing was recorded; try again"));
    } else if (answer->body_digest != context.body_digest) {
      ledger::Outcome conflict;
      conflict.refusal = ledger::Refusal::request_id_conflict;
      waiting.done(std::move(conflict));
    } else {
      auto outcome = ledger::decode_outcome(answer->outcome);
      ASBB_ASSERT(outcome.has_value());
      waiting.done(std::move(*outcome));
    }
  }
}

void Committer::housekeeping(Instant now) {
  if (now - last_housekeeping_ < housekeeping_interval) return;
  last_housekeeping_ = now;
  const Instant before = now - ledger::answer_memory;
  {
    const std::unique_lock lock(book_mutex_);
    book_.forget_answers(before);
    while (!closed_holds_.empty() && closed_holds_.front().first + closed_hold_memory < now) {
      book_.forget(closed_holds_.front().second);
      closed_holds_.pop_front();
    }
  }
  // Answers left in the database for another minute do no harm: the next round drops them.
  (void)store_.forget_answers(before);
}

}  // namespace asbb::service
