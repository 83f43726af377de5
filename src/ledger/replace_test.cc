// A hold that is replaced because its job was changed.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::bind;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

class Replace : public ::testing::Test {
 protected:
  Replace() { ledger_.account("proj001", usd(100)); }

  HoldId bound(Micros amount, std::int64_t tasks = 1) {
    const HoldId id = ledger_.hold("proj001", amount, tasks);
    EXPECT_TRUE(ledger_.run(bind(id, 7)).accepted());
    return id;
  }
  Outcome replace(HoldId hold, std::int64_t tasks, std::optional<PlaceHold> place = {},
                  std::optional<HoldId> proposal = {}) {
    return ledger_.run(ReplaceHold{hold, tasks, "only=1-3", proposal, std::move(place)});
  }
  [[nodiscard]] Micros held(const std::string& account = "proj001") const {
    return ledger_.budget(account).held;
  }

  TestLedger ledger_;
};

TEST_F(Replace, AllOfAHoldMovesToTheNewOneWhichIsBoundToTheSameJob) {
  const HoldId before = bound(usd(60));
  const Outcome outcome = replace(before, 1, place("proj001", usd(90)));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.released, usd(60));
  EXPECT_EQ(ledger_.hold(before).status, HoldStatus::closed);
  EXPECT_EQ(ledger_.hold(outcome.hold).job, ledger_.hold(before).job);
  EXPECT_EQ(held(), usd(90));
  EXPECT_TRUE(ledger_.run(settle(outcome.hold, job(7), usd(80))).accepted());
  EXPECT_EQ(held(), usd(0));
  EXPECT_EQ(ledger_.budget("proj001").used, usd(80));
}

// proj001 has 100 until the moment that it is now, all of it held for job 7, and lives on what is
// carried over from then on.
std::pair<TestLedger, HoldId> held_across_the_end() {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {
      testing::budget_of(usd(100), testing::epoch, testing::epoch + hours(100)),
      testing::budget_of(usd(0), testing::epoch + hours(100), testing::epoch + hours(200))};
  create.budgets[0].carry_over_millionths = carry_all;
  EXPECT_TRUE(ledger.run(create).accepted());
  const HoldId before = ledger.hold("proj001", usd(100));
  EXPECT_TRUE(ledger.run(bind(before, 7)).accepted());
  ledger.now = testing::epoch + hours(100);
  return {std::move(ledger), before};
}

// A job that waits across the end: what it held is carried over before it is held anew.
TEST_F(Replace, IntoTheNextPeriodWithWhatWasCarriedThere) {
  auto [ledger, before] = held_across_the_end();
  const Outcome outcome = ledger.run(ReplaceHold{before, 1, "", {}, place("proj001", usd(100))});
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(ledger.budget("proj001", 0).held, usd(0));
  EXPECT_EQ(ledger.budget("proj001", 0).carried, usd(100));
  EXPECT_EQ(ledger.budget("proj001", 1).held, usd(100));
}

// One that runs across the end is changed: its money stays in the period in which it started.
TEST_F(Replace, InTheEndedPeriodWithWhatWasHeldThere) {
  auto [ledger, before] = held_across_the_end();
  PlaceHold again = place("proj001", usd(90));
  again.period_at = testing::epoch;
  ASSERT_TRUE(ledger.run(ReplaceHold{before, 1, "", {}, again}).accepted());
  EXPECT_EQ(ledger.budget("proj001", 0).held, usd(90));
  EXPECT_EQ(ledger.budget("proj001", 1).limit, usd(10));
}

TEST_F(Replace, WhatDoesNotFitLeavesEverythingAsItWas) {
  const HoldId before = bound(usd(60));
  const HoldId proposal = ledger_.hold("proj001", usd(10));
  const Outcome outcome = replace(before, 1, place("proj001", usd(101)), proposal);
  EXPECT_EQ(outcome.refusal, Refusal::insufficient_budget);
  EXPECT_EQ(ledger_.hold(before).status, HoldStatus::open);
  EXPECT_EQ(ledger_.hold(before).group, "");
  EXPECT_EQ(ledger_.hold(proposal).status, HoldStatus::open);
  EXPECT_EQ(held(), usd(70));
  EXPECT_TRUE(ledger_.last_entries().empty());
}

