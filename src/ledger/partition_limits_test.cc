// Limits of partitions inside a budget: what they count, and what they refuse.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

TEST(SetPartitionLimit, RefusesWhatCannotBe) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  const auto set = [&](const std::string& account, const std::string& unit,
                       const std::string& partition, Micros limit) {
    return ledger.run(SetPartitionLimit{account, unit, partition, limit}).refusal;
  };
  EXPECT_EQ(set("nobody", "USD", "gpu-aws", usd(1)), Refusal::unknown_account);
  EXPECT_EQ(set("proj001", "EUR", "gpu-aws", usd(1)), Refusal::unknown_budget);
  EXPECT_EQ(set("proj001", "USD", "", usd(1)), Refusal::bad_name);
  EXPECT_EQ(set("proj001", "USD", "gpu-aws", Micros(-1)), Refusal::bad_amount);
  EXPECT_EQ(set("proj001", "USD", "gpu-aws", max_amount + Micros(1)), Refusal::bad_amount);
  EXPECT_EQ(set("proj001", "USD", "gpu-aws", usd(20)), Refusal::none);
  PlaceHold on_gpu = place("proj001", usd(15));
  on_gpu.partition = "gpu-aws";
  ASSERT_TRUE(ledger.run(on_gpu).accepted());
  EXPECT_EQ(set("proj001", "USD", "gpu-aws", usd(15) - Micros(1)), Refusal::limit_below_committed);
  EXPECT_EQ(set("proj001", "USD", "gpu-aws", usd(15)), Refusal::none);
  ASSERT_TRUE(ledger.run(settle(HoldId{1}, job(7), usd(9))).accepted());
  EXPECT_EQ(set("proj001", "USD", "gpu-aws", usd(9) - Micros(1)), Refusal::limit_below_committed);
  EXPECT_EQ(ledger.limit("proj001", "gpu-aws").limit, usd(15));
  EXPECT_EQ(ledger.book.counters().limit, 1);
}

// A new limit used to count from the moment it was set, on top of what was there.
TEST(SetPartitionLimit, StartsFromWhatIsHeldAndUsedThere) {
  TestLedger ledger;
  ledger.account("dept", usd(90));
  ledger.account("proj001", usd(50), "dept");
  PlaceHold on_gpu = place("proj001", usd(4));
  on_gpu.partition = "gpu-aws";
  const HoldId charged = ledger.run(on_gpu).hold;
  ASSERT_TRUE(ledger.run(settle(charged, job(7), usd(3))).accepted());
  const HoldId open = ledger.run(on_gpu).hold;
  ASSERT_TRUE(ledger.run(place("proj001", usd(9))).accepted());
  EXPECT_EQ(ledger.limit("proj001", "gpu-aws").limit, std::nullopt);
  for (const char* account : {"proj001", "dept"}) {
    SetPartitionLimit set{account, "USD", "gpu-aws", usd(7) - Micros(1)};
    const Outcome outcome = ledger.run(set);
    EXPECT_EQ(outcome.refusal, Refusal::limit_below_committed);
    EXPECT_EQ(outcome.leg.held, usd(4));
    EXPECT_EQ(outcome.leg.used, usd(3));
    EXPECT_EQ(outcome.unit, "USD");
    set.limit = usd(8);
    ASSERT_TRUE(ledger.run(set).accepted());
  }
  on_gpu.parts[0].amount = usd(1) + Micros(1);
  EXPECT_EQ(ledger.run(on_gpu).refusal, Refusal::partition_limit_exceeded);
  // What was held before the limit was set is counted when it is charged.
  ASSERT_TRUE(ledger.run(settle(open, job(8), usd(4))).accepted());
  EXPECT_EQ(ledger.limit("dept", "gpu-aws").used, usd(7));
  EXPECT_EQ(ledger.limit("dept", "gpu-aws").held, Micros());
}

TEST(SetPartitionLimit, APartitionWithoutALimitRefusesNothing) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  ASSERT_TRUE(ledger.run(place("proj001", usd(50))).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(1))).refusal, Refusal::insufficient_budget);
  EXPECT_EQ(ledger.book.counters().limit, 1);
  PlaceHold anywhere = place("proj001", Micros());
  anywhere.partition.clear();
  ASSERT_TRUE(ledger.run(anywhere).accepted());
  EXPECT_EQ(ledger.book.counters().limit, 1);
}

constexpr Instant period_end = testing::epoch + hours(100);

// proj001 with 50 until period_end and 50 after it.
TestLedger two_periods() {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {testing::budget_of(usd(50), testing::epoch, period_end),
                    testing::budget_of(usd(50), period_end, period_end + hours(100))};
  EXPECT_TRUE(ledger.run(create).accepted());
  return ledger;
}

Refusal set_cpu(TestLedger& ledger, Micros limit) {
  return ledger.run(SetPartitionLimit{"proj001", "USD", "cpu", limit}).refusal;
}

// It used to end with its budget: the next period had none.
TEST(SetPartitionLimit, HoldsInTheNextPeriodToo) {
  TestLedger ledger = two_periods();
  ASSERT_EQ(set_cpu(ledger, usd(5)), Refusal::none);
  EXPECT_EQ(ledger.last_entries().size(), 2U);
  ledger.now = period_end;
  EXPECT_EQ(ledger.run(place("proj001", usd(6))).refusal, Refusal::partition_limit_exceeded);
  AddBudget third{"proj001",
                  testing::budget_of(usd(50), period_end + hours(100), period_end + hours(200))};
  ASSERT_TRUE(ledger.run(third).accepted());
  ledger.now = period_end + hours(100);
  EXPECT_EQ(ledger.run(place("proj001", usd(6))).refusal, Refusal::partition_limit_exceeded);
  EXPECT_TRUE(ledger.run(place("proj001", usd(5))).accepted());
}

TEST(SetPartitionLimit, OneThatWasSetApartStays) {
  TestLedger ledger = two_periods();
  ASSERT_EQ(set_cpu(ledger, usd(5)), Refusal::none);
  ledger.now = period_end;
  ASSERT_EQ(set_cpu(ledger, usd(8)), Refusal::none);
  ASSERT_EQ(ledger.last_entries().size(), 1U);
  ledger.now = testing::epoch;
  ASSERT_EQ(set_cpu(ledger, usd(3)), Refusal::none);
  EXPECT_EQ(ledger.limit("proj001", "cpu").limit, usd(8));
  EXPECT_EQ(ledger.run(place("proj001", usd(4))).refusal, Refusal::partition_limit_exceeded);
}

// All of them or none.
TEST(SetPartitionLimit, BelowWhatTheNextPeriodHoldsIsRefused) {
  TestLedger ledger = two_periods();
  PlaceHold later = place("proj001", usd(7));
  later.period_at = period_end;
  ASSERT_TRUE(ledger.run(later).accepted());
  EXPECT_EQ(set_cpu(ledger, usd(5)), Refusal::limit_below_committed);
  EXPECT_EQ(set_cpu(ledger, usd(7)), Refusal::none);
}

}  // namespace
}  // namespace asbb::ledger
