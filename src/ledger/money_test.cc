// Money that people move: deposits, withdrawals, transfers, refunds, and credit for running jobs.
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

Refund refund(HoldId hold, Micros amount, std::optional<ShareKey> key = {}) {
  return Refund{hold, std::move(key), "USD", amount};
}

void expect_figures(const Outcome& outcome, Refusal refusal, Micros limit, Micros available) {
  EXPECT_EQ(outcome.refusal, refusal) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.leg.limit, limit);
  EXPECT_EQ(outcome.leg.available, available);
  EXPECT_EQ(outcome.unit, "USD");
}

// dept 50 > proj001 20; other 9 stands alone.
TestLedger tree() {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  ledger.account("other", usd(9));
  return ledger;
}

TEST(Deposit, MovesTheLimitWithActorAndReason) {
  TestLedger ledger = tree();
  const Outcome outcome = ledger.run(Deposit{"proj001", "USD", usd(5)});
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.leg.limit, usd(25));
  EXPECT_EQ(ledger.budget("proj001").limit, usd(25));
  EXPECT_EQ(ledger.budget("dept").limit, usd(50));
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  const Entry& entry = ledger.last_entries()[0];
  EXPECT_EQ(entry.type, EntryType::deposit);
  EXPECT_EQ(entry.amount, usd(5));
  EXPECT_EQ(entry.actor, "root");
  EXPECT_EQ(entry.reason, "as a test wants it");
  EXPECT_EQ(entry.details, "limit_micros=25000000\n");
}

TEST(Deposit, RefusesWhatCannotBe) {
  TestLedger ledger = tree();
  const auto deposit = [&](const std::string& account, const std::string& unit, Micros amount) {
    return ledger.run(Deposit{account, unit, amount});
  };
  EXPECT_EQ(deposit("nobody", "USD", usd(1)).refusal, Refusal::unknown_account);
  EXPECT_EQ(deposit("proj001", "EUR", usd(1)).refusal, Refusal::unknown_budget);
  for (const Micros amount : {Micros(), Micros(-1), max_amount + Micros(1)}) {
    EXPECT_EQ(deposit("proj001", "USD", amount).refusal, Refusal::bad_amount);
  }
  expect_figures(deposit("proj001", "USD", max_amount - usd(20) + Micros(1)),
                 Refusal::limit_too_large, usd(20), usd(20));
  EXPECT_TRUE(deposit("proj001", "USD", max_amount - usd(20)).accepted());
  ASSERT_TRUE(ledger.run(CloseAccount{"other"}).accepted());
  EXPECT_EQ(deposit("other", "USD", usd(1)).refusal, Refusal::account_closed);
  ledger.now = epoch + hours(1000);
  expect_figures(deposit("dept", "USD", usd(1)), Refusal::budget_ended, usd(50), usd(50));
}

TEST(Deposit, GoesIntoTheBudgetInForceElseTheNextToCome) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  ASSERT_TRUE(
      ledger.run(AddBudget{"proj001", budget_of(usd(7), epoch + hours(1100), epoch + hours(1200))})
          .accepted());
  ASSERT_TRUE(ledger.run(Deposit{"proj001", "USD", usd(1)}).accepted());
  EXPECT_EQ(ledger.budget("proj001", 0).limit, usd(6));
  ledger.now = epoch + hours(1050);
  ASSERT_TRUE(ledger.run(Deposit{"proj001", "USD", usd(1)}).accepted());
  EXPECT_EQ(ledger.budget("proj001", 1).limit, usd(8));
}

TEST(Reason, IsNeededWheneverMoneyIsMovedByHand) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(5))).accepted());
  const std::vector<Action> actions{Deposit{"proj001", "USD", usd(1)},
                                    Withdraw{"proj001", "USD", usd(1)},
                                    Transfer{"proj001", "other", "USD", usd(1)}, refund(id, usd(1)),
                                    Adjust{"proj001", "USD", usd(1)}};
  for (const Action& action : actions) {
    for (const std::string& reason : {std::string(), std::string(" \t"), std::string(2001, 'x')}) {
      Command command;
      command.context = {"", "", "root", reason, epoch};
      command.action = action;
      const Outcome outcome = ledger.run(command);
      EXPECT_EQ(outcome.refusal, Refusal::reason_missing) << action.index();
      EXPECT_EQ(outcome.field, "reason");
    }
  }
}

