// Shares: settled exactly once, exact to the millionth, and never out of another's money.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::bind;
using testing::budget_of;
using testing::epoch;
using testing::external;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

TestLedger with_account(Micros limit = usd(100)) {
  TestLedger ledger;
  ledger.account("proj001", limit);
  return ledger;
}

void expect_figures(const TestLedger& ledger, Micros held, Micros used) {
  EXPECT_EQ(ledger.budget("proj001").held, held);
  EXPECT_EQ(ledger.budget("proj001").used, used);
}

TEST(SettleShare, ChargesWhatWasUsedAndReleasesTheRest) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome outcome = ledger.run(settle(id, job(7), usd(10)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.granted, usd(12));
  EXPECT_EQ(outcome.charged, usd(10));
  EXPECT_EQ(outcome.released, usd(2));
  EXPECT_EQ(outcome.overrun, Micros());
  expect_figures(ledger, Micros(), usd(10));
  ASSERT_EQ(ledger.last_entries().size(), 2u);
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::charge);
  EXPECT_EQ(ledger.last_entries()[1].type, EntryType::release);
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
}

TEST(SettleShare, WhatIsBeyondTheHoldIsAnOverrunOfItsOwn) {
  TestLedger ledger = with_account();
  const HoldId other = ledger.hold("proj001", usd(80));
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome outcome = ledger.run(settle(id, job(7), usd(30)));
  EXPECT_EQ(outcome.charged, usd(12));
  EXPECT_EQ(outcome.overrun, usd(18));
  expect_figures(ledger, usd(80), usd(30));
  EXPECT_EQ(ledger.budget("proj001").available(), usd(-10));
  EXPECT_EQ(ledger.run(place("proj001", Micros(1))).refusal, Refusal::insufficient_budget);
  EXPECT_EQ(ledger.hold(other).parts[0].unopened, usd(80));
  ASSERT_EQ(ledger.last_entries().size(), 0u);
  EXPECT_EQ(ledger.entries_of(EntryType::overrun).size(), 1u);
}

TEST(SettleShare, AJobThatCostNothingGivesAllBack) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  EXPECT_EQ(ledger.run(settle(id, job(7), Micros())).released, usd(12));
  expect_figures(ledger, Micros(), Micros());
  EXPECT_TRUE(ledger.entries_of(EntryType::charge).empty());
}

TEST(SettleShare, TheSameFactsGiveTheSameAnswerAndNoSecondCharge) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12), 2);
  Outcome first = ledger.run(settle(id, job(7, 0), usd(5)));
  Outcome again = ledger.run(settle(id, job(7, 0), usd(5)));
  EXPECT_TRUE(again.replayed);
  EXPECT_TRUE(ledger.last_entries().empty());
  again.replayed = false;
  first.sequence = 0;
  EXPECT_EQ(first, again);
  expect_figures(ledger, usd(6), usd(5));
  for (const SettleShare& other : {settle(id, job(7, 0), usd(6)), settle(id, job(7, 0), usd(4)),
                                   settle(id, job(7, 0), usd(5), true)}) {
    EXPECT_EQ(ledger.run(other).refusal, Refusal::settled_differently);
  }
  expect_figures(ledger, usd(6), usd(5));
  // Also when the hold has closed.
  ASSERT_TRUE(ledger.run(settle(id, job(7, 1), usd(1))).accepted());
  EXPECT_TRUE(ledger.run(settle(id, job(7, 0), usd(5))).replayed);
  EXPECT_EQ(ledger.run(settle(id, job(7, 0), usd(6))).refusal, Refusal::settled_differently);
  expect_figures(ledger, Micros(), usd(6));
}

