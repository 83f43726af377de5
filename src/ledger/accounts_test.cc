// Accounts, budgets, partition limits, corrections: what is accepted, what is refused and under
// which name.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::budget_of;
using testing::epoch;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

CreateAccount create(const std::string& name, const std::string& parent = {}) {
  CreateAccount action;
  action.name = name;
  action.parent = parent;
  return action;
}

UpdateAccount update(const std::string& name) {
  UpdateAccount action;
  action.name = name;
  return action;
}

TEST(CreateAccount, WritesTheAccountAndItsBudgets) {
  TestLedger ledger;
  CreateAccount action = create("proj001");
  action.display_name = "Project \"1\"\nfirst";
  action.hold_factor_millionths = 1'500'000;
  action.budgets = {budget_of(usd(50)), budget_of(usd(7))};
  action.budgets[1].unit = "core-hours";
  action.budgets[0].credit_limit = usd(3);
  const Outcome outcome = ledger.run(action);
  ASSERT_TRUE(outcome.accepted());
  const Account& account = *ledger.book.account("proj001");
  EXPECT_EQ(outcome.account, account.id);
  EXPECT_EQ(account.display_name, action.display_name);
  EXPECT_EQ(account.hold_factor_millionths, 1'500'000);
  EXPECT_EQ(account.created_at, epoch);
  EXPECT_EQ(ledger.budget("proj001", 0).limit, usd(50));
  EXPECT_EQ(ledger.budget("proj001", 0).credit_limit, usd(3));
  EXPECT_EQ(ledger.budget("proj001", 1).unit, "core-hours");
  EXPECT_EQ(outcome.sequence, 1);
  ASSERT_EQ(ledger.last_entries().size(), 3u);
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::account_create);
  EXPECT_EQ(ledger.last_entries()[2].type, EntryType::budget_create);
  EXPECT_EQ(ledger.last_entries()[2].amount, usd(7));
}

TEST(CreateAccount, RefusesWhatCannotBe) {
  TestLedger ledger;
  ledger.account("proj001", usd(1));
  ledger.account("old", usd(1));
  ASSERT_TRUE(ledger.run(CloseAccount{"old"}).accepted());
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("-a"), std::string("a\0b", 3),
        std::string(129, 'a'), std::string("a/b"), std::string("\xc3\xa9")}) {
    const Outcome outcome = ledger.run(create(name));
    EXPECT_EQ(outcome.refusal, Refusal::bad_name) << name;
    EXPECT_EQ(outcome.field, "slurm_account");
  }
  EXPECT_EQ(ledger.run(create("proj001")).refusal, Refusal::account_exists);
  EXPECT_EQ(ledger.run(create("a", "nobody")).refusal, Refusal::unknown_parent);
  EXPECT_EQ(ledger.run(create("a", "a")).refusal, Refusal::unknown_parent);
  EXPECT_EQ(ledger.run(create("a", "old")).refusal, Refusal::account_closed);
  CreateAccount action = create("a");
  action.description = std::string(2001, 'x');
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_name);
  for (const std::int64_t factor : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{100'000'001}}) {
    action = create("a");
    action.hold_factor_millionths = factor;
    EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_amount) << factor;
  }
  EXPECT_EQ(ledger.book.account("a"), nullptr);
}

TEST(CreateAccount, RefusesBudgetsThatCannotBe) {
  TestLedger ledger;
  CreateAccount action = create("a");
  const auto refused = [&](const NewBudget& budget, const NewBudget& other = budget_of(usd(1))) {
    action.budgets = {other, budget};
    const Outcome outcome = ledger.run(action);
    EXPECT_EQ(ledger.book.counters(), Counters{});
    return outcome.refusal;
  };
  NewBudget budget = budget_of(usd(1));
  EXPECT_EQ(refused(budget), Refusal::budget_overlaps);
  budget.unit = "core-hours";
  budget.limit = Micros(-1);
  EXPECT_EQ(refused(budget), Refusal::bad_amount);
  budget.limit = max_amount + Micros(1);
  EXPECT_EQ(refused(budget), Refusal::bad_amount);
  budget.limit = max_amount;
  budget.credit_limit = Micros(-1);
  EXPECT_EQ(refused(budget), Refusal::bad_amount);
  budget.credit_limit = Micros();
  budget.end = budget.start;
  EXPECT_EQ(refused(budget), Refusal::bad_period);
  budget.end = epoch + hours(1);
  budget.unit = "two words";
  EXPECT_EQ(refused(budget), Refusal::bad_name);
}