TEST(Withdraw, NeverGoesBelowWhatIsHeldAndUsed) {
  TestLedger ledger = tree();
  ASSERT_TRUE(ledger.run(place("proj001", usd(6))).accepted());
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(4)}).accepted());
  const Outcome refused = ledger.run(Withdraw{"proj001", "USD", usd(10) + Micros(1)});
  expect_figures(refused, Refusal::exceeds_available, usd(20), usd(10));
  EXPECT_EQ(refused.leg.held, usd(6));
  EXPECT_EQ(refused.leg.used, usd(4));
  ASSERT_TRUE(ledger.run(Withdraw{"proj001", "USD", usd(10)}).accepted());
  EXPECT_EQ(ledger.last_entries().at(0).type, EntryType::withdrawal);
  EXPECT_EQ(ledger.budget("proj001").limit, usd(10));
  EXPECT_EQ(ledger.budget("dept").limit, usd(50));
  EXPECT_EQ(ledger.run(Withdraw{"proj001", "USD", Micros(1)}).refusal, Refusal::exceeds_available);
  EXPECT_EQ(ledger.run(Withdraw{"proj001", "USD", Micros(-1)}).refusal, Refusal::bad_amount);
  EXPECT_EQ(ledger.run(Withdraw{"nobody", "USD", usd(1)}).refusal, Refusal::unknown_account);
  EXPECT_EQ(ledger.run(Withdraw{"proj001", "EUR", usd(1)}).refusal, Refusal::unknown_budget);
}

// The pair of entries is one command; the limits of accounts above stay, on both sides.
TEST(Transfer, IsAPairOfEntriesAlsoBetweenParents) {
  TestLedger ledger = tree();
  ledger.account("school", usd(30));
  ledger.account("proj002", usd(1), "school");
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "cpu", usd(19)}).accepted());
  const Outcome outcome = ledger.run(Transfer{"proj001", "proj002", "USD", usd(8)});
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.budget, ledger.budget("proj001").id);
  EXPECT_EQ(ledger.budget("proj001").limit, usd(12));
  EXPECT_EQ(ledger.budget("proj002").limit, usd(9));
  EXPECT_EQ(ledger.budget("dept").limit, usd(50));
  EXPECT_EQ(ledger.budget("school").limit, usd(30));
  EXPECT_EQ(ledger.limit("proj001", "cpu").limit, usd(19));
  ASSERT_EQ(ledger.last_entries().size(), 2u);
  const Entry& out = ledger.last_entries()[0];
  const Entry& in = ledger.last_entries()[1];
  EXPECT_EQ(out.type, EntryType::transfer_out);
  EXPECT_EQ(out.account_name, "proj001");
  EXPECT_EQ(out.details, "limit_micros=12000000\nother_account=proj002\nother_budget=5\n");
  EXPECT_EQ(in.type, EntryType::transfer_in);
  EXPECT_EQ(in.account_name, "proj002");
  EXPECT_EQ(in.amount, usd(8));
  EXPECT_EQ(in.reason, out.reason);
  // Money beyond what the new parent allows can be there, and cannot be held.
  ASSERT_TRUE(ledger.run(Transfer{"dept", "proj002", "USD", usd(40)}).accepted());
  const Outcome held = ledger.run(place("proj002", usd(31)));
  EXPECT_EQ(held.refusal, Refusal::insufficient_budget);
  EXPECT_EQ(held.leg.account, "school");
}

TEST(Transfer, RefusesWhatCannotBe) {
  TestLedger ledger = tree();
  ASSERT_TRUE(ledger.run(place("proj001", usd(15))).accepted());
  const auto transfer = [&](const std::string& from, const std::string& to, Micros amount) {
    return ledger.run(Transfer{from, to, "USD", amount});
  };
  expect_figures(transfer("proj001", "other", usd(5) + Micros(1)), Refusal::exceeds_available,
                 usd(20), usd(5));
  EXPECT_EQ(transfer("proj001", "proj001", usd(1)).refusal, Refusal::same_budget);
  EXPECT_EQ(transfer("nobody", "other", usd(1)).field, "account");
  EXPECT_EQ(transfer("other", "nobody", usd(1)).refusal, Refusal::unknown_account);
  EXPECT_EQ(transfer("other", "nobody", usd(1)).field, "to");
  EXPECT_EQ(transfer("other", "dept", Micros()).refusal, Refusal::bad_amount);
  ledger.account("rich", max_amount);
  EXPECT_EQ(transfer("other", "rich", Micros(1)).refusal, Refusal::limit_too_large);
  EXPECT_EQ(ledger.run(Transfer{"other", "dept", "EUR", usd(1)}).refusal, Refusal::unknown_budget);
  // What a closed account has left can go elsewhere; nothing goes into it.
  ASSERT_TRUE(ledger.run(CloseAccount{"other"}).accepted());
  EXPECT_EQ(transfer("dept", "other", usd(1)).refusal, Refusal::account_closed);
  EXPECT_TRUE(transfer("other", "dept", usd(9)).accepted());
  ledger.now = epoch + hours(1000);
  EXPECT_EQ(transfer("dept", "proj001", usd(1)).refusal, Refusal::budget_ended);
}

