// What a budget leaves at its end goes on into the account's next one of that unit: exactly the
// rule's part, once, whenever it comes free.
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

constexpr Instant first_end = epoch + hours(100);
constexpr Instant second_end = epoch + hours(200);
constexpr std::int64_t half = carry_all / 2;

NewBudget first_budget(Micros limit, std::int64_t carry_over) {
  NewBudget budget = budget_of(limit, epoch, first_end);
  budget.carry_over_millionths = carry_over;
  return budget;
}

// proj001 with a budget of 20 until first_end and one of 5 after it; nothing of it below anybody.
TestLedger two_periods(std::int64_t carry_over, Micros limit = usd(20)) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {first_budget(limit, carry_over), budget_of(usd(5), first_end, second_end)};
  EXPECT_TRUE(ledger.run(create).accepted());
  return ledger;
}

void expect_limits(const TestLedger& ledger, Micros first, Micros second) {
  EXPECT_EQ(ledger.budget("proj001", 0).limit, first) << to_decimal(ledger.budget("proj001").limit);
  EXPECT_EQ(ledger.budget("proj001", 1).limit, second)
      << to_decimal(ledger.budget("proj001", 1).limit);
}

TEST(CarryOver, MovesWhatIsLeftAtTheEndAndNotBefore) {
  TestLedger ledger = two_periods(carry_all);
  const HoldId id = ledger.hold("proj001", usd(4));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(3))).accepted());
  ledger.now = first_end - Span{1};
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(20), usd(5));
  EXPECT_TRUE(ledger.last_entries().empty());
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(3), usd(22));
  EXPECT_EQ(ledger.budget("proj001").carried, usd(17));
  EXPECT_EQ(ledger.budget("proj001").available(), Micros());
  const auto entries = ledger.last_entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].type, EntryType::carry_out);
  EXPECT_EQ(entries[0].amount, usd(17));
  EXPECT_EQ(entries[0].details, "limit_micros=3000000\nother_account=proj001\nother_budget=2\n");
  EXPECT_EQ(entries[1].type, EntryType::carry_in);
  EXPECT_EQ(entries[1].budget, BudgetId{2});
  EXPECT_EQ(entries[1].details, "limit_micros=22000000\nother_account=proj001\nother_budget=1\n");
}

TEST(CarryOver, IsDoneOnce) {
  TestLedger ledger = two_periods(carry_all);
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  ledger.now = first_end + hours(1);
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  EXPECT_TRUE(ledger.last_entries().empty());
  expect_limits(ledger, Micros(), usd(25));
}

TEST(CarryOver, NoneLeavesItWhereItIs) {
  TestLedger ledger = two_periods(0);
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(20), usd(5));
}

// 10.000001 x 50 % is 5.0000005: down, and the missing half is not made up for by a second round.
TEST(CarryOver, APartIsRoundedDownOnce) {
  TestLedger ledger = two_periods(half, usd(10) + Micros(1));
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(5) + Micros(1), usd(10));
}

// A third of what comes free in pieces is a third of the whole, to the millionth.
TEST(CarryOver, PiecesAddUpToThePartOfTheWhole) {
  TestLedger ledger = two_periods(333'333, usd(9));
  std::vector<HoldId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(ledger.hold("proj001", usd(3)));
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  EXPECT_TRUE(ledger.last_entries().empty());
  Micros left = usd(9);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Micros cost(100'001 + static_cast<std::int64_t>(i));
    left -= cost;
    ASSERT_TRUE(ledger.run(settle(ids[i], job(7 + static_cast<std::int64_t>(i)), cost)).accepted());
    EXPECT_EQ(ledger.last_entries().back().type, EntryType::carry_in);
  }
  const auto part = Micros(left.count() * 333'333 / 1'000'000);
  EXPECT_EQ(ledger.budget("proj001").carried, part);
  expect_limits(ledger, usd(9) - part, usd(5) + part);
}

TEST(CarryOver, WhatIsReleasedAfterTheEndFollowsTheSameRule) {
  TestLedger ledger = two_periods(half);
  const HoldId id = ledger.hold("proj001", usd(10));
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(15), usd(10));
  ledger.now = first_end + hours(5);
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(4))).accepted());
  const auto entries = ledger.last_entries();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[1].type, EntryType::release);
  EXPECT_EQ(entries[2].type, EntryType::carry_out);
  EXPECT_EQ(entries[2].amount, usd(3));
  expect_limits(ledger, usd(12), usd(13));
}

TEST(CarryOver, ARefundAfterTheEndFollowsTheSameRule) {
  TestLedger ledger = two_periods(carry_all);
  const HoldId id = ledger.hold("proj001", usd(10));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(10))).accepted());
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(10), usd(15));
  ASSERT_TRUE(ledger.run(Refund{id, {}, "USD", usd(4)}).accepted());
  EXPECT_EQ(ledger.budget("proj001").used, usd(6));
  expect_limits(ledger, usd(6), usd(19));
}

