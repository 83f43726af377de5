// The hold of a job that was let through without one, out of money that was set aside in advance.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::bind;
using testing::external;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

class Cover : public ::testing::Test {
 protected:
  Cover() { ledger_.account("proj001", usd(100)); }

  HoldId allowance(Micros amount) {
    PlaceHold ahead = place("proj001", amount);
    ahead.kind = HoldKind::external;
    ahead.transaction_id = "ahead";
    ahead.partition.clear();
    const Outcome outcome = ledger_.run(ahead);
    EXPECT_TRUE(outcome.accepted());
    return outcome.hold;
  }
  Outcome cover(std::optional<HoldId> from, Micros drawn, PlaceHold hold, std::int64_t job = 7) {
    return ledger_.run(CoverJob{from, drawn, std::move(hold), {"onprem", job, testing::epoch}});
  }
  [[nodiscard]] Micros held() const { return ledger_.budget("proj001").held; }
  [[nodiscard]] Micros left(HoldId id) const { return ledger_.hold(id).parts.front().unopened; }

  TestLedger ledger_;
};

TEST_F(Cover, MovesMoneyThatNobodyElseCouldTake) {
  const HoldId ahead = allowance(usd(60));
  (void)ledger_.hold("proj001", usd(40));  // nothing is free any more
  const Outcome outcome = cover(ahead, usd(25), place("proj001", usd(25)));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.released, usd(25));
  EXPECT_EQ(held(), usd(100));
  EXPECT_EQ(left(ahead), usd(35));
  ASSERT_TRUE(ledger_.hold(outcome.hold).job.has_value());
  EXPECT_EQ(ledger_.hold(outcome.hold).job->job_id, 7);
  ASSERT_TRUE(ledger_.run(settle(outcome.hold, job(7), usd(20))).accepted());
  EXPECT_EQ(ledger_.budget("proj001").used, usd(20));
  EXPECT_EQ(held(), usd(75));
  ASSERT_TRUE(ledger_.run(VoidHold{ahead}).accepted());
  EXPECT_EQ(held(), usd(40));
}

TEST_F(Cover, WhatIsNeededBeyondComesFromWhatIsFree) {
  const HoldId ahead = allowance(usd(60));
  const Outcome outcome = cover(ahead, usd(60), place("proj001", usd(80)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(held(), usd(80));
  EXPECT_EQ(left(ahead), usd(0));
  EXPECT_EQ(ledger_.hold(ahead).status, HoldStatus::open);
}

TEST_F(Cover, WhatIsRefusedLeavesNoTrace) {
  const HoldId ahead = allowance(usd(60));
  const auto entries = ledger_.book.counters().entry;
  EXPECT_EQ(cover(ahead, usd(60), place("proj001", usd(101))).refusal,
            Refusal::insufficient_budget);
  EXPECT_EQ(cover(ahead, usd(61), place("proj001", usd(1))).refusal, Refusal::bad_amount);
  EXPECT_EQ(cover(ahead, usd(-1), place("proj001", usd(1))).refusal, Refusal::bad_amount);
  PlaceHold outside = place("proj001", usd(1));
  outside.kind = HoldKind::external;
  EXPECT_EQ(cover(ahead, usd(1), outside).refusal, Refusal::bad_name);
  EXPECT_EQ(cover(HoldId{99}, usd(1), place("proj001", usd(1))).refusal, Refusal::unknown_hold);
  EXPECT_EQ(held(), usd(60));
  EXPECT_EQ(left(ahead), usd(60));
  EXPECT_EQ(ledger_.book.counters().entry, entries);
}

TEST_F(Cover, ATokenNamesOneHoldSoNoJobIsCoveredTwice) {
  const HoldId ahead = allowance(usd(60));
  PlaceHold hold = place("proj001", usd(10));
  hold.transaction_id = "token";
  ASSERT_TRUE(cover(ahead, usd(10), hold).accepted());
  EXPECT_EQ(cover(ahead, usd(10), hold).refusal, Refusal::request_id_conflict);
  EXPECT_EQ(left(ahead), usd(50));
}

TEST_F(Cover, OnlyFromAnExternalHoldThatNothingWasTakenFrom) {
  const HoldId of_job = ledger_.hold("proj001", usd(10));
  EXPECT_EQ(cover(of_job, usd(1), place("proj001", usd(1))).refusal, Refusal::unknown_hold);
  const HoldId ahead = allowance(usd(60));
  ASSERT_TRUE(ledger_.run(OpenShare{ahead, external("node")}).accepted());
  EXPECT_EQ(cover(ahead, usd(1), place("proj001", usd(1))).refusal, Refusal::hold_is_bound);
  ASSERT_TRUE(ledger_.run(settle(ahead, external("node"), usd(5))).accepted());
  EXPECT_EQ(cover(ahead, usd(1), place("proj001", usd(1))).refusal, Refusal::hold_closed);
}

TEST_F(Cover, WithoutMoneyInAdvanceItIsAHoldThatIsBound) {
  const Outcome outcome = cover({}, usd(0), place("proj001", usd(30)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.released, usd(0));
  EXPECT_EQ(held(), usd(30));
  EXPECT_TRUE(ledger_.hold(outcome.hold).job.has_value());
}

// The money was set aside in a period that has ended, and the job waits in the one that follows.
TEST_F(Cover, InTheNextPeriodWithWhatWasCarriedThere) {
  CreateAccount create;
  create.name = "proj002";
  create.budgets = {
      testing::budget_of(usd(50), testing::epoch, testing::epoch + hours(100)),
      testing::budget_of(usd(0), testing::epoch + hours(100), testing::epoch + hours(200))};
  create.budgets[0].carry_over_millionths = carry_all;
  ASSERT_TRUE(ledger_.run(create).accepted());
  PlaceHold ahead = place("proj002", usd(50));
  ahead.kind = HoldKind::external;
  const HoldId from = ledger_.run(ahead).hold;
  ledger_.now = testing::epoch + hours(100);
  const Outcome outcome = cover(from, usd(30), place("proj002", usd(30)));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(ledger_.budget("proj002", 0).held, usd(20));
  EXPECT_EQ(ledger_.budget("proj002", 1).held, usd(30));
}

}  // namespace
}  // namespace asbb::ledger
