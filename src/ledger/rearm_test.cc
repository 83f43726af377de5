// What a settlement does beyond the run it settles: money for the run that follows, and a cost that
// another account bears.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::budget_of;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

TestLedger with_account(Micros limit) {
  TestLedger ledger;
  ledger.account("proj001", limit);
  return ledger;
}

SettleShare rearming(HoldId hold, const ShareKey& key, Micros actual) {
  SettleShare requeued = settle(hold, key, actual, true);
  requeued.rearms = true;
  return requeued;
}

void expect_figures(const TestLedger& ledger, Micros held, Micros used) {
  EXPECT_EQ(ledger.budget("proj001").held, held);
  EXPECT_EQ(ledger.budget("proj001").used, used);
}

TEST(Rearm, TheNextRunHasItsWholePartAgain) {
  TestLedger ledger = with_account(usd(17));
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome outcome = ledger.run(rearming(id, job(7), usd(5)));
  EXPECT_EQ(outcome.charged, usd(5));
  EXPECT_EQ(outcome.rearmed, usd(5));
  EXPECT_EQ(outcome.uncovered, Micros());
  expect_figures(ledger, usd(12), usd(5));
  ASSERT_EQ(ledger.last_entries().size(), 2u);
  EXPECT_EQ(ledger.last_entries()[1].type, EntryType::hold);
  EXPECT_EQ(ledger.last_entries()[1].amount, usd(5));
  EXPECT_EQ(ledger.last_entries()[1].job, job(7, -1, 1));
  EXPECT_EQ(ledger.run(settle(id, job(7, -1, 1), usd(12))).granted, usd(12));
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  expect_figures(ledger, Micros(), usd(17));
}

TEST(Rearm, TheSameSettlementAgainSetsNothingAside) {
  TestLedger ledger = with_account(usd(100));
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_EQ(ledger.run(rearming(id, job(7), usd(5))).rearmed, usd(5));
  const Outcome again = ledger.run(rearming(id, job(7), usd(5)));
  EXPECT_TRUE(again.accepted());
  EXPECT_EQ(again.rearmed, Micros());
  EXPECT_TRUE(ledger.last_entries().empty());
  expect_figures(ledger, usd(12), usd(5));
}

TEST(Rearm, WithoutAllOfTheMoneyNoneIsTakenAndTheLackIsTold) {
  TestLedger ledger = with_account(usd(16));
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome outcome = ledger.run(rearming(id, job(7), usd(5)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.rearmed, Micros());
  EXPECT_EQ(outcome.uncovered, usd(5));
  expect_figures(ledger, usd(7), usd(5));
  EXPECT_EQ(ledger.run(settle(id, job(7, -1, 1), usd(10))).overrun, usd(3));
}

TEST(Rearm, ARunWithoutACostNeedsNoNewMoney) {
  TestLedger ledger = with_account(usd(12));
  const HoldId id = ledger.hold("proj001", usd(12));
  const Outcome outcome = ledger.run(rearming(id, job(7), Micros()));
  EXPECT_EQ(outcome.rearmed, Micros());
  EXPECT_EQ(outcome.uncovered, Micros());
  expect_figures(ledger, usd(12), Micros());
}

TEST(Rearm, EachTaskOfAnArrayGetsItsOwnPartAgain) {
  TestLedger ledger = with_account(usd(100));
  const HoldId id = ledger.hold("proj001", usd(30), 3);
  EXPECT_EQ(ledger.run(rearming(id, job(7, 0), usd(4))).rearmed, usd(4));
  EXPECT_EQ(ledger.run(rearming(id, job(7, 1), usd(9))).rearmed, usd(9));
  expect_figures(ledger, usd(30), usd(13));
  EXPECT_EQ(ledger.run(settle(id, job(7, 0, 1), usd(10))).overrun, Micros());
  EXPECT_EQ(ledger.run(settle(id, job(7, 1, 1), usd(10))).overrun, Micros());
  EXPECT_EQ(ledger.run(settle(id, job(7, 2), usd(10))).overrun, Micros());
  expect_figures(ledger, Micros(), usd(43));
}

// What the tasks that nobody has seen will need is not money for a further run.
TEST(Rearm, LeavesTheOthersTheirParts) {
  TestLedger ledger = with_account(usd(30));
  const HoldId id = ledger.hold("proj001", usd(30), 3);
  EXPECT_EQ(ledger.run(rearming(id, job(7, 0), usd(4))).uncovered, usd(4));
  expect_figures(ledger, usd(26), usd(4));
}

TEST(Rearm, OnlyARunThatIsStillToComeGetsMoney) {
  TestLedger ledger = with_account(usd(100));
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 1), usd(3))).accepted());
  EXPECT_EQ(ledger.run(rearming(id, job(7), usd(5))).rearmed, Micros());
  expect_figures(ledger, Micros(), usd(8));
}