TEST(UpdateAccount, ChangesOnlyWhatIsSet) {
  TestLedger ledger;
  ledger.account("dept", usd(9));
  ledger.account("proj001", usd(5));
  UpdateAccount action = update("proj001");
  action.description = "new";
  action.parent = "dept";
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.last_entries().size(), 1u);
  action = update("proj001");
  action.limit = usd(6);
  action.end = epoch + hours(5);
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::budget_update);
  EXPECT_EQ(ledger.book.account("proj001")->description, "new");
  EXPECT_EQ(ledger.book.account("proj001")->parent, ledger.book.account("dept")->id);
  EXPECT_EQ(ledger.budget("proj001").limit, usd(6));
  EXPECT_EQ(ledger.budget("proj001").end, epoch + hours(5));
  action = update("proj001");
  action.parent = "";
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_FALSE(ledger.book.account("proj001")->parent.is_set());
  ASSERT_TRUE(ledger.run(update("proj001")).accepted());
  EXPECT_TRUE(ledger.last_entries().empty());
}

TEST(UpdateAccount, RefusesWhatCannotBe) {
  TestLedger ledger;
  ledger.account("root", usd(9));
  ledger.account("dept", usd(9), "root");
  ledger.account("proj001", usd(5), "dept");
  ledger.account("old", usd(1));
  ASSERT_TRUE(ledger.run(CloseAccount{"old"}).accepted());
  EXPECT_EQ(ledger.run(update("nobody")).refusal, Refusal::unknown_account);
  const auto with_parent = [&](const std::string& name, const std::string& parent) {
    UpdateAccount action = update(name);
    action.parent = parent;
    return ledger.run(action).refusal;
  };
  EXPECT_EQ(with_parent("root", "root"), Refusal::parent_cycle);
  EXPECT_EQ(with_parent("root", "proj001"), Refusal::parent_cycle);
  EXPECT_EQ(with_parent("root", "nobody"), Refusal::unknown_parent);
  EXPECT_EQ(with_parent("root", "old"), Refusal::account_closed);
  UpdateAccount action = update("dept");
  action.status = AccountStatus::closed;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_name);
  action = update("dept");
  action.display_name = std::string("a\0b", 3);
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_name);
  action = update("dept");
  action.hold_factor_millionths = 0;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_amount);
  action = update("dept");
  action.limit = usd(1);
  action.unit = "core-hours";
  EXPECT_EQ(ledger.run(action).refusal, Refusal::unknown_budget);
  action.unit = "USD";
  action.limit = Micros(-1);
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_amount);
  action.limit.reset();
  action.end = epoch;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_period);
}

TEST(UpdateAccount, AChangeIsAllOrNothing) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  UpdateAccount action = update("proj001");
  action.description = "new";
  action.limit = Micros(-1);
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_amount);
  EXPECT_EQ(ledger.book.account("proj001")->description, "");
}

TEST(UpdateAccount, ALimitIsNotSetBelowWhatIsHeldAndUsed) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  ledger.hold("proj001", usd(30));
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(5)}).accepted());
  UpdateAccount action = update("proj001");
  action.limit = usd(35) - Micros(1);
  const Outcome outcome = ledger.run(action);
  EXPECT_EQ(outcome.refusal, Refusal::limit_below_committed);
  EXPECT_EQ(outcome.leg.held, usd(30));
  EXPECT_EQ(outcome.leg.used, usd(5));
  EXPECT_EQ(outcome.amount, *action.limit);
  action.limit = usd(35);
  EXPECT_TRUE(ledger.run(action).accepted());
  // What is already overdrawn may be raised by less than it lacks.
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(100)}).accepted());
  action.limit = usd(36);
  EXPECT_TRUE(ledger.run(action).accepted());
}

