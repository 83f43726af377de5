// Whole stories: what a centre meets, from submission to the last entry.
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

TEST(Scenario, OneJobFromSubmissionToTheEnd) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "gpu-aws", usd(20)}).accepted());
  PlaceHold submission = place("proj001", usd(12));
  submission.partition = "gpu-aws";
  const HoldId id = ledger.run(submission).hold;
  ASSERT_TRUE(ledger.run(bind(id, 67'108'865)).accepted());
  ledger.now = ledger.now + hours(2);
  ASSERT_TRUE(ledger.run(settle(id, job(67'108'865), Micros(10'123'457))).accepted());
  EXPECT_EQ(ledger.budget("proj001").used, Micros(10'123'457));
  EXPECT_EQ(ledger.budget("proj001").held, Micros());
  EXPECT_EQ(ledger.limit("proj001", "gpu-aws").used, Micros(10'123'457));
  EXPECT_EQ(ledger.hold(id).closed_at, epoch + hours(2));
  // The partition limit refuses what the account could pay.
  submission.parts[0].amount = usd(10);
  EXPECT_EQ(ledger.run(submission).refusal, Refusal::partition_limit_exceeded);
}

// A heterogeneous job asks once for each component; one refusal and the caller voids the others.
TEST(Scenario, HetComponentsShareAGroup) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  PlaceHold component = place("proj001", usd(6));
  component.group = "het-1";
  const Outcome first = ledger.run(component);
  ASSERT_TRUE(first.accepted());
  EXPECT_EQ(ledger.run(component).refusal, Refusal::insufficient_budget);
  EXPECT_EQ(ledger.hold(first.hold).group, "het-1");
  ASSERT_TRUE(ledger.run(VoidHold{first.hold}).accepted());
  EXPECT_EQ(ledger.budget("proj001").held, Micros());
}

// A launcher of cloud nodes holds once for the fleet and settles once for each node, with retries.
TEST(Scenario, AFleetSettlesNodeByNode) {
  TestLedger ledger;
  ledger.account("proj001", usd(100));
  PlaceHold fleet = place("proj001", usd(40), 4);
  fleet.kind = HoldKind::external;
  fleet.user.clear();
  fleet.transaction_id = "txn_1";
  const HoldId other = ledger.hold("proj001", usd(40));
  const HoldId id = ledger.run(fleet, "key-1").hold;
  EXPECT_EQ(ledger.book.hold_of_request("txn_1")->id, id);
  for (int node = 0; node < 4; ++node) {
    const ShareKey key = external("cloud/gpu-aws-" + std::to_string(node));
    EXPECT_EQ(ledger.run(settle(id, key, usd(3))).released, usd(7));
    EXPECT_TRUE(ledger.run(settle(id, key, usd(3))).replayed);
    EXPECT_EQ(ledger.run(settle(id, key, usd(4))).refusal, Refusal::settled_differently);
  }
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  EXPECT_EQ(ledger.budget("proj001").used, usd(12));
  EXPECT_EQ(ledger.budget("proj001").held, usd(40));
  EXPECT_EQ(ledger.hold(other).parts[0].unopened, usd(40));
  EXPECT_TRUE(ledger.run(settle(id, external("cloud/gpu-aws-0"), usd(3))).replayed);
  EXPECT_EQ(ledger.run(settle(id, external("cloud/gpu-aws-9"), usd(3))).refusal,
            Refusal::hold_closed);
  // The same node comes back with the next fleet.
  fleet.transaction_id = "txn_2";
  const HoldId next = ledger.run(fleet, "key-2").hold;
  EXPECT_TRUE(ledger.run(settle(next, external("cloud/gpu-aws-0"), usd(3))).accepted());
  // Nodes that never started: the caller ends the hold.
  EXPECT_EQ(ledger.run(VoidHold{next}).released, usd(30));
  EXPECT_EQ(ledger.budget("proj001").used, usd(15));
}

