#include "service/committer_batch.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>

#include "base/assert.h"
#include "base/token.h"
#include "ledger/record.h"

namespace asbb::service {
namespace {

constexpr Span housekeeping_interval = seconds(60);
constexpr Span closed_hold_memory = hours(1);

// Calls `use` with each hold that a command is about and that must be in memory.
template <typename Use>
void each_hold(const ledger::Command& command, Use use) {
  std::visit(
      [&](const auto& action) {
        if constexpr (requires { action.hold; }) use(action.hold);
        if constexpr (requires { action.more; }) {
          for (const ledger::HoldId hold : action.more) use(hold);
        }
      },
      command.action);
}

const ledger::PlaceHold* place_in(const ledger::Action& action) {
  if (const auto* cover = std::get_if<ledger::CoverJob>(&action)) return &cover->place;
  if (const auto* replace = std::get_if<ledger::ReplaceHold>(&action)) {
    return replace->place ? &*replace->place : nullptr;
  }
  return std::get_if<ledger::PlaceHold>(&action);
}

// The name that a command gives to a new hold; empty when it places none.
std::string new_name(const ledger::Command& command) {
  const ledger::PlaceHold* place = place_in(command.action);
  if (place == nullptr) return {};
  return place->transaction_id.empty() ? command.context.request_id : place->transaction_id;
}

ledger::Command carry_command(Instant at) {
  ledger::Command command;
  command.context.actor = "service";
  command.context.reason = "the period of the budget ended";
  command.context.at = at;
  command.action = ledger::CarryOver{};
  return command;
}

Error lost_error() {
  return {ErrorKind::denied,
          "another budget service has taken over this database; this one writes no more: stop it",
          ""};
}

Error unknown_error() {
  return {ErrorKind::unknown_outcome,
          "the database did not say whether this was recorded; look at the transactions before "
          "you repeat it",
          ""};
}

Error memory_full_error() {
  return {ErrorKind::unavailable,
          "nothing was recorded: the service remembers as many request ids of the last day as it "
          "can, of this user or of all; try again later",
          ""};
}

// Of a batch or of a snapshot, which are of no use afterwards.
template <typename Rows>
void put_rows(ledger::Book& book, Rows& rows) {
  for (const auto& row : rows.accounts) book.put(row);
  for (const auto& row : rows.budgets) book.put(row);
  for (const auto& row : rows.limits) book.put(row);
  for (auto& row : rows.holds) book.put(std::move(row));
  for (auto& row : rows.shares) book.put(std::move(row));
  for (const auto& row : rows.prices) book.put(row);
  for (const auto& row : rows.rates) book.put(row);
  for (auto& row : rows.answers) book.put(std::move(row));
}

bool knows_limits_of(const ledger::Book& book, const ledger::Hold& hold) {
  const auto knows = [&](const ledger::Leg& leg) {
    return leg.kind == ledger::Leg::Kind::budget ? book.budget(ledger::BudgetId{leg.id}) != nullptr
                                                 : book.limit(ledger::LimitId{leg.id}) != nullptr;
  };
  return book.account(hold.account) != nullptr &&
         std::all_of(hold.parts.begin(), hold.parts.end(), [&](const ledger::HoldPart& part) {
           return std::all_of(part.legs.begin(), part.legs.end(), knows);
         });
}

}  // namespace

BatchCommitter::BatchCommitter(store::Store& store, store::ChainKey key, Clock clock,
                               std::size_t answers_max, Span retention)
    : store_(store),
      key_(key),
      clock_(std::move(clock)),
      retention_(retention),
      shares_(answers_max) {}

Result<void> BatchCommitter::start(int own_wait_ms) {
  if (auto owned = store_.own(own_wait_ms); !owned) return owned;
  if (auto taken = take_time(); !taken) return taken;
  return reload();
}

Result<void> BatchCommitter::take_time() {
  if (store_.time_goes_back()) return {};
  const auto last = store::newest_entry(store_);
  if (!last) return tl::unexpected(last.error());
  if (!*last) return {};
  const Instant at = (*last)->entry.at;
  const Instant now = clock_();
  if (now + clock_behind_max < at) {
    return fail(ErrorKind::conflict,
                "this machine's clock says " + to_rfc3339(now) +
                    ", and the ledger's last entry is of " + to_rfc3339(at) +
                    ": set the clock right. If it is right, and was far ahead when that entry was "
                    "made, 'clock_may_be_behind: true' under 'database' lets the ledger go on");
  }
  last_decided_ = std::max(last_decided_.load(), at);
  return {};
}

Instant BatchCommitter::ledger_time() const {
  return std::max(last_decided_.load(), clock_());
}

std::vector<BatchCommitter::Answer> BatchCommitter::decide(Commands& commands) {
  Answers answers;
  answers.reserve(commands.size());
  decide_in_order(commands, 0, commands.size(), false, answers);
  ASBB_ASSERT(answers.size() == commands.size());
  return answers;
}

void BatchCommitter::decide_in_order(Commands& commands, std::size_t from, std::size_t count,
                                     bool look_up_all, Answers& answers) {
  if (state_ == State::lost) return answer_failure(from, count, lost_error(), answers);
  if (state_ == State::must_reload) {
    if (auto loaded = reload(); !loaded) {
      return answer_failure(from, count, loaded.error(), answers);
    }
  }
  if (auto fetched = fetch_missing(commands.data() + from, count, look_up_all); !fetched) {
    return answer_failure(from, count, fetched.error(), answers);
  }
  const Instant decided_at = ledger_time();
  last_decided_ = decided_at;
  ledger::Stage stage(book_);
  // First, so that no hold of a new period is judged without what the last one left it.
  if (has_budget_ended(decided_at)) (void)ledger::decide(stage, carry_command(decided_at));
  const std::size_t remembered = shares_.size();
  Answers staged;
  for (std::size_t i = from; i < from + count; ++i) {
    commands[i].context.at = decided_at;
    staged.push_back(decide_one(stage, commands[i]));
  }
  if (!stage.is_empty()) {
    const ledger::Counters counters = stage.counters();
    store::Batch rows = make_batch(stage.take());
    const auto committed = store_.commit(rows);
    is_refused_ = !committed && committed.error().kind == ErrorKind::unavailable;
    if (!committed) shares_.keep_first(remembered);
    if (!committed && committed.error().kind == ErrorKind::unknown_outcome) {
      return resolve_unknown(commands, from, count, answers);
    }
    if (!committed && committed.error().kind == ErrorKind::broken && !(count == 1 && look_up_all)) {
      return decide_alone(commands, from, count, answers);
    }
    if (!committed) return answer_failure(from, count, committed.error(), answers);
    adopt(rows, counters);
  }
  carried_until_ = decided_at;
  ++commits_;
  commands_ += static_cast<std::int64_t>(count);
  std::move(staged.begin(), staged.end(), std::back_inserter(answers));
}

bool BatchCommitter::has_budget_ended(Instant at) const {
  const auto end = book_.next_carry_end(carried_until_.value_or(Instant{}));
  return end && *end <= at;
}

void BatchCommitter::carry_over() {
  Commands none;
  if (state_ == State::healthy && has_budget_ended(ledger_time())) (void)decide(none);
}

// One command that the database refuses must not take the others with it; and each gets another
// chance with every name that it gives looked up.
void BatchCommitter::decide_alone(Commands& commands, std::size_t from, std::size_t count,
                                  Answers& answers) {
  for (std::size_t i = from; i < from + count; ++i) {
    decide_in_order(commands, i, 1, true, answers);
  }
}

void BatchCommitter::answer_failure(std::size_t from, std::size_t count, const Error& error,
                                    Answers& answers) {
  ++failures_;
  // Another service owns the database now: nothing of ours may be written any more.
  if (error.kind == ErrorKind::denied) state_ = State::lost;
  for (std::size_t i = from; i < from + count; ++i) answers.emplace_back(tl::unexpected(error));
}

// Closed holds leave the memory: those that a command is about come back, and those whose name it
// would give to a new one.
Result<void> BatchCommitter::fetch_missing(const ledger::Command* commands, std::size_t count,
                                           bool look_up_all) {
  Result<void> fetched;
  for (std::size_t i = 0; i < count && fetched; ++i) {
    each_hold(commands[i], [&](ledger::HoldId id) {
      if (!fetched || !id.is_set() || book_.hold(id) != nullptr) return;
      store::HoldQuery query;
      query.id = id;
      fetched = fetch(query);
    });
    const std::string name = new_name(commands[i]);
    if (fetched && !name.empty() && book_.hold_of_request(name) == nullptr &&
        (look_up_all || may_be_forgotten(name))) {
      store::HoldQuery query;
      query.request_id = name;
      fetched = fetch(query);
    }
  }
  return fetched;
}

Result<void> BatchCommitter::fetch(const store::HoldQuery& query) {
  const auto found = store_.find_holds(query);
  if (!found) return tl::unexpected(found.error());
  if (found->empty()) return {};
  // Of those that had the same name one after the other, the newest says whether it is free.
  const store::HoldRecord& record = found->back();
  if (book_.hold(record.hold.id) != nullptr) return {};
  // Every open hold of ours is in memory, and every limit: this one was placed by another owner.
  if (record.hold.status == ledger::HoldStatus::open || !knows_limits_of(book_, record.hold)) {
    return tl::unexpected(lost_error());
  }
  closed_holds_.emplace_back(ledger_time(), record.hold.id);
  const ledger::Hold* same_name = book_.hold_of_request(record.hold.request_id);
  const std::unique_lock lock(book_mutex_);
  book_.put(record.hold);
  if (same_name != nullptr) book_.put(ledger::Hold(*same_name));  // a later one keeps the name
  for (const ledger::Share& share : record.shares) book_.put(share);
  return {};
}

// A hold of that name is in memory, or its answer is, when its token is so young that no answer to
// it can have been dropped.
bool BatchCommitter::may_be_forgotten(const std::string& name) const {
  return !is_token(name) || token_time(name) - ledger::token_ahead_max < forgotten_before_;
}

// Known ids are answered from memory whatever its size; new ones would make it larger.
BatchCommitter::Answer BatchCommitter::decide_one(ledger::Stage& stage, ledger::Command& command) {
  ledger::Context& context = command.context;
  const bool is_new = !context.request_id.empty() && stage.answer(context.request_id) == nullptr;
  if (is_new) {
    const AnswerShares::Room room = shares_.room_for(command);
    if (!room.for_accepted) return tl::unexpected(memory_full_error());
    context.remembers_refusals = room.for_refused;
  }
  ledger::Outcome outcome = ledger::decide(stage, command);
  if (is_new) {
    if (const auto* answer = stage.answer(context.request_id)) shares_.add(*answer);
  }
  return outcome;
}

store::Batch BatchCommitter::make_batch(ledger::Changes changes) const {
  store::Batch rows;
  rows.accounts = std::move(changes.accounts);
  rows.budgets = std::move(changes.budgets);
  rows.limits = std::move(changes.limits);
  rows.holds = std::move(changes.holds);
  rows.shares = std::move(changes.shares);
  rows.prices = std::move(changes.prices);
  rows.rates = std::move(changes.rates);
  rows.answers = std::move(changes.answers);
  rows.entries.reserve(changes.entries.size());
  store::ChainValue head = chain_head_;
  for (ledger::Entry& entry : changes.entries) {
    std::string record = ledger::canonical_record(entry);
    head = store::chain_next(key_, head, record);
    rows.entries.push_back({std::move(entry), std::move(record), head});
  }
  return rows;
}

void BatchCommitter::adopt(store::Batch& written, const ledger::Counters& counters) {
  for (const ledger::Hold& hold : written.holds) {
    if (hold.status == ledger::HoldStatus::closed) {
      closed_holds_.emplace_back(last_decided_, hold.id);
    }
  }
  answers_remembered_ = static_cast<std::int64_t>(shares_.size());
  if (!written.entries.empty()) chain_head_ = written.entries.back().chain;
  const std::unique_lock lock(book_mutex_);
  put_rows(book_, written);
  book_.set_counters(counters);
}

Result<void> BatchCommitter::reload() {
  const Instant now = ledger_time();
  const Instant answers_since = now - ledger::answer_memory;
  auto snapshot = store_.load(answers_since);
  if (!snapshot) return tl::unexpected(snapshot.error());
  ledger::Book fresh;
  auto& answers = snapshot->answers;
  std::sort(answers.begin(), answers.end(),
            [](const auto& a, const auto& b) { return a.at < b.at; });
  shares_.clear();
  for (const auto& row : answers) shares_.add(row);
  fresh.set_counters(snapshot->counters);
  put_rows(fresh, *snapshot);
  {
    const std::unique_lock lock(book_mutex_);
    book_ = std::move(fresh);
  }
  chain_head_ = snapshot->chain_head;
  answers_remembered_ = static_cast<std::int64_t>(shares_.size());
  forgotten_before_ = std::max(forgotten_before_, answers_since);
  closed_holds_.clear();
  carried_until_.reset();
  last_housekeeping_ = now;
  state_ = State::healthy;
  return {};
}

void BatchCommitter::resolve_unknown(const Commands& commands, std::size_t from, std::size_t count,
                                     Answers& answers) {
  ++failures_;
  state_ = State::must_reload;
  // Ids that were answered before this batch: their answers are replays.
  std::vector<bool> known;
  for (std::size_t i = from; i < from + count; ++i) {
    known.push_back(book_.answer(commands[i].context.request_id) != nullptr);
  }
  const auto loaded = reload();
  if (!loaded && loaded.error().kind == ErrorKind::denied) state_ = State::lost;
  for (std::size_t i = from; i < from + count; ++i) {
    const ledger::Context& context = commands[i].context;
    if (!loaded || context.request_id.empty()) {
      answers.emplace_back(tl::unexpected(unknown_error()));
      continue;
    }
    const ledger::RememberedAnswer* answer = book_.answer(context.request_id);
    if (answer == nullptr) {
      answers.emplace_back(fail(ErrorKind::unavailable, "nothing was recorded; try again"));
    } else if (answer->body_digest != context.body_digest) {
      ledger::Outcome conflict;
      conflict.refusal = ledger::Refusal::request_id_conflict;
      answers.emplace_back(std::move(conflict));
    } else {
      auto outcome = ledger::decode_outcome(answer->outcome);
      ASBB_ASSERT(outcome.has_value());
      outcome->replayed = known[i - from];
      answers.emplace_back(std::move(*outcome));
    }
  }
}

void BatchCommitter::try_again() {
  Result<void> tried;
  if (state_ == State::must_reload) tried = reload();
  if (tried && is_refused_ && state_ == State::healthy) {
    tried = store_.rewrite();
    is_refused_ = !tried;
  }
  if (!tried && tried.error().kind == ErrorKind::denied) state_ = State::lost;
}

void BatchCommitter::keep_house() {
  const Instant now = clock_();
  archive_some(now);
  if (now - last_housekeeping_ < housekeeping_interval) return;
  last_housekeeping_ = now;
  {
    const std::unique_lock lock(book_mutex_);
    while (!closed_holds_.empty() && closed_holds_.front().first + closed_hold_memory < now) {
      book_.forget(closed_holds_.front().second);
      closed_holds_.pop_front();
    }
  }
  forget_answers(now - ledger::answer_memory);
}

// What cannot be moved now is moved later.
void BatchCommitter::archive_some(Instant now) {
  constexpr std::int64_t at_once = 256;  // some milliseconds of the ledger's thread
  constexpr Span between = milliseconds(100);
  if (retention_ == Span{} || state_ != State::healthy || now < next_archiving_) return;
  const auto moved = store_.archive(now - retention_, at_once);
  next_archiving_ = now + (moved && *moved == at_once ? between : housekeeping_interval);
  if (moved) archived_ += *moved;
}

void BatchCommitter::forget_answers(Instant before) {
  forgotten_before_ = std::max(forgotten_before_, before);
  {
    const std::unique_lock lock(book_mutex_);
    book_.forget_answers(before);
  }
  shares_.forget(before);
  answers_remembered_ = static_cast<std::int64_t>(shares_.size());
  // Answers left in the database for another minute do no harm: the next round drops them.
  if (state_ == State::healthy) (void)store_.forget_answers(before);
}

}  // namespace asbb::service