TEST(SettleShare, RefusesWhatCannotBe) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  PlaceHold fleet = place("proj001", usd(1));
  fleet.kind = HoldKind::external;
  const HoldId outside = ledger.run(fleet).hold;
  const auto refusal = [&](const SettleShare& action) { return ledger.run(action).refusal; };
  EXPECT_EQ(refusal(settle(HoldId{99}, job(7), usd(1))), Refusal::unknown_hold);
  EXPECT_EQ(refusal(settle(id, job(7), Micros(-1))), Refusal::bad_amount);
  EXPECT_EQ(refusal(settle(id, job(7), max_amount + Micros(1))), Refusal::bad_amount);
  for (const ShareKey& key : {ShareKey{}, job(0), job(-1), job(7, -2), job(7, -1, -1),
                              external("n1"), ShareKey{"", 7, -1, 0, ""}}) {
    EXPECT_EQ(refusal(settle(id, key, usd(1))), Refusal::bad_name);
  }
  // An external job has its name and nothing else, or one name could be settled twice.
  for (const ShareKey& key :
       {ShareKey{}, job(7), ShareKey{"onprem", 0, -1, 0, "n1"}, ShareKey{"", 7, -1, 0, "n1"},
        ShareKey{"", 0, 0, 0, "n1"}, ShareKey{"", 0, -1, 1, "n1"}}) {
    EXPECT_EQ(refusal(settle(outside, key, usd(1))), Refusal::bad_name);
  }
  SettleShare euros = settle(id, job(7), usd(1));
  euros.unit = "EUR";
  EXPECT_EQ(refusal(euros), Refusal::unit_not_held);
  EXPECT_EQ(ledger.run(OpenShare{HoldId{99}, job(7)}).refusal, Refusal::unknown_hold);
  EXPECT_EQ(ledger.run(OpenShare{id, external("n1")}).refusal, Refusal::bad_name);
  expect_figures(ledger, usd(13), Micros());
}

TEST(SettleShare, ALateJobOnAClosedHoldIsAllOverrun) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(VoidHold{id}).accepted());
  const Outcome outcome = ledger.run(settle(id, job(7), usd(5)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.charged, Micros());
  EXPECT_EQ(outcome.overrun, usd(5));
  expect_figures(ledger, Micros(), usd(5));
  EXPECT_TRUE(ledger.run(settle(id, job(7), usd(5))).replayed);
  EXPECT_TRUE(ledger.run(settle(id, job(8), usd(1), true)).accepted());
  expect_figures(ledger, Micros(), usd(6));
  EXPECT_EQ(ledger.run(OpenShare{id, job(9)}).refusal, Refusal::hold_closed);
}

TEST(SettleShare, OneUnitPaysTheOthersGoBack) {
  TestLedger ledger = with_account();
  NewBudget core_hours = budget_of(usd(100));
  core_hours.unit = "core-hours";
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", core_hours}).accepted());
  PlaceHold action = place("proj001", usd(10));
  action.parts.push_back({"core-hours", usd(50), usd(60), 1});
  const HoldId id = ledger.run(action).hold;
  SettleShare settlement = settle(id, job(7), usd(20));
  settlement.unit = "core-hours";
  const Outcome outcome = ledger.run(settlement);
  EXPECT_EQ(outcome.granted, usd(60));
  EXPECT_EQ(outcome.released, usd(40));
  EXPECT_EQ(outcome.budget, ledger.budget("proj001", 1).id);
  expect_figures(ledger, Micros(), Micros());
  EXPECT_EQ(ledger.budget("proj001", 1).used, usd(20));
  EXPECT_EQ(ledger.budget("proj001", 1).held, Micros());
  EXPECT_EQ(ledger.run(settle(id, job(7), usd(20))).refusal, Refusal::settled_differently);
}

TEST(Array, TasksSettleOneByOneAndSplitExactly) {
  TestLedger ledger = with_account();
  const Micros granted = usd(10) + Micros(1);  // not divisible by seven
  const HoldId id = ledger.hold("proj001", granted, 7);
  Micros sum;
  for (std::int64_t task = 0; task < 7; ++task) {
    const Outcome outcome = ledger.run(settle(id, job(7, task), Micros(task)));
    EXPECT_GE(outcome.granted, Micros(1'428'571));
    EXPECT_LE(outcome.granted, Micros(1'428'572));
    EXPECT_EQ(outcome.charged, Micros(task));
    sum += outcome.granted;
    EXPECT_EQ(ledger.budget("proj001").held, granted - sum);
  }
  EXPECT_EQ(sum, granted);
  expect_figures(ledger, Micros(), Micros(21));
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
}