// A second period used to take the place of the first, and its money with it.
TEST(UpdateAccount, APeriodBesideTheOthersIsAddedAsABudget) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(2)}).accepted());
  UpdateAccount action = update("proj001");
  action.limit = usd(9);
  action.start = epoch + hours(1000);
  action.end = epoch + hours(2000);
  const Outcome outcome = ledger.run(action);
  ASSERT_TRUE(outcome.accepted());
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::budget_create);
  EXPECT_EQ(outcome.budget, ledger.budget("proj001", 1).id);
  EXPECT_EQ(ledger.budget("proj001", 0).limit, usd(5));
  EXPECT_EQ(ledger.budget("proj001", 0).used, usd(2));
  EXPECT_EQ(ledger.budget("proj001", 1).limit, usd(9));
  // A period that overlaps one of them means that one, also when another is in force.
  action.limit = usd(10);
  action.end = epoch + hours(3000);
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::budget_update);
  EXPECT_EQ(ledger.budget("proj001", 0).limit, usd(5));
  EXPECT_EQ(ledger.budget("proj001", 1).limit, usd(10));
  action.start = epoch;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::budget_overlaps);
  action.unit = "core-hours";
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.book.counters().budget, 3);
}

TEST(UpdateAccount, ABudgetThatIsAddedMustBeOneThatCanBe) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  UpdateAccount action = update("proj001");
  action.unit = "core-hours";
  action.limit = Micros(-1);
  action.start = epoch;
  action.end = epoch + hours(1);
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_amount);
  action.limit = usd(1);
  action.end = epoch;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_period);
  action.end = epoch + hours(1);
  action.unit = "two words";
  EXPECT_EQ(ledger.run(action).refusal, Refusal::bad_name);
  action.unit = "core-hours";
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  EXPECT_EQ(ledger.run(action).refusal, Refusal::account_closed);
  EXPECT_EQ(ledger.book.counters().budget, 1);
  action.status = AccountStatus::active;
  EXPECT_TRUE(ledger.run(action).accepted());
}

TEST(UpdateAccount, AnAddedBudgetAndTheRestAreAllOrNothing) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  UpdateAccount action = update("proj001");
  action.unit = "core-hours";
  action.limit = usd(1);
  action.start = epoch;
  action.end = epoch + hours(1);
  action.parent = "nobody";
  EXPECT_EQ(ledger.run(action).refusal, Refusal::unknown_parent);
  EXPECT_EQ(ledger.book.counters().budget, 1);
  EXPECT_TRUE(ledger.last_entries().empty());
}

TEST(UpdateAccount, APeriodIsNotMovedAwayFromItsMoney) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  const HoldId hold = ledger.hold("proj001", usd(2));
  ledger.now = epoch + hours(10);
  UpdateAccount action = update("proj001");
  action.end = ledger.now;
  Outcome outcome = ledger.run(action);
  EXPECT_EQ(outcome.refusal, Refusal::budget_in_use);
  EXPECT_EQ(outcome.field, "end_date");
  EXPECT_EQ(outcome.leg.held, usd(2));
  EXPECT_EQ(outcome.unit, "USD");
  ASSERT_TRUE(ledger.run(settle(hold, job(7), usd(1))).accepted());
  action = update("proj001");
  action.start = ledger.now + Span{1};
  outcome = ledger.run(action);
  EXPECT_EQ(outcome.refusal, Refusal::budget_in_use);
  EXPECT_EQ(outcome.field, "start_date");
  EXPECT_EQ(outcome.leg.used, usd(1));
  action.start = ledger.now;
  EXPECT_TRUE(ledger.run(action).accepted());
  // After its end the limit may still change, the period not; without money it may go anywhere.
  ledger.now = epoch + hours(5000);
  action = update("proj001");
  action.limit = usd(6);
  EXPECT_TRUE(ledger.run(action).accepted());
  action.end = epoch + hours(4000);
  EXPECT_EQ(ledger.run(action).refusal, Refusal::budget_in_use);
  ASSERT_TRUE(
      ledger.run(AddBudget{"proj001", budget_of(usd(1), epoch + hours(6000), epoch + hours(7000))})
          .accepted());
  action = update("proj001");
  action.start = epoch + hours(6500);
  EXPECT_TRUE(ledger.run(action).accepted());
}

