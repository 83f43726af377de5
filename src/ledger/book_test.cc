// The book and its stage: what is committed, what is staged, what is forgotten.
#include "ledger/book.h"

#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::bind;
using testing::broken_rule;
using testing::budget_of;
using testing::epoch;
using testing::external;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

Context context() {
  return {"", "", "root", "", epoch};
}

TEST(Stage, ADroppedStageChangesNothing) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  const HoldId id = ledger.hold("proj001", usd(2));
  const Counters counters = ledger.book.counters();
  const Budget budget = ledger.budget("proj001");
  const Hold hold = ledger.hold(id);
  {
    Stage stage(ledger.book);
    ASSERT_TRUE(decide(stage, {context(), settle(id, job(7), usd(1))}).accepted());
    ASSERT_TRUE(decide(stage, {context(), place("proj001", usd(3))}).accepted());
    ASSERT_TRUE(decide(stage, {context(), CloseAccount{"proj001"}}).accepted());
    EXPECT_FALSE(stage.is_empty());
  }
  EXPECT_EQ(ledger.book.counters(), counters);
  EXPECT_EQ(ledger.budget("proj001"), budget);
  EXPECT_EQ(ledger.hold(id), hold);
  EXPECT_EQ(ledger.book.share(id, job(7)), nullptr);
  EXPECT_EQ(ledger.book.account("proj001")->status, AccountStatus::active);
}

TEST(Stage, SeesWhatItStaged) {
  Book book;
  Stage stage(book);
  CreateAccount create;
  create.name = "dept";
  create.budgets = {budget_of(usd(10))};
  ASSERT_TRUE(decide(stage, {context(), create}).accepted());
  create.name = "proj001";
  create.parent = "dept";
  create.budgets.clear();
  ASSERT_TRUE(decide(stage, {context(), create}).accepted());
  ASSERT_TRUE(
      decide(stage, {context(), SetPartitionLimit{"dept", "USD", "cpu", usd(4)}}).accepted());
  EXPECT_EQ(decide(stage, {context(), create}).refusal, Refusal::account_exists);
  const Outcome held = decide(stage, {context(), place("proj001", usd(3))});
  ASSERT_TRUE(held.accepted());
  EXPECT_EQ(decide(stage, {context(), place("proj001", usd(2))}).refusal,
            Refusal::partition_limit_exceeded);
  ASSERT_TRUE(decide(stage, {context(), bind(held.hold, 7)}).accepted());
  ASSERT_TRUE(decide(stage, {context(), settle(held.hold, job(7), usd(1))}).accepted());
  EXPECT_TRUE(decide(stage, {context(), settle(held.hold, job(7), usd(1))}).replayed);
  EXPECT_EQ(book.counters(), Counters{});
  EXPECT_EQ(book.account("dept"), nullptr);
  const std::size_t entries = stage.entries().size();
  for (std::size_t i = 0; i < entries; ++i) {
    EXPECT_EQ(stage.entries()[i].sequence, static_cast<std::int64_t>(i) + 1);
  }
  book.adopt(stage);
  EXPECT_TRUE(stage.is_empty());
  EXPECT_EQ(stage.counters(), book.counters());
  EXPECT_EQ(book.limit(LimitId{1})->used, usd(1));
  EXPECT_EQ(broken_rule(book), "");
}

TEST(Book, LoadsWhatAnotherBookHeld) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "cpu", usd(9)}).accepted());
  const HoldId id = ledger.hold("proj001", usd(4), 2);
  ASSERT_TRUE(ledger.run(settle(id, job(7, 0), usd(1), true), "key").accepted());
  ledger.hold("proj001", usd(1));
  Book loaded;
  loaded.put(*ledger.book.account("proj001"));
  loaded.put(ledger.budget("proj001"));
  loaded.put(ledger.limit("proj001", "cpu"));
  for (const Hold* hold : ledger.book.open_holds()) {
    loaded.put(*hold);
    for (const Share* share : ledger.book.shares_of(hold->id)) loaded.put(*share);
  }
  loaded.put(*ledger.book.answer("key"));
  loaded.set_counters(ledger.book.counters());
  EXPECT_EQ(broken_rule(loaded), "");
  EXPECT_EQ(loaded.unbound_count("ada", loaded.account("proj001")->id), 2);
  Stage one(ledger.book);
  Stage other(loaded);
  const Command command{context(), settle(id, job(7, 0, 1), usd(1))};
  EXPECT_EQ(decide(one, command), decide(other, command));
  EXPECT_EQ(one.budgets(), other.budgets());
  EXPECT_EQ(one.entries(), other.entries());
}

