// What a budget leaves at its end is carried over before anything of the new period is decided:
// in a batch, by itself when nothing else happens, and after a restart.
#include <gtest/gtest.h>

#include "service/committer_batch.h"
#include "store/fault_store.h"
#include "store/memory_store.h"

namespace asbb::service {
namespace {

constexpr Instant opening{1'750'000'000'000'000};
constexpr Instant boundary = opening + hours(100);

class CarryOverTest : public ::testing::Test {
 protected:
  CarryOverTest() {
    restart();
    ledger::CreateAccount create;
    create.name = "proj001";
    create.budgets = {{"USD", opening, boundary, Micros(20), Micros(), ledger::carry_all},
                      {"USD", boundary, boundary + hours(100), Micros(5), Micros(), 0}};
    EXPECT_TRUE(run(create)->accepted());
  }

  void restart() {
    committer_.reset();
    store_ = std::make_unique<store::FaultStore>(std::make_unique<store::MemoryStore>(disk_));
    committer_ =
        std::make_unique<BatchCommitter>(*store_, store::ChainKey{7}, [this] { return now_; });
    ASSERT_TRUE(committer_->start(0).has_value());
  }

  BatchCommitter::Answer run(ledger::Action action) {
    std::vector<ledger::Command> commands(1);
    commands[0].context.actor = "root";
    commands[0].action = std::move(action);
    return std::move(committer_->decide(commands).front());
  }

  static ledger::PlaceHold place(Micros amount) {
    ledger::PlaceHold action;
    action.account = "proj001";
    action.user = "ada";
    action.cluster = "onprem";
    action.partition = "cpu";
    action.parts.push_back({"USD", amount, amount, 0});
    return action;
  }

  // Of the committed book.
  [[nodiscard]] std::int64_t limit(std::int64_t budget) const {
    return committer_->read([&](const ledger::Book& book) {
      return book.budget(ledger::BudgetId{budget})->limit.count();
    });
  }

  [[nodiscard]] std::int64_t entries() const {
    return committer_->read([](const ledger::Book& book) { return book.counters().entry; });
  }

  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::FaultStore> store_;
  std::unique_ptr<BatchCommitter> committer_;
  Instant now_ = opening;
};

TEST_F(CarryOverTest, IsDoneBeforeTheFirstHoldOfTheNewPeriod) {
  now_ = boundary - Span{1};
  EXPECT_TRUE(run(place(Micros(20)))->accepted());
  EXPECT_EQ(limit(2), 5);
  now_ = boundary;
  EXPECT_EQ(run(place(Micros(6)))->refusal, ledger::Refusal::insufficient_budget);
}

TEST_F(CarryOverTest, TheFirstHoldOfTheNewPeriodFindsIt) {
  now_ = boundary;
  EXPECT_TRUE(run(place(Micros(25)))->accepted());
  EXPECT_EQ(limit(1), 0);
  EXPECT_EQ(limit(2), 25);
}

// The refusal is none of the carrying's, which stays.
TEST_F(CarryOverTest, StaysWhenTheCommandBehindItIsRefused) {
  now_ = boundary;
  EXPECT_EQ(run(place(Micros(26)))->refusal, ledger::Refusal::insufficient_budget);
  EXPECT_EQ(limit(2), 25);
}

TEST_F(CarryOverTest, IsDoneWhenNothingElseHappens) {
  const std::int64_t before = entries();
  const std::int64_t commits = store_->commits();
  committer_->carry_over();
  now_ = boundary - Span{1};
  committer_->carry_over();
  EXPECT_EQ(store_->commits(), commits);
  now_ = boundary + hours(1);
  committer_->carry_over();
  EXPECT_EQ(limit(2), 25);
  EXPECT_EQ(entries(), before + 2);
  committer_->carry_over();
  EXPECT_EQ(store_->commits(), commits + 1);
  store::EntryQuery newer;
  newer.after_sequence = before;
  const auto written = store_->entries(newer);
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(written->at(0).entry.actor, "service");
  EXPECT_EQ(written->at(0).entry.reason, "the period of the budget ended");
  EXPECT_EQ(written->at(0).entry.at, now_);
}

TEST_F(CarryOverTest, AnEndThatWasMissedIsDoneAfterARestartAndOnce) {
  now_ = boundary + hours(5);
  restart();
  committer_->carry_over();
  EXPECT_EQ(limit(2), 25);
  const std::int64_t before = entries();
  restart();
  committer_->carry_over();
  EXPECT_EQ(limit(2), 25);
  EXPECT_EQ(entries(), before);
}

TEST_F(CarryOverTest, ACommitThatFailsOrIsNotAnsweredIsMadeUpForOnce) {
  for (const auto fault : {store::Fault::before, store::Fault::lost, store::Fault::after}) {
    disk_ = std::make_shared<store::MemoryDisk>();
    now_ = opening;
    restart();
    ledger::CreateAccount create;
    create.name = "proj001";
    create.budgets = {{"USD", opening, boundary, Micros(20), Micros(), ledger::carry_all / 2},
                      {"USD", boundary, boundary + hours(100), Micros(5), Micros(), 0}};
    EXPECT_TRUE(run(create)->accepted());
    now_ = boundary;
    store_->fail_commit(store_->commits() + 1, fault);
    committer_->carry_over();
    committer_->carry_over();
    committer_->carry_over();
    EXPECT_EQ(limit(1), 10);
    EXPECT_EQ(limit(2), 15);
  }
}

// A clock that steps back does not open the old period again.
TEST_F(CarryOverTest, IsNotTakenBackWhenTheClockGoesBack) {
  now_ = boundary;
  committer_->carry_over();
  now_ = boundary - hours(1);
  EXPECT_TRUE(run(place(Micros(25)))->accepted());
  EXPECT_EQ(limit(2), 25);
}

}  // namespace
}  // namespace asbb::service