TEST(UpdateAccount, TheBudgetInForceThenTheNextThenTheLastIsMeant) {
  TestLedger ledger;
  CreateAccount action = create("proj001");
  action.budgets = {budget_of(usd(1), epoch + hours(30), epoch + hours(40)),
                    budget_of(usd(2), epoch + hours(10), epoch + hours(20)),
                    budget_of(usd(3), epoch + hours(50), epoch + hours(60))};
  ASSERT_TRUE(ledger.run(action).accepted());
  const auto meant = [&](std::int64_t hour) {
    ledger.now = epoch + hours(hour);
    UpdateAccount change = update("proj001");
    change.limit = usd(100);
    const BudgetId id = ledger.run(change).budget;
    return ledger.book.budget(id)->start.microseconds / hours(1).microseconds -
           epoch.microseconds / hours(1).microseconds;
  };
  EXPECT_EQ(meant(0), 10);
  EXPECT_EQ(meant(15), 10);
  EXPECT_EQ(meant(20), 30);
  EXPECT_EQ(meant(45), 50);
  EXPECT_EQ(meant(60), 50);
}

TEST(CloseAccount, ClosesOnceAndCanBeReopened) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  EXPECT_EQ(ledger.run(CloseAccount{"nobody"}).refusal, Refusal::unknown_account);
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  EXPECT_TRUE(ledger.last_entries().empty());
  EXPECT_EQ(ledger.run(place("proj001", usd(1))).refusal, Refusal::account_closed);
  EXPECT_EQ(ledger.run(AddBudget{"proj001", budget_of(usd(1))}).refusal, Refusal::account_closed);
  UpdateAccount action = update("proj001");
  action.status = AccountStatus::active;
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_TRUE(ledger.run(place("proj001", usd(1))).accepted());
}

TEST(AddBudget, OnePerAccountUnitAndInstant) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  EXPECT_EQ(ledger.run(AddBudget{"nobody", budget_of(usd(1))}).refusal, Refusal::unknown_account);
  const Instant end = ledger.budget("proj001").end;
  NewBudget next = budget_of(usd(1), end - hours(1), end + hours(9));
  EXPECT_EQ(ledger.run(AddBudget{"proj001", next}).refusal, Refusal::budget_overlaps);
  next.start = end;
  EXPECT_TRUE(ledger.run(AddBudget{"proj001", next}).accepted());
  UpdateAccount stretch = update("proj001");
  stretch.end = end + Span{1};
  EXPECT_EQ(ledger.run(stretch).refusal, Refusal::budget_overlaps);
}

TEST(Adjust, ChangesWhatIsUsedOnTheBudgetAndAboveIt) {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "gpu-aws", usd(1)}).accepted());
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(7)}).accepted());
  const Outcome outcome = ledger.run(Adjust{"proj001", "USD", usd(-3)});
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.budget, ledger.budget("proj001").id);
  EXPECT_EQ(ledger.budget("proj001").used, usd(4));
  EXPECT_EQ(ledger.budget("dept").used, usd(4));
  EXPECT_EQ(ledger.limit("proj001", "gpu-aws").used, Micros());
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_EQ(ledger.last_entries()[0].amount, usd(-3));
  EXPECT_EQ(ledger.last_entries()[0].budget, ledger.budget("proj001").id);
}