TEST(Refund, GoesBackToTheBudgetThatPaidAlsoAfterItsEnd) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(8))).accepted());
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  UpdateAccount elsewhere;
  elsewhere.name = "proj001";
  elsewhere.parent = "other";
  ASSERT_TRUE(ledger.run(elsewhere).accepted());
  ledger.now = epoch + hours(5000);
  const Outcome outcome = ledger.run(refund(id, usd(6)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.budget, ledger.budget("proj001").id);
  EXPECT_EQ(ledger.budget("proj001").used, usd(2));
  EXPECT_EQ(ledger.budget("dept").used, usd(2));
  EXPECT_EQ(ledger.limit("dept", "cpu").used, usd(2));
  EXPECT_EQ(ledger.budget("other").used, Micros());
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  const Entry& entry = ledger.last_entries()[0];
  EXPECT_EQ(entry.type, EntryType::refund);
  EXPECT_EQ(entry.amount, usd(6));
  EXPECT_EQ(entry.job, job(7));
  EXPECT_EQ(entry.reason, "as a test wants it");
  // The settlement stays what it was.
  EXPECT_TRUE(ledger.run(settle(id, job(7), usd(8))).replayed);
}

TEST(Refund, IsNeverMoreThanWhatWasChargedLessWhatWasRefunded) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(3))).accepted());
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(10)}).accepted());
  ASSERT_TRUE(ledger.run(refund(id, usd(1))).accepted());
  const Outcome outcome = ledger.run(refund(id, usd(2) + Micros(1)));
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_charge);
  EXPECT_EQ(outcome.charged, usd(2));
  EXPECT_EQ(outcome.unit, "USD");
  EXPECT_TRUE(ledger.run(refund(id, usd(2))).accepted());
  EXPECT_EQ(ledger.run(refund(id, Micros(1))).refusal, Refusal::exceeds_charge);
  EXPECT_EQ(ledger.run(refund(id, Micros())).refusal, Refusal::bad_amount);
  EXPECT_EQ(ledger.run(refund(HoldId{99}, usd(1))).refusal, Refusal::unknown_hold);
  Refund euros = refund(id, usd(1));
  euros.unit = "EUR";
  EXPECT_EQ(ledger.run(euros).refusal, Refusal::unit_not_held);
}

TEST(Refund, OfAHoldTakesItsRunsInTurnAndOfARunThatOneAlone) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(9), 3);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 2), usd(3))).accepted());
  ledger.now = epoch + hours(1);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 0), usd(2))).accepted());
  EXPECT_EQ(ledger.run(refund(id, usd(1), job(7, 1))).refusal, Refusal::exceeds_charge);
  EXPECT_EQ(ledger.run(refund(id, usd(2) + Micros(1), job(7, 0))).charged, usd(2));
  ASSERT_TRUE(ledger.run(refund(id, usd(1), job(7, 0))).accepted());
  ASSERT_TRUE(ledger.run(refund(id, usd(4))).accepted());
  ASSERT_EQ(ledger.last_entries().size(), 2u);
  EXPECT_EQ(ledger.last_entries()[0].job, job(7, 2));
  EXPECT_EQ(ledger.last_entries()[0].amount, usd(3));
  EXPECT_EQ(ledger.last_entries()[1].job, job(7, 0));
  EXPECT_EQ(ledger.last_entries()[1].amount, usd(1));
  // Another job's charge is never touched.
  EXPECT_EQ(ledger.run(refund(id, Micros(1))).refusal, Refusal::exceeds_charge);
  EXPECT_EQ(ledger.budget("proj001").held, usd(3));
}

