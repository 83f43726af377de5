// The committer's logic without its thread: what is remembered, for how long and how much of it.
// The faults are in committer_test.cc, and all of them by chance in tests/simulation.
#include "service/committer_batch.h"

#include <gtest/gtest.h>

#include "base/token.h"
#include "store/fault_store.h"
#include "store/memory_store.h"

namespace asbb::service {
namespace {

constexpr Instant start_time{1'750'000'000'000'000};

class BatchCommitterTest : public ::testing::Test {
 protected:
  BatchCommitterTest() {
    restart();
    ledger::CreateAccount create;
    create.name = "proj001";
    create.budgets.push_back(
        {"USD", start_time - hours(1), start_time + hours(1000), Micros(1'000'000'000), Micros()});
    EXPECT_TRUE(run(create)->accepted());
  }

  void restart(std::size_t answers_max = answers_max_usual) {
    committer_.reset();
    store_ = std::make_unique<store::FaultStore>(std::make_unique<store::MemoryStore>(disk_));
    committer_ = std::make_unique<BatchCommitter>(
        *store_, store::ChainKey{7}, [this] { return now_; }, answers_max);
    ASSERT_TRUE(committer_->start(0).has_value());
  }

  void pass_time(Span span) {
    now_ = now_ + span;
    committer_->keep_house();
  }

  static ledger::Command command(ledger::Action action, const std::string& id = {}) {
    ledger::Command made;
    made.context.request_id = id;
    made.context.body_digest = "body";
    made.context.actor = "root";
    made.action = std::move(action);
    return made;
  }

  BatchCommitter::Answer run(ledger::Action action, const std::string& id = {}) {
    std::vector<ledger::Command> commands{command(std::move(action), id)};
    return std::move(committer_->decide(commands).front());
  }

  // Of that user; 10 micros, or more than there is.
  static ledger::PlaceHold place_of(const std::string& user, bool too_large = false) {
    ledger::PlaceHold action = place();
    action.user = user;
    if (too_large) action.parts.front().amount = Micros(2'000'000'000);
    return action;
  }

  static ledger::PlaceHold place(ledger::HoldKind kind = ledger::HoldKind::slurm,
                                 const std::string& name = {}) {
    ledger::PlaceHold action;
    action.transaction_id = name;
    action.kind = kind;
    action.account = "proj001";
    action.user = "alice";
    action.cluster = "onprem";
    action.partition = "gpu-aws";
    action.parts.push_back({"USD", Micros(10), Micros(10), 0});
    return action;
  }

  // Places a hold and ends it.
  ledger::HoldId closed_hold(const ledger::PlaceHold& action, const std::string& id) {
    const auto placed = run(action, id);
    EXPECT_TRUE(placed.has_value() && placed->accepted());
    EXPECT_TRUE(run(ledger::VoidHold{placed->hold})->accepted());
    return placed->hold;
  }

  [[nodiscard]] std::string token(std::uint8_t number = 1) const {
    return make_token(now_, {number});
  }

  [[nodiscard]] std::int64_t entries() const {
    return committer_->read([](const ledger::Book& book) { return book.counters().entry; });
  }

  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::FaultStore> store_;
  std::unique_ptr<BatchCommitter> committer_;
  Instant now_ = start_time;
};

// Bug: after a start on a clock that had been set back entries were older than those before them,
// and sums over days, which search by time, left some out.
TEST_F(BatchCommitterTest, TimeDoesNotGoBackOverAStart) {
  const Instant ahead = now_;
  now_ = now_ - hours(1);
  restart();
  EXPECT_EQ(committer_->ledger_time(), ahead);
  EXPECT_TRUE(run(place())->accepted());
  store::EntryQuery query;
  const auto all = store_->entries(query);
  EXPECT_TRUE(std::is_sorted(all->begin(), all->end(),
                             [](const auto& a, const auto& b) { return a.entry.at < b.entry.at; }));
  now_ = ahead + seconds(1);
  EXPECT_EQ(committer_->ledger_time(), now_);
}

TEST_F(BatchCommitterTest, AClockThatIsDaysBehindIsRefusedUnlessItIsSaidToBeRight) {
  now_ = now_ - clock_behind_max - seconds(1);
  committer_.reset();
  const auto start = [this](bool time_goes_back) {
    store_ = std::make_unique<store::FaultStore>(std::make_unique<store::MemoryStore>(disk_));
    if (time_goes_back) store_->let_time_go_back();
    committer_ =
        std::make_unique<BatchCommitter>(*store_, store::ChainKey{7}, [this] { return now_; });
    return committer_->start(0);
  };
  const auto refused = start(false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_NE(refused.error().message.find("clock_may_be_behind"), std::string::npos);
  ASSERT_TRUE(start(true).has_value());
  EXPECT_EQ(committer_->ledger_time(), now_);
  EXPECT_EQ(run(place())->refusal, ledger::Refusal::budget_not_in_force);
}

// Bug: a name whose hold and answer had left the memory reached the database as `broken`.
TEST_F(BatchCommitterTest, ANameForgottenLongAgoIsAConflict) {
  closed_hold(place(), "job-1");
  pass_time(hours(2));
  pass_time(hours(25));
  EXPECT_EQ(committer_->answers_remembered(), 0);
  const std::int64_t before = entries();
  const auto again = run(place(), "job-1");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->refusal, ledger::Refusal::request_id_conflict);
  EXPECT_EQ(entries(), before);
}

TEST_F(BatchCommitterTest, ATokenForgottenLongAgoIsTooOld) {
  const std::string id = token();
  closed_hold(place(), id);
  pass_time(hours(27));
  const auto again = run(place(), id);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->refusal, ledger::Refusal::request_too_old);
}

TEST_F(BatchCommitterTest, ATokenDroppedByAClockThatRanAheadIsAConflict) {
  const std::string id = token();
  closed_hold(place(), id);
  pass_time(hours(400));
  now_ = now_ - hours(400);
  restart();
  EXPECT_EQ(committer_->answers_remembered(), 0);
  std::vector<ledger::Command> commands{command(place(), id), command(place(), token(2))};
  const auto answers = committer_->decide(commands);
  ASSERT_TRUE(answers[0].has_value()) << answers[0].error().message;
  EXPECT_EQ(answers[0]->refusal, ledger::Refusal::request_id_conflict);
  ASSERT_TRUE(answers[1].has_value()) << answers[1].error().message;
  EXPECT_TRUE(answers[1]->accepted());
}

TEST_F(BatchCommitterTest, AnExternalNameIsFreeForItsKindAlone) {
  const auto external = place(ledger::HoldKind::external, "txn-1");
  closed_hold(external, "first");
  pass_time(hours(2));
  EXPECT_EQ(run(place(ledger::HoldKind::slurm, "txn-1"), "second")->refusal,
            ledger::Refusal::request_id_conflict);
  EXPECT_TRUE(run(external, "third")->accepted());
  EXPECT_EQ(run(external, "fourth")->refusal, ledger::Refusal::request_id_conflict);
}

// Bug: only a plain submission's name was looked up.
TEST_F(BatchCommitterTest, ANameForgottenLongAgoIsTakenForJobsThatSlurmHasAlready) {
  closed_hold(place(ledger::HoldKind::external, "txn-1"), "first");
  const auto bound = run(place(), "second");
  ASSERT_TRUE(run(ledger::BindHold{bound->hold, {"onprem", 7, now_}})->accepted());
  pass_time(hours(2));
  ledger::CoverJob cover;
  cover.place = place(ledger::HoldKind::slurm, "txn-1");
  cover.job = {"onprem", 8, now_};
  EXPECT_EQ(run(cover)->refusal, ledger::Refusal::request_id_conflict);
  ledger::ReplaceHold replace;
  replace.hold = bound->hold;
  replace.place = cover.place;
  EXPECT_EQ(run(replace)->refusal, ledger::Refusal::request_id_conflict);
}

TEST_F(BatchCommitterTest, AnOldHoldThatIsFetchedDoesNotTakeItsNameBack) {
  const auto external = place(ledger::HoldKind::external, "txn-1");
  const ledger::HoldId old_hold = closed_hold(external, "first");
  pass_time(hours(2));
  EXPECT_TRUE(run(external, "second")->accepted());
  EXPECT_EQ(run(ledger::VoidHold{old_hold})->refusal, ledger::Refusal::hold_closed);
  const auto again = run(external, "third");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->refusal, ledger::Refusal::request_id_conflict);
}

TEST_F(BatchCommitterTest, AStoreThatCannotBeReadChangesNothing) {
  closed_hold(place(), "job-1");
  pass_time(hours(2));
  store_->fail_find(store_->finds() + 1, store::Fault::before);
  const auto failed = run(place(), "job-2");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(run(place(), "job-2")->accepted());
}

// Bug: a service that was pushed aside met the other one's hold, and knew nothing of it.
TEST_F(BatchCommitterTest, AnOpenHoldOfAnotherOwnerSaysThatThisOneIsLost) {
  disk_->take_over();
  store::MemoryStore other_store(disk_);
  BatchCommitter other(other_store, store::ChainKey{7}, [this] { return now_; });
  ASSERT_TRUE(other.start(0).has_value());
  std::vector<ledger::Command> commands{command(place(), "job-1")};
  const auto placed = other.decide(commands);
  ASSERT_TRUE(placed.front().has_value());
  const auto met = run(ledger::BindHold{placed.front()->hold, {"onprem", 7, now_}});
  ASSERT_FALSE(met.has_value());
  EXPECT_EQ(met.error().kind, ErrorKind::denied);
  EXPECT_FALSE(committer_->is_healthy());
}

TEST_F(BatchCommitterTest, AnswersAreRememberedForADayAndNotMuchLonger) {
  EXPECT_TRUE(run(place(), "job-1")->accepted());
  EXPECT_EQ(run(ledger::CloseAccount{"nobody"}, "job-2")->refusal,
            ledger::Refusal::unknown_account);
  EXPECT_EQ(committer_->answers_remembered(), 2);
  pass_time(hours(24));
  EXPECT_EQ(committer_->answers_remembered(), 2);
  EXPECT_TRUE(run(place(), "job-1")->replayed);
  EXPECT_TRUE(run(ledger::CloseAccount{"nobody"}, "job-2")->replayed);
  restart();
  EXPECT_EQ(committer_->answers_remembered(), 2);
  EXPECT_TRUE(run(place(), "job-1")->replayed);
  pass_time(hours(3));
  EXPECT_EQ(committer_->answers_remembered(), 0);
  EXPECT_TRUE(store_->load(Instant{})->answers.empty());
  EXPECT_FALSE(run(ledger::CloseAccount{"nobody"}, "job-2")->replayed);
}

TEST_F(BatchCommitterTest, AFullMemoryTakesNoNewIds) {
  restart(2);
  EXPECT_TRUE(run(place(), "job-1")->accepted());
  std::vector<ledger::Command> commands{command(place_of("bob"), "job-2"),
                                        command(place_of("carol"), "job-3"), command(place()),
                                        command(place(), "job-1")};
  const auto answers = committer_->decide(commands);
  EXPECT_TRUE(answers[0]->accepted());
  ASSERT_FALSE(answers[1].has_value());
  EXPECT_EQ(answers[1].error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(answers[2]->accepted());
  EXPECT_TRUE(answers[3]->replayed);
  EXPECT_EQ(committer_->answers_remembered(), 2);
  EXPECT_EQ(committer_->read([](const ledger::Book& book) { return book.open_holds().size(); }),
            3U);
  restart(2);
  EXPECT_FALSE(run(place(), "job-3").has_value());
  pass_time(hours(27));
  EXPECT_TRUE(run(place(), "job-3")->accepted());
}

// Bug: six refusals of one user were 503 for another one's job.
TEST_F(BatchCommitterTest, OneUsersRefusalsLeaveRoomForOthers) {
  restart(8);
  std::vector<ledger::Command> commands;
  for (int i = 0; i < 20; ++i) {
    commands.push_back(command(place_of("mallory", true), "flood-" + std::to_string(i)));
  }
  for (const auto& answer : committer_->decide(commands)) {
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->refusal, ledger::Refusal::insufficient_budget);
  }
  EXPECT_EQ(committer_->answers_remembered(), 1);
  restart(8);
  EXPECT_FALSE(run(place_of("mallory", true), "flood-20")->replayed);
  EXPECT_EQ(committer_->answers_remembered(), 1);
  EXPECT_EQ(run(place_of("bob", true), "job-1")->refusal, ledger::Refusal::insufficient_budget);
  EXPECT_TRUE(run(place_of("bob", true), "job-1")->replayed);
  EXPECT_TRUE(run(place_of("alice"), "job-2")->accepted());
}

// A refusal that was not kept is judged anew; what was accepted is never carried out twice.
TEST_F(BatchCommitterTest, ARefusalBeyondItsShareMayBeAcceptedOnce) {
  restart(8);
  for (const char* id : {"job-1", "job-2"}) {
    EXPECT_FALSE(run(place_of("alice", true), id)->accepted());
  }
  EXPECT_TRUE(run(place_of("alice", true), "job-1")->replayed);
  ledger::UpdateAccount more;
  more.name = "proj001";
  more.limit = Micros(5'000'000'000);
  ASSERT_TRUE(run(more)->accepted());
  EXPECT_FALSE(run(place_of("alice", true), "job-1")->accepted());
  EXPECT_TRUE(run(place_of("alice", true), "job-2")->accepted());
  EXPECT_TRUE(run(place_of("alice", true), "job-2")->replayed);
  EXPECT_EQ(committer_->read([](const ledger::Book& book) { return book.open_holds().size(); }),
            1U);
}

TEST_F(BatchCommitterTest, OneUsersJobsLeaveRoomForOthers) {
  restart(8);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(run(place_of("mallory"), "flood-" + std::to_string(i))->accepted());
  }
  for (int round = 0; round < 2; ++round) {
    const auto refused = run(place_of("mallory"), "flood-4");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(run(place_of("mallory"), "flood-1")->replayed);
    EXPECT_TRUE(run(place_of("alice"), "job-" + std::to_string(round))->accepted());
    restart(8);
  }
  EXPECT_EQ(committer_->answers_remembered(), 6);
}

// What could not be written is not counted.
TEST_F(BatchCommitterTest, AFailedBatchTakesNoRoom) {
  restart(2);
  for (int i = 0; i < 5; ++i) {
    store_->fail_commit(store_->commits() + 1, store::Fault::before);
    EXPECT_FALSE(run(place(), "job-1").has_value());
  }
  EXPECT_TRUE(run(place(), "job-1")->accepted());
  EXPECT_EQ(committer_->answers_remembered(), 1);
}

TEST_F(BatchCommitterTest, AnUnknownOutcomeTellsAReplayFromAFirstAnswer) {
  EXPECT_TRUE(run(place(), "job-1")->accepted());
  store_->fail_commit(store_->commits() + 1, store::Fault::after);
  std::vector<ledger::Command> commands{command(place(), "job-1"), command(place(), "job-2"),
                                        command(place())};
  const auto answers = committer_->decide(commands);
  EXPECT_TRUE(answers[0]->accepted() && answers[0]->replayed);
  EXPECT_TRUE(answers[1]->accepted() && !answers[1]->replayed);
  ASSERT_FALSE(answers[2].has_value());
  EXPECT_EQ(answers[2].error().kind, ErrorKind::unknown_outcome);
  EXPECT_EQ(committer_->answers_remembered(), 2);
}

}  // namespace
}  // namespace asbb::service
