#include "simulation/world.h"

#include <algorithm>
#include <array>

#include "base/token.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::simulation {
namespace {

constexpr std::size_t requests_remembered = 60;
const store::ChainKey chain_key{3, 1, 4};

bool is_error(const Answer& answer, ErrorKind kind) {
  return !answer && answer.error().kind == kind;
}

}  // namespace

World::World(std::uint64_t seed, std::unique_ptr<Database> database, Coverage& coverage)
    : chance_(seed),
      coverage_(coverage),
      database_(std::move(database)),
      now_(ledger::testing::starting_world().front().context.at),
      witness_(chain_key) {}

World::~World() {
  database_->heal();
}

void World::note(const std::string& what) {
  log_.push_back(to_rfc3339(now_) + " " + what);
}

World::Service World::new_service() {
  Service made;
  made.store = std::make_unique<store::FaultStore>(database_->open(), [this] { wait_for_store(); });
  const auto clock = [this] { return now_ = now_ + milliseconds(1); };
  made.committer = std::make_unique<service::BatchCommitter>(*made.store, chain_key, clock);
  return made;
}

void World::start_service() {
  service_ = new_service();
  if (chance_.one_in(4)) {
    const auto kind = chance_.one_in(2) ? store::Call::load : store::Call::own;
    service_.store->fail(kind, 1, store::Fault::before);
    const auto failed = service_.committer->start(0);
    require(!failed && failed.error().kind == ErrorKind::unavailable, "a start without a database");
    ++coverage_.happened["a start fails"];
    note("a start fails");
  }
  if (chance_.one_in(8)) {
    const auto kind = chance_.one_in(2) ? store::Call::load : store::Call::own;
    service_.store->fail(kind, service_.store->calls(kind) + 1, store::Fault::late);
  }
  const auto started = service_.committer->start(0);
  require(started.has_value(), "no start: " + (started ? "" : started.error().message));
  note("a service starts");
}

void World::run(int steps) {
  start_service();
  Commands world = ledger::testing::starting_world();
  for (ledger::Command& command : world) command.context.actor = "root" + std::to_string(++actors_);
  send(world);
  for (int i = 0; i < steps; ++i) step();
  database_->heal();
  is_disk_sick_ = false;
  stop_all(true, false);
  give_back_all();
}

void World::step() {
  pass_time();
  if (is_disk_sick_ && chance_.one_in(2)) {
    database_->heal();
    is_disk_sick_ = false;
    note("the disk is well again");
  }
  if (chance_.one_in(25)) stop_all(chance_.one_in(2), false);
  if (chance_.one_in(25)) take_over();
  if (!ousted_.empty() && chance_.one_in(4)) send_to_ousted(next_batch());
  if (!ousted_.empty() && chance_.one_in(12)) ousted_.clear();
  send(next_batch());
}

