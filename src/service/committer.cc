#include "service/committer.h"

#include <algorithm>
#include <future>
#include <utility>

#include "base/assert.h"

namespace asbb::service {
Committer::Committer(store::Store& store, store::ChainKey key, Clock clock,
                     CommitterOptions options)
    : store_(store),
      clock_(std::move(clock)),
      options_(options),
      batches_(store, key, clock_, options.answers_max, options.retention) {}

Committer::~Committer() {
  stop();
}

Result<void> Committer::start() {
  ASBB_ASSERT(!thread_.joinable());
  if (auto started = batches_.start(options_.own_wait_ms); !started) return started;
  if (options_.has_thread) thread_ = std::thread([this] { loop(); });
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
  std::vector<Waiting> alone;
  {
    const std::lock_guard lock(queue_mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) return false;
    if (options_.has_thread) {
      queue_.push_back({std::move(command), std::move(done)});
    } else {
      alone.push_back({std::move(command), std::move(done)});
    }
  }
  if (alone.empty()) {
    queue_filled_.notify_one();
  } else {
    process(alone);
    batches_.keep_house();
  }
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

Result<std::vector<store::HoldRecord>> Committer::find_job_holds(const std::string& cluster,
                                                                 std::int64_t job_id) const {
  store::HoldQuery query;
  query.cluster = cluster;
  query.job_id = job_id;
  return find_holds(query);
}

Instant Committer::ledger_time() const {
  return batches_.ledger_time();
}

CommitterFigures Committer::figures() const {
  CommitterFigures figures{batches_.commits(),
                           batches_.commands(),
                           batches_.failures(),
                           0,
                           batches_.answers_remembered(),
                           batches_.archived()};
  const std::lock_guard lock(queue_mutex_);
  figures.queue_length = static_cast<std::int64_t>(queue_.size());
  return figures;
}

bool Committer::is_healthy() const {
  const std::lock_guard lock(queue_mutex_);
  return batches_.is_healthy() && !stopping_;
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
    if (batch.empty()) {
      batches_.try_again();
    } else {
      process(batch);
    }
    batch.clear();
    batches_.carry_over();
    batches_.keep_house();
  }
}

void Committer::process(std::vector<Waiting>& batch) {
  std::vector<ledger::Command> commands;
  commands.reserve(batch.size());
  for (Waiting& waiting : batch) commands.push_back(std::move(waiting.command));
  auto answers = batches_.decide(commands);
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(answers[i]));
}

}  // namespace asbb::service