TEST_F(Replace, AProposalIsGivenBackInTheSameStep) {
  const HoldId before = bound(usd(60));
  const HoldId proposal = ledger_.hold("proj001", usd(40));
  const Outcome outcome = replace(before, 1, place("proj001", usd(100)), proposal);
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(held(), usd(100));
  EXPECT_EQ(ledger_.hold(proposal).status, HoldStatus::closed);
  EXPECT_EQ(replace(outcome.hold, 1, {}, before).refusal, Refusal::hold_closed);
  EXPECT_EQ(replace(outcome.hold, 1, {}, outcome.hold).refusal, Refusal::hold_is_bound);
}

TEST_F(Replace, SomeTasksLeaveWithTheirPart) {
  const HoldId array = bound(usd(10), 10);
  EXPECT_TRUE(ledger_.run(settle(array, job(7, 0), usd(1))).accepted());
  const Outcome outcome = replace(array, 4, place("proj001", usd(8), 4));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.released, usd(4));
  EXPECT_EQ(held(), usd(5 + 8));
  EXPECT_EQ(ledger_.hold(array).group, "only=1-3");
  EXPECT_EQ(ledger_.hold(array).task_count, 6);
  for (std::int64_t task = 1; task < 6; ++task) {
    EXPECT_TRUE(ledger_.run(settle(array, job(7, task), usd(1))).accepted());
  }
  EXPECT_EQ(ledger_.hold(array).status, HoldStatus::closed);
  EXPECT_EQ(held(), usd(8));
}

TEST_F(Replace, WithoutANewHoldTheMoneyGoesBack) {
  const HoldId array = bound(usd(10), 10);
  EXPECT_EQ(replace(array, 4).released, usd(4));
  EXPECT_EQ(held(), usd(6));
  EXPECT_EQ(replace(array, 6).released, usd(6));
  EXPECT_EQ(ledger_.hold(array).status, HoldStatus::closed);
  EXPECT_EQ(held(), usd(0));
}

TEST_F(Replace, ARunThatIsAwaitedLeavesWithTheRest) {
  const HoldId before = bound(usd(10));
  EXPECT_TRUE(ledger_.run(settle(before, job(7), usd(4), true)).accepted());
  EXPECT_EQ(held(), usd(6));
  const Outcome outcome = replace(before, 1, place("proj001", usd(20)));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(ledger_.hold(before).status, HoldStatus::closed);
  EXPECT_EQ(held(), usd(20));
}

TEST_F(Replace, WhatRunsMayDrawOnCredit) {
  UpdateAccount credit;
  credit.name = "proj001";
  credit.credit_limit = usd(50);
  EXPECT_TRUE(ledger_.run(credit).accepted());
  const HoldId before = bound(usd(60));
  PlaceHold more = place("proj001", usd(140));
  EXPECT_EQ(replace(before, 1, more).refusal, Refusal::insufficient_budget);
  more.running = true;
  EXPECT_TRUE(replace(before, 1, more).accepted());
  EXPECT_EQ(held(), usd(140));
}

TEST_F(Replace, RefusesWhatCannotBe) {
  const HoldId array = bound(usd(10), 10);
  EXPECT_EQ(replace(array, 0).refusal, Refusal::bad_task_count);
  EXPECT_EQ(replace(array, 11).refusal, Refusal::bad_task_count);
  EXPECT_EQ(replace(array, 4, place("proj001", usd(1), 3)).refusal, Refusal::bad_task_count);
  EXPECT_EQ(replace(HoldId{99}, 1).refusal, Refusal::unknown_hold);
  EXPECT_EQ(replace(ledger_.hold("proj001", usd(1)), 1).refusal, Refusal::unknown_hold);
  EXPECT_TRUE(replace(array, 10).accepted());
  EXPECT_EQ(replace(array, 10).refusal, Refusal::hold_closed);
}

// The new hold is bound in the same step, so it is none of those that never became jobs.
TEST(ReplaceHold, DoesNotCountAsASubmissionThatNeverBecameAJob) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  PlaceHold place = testing::place("proj001", usd(1));
  place.unbound_max = 1;
  const HoldId id = ledger.run(place).hold;
  ASSERT_TRUE(ledger.run(testing::bind(id, 7)).accepted());
  ASSERT_TRUE(ledger.run(place).accepted());
  EXPECT_EQ(ledger.run(place).refusal, Refusal::too_many_unbound);
  ReplaceHold replace;
  replace.hold = id;
  replace.place = place;
  EXPECT_EQ(ledger.run(replace).refusal, Refusal::none);
}

}  // namespace
}  // namespace asbb::ledger