void World::pass_time() {
  now_ = now_ + milliseconds(chance_.below(600'000));
  if (chance_.one_in(30)) now_ = now_ + hours(1 + chance_.below(14));
  witness_.note_time(now_);
  if (chance_.one_in(40)) now_ = now_ - seconds(chance_.below(600));
}

// A call of the database takes its time. A second service may find the first one silent meanwhile.
void World::wait_for_store() {
  now_ = now_ + milliseconds(1 + chance_.below(chance_.one_in(4) ? 3'600'000 : 20'000));
  if (chance_.one_in(12)) now_ = now_ + hours(chance_.below(30));
  witness_.note_time(now_);
  note("the database answers late");
  if (!call_ || call_->is_taken_over || !chance_.one_in(3)) return;
  call_->is_taken_over = true;
  ++coverage_.happened["a take-over while a call waits"];
  take_over();
  if (chance_.one_in(2)) retry_elsewhere();
}

// Clients who did not wait ask the service that took over, with the same ids.
void World::retry_elsewhere() {
  Commands again;
  for (const ledger::Command& command : *call_->batch) {
    const std::string& id = command.context.request_id;
    if (id.empty() || witness_.is_old(id) || witness_.has_lapsed(id)) continue;
    again.push_back(command);
  }
  call_->is_retried = true;
  ++coverage_.happened["a retry on the service that took over"];
  const std::int64_t before = witness_.seen();
  const Instant sent_at = service_.committer->ledger_time();
  for (const ledger::Command& command : again) witness_.note_sent(command, sent_at);
  const auto answers = service_.committer->decide(again);
  witness_.look(database_->reader());
  check_answers(again, answers, before, false, *service_.committer);
}

// Every process ends at once. `in_commit`: while it wrote, so that the batch is there or not.
void World::stop_all(bool power_cut, bool in_commit) {
  if (!in_commit && service_.committer->is_healthy()) witness_.mark_durable();
  note(power_cut ? "the power goes" : "the service is killed");
  ++coverage_.happened[power_cut ? "a power cut" : "a kill"];
  const auto end = [this] {
    ousted_.clear();
    service_ = {};
  };
  database_->stop_all(end, power_cut, chance_);
  is_disk_sick_ = false;
  start_service();
  witness_.look_again(database_->reader());
  check_state();
}

void World::take_over() {
  database_->heal();
  is_disk_sick_ = false;
  note("another service takes over");
  ++coverage_.happened["a take-over"];
  database_->take_over();
  ousted_.push_back(std::move(service_));
  start_service();
  witness_.look(database_->reader());
  check_state();
}

std::string World::new_id() {
  const std::int64_t kind = chance_.below(10);
  if (kind < 2) return {};
  if (kind < 5) return "key-" + std::to_string(actors_);
  std::array<std::uint8_t, 16> random{};
  for (std::uint8_t& byte : random) byte = static_cast<std::uint8_t>(chance_.below(256));
  Instant minted = now_;
  if (chance_.one_in(8)) minted = now_ - hours(22 + chance_.below(4));
  if (chance_.one_in(12)) minted = now_ + seconds(chance_.below(1200));
  return make_token(minted, random);
}

// Of next to nothing, where there is money, with a deadline.
ledger::PlaceHold World::new_submission() {
  ledger::PlaceHold place = ledger::testing::place("nobody", Micros(1));
  place.deadline = now_ + milliseconds(50 + chance_.below(5000));
  service_.committer->read([&](const ledger::Book& book) {
    for (const ledger::Account* account : book.accounts()) {
      for (const ledger::Budget* budget : book.budgets_of(account->id)) {
        if (!budget->covers(now_) || budget->available() <= Micros()) continue;
        place.account = account->name;
        place.parts.front().unit = budget->unit;
        if (chance_.one_in(2)) return;
      }
    }
  });
  return place;
}

ledger::Command World::new_request() {
  ledger::Command made = service_.committer->read([this](const ledger::Book& book) {
    return ledger::testing::random_command(book, chance_.next(), now_);
  });
  made.context.actor = "client" + std::to_string(++actors_);
  if (chance_.one_in(6)) made.action = new_submission();
  // Names come again, also when the hold that had them is closed and out of memory.
  if (auto* place = std::get_if<ledger::PlaceHold>(&made.action); place && chance_.one_in(4)) {
    place->transaction_id = "name" + std::to_string(chance_.below(12));
  } else if (place && chance_.one_in(2)) {
    place->deadline = now_ + milliseconds(50 + chance_.below(5000));
  } else if (chance_.one_in(12)) {
    made.action = ledger::VoidHold{ledger::HoldId{1 + chance_.below(actors_)}};
  }
  if (!chance_.one_in(5)) {
    made.context.request_id = new_id();
    made.context.body_digest = "body";
  }
  if (witness_.is_old(made.context.request_id)) witness_.forget(made.context.request_id);
  requests_.push_back({made, false});
  if (requests_.size() > requests_remembered) requests_.pop_front();
  return made;
}

// Without a request id, or when the id is forgotten, it is another request.
ledger::Command World::sent_again(Request& request) {
  ledger::Context& context = request.command.context;
  if (context.request_id.empty() || witness_.is_old(context.request_id)) {
    if (!context.request_id.empty()) witness_.forget(context.request_id);
    context.actor = "client" + std::to_string(++actors_);
    request.told = false;
    // A step is taken once for a job: asked for anew it is another one's.
    constexpr std::int64_t another = 1'000'000'000'000;
    auto* step = std::get_if<ledger::RecordEnforcement>(&request.command.action);
    if (step != nullptr) step->job.job_id += another;
  }
  return request.command;
}

ledger::Command World::undo_of(ledger::HoldId hold) {
  ledger::Command undo;
  undo.context.actor = "service" + std::to_string(++actors_);
  undo.context.reason = "the answer was late, and the job was refused";
  undo.action = ledger::VoidHold{hold};
  return undo;
}

// First of all what was answered too late is given back.
World::Commands World::next_batch() {
  Commands batch;
  for (const ledger::HoldId hold : late_) batch.push_back(undo_of(hold));
  for (std::int64_t count = 1 + chance_.below(5); count > 0; --count) {
    const std::int64_t kind = chance_.below(10);
    if (requests_.empty() || kind < 5) {
      batch.push_back(new_request());
      continue;
    }
    Request& known = requests_[static_cast<std::size_t>(
        chance_.below(static_cast<std::int64_t>(requests_.size())))];
    if (known.told && kind < 7) continue;
    ledger::Command again = sent_again(known);
    if (kind == 9 && !again.context.request_id.empty()) {
      again.context.body_digest = "another body";
      again.context.actor = "client" + std::to_string(++actors_);
    }
    batch.push_back(std::move(again));
  }
  return batch;
}

std::string World::arm_store(store::FaultStore& at) {
  const std::int64_t next = at.commits() + 1;
  const store::Fault unknown = chance_.one_in(2) ? store::Fault::after : store::Fault::lost;
  const store::Fault waiting = chance_.one_in(2) ? store::Fault::slow : store::Fault::late;
  switch (chance_.below(9)) {
    case 0:
      at.fail_commit(next, store::Fault::before);
      return "the commit fails";
    case 1:
      at.fail_commit(next, store::Fault::lost);
      return "the connection is lost before COMMIT";
    case 2:
      at.fail_commit(next, store::Fault::after);
      return "the connection is lost after COMMIT";
    case 3:
      at.fail_commit(next, unknown);
      at.fail_load(at.loads() + 1, store::Fault::before);
      return "the connection is lost in COMMIT, and the reload fails";
    case 4:
      at.fail_commit(next, unknown);
      at.fail_load(at.loads() + 1, waiting);
      return "the connection is lost in COMMIT, and the reload is late";
    case 5:
      at.fail_find(at.finds() + 1, store::Fault::before);
      return "the next search fails";
    case 6:
      at.fail_find(at.finds() + 1, waiting);
      return "the next search is late";
    case 7:
      at.fail_commit(next, store::Fault::slow);
      return "the commit is late";
    default:
      at.fail_commit(next, store::Fault::late);
      return "the answer to COMMIT is late";
  }
}

World::Fault World::arm() {
  const std::int64_t kind = chance_.below(12);
  if (kind > 4) return Fault::none;
  std::string what = kind > 1 ? database_->fail_soon(chance_) : std::string();
  Fault fault = Fault::disk;
  if (what.empty()) {
    what = arm_store(*service_.store);
    fault = Fault::store;
  } else {
    is_disk_sick_ = true;
  }
  std::string kind_of_fault = what.substr(0, what.find(" at write"));
  if (kind == 4) {
    what += ", and the service is killed";
    kind_of_fault += ", and the service is killed";
    fault = Fault::crash;
  }
  ++coverage_.happened[kind_of_fault];
  note(what);
  return fault;
}

void World::send(const Commands& batch) {
  if (batch.empty()) return;
  const std::int64_t before = witness_.seen();
  const Asked asked{service_.store.get(), service_.committer.get()};
  const bool was_well = asked.committer->is_healthy() && !is_disk_sick_;
  if (asked.committer->is_healthy()) witness_.mark_durable();
  const Fault fault = arm();
  const Instant sent_at = asked.committer->ledger_time();
  for (const ledger::Command& command : batch) witness_.note_sent(command, sent_at);
  Commands commands = batch;
  call_ = Call{&batch};
  const auto answers = asked.committer->decide(commands);
  const Instant answered_at = asked.committer->ledger_time();
  asked.store->heal();
  if (fault == Fault::crash) {
    call_.reset();
    return stop_all(chance_.one_in(2), true);
  }
  keep_house(asked);
  witness_.look(database_->reader());
  check_answers(commands, answers, before, !was_well || fault != Fault::none, *asked.committer);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    note_late(commands[i], answers[i], answered_at);
    note_given_back(commands[i], answers[i]);
  }
  call_.reset();
  check_state();
  deliver(commands, answers);
}

// Old answers cannot always be dropped; that does no harm.
void World::keep_house(const Asked& asked) {
  if (chance_.one_in(3)) {
    static const std::vector<store::Fault> faults{store::Fault::before, store::Fault::slow,
                                                  store::Fault::late};
    asked.store->fail(store::Call::forget, asked.store->calls(store::Call::forget) + 1,
                      chance_.of(faults));
  }
  const std::int64_t calls = asked.store->calls(store::Call::forget);
  asked.committer->keep_house();
  if (asked.store->calls(store::Call::forget) > calls)
    ++coverage_.happened["old answers are dropped"];
  asked.store->heal();
}

// What the service does with a submission that it answers after its caller's deadline.
void World::note_late(const ledger::Command& command, const Answer& answer, Instant answered_at) {
  const auto* place = std::get_if<ledger::PlaceHold>(&command.action);
  if (place == nullptr || !place->deadline || !answer) return;
  if (answer->refusal == ledger::Refusal::expired) ++coverage_.happened["expired in the queue"];
  if (!answer->accepted() || answer->replayed || answered_at <= *place->deadline) return;
  ++coverage_.happened["accepted after the deadline"];
  late_.insert(answer->hold);
}

// What clients are told when they ask for the same may be an old answer, or about their request id.
void World::note_given_back(const ledger::Command& command, const Answer& answer) {
  const auto* undo = std::get_if<ledger::VoidHold>(&command.action);
  const bool is_ours = command.context.actor.starts_with("service");
  if (undo == nullptr || !is_ours || !answer || !late_.erase(undo->hold)) return;
  if (answer->accepted()) ++coverage_.happened["given back, for the answer was late"];
  const bool is_open = service_.committer->read([&](const ledger::Book& book) {
    const ledger::Hold* hold = book.hold(undo->hold);
    return hold != nullptr && hold->status == ledger::HoldStatus::open && !hold->job &&
           hold->open_shares == 0;
  });
  require(!is_open, "a hold that was answered too late is still open");
}

// Nothing fails any more: whatever was answered too late is given back.
void World::give_back_all() {
  Commands batch;
  for (const ledger::HoldId hold : late_) batch.push_back(undo_of(hold));
  if (batch.empty()) return;
  const std::int64_t before = witness_.seen();
  const auto answers = service_.committer->decide(batch);
  witness_.look(database_->reader());
  check_answers(batch, answers, before, false, *service_.committer);
  for (std::size_t i = 0; i < batch.size(); ++i) note_given_back(batch[i], answers[i]);
  require(late_.empty(), "what was answered too late is not given back");
  check_state();
}

// They may replay what they remember; whatever would have to be written is denied.
void World::send_to_ousted(const Commands& batch) {
  if (batch.empty()) return;
  Service& ousted = chance_.one_in(2) ? ousted_.front() : ousted_.back();
  const std::int64_t before = witness_.seen();
  for (const ledger::Command& command : batch) {
    witness_.note_sent(command, service_.committer->ledger_time());
  }
  ousted.committer->keep_house();  // each minute, as its thread does
  Commands commands = batch;
  const auto answers = ousted.committer->decide(commands);
  witness_.look(database_->reader());
  require(witness_.seen() == before, "a service writes after another has taken over");
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      require(!is_error(answers[i], ErrorKind::broken), "broken: " + answers[i].error().message);
      ++coverage_.happened["denied"];
    } else if (!batch[i].context.request_id.empty()) {
      witness_.check_answer(commands[i], answers[i], before, true, coverage_);
    }
  }
  check_state();
}

void World::check_answers(const Commands& batch, const std::vector<Answer>& answers,
                          std::int64_t before, bool may_fail,
                          const service::BatchCommitter& asked) {
  require(answers.size() == batch.size(), "an answer is missing");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const ledger::Context& context = batch[i].context;
    const bool sent_twice =
        std::count_if(batch.begin(), batch.end(), [&](const ledger::Command& other) {
          return other.context.actor == context.actor;
        }) > 1;
    note(context.actor + " " + context.request_id + " " + ledger::testing::describe(batch[i]) +
         ": " + (answers[i] ? to_string(answers[i]->refusal) : answers[i].error().message) +
         (answers[i] && answers[i]->replayed ? ", again" : ""));
    if (!answers[i]) {
      require(may_fail, "an error without a reason: " + answers[i].error().message);
      check_error(context, answers[i].error(), asked);
    }
    const bool is_retried = call_ && call_->is_retried && &asked != service_.committer.get();
    witness_.check_answer(batch[i], answers[i], before, sent_twice || is_retried, coverage_);
  }
}

void World::check_error(const ledger::Context& context, const Error& error,
                        const service::BatchCommitter& asked) const {
  const bool is_ousted = &asked != service_.committer.get();
  const bool is_known_kind = error.kind == ErrorKind::unavailable ||
                             error.kind == ErrorKind::unknown_outcome ||
                             (is_ousted && error.kind == ErrorKind::denied);
  require(is_known_kind && !error.message.empty(), "an error of another kind: " + error.message);
  require(
      error.kind != ErrorKind::unknown_outcome || context.request_id.empty() || !asked.is_healthy(),
      context.actor + " has a request id, and its outcome is unknown");
}

// Some answers never arrive.
void World::deliver(const Commands& batch, const std::vector<Answer>& answers) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!answers[i] || chance_.one_in(5)) continue;
    for (Request& request : requests_) {
      if (request.command.context.actor == batch[i].context.actor) request.told = true;
    }
  }
}

void World::check_state() {
  if (!service_.committer->is_healthy()) return;
  service_.committer->read(
      [this](const ledger::Book& book) { witness_.check_book(book, database_->reader()); });
}

}  // namespace asbb::simulation
