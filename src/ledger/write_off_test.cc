// A charge moved onto another account that bears it.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::budget_of;
using testing::epoch;
using testing::job;
using testing::settle;
using testing::TestLedger;
using testing::usd;

WriteOff write_off(HoldId hold, std::optional<Micros> amount = {},
                   std::optional<ShareKey> key = {}) {
  return WriteOff{hold, std::move(key), "USD", amount, "overhead"};
}

// dept 50 > proj001 20; overhead 9 below centre 30.
TestLedger tree() {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  ledger.account("centre", usd(30));
  ledger.account("overhead", usd(9), "centre");
  return ledger;
}

HoldId charged(TestLedger& ledger, Micros cost) {
  const HoldId id = ledger.hold("proj001", usd(5));
  EXPECT_TRUE(ledger.run(settle(id, job(7), cost)).accepted());
  return id;
}

TEST(WriteOff, MovesTheCostByAPairOfEntries) {
  TestLedger ledger = tree();
  const HoldId id = charged(ledger, usd(7));
  const Outcome outcome = ledger.run(write_off(id, usd(4)));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.amount, usd(4));
  EXPECT_EQ(ledger.budget("proj001").used, usd(3));
  EXPECT_EQ(ledger.budget("dept").used, usd(3));
  EXPECT_EQ(ledger.limit("proj001", "cpu").used, usd(3));
  EXPECT_EQ(ledger.budget("overhead").used, usd(4));
  EXPECT_EQ(ledger.budget("centre").used, usd(4));
  const auto entries = ledger.last_entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].type, EntryType::write_off_out);
  EXPECT_EQ(entries[0].account_name, "proj001");
  EXPECT_EQ(entries[0].job, job(7));
  EXPECT_EQ(entries[0].reason, "as a test wants it");
  EXPECT_EQ(entries[0].details, "other_account=overhead\nother_budget=4\n");
  EXPECT_EQ(entries[1].type, EntryType::write_off_in);
  EXPECT_EQ(entries[1].account_name, "overhead");
  EXPECT_EQ(entries[1].budget, BudgetId{4});
  EXPECT_EQ(entries[1].hold, id);
  EXPECT_EQ(entries[1].job, job(7));
  EXPECT_EQ(entries[1].actor, "root");
  EXPECT_EQ(entries[1].details, "legs=b4,b3\nother_account=proj001\nother_budget=2\n");
}

TEST(WriteOff, WithoutAnAmountIsAllThatIsLeftOfTheCharge) {
  TestLedger ledger = tree();
  const HoldId id = charged(ledger, usd(7));
  ASSERT_TRUE(ledger.run(Refund{id, {}, "USD", usd(1)}).accepted());
  const Outcome outcome = ledger.run(write_off(id));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.amount, usd(6));
  EXPECT_EQ(ledger.budget("proj001").used, Micros());
  EXPECT_EQ(ledger.run(write_off(id)).refusal, Refusal::exceeds_charge);
  EXPECT_EQ(ledger.run(Refund{id, {}, "USD", Micros(1)}).refusal, Refusal::exceeds_charge);
}

TEST(WriteOff, NeverMoreThanWasChargedLessWhatWasRefunded) {
  TestLedger ledger = tree();
  const HoldId id = charged(ledger, usd(7));
  ASSERT_TRUE(ledger.run(Refund{id, {}, "USD", usd(3)}).accepted());
  const Outcome outcome = ledger.run(write_off(id, usd(4) + Micros(1)));
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_charge);
  EXPECT_EQ(outcome.charged, usd(4));
  EXPECT_EQ(outcome.field, "amount");
}

TEST(WriteOff, OfOneRunAndOfSeveral) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(9), 3);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 0), usd(1))).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7, 1), usd(2))).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7, 2), usd(3))).accepted());
  ASSERT_TRUE(ledger.run(write_off(id, {}, job(7, 1))).accepted());
  EXPECT_EQ(ledger.last_entries().size(), 2u);
  EXPECT_EQ(ledger.budget("overhead").used, usd(2));
  ASSERT_TRUE(ledger.run(write_off(id)).accepted());
  EXPECT_EQ(ledger.last_entries().size(), 4u);
  EXPECT_EQ(ledger.budget("overhead").used, usd(6));
}