// A cost beyond the hold that comes after the end stays with the old budget; what comes free later
// first makes up for it.
TEST(CarryOver, NothingIsTakenBackForALateCost) {
  TestLedger ledger = two_periods(carry_all);
  const HoldId late = ledger.hold("proj001", usd(2));
  const HoldId other = ledger.hold("proj001", usd(6));
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(8), usd(17));
  ASSERT_TRUE(ledger.run(settle(late, job(7), usd(5))).accepted());
  EXPECT_EQ(ledger.budget("proj001").available(), usd(-3));
  expect_limits(ledger, usd(8), usd(17));
  ASSERT_TRUE(ledger.run(settle(other, job(8), usd(1))).accepted());
  expect_limits(ledger, usd(6), usd(19));
}

TEST(CarryOver, WaitsForABudgetToGoTo) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {first_budget(usd(20), carry_all)};
  ASSERT_TRUE(ledger.run(create).accepted());
  ledger.now = first_end + hours(1);
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  EXPECT_EQ(ledger.budget("proj001").limit, usd(20));
  // Another unit's is no next one, nor one that starts before the end.
  NewBudget hours_of_cores = budget_of(usd(5), first_end, second_end);
  hours_of_cores.unit = "core-hours";
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", hours_of_cores}).accepted());
  EXPECT_EQ(ledger.budget("proj001").limit, usd(20));
  // Neither the boundary nor a day between the two matters.
  const NewBudget next = budget_of(usd(5), first_end + hours(24), second_end);
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", next}).accepted());
  EXPECT_EQ(ledger.last_entries().back().type, EntryType::carry_in);
  EXPECT_EQ(ledger.budget("proj001").limit, Micros());
  EXPECT_EQ(ledger.budget("proj001", 2).limit, usd(25));
}

TEST(CarryOver, GoesOnFromOneThatHasEndedToo) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {first_budget(usd(20), carry_all), budget_of(usd(4), first_end, second_end),
                    budget_of(usd(1), second_end, second_end + hours(100))};
  create.budgets[1].carry_over_millionths = half;
  ASSERT_TRUE(ledger.run(create).accepted());
  ledger.now = second_end + hours(1);
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, Micros(), usd(12));
  EXPECT_EQ(ledger.budget("proj001", 2).limit, usd(13));
}

// What one budget cannot take stays where it is until it can.
TEST(CarryOver, NeverFillsABudgetBeyondWhatCanBeEntered) {
  TestLedger ledger = two_periods(carry_all);
  ASSERT_TRUE(ledger.run(Deposit{"proj001", "USD", usd(3)}).accepted());
  UpdateAccount fill;
  fill.name = "proj001";
  fill.limit = max_amount - usd(1);
  fill.start = first_end;
  fill.end = second_end;
  ASSERT_TRUE(ledger.run(fill).accepted());
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(22), max_amount);
  ASSERT_TRUE(ledger.run(Withdraw{"proj001", "USD", usd(30)}).accepted());
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, Micros(), max_amount - usd(8));
}

// Limits of accounts above and of partitions do not move: each budget follows its own rule only.
TEST(CarryOver, NeitherAncestorsNorPartitionsMove) {
  TestLedger ledger;
  CreateAccount dept;
  dept.name = "dept";
  dept.budgets = {first_budget(usd(50), 0), budget_of(usd(50), first_end, second_end)};
  ASSERT_TRUE(ledger.run(dept).accepted());
  CreateAccount project;
  project.name = "proj001";
  project.parent = "dept";
  project.budgets = {first_budget(usd(20), carry_all), budget_of(usd(5), first_end, second_end)};
  ASSERT_TRUE(ledger.run(project).accepted());
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "cpu", usd(9)}).accepted());
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, Micros(), usd(25));
  EXPECT_EQ(ledger.limit("proj001", "cpu").limit, usd(9));
  EXPECT_EQ(ledger.budget("dept").limit, usd(50));
  EXPECT_EQ(ledger.budget("dept", 1).limit, usd(50));
}

// The department's money comes free with its project's job, and goes by the department's rule.
TEST(CarryOver, AnAncestorFollowsItsOwnRule) {
  TestLedger ledger;
  CreateAccount dept;
  dept.name = "dept";
  dept.budgets = {first_budget(usd(50), carry_all), budget_of(usd(1), first_end, second_end)};
  ASSERT_TRUE(ledger.run(dept).accepted());
  CreateAccount project;
  project.name = "proj001";
  project.parent = "dept";
  project.budgets = {first_budget(usd(20), 0)};
  ASSERT_TRUE(ledger.run(project).accepted());
  const HoldId id = ledger.hold("proj001", usd(6));
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  EXPECT_EQ(ledger.budget("dept", 1).limit, usd(45));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(2))).accepted());
  EXPECT_EQ(ledger.last_entries().back().account_name, "dept");
  EXPECT_EQ(ledger.budget("dept", 1).limit, usd(49));
  EXPECT_EQ(ledger.budget("proj001").limit, usd(20));
}

TEST(CarryOver, AClosedAccountCarriesWhenItIsOpenedAgain) {
  TestLedger ledger = two_periods(carry_all);
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(20), usd(5));
  UpdateAccount open;
  open.name = "proj001";
  open.status = AccountStatus::active;
  ASSERT_TRUE(ledger.run(open).accepted());
  expect_limits(ledger, Micros(), usd(25));
}