TEST(Rearm, TakesNothingFromABudgetThatHasEndedOrAnAccountThatIsClosed) {
  TestLedger ended = with_account(usd(100));
  const HoldId late = ended.hold("proj001", usd(12));
  ended.now = testing::epoch + hours(1000);
  EXPECT_EQ(ended.run(rearming(late, job(7), usd(5))).uncovered, usd(5));
  expect_figures(ended, usd(7), usd(5));
  TestLedger closed = with_account(usd(100));
  const HoldId id = closed.hold("proj001", usd(12));
  ASSERT_TRUE(closed.run(CloseAccount{"proj001"}).accepted());
  EXPECT_EQ(closed.run(rearming(id, job(7), usd(5))).uncovered, usd(5));
}

TEST(Rearm, EveryUnitOfTheHoldIsBroughtUpAgain) {
  TestLedger ledger = with_account(usd(100));
  NewBudget core_hours = budget_of(usd(100));
  core_hours.unit = "core-hours";
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", core_hours}).accepted());
  PlaceHold action = place("proj001", usd(10));
  action.parts.push_back({"core-hours", usd(60), usd(60), 1});
  const HoldId id = ledger.run(action).hold;
  SettleShare requeued = rearming(id, job(7), usd(25));
  requeued.unit = "core-hours";
  EXPECT_EQ(ledger.run(requeued).rearmed, usd(25));
  EXPECT_EQ(ledger.budget("proj001").held, usd(10));
  EXPECT_EQ(ledger.budget("proj001", 1).held, usd(60));
}

TEST(ArmRun, TakesWhatWasNotThereWhenTheRunBeforeWasSettled) {
  TestLedger ledger = with_account(usd(16));
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_EQ(ledger.run(rearming(id, job(7), usd(5))).uncovered, usd(5));
  const ArmRun arm{id, job(7, -1, 1)};
  const Outcome poor = ledger.run(arm);
  EXPECT_TRUE(poor.accepted());
  EXPECT_EQ(poor.uncovered, usd(5));
  EXPECT_TRUE(ledger.last_entries().empty());
  Deposit deposit{"proj001", "USD", usd(1)};
  ASSERT_TRUE(ledger.run(deposit).accepted());
  const Outcome rich = ledger.run(arm);
  EXPECT_EQ(rich.rearmed, usd(5));
  EXPECT_EQ(rich.uncovered, Micros());
  expect_figures(ledger, usd(12), usd(5));
  EXPECT_EQ(ledger.run(arm).rearmed, Micros());
  expect_figures(ledger, usd(12), usd(5));
}

TEST(ArmRun, OfAnArrayOneTasksPartAtATime) {
  TestLedger ledger = with_account(usd(30));
  const HoldId id = ledger.hold("proj001", usd(30), 3);
  ASSERT_EQ(ledger.run(rearming(id, job(7, 0), usd(8))).uncovered, usd(8));
  ASSERT_EQ(ledger.run(rearming(id, job(7, 1), usd(8))).uncovered, usd(10));
  Deposit deposit{"proj001", "USD", usd(16)};
  ASSERT_TRUE(ledger.run(deposit).accepted());
  EXPECT_EQ(ledger.run(ArmRun{id, job(7, 0, 1)}).rearmed, usd(10));
  EXPECT_EQ(ledger.run(ArmRun{id, job(7, 1, 1)}).rearmed, usd(6));
  EXPECT_EQ(lack_for_runs(ledger.hold(id), ledger.hold(id).parts[0]), Micros());
  expect_figures(ledger, usd(30), usd(16));
}

TEST(ArmRun, DoesNothingForARunThatIsNotAwaited) {
  TestLedger ledger = with_account(usd(100));
  const HoldId id = ledger.hold("proj001", usd(12));
  const HoldId other = ledger.hold("proj001", usd(12), 2);
  ASSERT_TRUE(ledger.run(settle(other, job(8, 0), usd(5), true)).accepted());
  for (const auto& [hold, key] : {std::pair{id, job(7)}, std::pair{id, job(7, -1, 1)},
                                  std::pair{other, job(8, 0)}, std::pair{other, job(8, 1, 1)}}) {
    EXPECT_EQ(ledger.run(ArmRun{hold, key}).rearmed, Micros());
    EXPECT_TRUE(ledger.last_entries().empty());
  }
  EXPECT_EQ(ledger.run(ArmRun{other, job(8, 0, 1)}).rearmed, usd(5));
}