TEST(Refund, OfSeveralHoldsIsAllOrNothing) {
  TestLedger ledger = tree();
  const HoldId first = ledger.hold("proj001", usd(5));
  const HoldId second = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(first, job(7), usd(5), true)).accepted());
  ledger.now = epoch + hours(1);
  ASSERT_TRUE(ledger.run(settle(second, job(7, -1, 1), usd(3))).accepted());
  Refund both = refund(second, usd(8) + Micros(1), job(7, -1, -1));
  both.more = {first, first, second};
  const Outcome refused = ledger.run(both);
  EXPECT_EQ(refused.refusal, Refusal::exceeds_charge);
  EXPECT_EQ(refused.charged, usd(8));
  both.amount = usd(6);
  ASSERT_TRUE(ledger.run(both).accepted());
  ASSERT_EQ(ledger.last_entries().size(), 2u);
  EXPECT_EQ(ledger.last_entries()[0].hold, first);
  EXPECT_EQ(ledger.last_entries()[0].amount, usd(5));
  EXPECT_EQ(ledger.last_entries()[1].hold, second);
  EXPECT_EQ(ledger.last_entries()[1].amount, usd(1));
  EXPECT_EQ(ledger.budget("proj001").used, usd(2));
  EXPECT_EQ(ledger.budget("dept").used, usd(2));
  const Outcome rest = ledger.run(both);
  EXPECT_EQ(rest.charged, usd(2));
  EXPECT_EQ(rest.released, usd(6));
  both.more = {HoldId{99}};
  EXPECT_EQ(ledger.run(both).refusal, Refusal::unknown_hold);
}

// Either hold alone has enough used above it, both together have not.
TEST(Refund, OfSeveralHoldsNeverTakesUsedBelowNothing) {
  TestLedger ledger = tree();
  const HoldId first = ledger.hold("proj001", usd(5));
  const HoldId second = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(first, job(7), usd(5))).accepted());
  ASSERT_TRUE(ledger.run(settle(second, job(7, -1, 1), usd(3))).accepted());
  ASSERT_TRUE(ledger.run(Adjust{"dept", "USD", usd(-2)}).accepted());
  Refund both = refund(first, usd(7));
  both.more = {second};
  const Outcome refused = ledger.run(both);
  EXPECT_EQ(refused.refusal, Refusal::exceeds_used);
  EXPECT_EQ(refused.leg.account, "dept");
  EXPECT_EQ(refused.leg.used, usd(6));
  EXPECT_EQ(ledger.budget("proj001").used, usd(8));
  EXPECT_TRUE(ledger.last_entries().empty());
  both.amount = usd(6);
  EXPECT_TRUE(ledger.run(both).accepted());
}

// After a correction there may be less used than a refund wants back.
TEST(Refund, NeverTakesUsedBelowNothing) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(5));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(5))).accepted());
  ASSERT_TRUE(ledger.run(Adjust{"dept", "USD", usd(-3)}).accepted());
  const Outcome outcome = ledger.run(refund(id, usd(3)));
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_used);
  EXPECT_EQ(outcome.leg.account, "dept");
  EXPECT_EQ(outcome.leg.used, usd(2));
  EXPECT_TRUE(ledger.run(refund(id, usd(2))).accepted());
}

TEST(Credit, IsForJobsThatRunAndNeverForHolds) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {budget_of(usd(10))};
  create.budgets[0].credit_limit = usd(1);
  ASSERT_TRUE(ledger.run(create).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(10) + Micros(1))).refusal,
            Refusal::insufficient_budget);
  const HoldId id = ledger.hold("proj001", usd(10));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(4), true)).accepted());
  // 4 used, 6 held; the next run lacks 4: more than the credit of 1.
  EXPECT_EQ(ledger.run(OpenShare{id, job(7, -1, 1)}).amount, Micros());
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 1), usd(2), true)).accepted());
  UpdateAccount update;
  update.name = "proj001";
  update.credit_limit = usd(6);
  ASSERT_TRUE(ledger.run(update).accepted());
  EXPECT_EQ(ledger.last_entries().at(0).type, EntryType::budget_update);
  EXPECT_EQ(ledger.budget("proj001").credit_limit, usd(6));
  EXPECT_EQ(ledger.run(place("proj001", Micros(1))).refusal, Refusal::insufficient_budget);
  EXPECT_EQ(ledger.run(OpenShare{id, job(7, -1, 2)}).amount, usd(6));
  EXPECT_EQ(ledger.budget("proj001").available(), usd(-6));
  // A partition limit lends nothing.
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 2), Micros(), true)).accepted());
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "cpu", usd(16)}).accepted());
  ASSERT_TRUE(ledger.run(settle(id, job(7, -1, 3), usd(1), true)).accepted());
  EXPECT_EQ(ledger.run(OpenShare{id, job(7, -1, 4)}).amount, Micros());
  update.credit_limit = Micros(-1);
  EXPECT_EQ(ledger.run(update).refusal, Refusal::bad_amount);
}

}  // namespace
}  // namespace asbb::ledger