TEST(Book, ForgetsAnAnswerByItsLatestTime) {
  Book book;
  book.put(RememberedAnswer{"key", "digest", Instant{20}, "first"});
  book.put(RememberedAnswer{"other", "digest", Instant{20}, "other"});
  book.put(RememberedAnswer{"key", "digest", Instant{5}, "second"});
  book.put(RememberedAnswer{"key", "digest", Instant{30}, "third"});
  book.forget_answers(Instant{21});
  EXPECT_EQ(book.answer("other"), nullptr);
  ASSERT_NE(book.answer("key"), nullptr);
  EXPECT_EQ(book.answer("key")->outcome, "third");
  Book moved = std::move(book);
  moved.forget_answers(Instant{31});
  EXPECT_EQ(moved.answer("key"), nullptr);
}

TEST(Book, ForgetsAClosedHoldWithItsShares) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  PlaceHold fleet = place("proj001", usd(2), 2);
  fleet.kind = HoldKind::external;
  const HoldId outside = ledger.run(fleet, "fleet").hold;
  const HoldId inside = ledger.run(place("proj001", usd(2)), "job").hold;
  ASSERT_TRUE(ledger.run(bind(inside, 7)).accepted());
  ASSERT_TRUE(ledger.run(settle(inside, job(7), usd(1))).accepted());
  ASSERT_TRUE(ledger.run(settle(outside, external("n1"), usd(1))).accepted());
  ASSERT_TRUE(ledger.run(settle(outside, external("n2"), usd(1))).accepted());
  ledger.book.forget(outside);
  EXPECT_EQ(ledger.book.hold(outside), nullptr);
  EXPECT_EQ(ledger.book.share(ShareId{2}), nullptr);
  EXPECT_EQ(ledger.book.share(outside, external("n1")), nullptr);
  EXPECT_EQ(ledger.book.hold_of_request("fleet"), nullptr);
  EXPECT_NE(ledger.book.share(inside, job(7)), nullptr);
  ledger.book.forget(inside);
  EXPECT_TRUE(ledger.book.holds_of_job("onprem", 7).empty());
  EXPECT_TRUE(ledger.book.shares_of(inside).empty());
  ledger.book.forget(inside);
  EXPECT_EQ(broken_rule(ledger.book), "");
}

TEST(Book, AnOpenHoldIsNeverForgotten) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  const HoldId id = ledger.hold("proj001", usd(2));
  EXPECT_DEATH(ledger.book.forget(id), "assertion failed");
}

// Job ids come back after a wrap; the newest submission is last.
TEST(Book, FindsHoldsOfAJobInOrderOfSubmission) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  const HoldId later = ledger.hold("proj001", usd(1));
  const HoldId sooner = ledger.hold("proj001", usd(1));
  BindHold to_later = bind(later, 7);
  to_later.job.submit_time = epoch + hours(900);
  ASSERT_TRUE(ledger.run(to_later).accepted());
  ASSERT_TRUE(ledger.run(bind(sooner, 7)).accepted());
  const auto found = ledger.book.holds_of_job("onprem", 7);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->id, sooner);
  EXPECT_EQ(found[1]->id, later);
  EXPECT_TRUE(ledger.book.holds_of_job("cloud", 7).empty());
}

TEST(Book, ListsInOrder) {
  TestLedger ledger;
  ledger.account("b", usd(10));
  ledger.account("a", usd(10));
  NewBudget sooner = budget_of(usd(1), epoch - hours(9), epoch);
  ASSERT_TRUE(ledger.run(AddBudget{"b", sooner}).accepted());
  ASSERT_EQ(ledger.book.accounts().size(), 2u);
  EXPECT_EQ(ledger.book.accounts()[0]->name, "b");
  EXPECT_EQ(ledger.budget("b", 0).start, sooner.start);
  EXPECT_EQ(ledger.book.limit(LimitId{1}), nullptr);
  EXPECT_EQ(ledger.book.share(ShareId{1}), nullptr);
  EXPECT_TRUE(ledger.book.limits_of(BudgetId{1}).empty());
  EXPECT_TRUE(ledger.book.budgets_of(AccountId{9}).empty());
}

}  // namespace
}  // namespace asbb::ledger