TEST(WriteOff, OfSeveralHolds) {
  TestLedger ledger = tree();
  const HoldId first = charged(ledger, usd(5));
  const HoldId second = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(second, job(7, -1, 1), usd(3))).accepted());
  WriteOff both = write_off(second, {}, job(7, -1, -1));
  both.more = {first};
  const Outcome outcome = ledger.run(both);
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.amount, usd(8));
  EXPECT_EQ(ledger.last_entries().size(), 4u);
  EXPECT_EQ(ledger.budget("proj001").used, Micros());
  EXPECT_EQ(ledger.budget("overhead").used, usd(8));
  EXPECT_EQ(ledger.run(both).refusal, Refusal::exceeds_charge);
}

// It is a cost that came to be: the account that bears it goes below zero, which stops new holds.
TEST(WriteOff, MayExceedWhatTheAccountThatBearsItHas) {
  TestLedger ledger = tree();
  const HoldId id = charged(ledger, usd(15));
  ASSERT_TRUE(ledger.run(write_off(id)).accepted());
  EXPECT_EQ(ledger.budget("overhead").available(), usd(-6));
  EXPECT_EQ(ledger.run(testing::place("overhead", Micros(1))).refusal,
            Refusal::insufficient_budget);
}

// The payer's budget may have ended; the one that bears it is the one in force now.
TEST(WriteOff, ComesBackToABudgetThatHasEnded) {
  TestLedger ledger = tree();
  const HoldId id = charged(ledger, usd(5));
  ledger.now = epoch + hours(1000);
  EXPECT_EQ(ledger.run(write_off(id)).refusal, Refusal::budget_not_in_force);
  const NewBudget next = budget_of(usd(1), epoch + hours(1000), epoch + hours(2000));
  ASSERT_TRUE(ledger.run(AddBudget{"overhead", next}).accepted());
  ASSERT_TRUE(ledger.run(write_off(id)).accepted());
  EXPECT_EQ(ledger.budget("proj001").used, Micros());
  EXPECT_EQ(ledger.budget("overhead", 1).used, usd(5));
}

TEST(WriteOff, RefusesWhatCannotBe) {
  TestLedger ledger = tree();
  const HoldId id = charged(ledger, usd(5));
  const auto refusal = [&](const WriteOff& action) { return ledger.run(action).refusal; };
  EXPECT_EQ(refusal(write_off(HoldId{99})), Refusal::unknown_hold);
  EXPECT_EQ(refusal(write_off(id, Micros())), Refusal::bad_amount);
  EXPECT_EQ(refusal(write_off(id, Micros(-1))), Refusal::bad_amount);
  EXPECT_EQ(refusal(write_off(id, {}, job(8))), Refusal::exceeds_charge);
  WriteOff other = write_off(id);
  other.unit = "core-hours";
  EXPECT_EQ(refusal(other), Refusal::unit_not_held);
  other = write_off(id);
  other.to = "nobody";
  EXPECT_EQ(refusal(other), Refusal::unknown_account);
  other.to = "proj001";
  EXPECT_EQ(refusal(other), Refusal::same_budget);
  Command silent;
  silent.context.at = ledger.now;
  silent.action = write_off(id);
  EXPECT_EQ(ledger.run(silent).refusal, Refusal::reason_missing);
  ASSERT_TRUE(ledger.run(Adjust{"dept", "USD", usd(-3)}).accepted());
  const Outcome outcome = ledger.run(write_off(id, usd(3)));
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_used);
  EXPECT_EQ(outcome.leg.account, "dept");
  ASSERT_TRUE(ledger.run(CloseAccount{"overhead"}).accepted());
  EXPECT_EQ(refusal(write_off(id, usd(1))), Refusal::account_closed);
}

// Below one department it stays in the department's figures.
TEST(WriteOff, WithinOneTreeTheTopKeepsTheCost) {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  ledger.account("overhead", usd(9), "dept");
  const HoldId id = charged(ledger, usd(5));
  ASSERT_TRUE(ledger.run(write_off(id)).accepted());
  EXPECT_EQ(ledger.budget("dept").used, usd(5));
  EXPECT_EQ(ledger.budget("overhead").used, usd(5));
}

}  // namespace
}  // namespace asbb::ledger