TEST(Array, MoreTasksThanMillionths) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", Micros(3), 10);
  for (std::int64_t task = 0; task < 10; ++task) {
    ASSERT_TRUE(ledger.run(settle(id, job(7, task), Micros())).accepted());
  }
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  expect_figures(ledger, Micros(), Micros());
}

TEST(Array, OneTasksOverrunLeavesTheOthersTheirMoney) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(30), 3);
  EXPECT_EQ(ledger.run(settle(id, job(7, 0), usd(25))).overrun, usd(15));
  EXPECT_EQ(ledger.budget("proj001").held, usd(20));
  EXPECT_EQ(ledger.run(settle(id, job(7, 1), usd(10))).overrun, Micros());
  EXPECT_EQ(ledger.run(settle(id, job(7, 2), usd(10))).overrun, Micros());
}

TEST(Array, AGivenBackPartIsNotTakenByATaskThatWasNotCounted) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(20), 2);
  ASSERT_TRUE(ledger.run(OpenShare{id, job(7, 0)}).accepted());
  ASSERT_TRUE(ledger.run(OpenShare{id, job(7, 1)}).accepted());
  EXPECT_EQ(ledger.run(OpenShare{id, job(7, 2)}).granted, Micros());
  EXPECT_EQ(ledger.run(settle(id, job(7, 2), usd(1))).overrun, usd(1));
}

TEST(Requeue, TheNextRunTakesAllThatIsLeft) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome first = ledger.run(settle(id, job(7), usd(5), true));
  EXPECT_EQ(first.charged, usd(5));
  EXPECT_EQ(first.released, usd(7));
  expect_figures(ledger, usd(7), usd(5));
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::open);
  const Outcome second = ledger.run(settle(id, job(7, -1, 1), usd(7)));
  EXPECT_EQ(second.granted, usd(7));
  EXPECT_EQ(second.overrun, Micros());
  expect_figures(ledger, Micros(), usd(12));
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
}

TEST(Requeue, OpenShareTopsTheNextRunUpWithNewMoney) {
  TestLedger ledger = with_account(usd(20));
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(5), true)).accepted());
  const Outcome opened = ledger.run(OpenShare{id, job(7, -1, 1)});
  EXPECT_EQ(opened.granted, usd(12));
  EXPECT_EQ(opened.amount, usd(5));
  expect_figures(ledger, usd(12), usd(5));
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::hold);
  EXPECT_EQ(ledger.last_entries()[0].amount, usd(5));
  const Outcome again = ledger.run(OpenShare{id, job(7, -1, 1)});
  EXPECT_EQ(again.granted, usd(12));
  EXPECT_TRUE(ledger.last_entries().empty());
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 1), usd(11))).accepted());
  expect_figures(ledger, Micros(), usd(16));
}

TEST(Requeue, WithoutMoneyTheRunIsOpenedWithWhatIsLeft) {
  TestLedger ledger = with_account(usd(16));
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(5), true)).accepted());
  const Outcome opened = ledger.run(OpenShare{id, job(7, -1, 1)});
  EXPECT_TRUE(opened.accepted());
  EXPECT_EQ(opened.granted, usd(7));
  EXPECT_EQ(opened.amount, Micros());
  expect_figures(ledger, usd(7), usd(5));
  EXPECT_EQ(ledger.run(settle(id, job(7, -1, 1), usd(10))).overrun, usd(3));
}