// A correction below nothing used would make money out of nothing.
TEST(Adjust, GivesBackAtMostWhatWasUsed) {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(5)}).accepted());
  Outcome outcome = ledger.run(Adjust{"proj001", "USD", usd(-5) - Micros(1)});
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_used);
  EXPECT_EQ(outcome.field, "amount");
  EXPECT_EQ(outcome.unit, "USD");
  EXPECT_EQ(outcome.leg.account, "proj001");
  EXPECT_EQ(outcome.leg.used, usd(5));
  // The account above may have used less, when its budget came later or was corrected.
  ASSERT_TRUE(ledger.run(Adjust{"dept", "USD", usd(-2)}).accepted());
  outcome = ledger.run(Adjust{"proj001", "USD", usd(-4)});
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_used);
  EXPECT_EQ(outcome.leg.account, "dept");
  EXPECT_EQ(outcome.leg.used, usd(3));
  EXPECT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(-3)}).accepted());
  EXPECT_EQ(ledger.budget("dept").used, Micros());
}

TEST(Adjust, RefusesWhatCannotBe) {
  TestLedger ledger;
  ledger.account("proj001", usd(20));
  const auto adjust = [&](const std::string& account, const std::string& unit, Micros amount) {
    return ledger.run(Adjust{account, unit, amount}).refusal;
  };
  EXPECT_EQ(adjust("nobody", "USD", usd(1)), Refusal::unknown_account);
  EXPECT_EQ(adjust("proj001", "EUR", usd(1)), Refusal::no_budget);
  EXPECT_EQ(adjust("proj001", "USD", Micros()), Refusal::bad_amount);
  EXPECT_EQ(adjust("proj001", "USD", max_amount + Micros(1)), Refusal::bad_amount);
  EXPECT_EQ(adjust("proj001", "USD", Micros() - max_amount - Micros(1)), Refusal::bad_amount);
  ledger.now = epoch + hours(1000);
  EXPECT_EQ(adjust("proj001", "USD", usd(1)), Refusal::budget_not_in_force);
}

// A person looked at the charge of a job and lets it stand: that is written down as well.
TEST(Adjust, OfAJobMayBeOfNothing) {
  TestLedger ledger;
  ledger.account("proj001", usd(20));
  Adjust adjust{"proj001", "USD", Micros()};
  adjust.job = ShareKey{"onprem", 7, 4, 0, ""};
  EXPECT_TRUE(ledger.run(adjust).accepted());
  const Entry entry = ledger.last_entries().at(0);
  EXPECT_EQ(entry.type, EntryType::adjustment);
  EXPECT_EQ(entry.job, *adjust.job);
  EXPECT_EQ(entry.amount, Micros());
  EXPECT_EQ(ledger.budget("proj001").used, Micros());
  adjust.job->job_id = 0;
  EXPECT_EQ(ledger.run(adjust).refusal, Refusal::bad_name);
  adjust.job = ShareKey{"", 0, -1, 0, "cloud/node-1"};
  EXPECT_EQ(ledger.run(adjust).refusal, Refusal::bad_name);
}

TEST(RecordPrices, VersionsAreNumberedAndKept) {
  TestLedger ledger;
  EXPECT_EQ(ledger.run(RecordPrices{epoch, "a: 1\n"}).price_version, 1);
  EXPECT_EQ(ledger.run(RecordPrices{epoch + hours(1), "a: 2\n"}).price_version, 2);
  EXPECT_EQ(ledger.book.prices().at(2).text, "a: 2\n");
  EXPECT_EQ(ledger.book.prices().at(2).effective_from, epoch + hours(1));
  EXPECT_EQ(ledger.last_entries().at(0).type, EntryType::prices);
}

}  // namespace
}  // namespace asbb::ledger