// What was carried stays carried; a rule that is changed later is for all that came free.
TEST(CarryOver, TheRuleCanBeChangedAfterTheEnd) {
  TestLedger ledger = two_periods(half);
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, usd(10), usd(15));
  UpdateAccount update;
  update.name = "proj001";
  update.limit = usd(20);
  update.start = epoch;
  update.end = first_end;
  update.carry_over_millionths = carry_all;
  ASSERT_TRUE(ledger.run(update).accepted());
  expect_limits(ledger, Micros(), usd(25));
}

UpdateAccount declared(Micros limit, Instant start, Instant end) {
  UpdateAccount update;
  update.name = "proj001";
  update.limit = limit;
  update.start = start;
  update.end = end;
  return update;
}

// The same declaration used to double what had been carried.
TEST(CarryOver, ADeclarationThatIsRepeatedChangesNothing) {
  TestLedger ledger = two_periods(carry_all);
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(ledger.run(declared(usd(20), epoch, first_end)).accepted());
    expect_limits(ledger, Micros(), usd(25));
    ASSERT_TRUE(ledger.run(declared(usd(5), first_end, second_end)).accepted());
    expect_limits(ledger, Micros(), usd(25));
  }
  EXPECT_EQ(ledger.budget("proj001", 0).granted(), usd(20));
  EXPECT_EQ(ledger.budget("proj001", 1).granted(), usd(5));
  ASSERT_TRUE(ledger.run(declared(usd(23), epoch, first_end)).accepted());
  expect_limits(ledger, Micros(), usd(28));
  EXPECT_EQ(ledger.budget("proj001", 0).carried, usd(23));
  EXPECT_EQ(ledger.budget("proj001", 1).carried_in, usd(23));
}

TEST(CarryOver, ADeclarationBelowWhatWentOutOrAboveTheMostIsRefused) {
  TestLedger ledger = two_periods(carry_all);
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  const Outcome low = ledger.run(declared(usd(20) - Micros(1), epoch, first_end));
  EXPECT_EQ(low.refusal, Refusal::limit_below_committed);
  EXPECT_EQ(low.amount, usd(20) - Micros(1));
  EXPECT_EQ(low.released, usd(20));
  const Outcome high = ledger.run(declared(max_amount, first_end, second_end));
  EXPECT_EQ(high.refusal, Refusal::limit_too_large);
  EXPECT_EQ(ledger.run(declared(Micros(-1), epoch, first_end)).refusal, Refusal::bad_amount);
  expect_limits(ledger, Micros(), usd(25));
}

// It used to wait until something else touched the ended budget.
TEST(CarryOver, WhatWaitedForRoomIsCarriedWhenMoneyIsTakenOut) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {first_budget(max_amount, carry_all),
                    budget_of(max_amount, first_end, second_end)};
  ASSERT_TRUE(ledger.run(create).accepted());
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, max_amount, max_amount);
  ASSERT_TRUE(ledger.run(Withdraw{"proj001", "USD", usd(5)}).accepted());
  expect_limits(ledger, max_amount - usd(5), max_amount);
  EXPECT_EQ(testing::left_to_carry(ledger.book, ledger.now), "");
}

// A full second one that goes on into a third makes room for the first in the same step.
TEST(CarryOver, WhatMovesOnMakesRoomForWhatComes) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {first_budget(usd(7), carry_all), budget_of(max_amount, first_end, second_end),
                    budget_of(usd(1), second_end, second_end + hours(100))};
  create.budgets[1].carry_over_millionths = carry_all;
  ASSERT_TRUE(ledger.run(create).accepted());
  ledger.now = second_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  expect_limits(ledger, Micros(), usd(8));
  EXPECT_EQ(ledger.budget("proj001", 2).limit, max_amount);
}

TEST(CarryOver, ABudgetOfOtherPartsIsRefused) {
  TestLedger ledger;
  for (const std::int64_t part : {-1L, carry_all + 1}) {
    CreateAccount create;
    create.name = "proj001";
    create.budgets = {first_budget(usd(1), part)};
    const Outcome outcome = ledger.run(create);
    EXPECT_EQ(outcome.refusal, Refusal::bad_amount);
    EXPECT_EQ(outcome.field, "carry_over");
  }
}

// A hold of the new period finds the money there once the end was noticed.
TEST(CarryOver, TheNextPeriodsHoldsMayUseIt) {
  TestLedger ledger = two_periods(carry_all);
  ledger.now = first_end;
  ASSERT_TRUE(ledger.run(CarryOver{}).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(25) + Micros(1))).refusal,
            Refusal::insufficient_budget);
  EXPECT_TRUE(ledger.run(place("proj001", usd(25))).accepted());
}

TEST(CarryOver, TheBookKnowsTheNextEnd) {
  const TestLedger ledger = two_periods(carry_all);
  EXPECT_EQ(ledger.book.next_carry_end(epoch), first_end);
  EXPECT_EQ(ledger.book.next_carry_end(first_end), std::nullopt);
}

}  // namespace
}  // namespace asbb::ledger