TEST(Requeue, OnlyTheFirstUnitIsTold) {
  TestLedger ledger = with_account(usd(1000));
  NewBudget core_hours = budget_of(usd(1000));
  core_hours.unit = "core-hours";
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", core_hours}).accepted());
  PlaceHold action = place("proj001", usd(10));
  action.parts.push_back({"core-hours", usd(60), usd(60), 1});
  const HoldId id = ledger.run(action).hold;
  SettleShare requeued = settle(id, job(7), usd(4), true);
  ASSERT_TRUE(ledger.run(requeued).accepted());
  expect_figures(ledger, usd(6), usd(4));
  EXPECT_EQ(ledger.budget("proj001", 1).held, usd(60));
  const Outcome opened = ledger.run(OpenShare{id, job(7, -1, 1)});
  EXPECT_EQ(opened.unit, "USD");
  EXPECT_EQ(opened.amount, usd(4));
  EXPECT_EQ(opened.granted, usd(10));
}

TEST(Requeue, ATaskOfAnArrayLeavesTheOthersTheirParts) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", Micros(100), 3);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 0), Micros(10), true)).accepted());
  const Outcome second = ledger.run(settle(id, job(7, 0, 1), Micros(50)));
  EXPECT_EQ(second.granted, Micros(23));  // of the 33 of its task
  EXPECT_EQ(second.overrun, Micros(27));
  EXPECT_EQ(ledger.budget("proj001").held, Micros(67));
  EXPECT_EQ(ledger.run(settle(id, job(7, 1), Micros())).granted, Micros(33));
  EXPECT_EQ(ledger.run(settle(id, job(7, 2), Micros())).granted, Micros(34));
}

// Slurm's accounting lags behind the controller: the second run is seen before the first has
// ended in the records.
TEST(Requeue, TheNextRunMayBeSeenBeforeTheLastOneSettles) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(OpenShare{id, job(7)}).accepted());
  ASSERT_TRUE(ledger.run(OpenShare{id, job(7, -1, 1)}).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(5), true)).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 1), usd(6))).accepted());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  expect_figures(ledger, Micros(), usd(11));
}

TEST(Requeue, AFirstRunThatNobodySawDoesNotKeepTheHoldOpen) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome outcome = ledger.run(settle(id, job(7, -1, 2), usd(5)));
  EXPECT_EQ(outcome.charged, usd(5));
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  // Its record comes late: charged, beyond the hold.
  EXPECT_EQ(ledger.run(settle(id, job(7), usd(2), true)).overrun, usd(2));
  expect_figures(ledger, Micros(), usd(7));
}

TEST(Requeue, ARunMayMoveToAnotherCluster) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12), 2);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 1), usd(2), true)).accepted());
  ShareKey elsewhere = job(7, 1, 1);
  elsewhere.cluster = "cloud";
  EXPECT_EQ(ledger.run(settle(id, elsewhere, usd(4))).granted, usd(4));
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::open);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 0), usd(6))).accepted());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  expect_figures(ledger, Micros(), usd(12));
}

TEST(Requeue, ARunMayComeBackToItsFirstCluster) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  ShareKey elsewhere = job(7, -1, 1);
  elsewhere.cluster = "cloud";
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(2), true)).accepted());
  ASSERT_TRUE(ledger.run(settle(id, elsewhere, usd(2), true)).accepted());
  ASSERT_TRUE(ledger.run(OpenShare{id, job(7, -1, 2)}).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 2), usd(2), true)).accepted());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::open);
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 3), usd(2))).accepted());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  expect_figures(ledger, Micros(), usd(8));
}

// A federation's clusters count runs apart: the third run of the job is the first one there. The
// hold used to stay open.
TEST(Requeue, TheLastRunMayBeTheFirstOfItsCluster) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(2), true)).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 1), usd(2), true)).accepted());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::open);
  ShareKey elsewhere = job(7);
  elsewhere.cluster = "cloud";
  ASSERT_TRUE(ledger.run(settle(id, elsewhere, usd(4))).accepted());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  expect_figures(ledger, Micros(), usd(8));
}