// A job that ran while the service was away, on an account that has been closed since and after
// its budget ended.
TEST(Scenario, ABackfilledJobIsChargedWhereItBelongs) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {budget_of(usd(1), epoch, epoch + hours(10)),
                    budget_of(usd(2), epoch + hours(10), epoch + hours(20)),
                    budget_of(usd(3), epoch + hours(90), epoch + hours(99))};
  ASSERT_TRUE(ledger.run(create).accepted());
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  PlaceHold backfill = place("proj001", Micros());
  backfill.backfill = true;
  backfill.unbound_max = 0;
  const auto payer = [&](std::int64_t started_hour) {
    backfill.period_at = epoch + hours(started_hour);
    const Outcome outcome = ledger.run(backfill);
    EXPECT_EQ(outcome.refusal, Refusal::none);
    return ledger.book.budget(outcome.budget)->limit;
  };
  ledger.now = epoch + hours(50);
  EXPECT_EQ(payer(5), usd(1));
  EXPECT_EQ(payer(15), usd(2));
  EXPECT_EQ(payer(30), usd(2));  // the last that ended, not the next to come
  EXPECT_EQ(payer(95), usd(3));
  EXPECT_EQ(payer(-5), usd(1));
  EXPECT_EQ(payer(100), usd(3));
  const HoldId id = ledger.book.open_holds().front()->id;
  EXPECT_TRUE(ledger.hold(id).backfilled);
  ASSERT_TRUE(ledger.run(bind(id, 7)).accepted());
  const Outcome outcome = ledger.run(settle(id, job(7), usd(5)));
  EXPECT_EQ(outcome.overrun, usd(5));
  EXPECT_EQ(ledger.budget("proj001", 0).used, usd(5));
  EXPECT_EQ(ledger.budget("proj001", 0).available(), usd(-4));
  backfill.parts[0].unit = "EUR";
  EXPECT_EQ(ledger.run(backfill).refusal, Refusal::no_budget);
}

TEST(Scenario, ABackfillPrefersTheBudgetInForceAboveToOneThatEnded) {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  CreateAccount create;
  create.name = "proj001";
  create.parent = "dept";
  create.budgets = {budget_of(usd(1), epoch, epoch + hours(10))};
  ASSERT_TRUE(ledger.run(create).accepted());
  ledger.now = epoch + hours(30);
  const Outcome held = ledger.run(place("proj001", Micros()));
  PlaceHold backfill = place("proj001", Micros());
  backfill.backfill = true;
  EXPECT_EQ(ledger.run(backfill).budget, held.budget);
}

TEST(Scenario, MovingAnAccountLeavesItsHoldsWhereTheyWere) {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("other", usd(50));
  ledger.account("proj001", usd(20), "dept");
  const HoldId id = ledger.hold("proj001", usd(5));
  UpdateAccount move;
  move.name = "proj001";
  move.parent = "other";
  ASSERT_TRUE(ledger.run(move).accepted());
  ledger.hold("proj001", usd(1));
  EXPECT_EQ(ledger.budget("dept").held, usd(5));
  EXPECT_EQ(ledger.budget("other").held, usd(1));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(4))).accepted());
  EXPECT_EQ(ledger.budget("dept").used, usd(4));
  EXPECT_EQ(ledger.budget("dept").held, Micros());
  EXPECT_EQ(ledger.budget("other").used, Micros());
}

// The bound of every counter; used never goes below nothing.
TEST(Edges, CountersStopBeforeTheyOverflow) {
  TestLedger ledger;
  ledger.account("proj001", max_amount);
  const HoldId id = ledger.hold("proj001", max_amount);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", max_amount}).accepted());
  }
  EXPECT_EQ(ledger.budget("proj001").used, counter_max);
  EXPECT_EQ(ledger.run(Adjust{"proj001", "USD", Micros(1)}).refusal, Refusal::overflow);
  EXPECT_EQ(ledger.run(settle(id, job(7), Micros(1))).refusal, Refusal::overflow);
  EXPECT_TRUE(ledger.run(settle(id, job(7), Micros())).accepted());
  EXPECT_EQ(ledger.budget("proj001").available(), max_amount - counter_max);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", Micros() - max_amount}).accepted());
  }
  EXPECT_EQ(ledger.run(Adjust{"proj001", "USD", Micros(-1)}).refusal, Refusal::exceeds_used);
  ledger.hold("proj001", max_amount);
  EXPECT_EQ(ledger.run(place("proj001", Micros(1))).refusal, Refusal::insufficient_budget);
}

TEST(Edges, TheLargestHoldSplitsOverTheMostTasks) {
  TestLedger ledger;
  ledger.account("proj001", max_amount);
  const HoldId id = ledger.hold("proj001", max_amount - Micros(1), 10'000'000);
  const Outcome outcome = ledger.run(settle(id, job(7, 0), Micros(99'999'999'999)));
  EXPECT_EQ(outcome.granted, Micros(99'999'999'999));
  EXPECT_EQ(ledger.run(OpenShare{id, job(7, 1)}).granted, Micros(100'000'000'000));
}

}  // namespace
}  // namespace asbb::ledger