TEST(ArmRun, RefusesAnotherJobAndAHoldThatIsNotThere) {
  TestLedger ledger = with_account(usd(100));
  const HoldId id = ledger.hold("proj001", usd(12));
  ASSERT_TRUE(ledger.run(testing::bind(id, 7)).accepted());
  EXPECT_EQ(ledger.run(ArmRun{id, job(9, -1, 1)}).refusal, Refusal::bound_elsewhere);
  EXPECT_EQ(ledger.run(ArmRun{id, job(7, -2, 1)}).refusal, Refusal::bad_name);
  EXPECT_EQ(ledger.run(ArmRun{HoldId{99}, job(7, -1, 1)}).refusal, Refusal::unknown_hold);
}

// Of proj001 a hold of 12; `overhead` bears what the centre does not bill.
struct Borne {
  TestLedger ledger = with_account(usd(100));
  HoldId id;

  Borne() {
    ledger.account("overhead", usd(10));
    id = ledger.hold("proj001", usd(12));
  }
  Outcome settle_to(const std::string& bearer, Micros actual, bool requeued = false) {
    SettleShare action = requeued ? rearming(id, job(7), actual) : settle(id, job(7), actual);
    action.cause = "NODE_FAIL";
    action.bearer = bearer;
    return ledger.run(action);
  }
};

TEST(Bearer, TheCostIsWrittenOffInTheSameStep) {
  Borne borne;
  const Outcome outcome = borne.settle_to("overhead", usd(15));
  EXPECT_EQ(outcome.charged, usd(12));
  EXPECT_EQ(outcome.overrun, usd(3));
  EXPECT_EQ(outcome.written_off, usd(15));
  expect_figures(borne.ledger, Micros(), Micros());
  EXPECT_EQ(borne.ledger.budget("overhead").used, usd(15));
}

TEST(Bearer, WhatIsWrittenOffPaysForTheNextRun) {
  Borne borne;
  const Outcome outcome = borne.settle_to("overhead", usd(5), true);
  EXPECT_EQ(outcome.written_off, usd(5));
  EXPECT_EQ(outcome.rearmed, usd(5));
  expect_figures(borne.ledger, usd(12), Micros());
}

TEST(Bearer, ThePoorestAccountCanHaveItsRunAgain) {
  TestLedger ledger = with_account(usd(12));
  ledger.account("overhead", usd(10));
  const HoldId id = ledger.hold("proj001", usd(12));
  SettleShare failed = rearming(id, job(7), usd(5));
  failed.bearer = "overhead";
  const Outcome outcome = ledger.run(failed);
  EXPECT_EQ(outcome.rearmed, usd(5));
  EXPECT_EQ(outcome.uncovered, Micros());
  expect_figures(ledger, usd(12), Micros());
}

// A task of -1 is no name for all tasks here: what another task cost is not this settlement's.
TEST(Bearer, AnotherTasksCostStaysWhereItIs) {
  TestLedger ledger = with_account(usd(100));
  ledger.account("overhead", usd(100));
  const HoldId id = ledger.hold("proj001", usd(20), 2);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 1), usd(4))).accepted());
  SettleShare failed = settle(id, job(7), usd(5));
  failed.bearer = "overhead";
  EXPECT_EQ(ledger.run(failed).written_off, usd(5));
  expect_figures(ledger, Micros(), usd(4));
  EXPECT_EQ(ledger.budget("overhead").used, usd(5));
}

TEST(Bearer, TheSameSettlementAgainWritesNothingOff) {
  Borne borne;
  ASSERT_EQ(borne.settle_to("overhead", usd(5)).written_off, usd(5));
  EXPECT_TRUE(borne.settle_to("overhead", usd(5)).accepted());
  EXPECT_TRUE(borne.ledger.last_entries().empty());
  EXPECT_EQ(borne.ledger.budget("overhead").used, usd(5));
}

TEST(Bearer, WhereItCannotBeTheChargeStands) {
  Borne unknown;
  EXPECT_EQ(unknown.settle_to("nobody", usd(5)).written_off, Micros());
  expect_figures(unknown.ledger, Micros(), usd(5));
  Borne closed;
  ASSERT_TRUE(closed.ledger.run(CloseAccount{"overhead"}).accepted());
  EXPECT_TRUE(closed.settle_to("overhead", usd(5)).accepted());
  expect_figures(closed.ledger, Micros(), usd(5));
  Borne itself;
  EXPECT_EQ(itself.settle_to("proj001", usd(5)).written_off, Micros());
  expect_figures(itself.ledger, Micros(), usd(5));
}

}  // namespace
}  // namespace asbb::ledger