TEST(Requeue, RunsAreTakenTogetherAcrossABatch) {
  TestLedger ledger = with_account();
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(5), true)).accepted());
  Stage stage(ledger.book);
  const Context context{"", "", "root", "", epoch};
  ASSERT_TRUE(decide(stage, {context, settle(id, job(7, -1, 1), usd(1), true)}).accepted());
  EXPECT_EQ(stage.holds().at(id).pending_runs, 1);
  ASSERT_TRUE(decide(stage, {context, OpenShare{id, job(7, -1, 2)}}).accepted());
  EXPECT_EQ(stage.holds().at(id).pending_runs, 0);
  ASSERT_TRUE(decide(stage, {context, settle(id, job(7, -1, 2), usd(1))}).accepted());
  EXPECT_EQ(stage.holds().at(id).status, HoldStatus::closed);
}

// The further run of a requeued job of 10, of which 8 are charged; proj001 has 100 in each of two
// periods.
struct Requeued {
  TestLedger ledger;
  HoldId id;

  Requeued() {
    CreateAccount create;
    create.name = "proj001";
    create.budgets = {
        testing::budget_of(usd(100), testing::epoch, testing::epoch + hours(100)),
        testing::budget_of(usd(100), testing::epoch + hours(100), testing::epoch + hours(200))};
    EXPECT_TRUE(ledger.run(create).accepted());
    id = ledger.hold("proj001", usd(10));
    EXPECT_TRUE(ledger.run(settle(id, job(7), usd(8), true)).accepted());
  }
};

TEST(OpenShare, TakesNewMoneyWhileItsBudgetIsInForce) {
  Requeued run;
  run.ledger.now = testing::epoch + hours(100) - Span{1};
  const Outcome outcome = run.ledger.run(OpenShare{run.id, job(7, -1, 1)});
  EXPECT_EQ(outcome.amount, usd(8));
  EXPECT_EQ(outcome.granted, usd(10));
}

// It used to be set aside in the budget that had ended.
TEST(OpenShare, TakesNoNewMoneyFromABudgetThatHasEnded) {
  Requeued run;
  run.ledger.now = testing::epoch + hours(100);
  const Outcome outcome = run.ledger.run(OpenShare{run.id, job(7, -1, 1)});
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.amount, Micros());
  EXPECT_EQ(outcome.granted, usd(2));
  const Outcome settled = run.ledger.run(settle(run.id, job(7, -1, 1), usd(9)));
  EXPECT_EQ(settled.charged, usd(2));
  EXPECT_EQ(settled.overrun, usd(7));
  EXPECT_EQ(run.ledger.budget("proj001").used, usd(17));
}

TEST(OpenShare, TakesNoNewMoneyOfAClosedOrSuspendedAccount) {
  Requeued closed;
  ASSERT_TRUE(closed.ledger.run(CloseAccount{"proj001"}).accepted());
  EXPECT_EQ(closed.ledger.run(OpenShare{closed.id, job(7, -1, 1)}).granted, usd(2));
  Requeued suspended;
  UpdateAccount update;
  update.name = "proj001";
  update.status = AccountStatus::suspended;
  ASSERT_TRUE(suspended.ledger.run(update).accepted());
  EXPECT_EQ(suspended.ledger.run(OpenShare{suspended.id, job(7, -1, 1)}).granted, usd(2));
}

// A hold of one job used to be settled for another one.
TEST(SettleShare, ABoundHoldIsSettledForItsJobAlone) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  const HoldId id = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(testing::bind(id, 7)).accepted());
  const Outcome outcome = ledger.run(settle(id, job(99), usd(1)));
  EXPECT_EQ(outcome.refusal, Refusal::bound_elsewhere);
  EXPECT_EQ(outcome.field, "job_id");
  EXPECT_EQ(ledger.run(OpenShare{id, job(99)}).refusal, Refusal::bound_elsewhere);
  EXPECT_TRUE(ledger.run(settle(id, job(7), usd(1))).accepted());
  const HoldId unbound = ledger.hold("proj001", usd(6), 2);
  ASSERT_TRUE(ledger.run(settle(unbound, job(8, 0), usd(1))).accepted());
  EXPECT_EQ(ledger.run(testing::bind(unbound, 9)).refusal, Refusal::bound_elsewhere);
  EXPECT_TRUE(ledger.run(testing::bind(unbound, 8)).accepted());
}

}  // namespace
}  // namespace asbb::ledger
