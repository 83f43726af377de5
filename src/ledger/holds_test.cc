// Placing, binding and voiding holds: which limits a hold is drawn on, and when it is refused.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::bind;
using testing::budget_of;
using testing::epoch;
using testing::job;
using testing::place;
using testing::settle;
using testing::TestLedger;
using testing::usd;

PlaceHold on_gpu(const std::string& account, Micros amount) {
  PlaceHold action = place(account, amount);
  action.partition = "gpu-aws";
  return action;
}

// dept 50 (gpu-aws 30) > proj001 20 (gpu-aws 10), proj002 without a budget.
TestLedger tree() {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  CreateAccount bare;
  bare.name = "proj002";
  bare.parent = "dept";
  EXPECT_TRUE(ledger.run(bare).accepted());
  EXPECT_TRUE(ledger.run(SetPartitionLimit{"dept", "USD", "gpu-aws", usd(30)}).accepted());
  EXPECT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "gpu-aws", usd(10)}).accepted());
  return ledger;
}

TEST(Legs, AHoldIsDrawnOnTheAccountItsAncestorsAndTheirPartitionLimits) {
  TestLedger ledger = tree();
  const Outcome outcome = ledger.run(on_gpu("proj001", usd(4)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.budget, ledger.budget("proj001").id);
  EXPECT_EQ(to_string(ledger.hold(outcome.hold).parts[0].legs), "b2,l2,b1,l1");
  EXPECT_EQ(ledger.budget("proj001").held, usd(4));
  EXPECT_EQ(ledger.budget("dept").held, usd(4));
  EXPECT_EQ(ledger.limit("proj001", "gpu-aws").held, usd(4));
  EXPECT_EQ(ledger.limit("dept", "gpu-aws").held, usd(4));
  // One entry, on the budget that pays.
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_EQ(ledger.last_entries()[0].budget, ledger.budget("proj001").id);
  ledger.hold("proj001", usd(1));
  EXPECT_EQ(ledger.limit("dept", "gpu-aws").held, usd(4));
  EXPECT_EQ(ledger.budget("dept").held, usd(5));
}

TEST(Legs, AnAccountWithoutABudgetDrawsOnItsNearestAncestor) {
  TestLedger ledger = tree();
  const Outcome outcome = ledger.run(on_gpu("proj002", usd(4)));
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.budget, ledger.budget("dept").id);
  EXPECT_EQ(to_string(ledger.hold(outcome.hold).parts[0].legs), "b1,l1");
}

TEST(Legs, EachLimitRefusesOnItsOwn) {
  TestLedger ledger = tree();
  Outcome outcome = ledger.run(on_gpu("proj001", usd(10) + Micros(1)));
  EXPECT_EQ(outcome.refusal, Refusal::partition_limit_exceeded);
  EXPECT_EQ(outcome.leg.account, "proj001");
  EXPECT_EQ(outcome.leg.partition, "gpu-aws");
  EXPECT_EQ(outcome.leg.available, usd(10));
  EXPECT_EQ(ledger.run(place("proj001", usd(20) + Micros(1))).refusal,
            Refusal::insufficient_budget);
  ASSERT_TRUE(ledger.run(on_gpu("proj002", usd(25))).accepted());
  outcome = ledger.run(on_gpu("proj001", usd(6)));
  EXPECT_EQ(outcome.refusal, Refusal::partition_limit_exceeded);
  EXPECT_EQ(outcome.leg.account, "dept");
  EXPECT_EQ(outcome.leg.held, usd(25));
  ASSERT_TRUE(ledger.run(place("proj002", usd(10))).accepted());
  outcome = ledger.run(place("proj001", usd(16)));
  EXPECT_EQ(outcome.refusal, Refusal::insufficient_budget);
  EXPECT_EQ(outcome.leg.account, "dept");
  EXPECT_EQ(outcome.leg.available, usd(15));
  EXPECT_EQ(outcome.estimate, usd(16));
  EXPECT_EQ(outcome.unit, "USD");
  EXPECT_TRUE(ledger.run(place("proj001", usd(15))).accepted());
}

TEST(Legs, PeriodsAreHalfOpen) {
  TestLedger ledger;
  CreateAccount action;
  action.name = "proj001";
  action.budgets = {budget_of(usd(1), epoch + hours(10), epoch + hours(20)),
                    budget_of(usd(2), epoch + hours(20), epoch + hours(30))};
  ASSERT_TRUE(ledger.run(action).accepted());
  const auto payer = [&](Instant at) {
    ledger.now = at;
    const Outcome outcome = ledger.run(place("proj001", Micros(1)));
    return outcome.accepted() ? ledger.book.budget(outcome.budget)->limit : Micros();
  };
  EXPECT_EQ(payer(epoch + hours(10) - Span{1}), Micros());
  EXPECT_EQ(payer(epoch + hours(10)), usd(1));
  EXPECT_EQ(payer(epoch + hours(20) - Span{1}), usd(1));
  EXPECT_EQ(payer(epoch + hours(20)), usd(2));
  EXPECT_EQ(payer(epoch + hours(30)), Micros());
  EXPECT_EQ(ledger.run(place("proj001", Micros(1))).refusal, Refusal::budget_not_in_force);
}

TEST(Legs, WhileItsOwnBudgetIsNotInForceAnAccountDrawsOnItsAncestor) {
  TestLedger ledger;
  ledger.account("dept", usd(50));
  ledger.account("proj001", usd(20), "dept");
  UpdateAccount ends;
  ends.name = "proj001";
  ends.end = epoch + hours(10);
  ASSERT_TRUE(ledger.run(ends).accepted());
  ledger.now = epoch + hours(10);
  EXPECT_EQ(ledger.run(place("proj001", usd(1))).budget, ledger.budget("dept").id);
}

TEST(PlaceHold, ExactlyWhatIsAvailableFits) {
  TestLedger ledger;
  ledger.account("proj001", usd(10));
  ledger.hold("proj001", usd(3));
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", usd(2)}).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(5) + Micros(1))).refusal, Refusal::insufficient_budget);
  EXPECT_TRUE(ledger.run(place("proj001", usd(5))).accepted());
  EXPECT_EQ(ledger.run(place("proj001", Micros(1))).refusal, Refusal::insufficient_budget);
  EXPECT_TRUE(ledger.run(place("proj001", Micros())).accepted());
  ASSERT_TRUE(ledger.run(Adjust{"proj001", "USD", Micros(1)}).accepted());
  EXPECT_EQ(ledger.run(place("proj001", Micros())).refusal, Refusal::insufficient_budget);
}

TEST(PlaceHold, CreditIsNeverAvailableToHolds) {
  TestLedger ledger;
  CreateAccount action;
  action.name = "proj001";
  action.budgets = {budget_of(usd(10))};
  action.budgets[0].credit_limit = usd(100);
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(11))).refusal, Refusal::insufficient_budget);
}

TEST(PlaceHold, RefusesWhatCannotBe) {
  TestLedger ledger = tree();
  const auto refusal = [&](auto change) {
    PlaceHold action = place("proj001", usd(1));
    change(action);
    const Outcome outcome = ledger.run(action);
    EXPECT_EQ(ledger.book.counters().hold, 0);
    return std::pair(outcome.refusal, outcome.field);
  };
  using Answer = std::pair<Refusal, std::string>;
  EXPECT_EQ(refusal([](PlaceHold& a) { a.account = "nobody"; }),
            Answer(Refusal::unknown_account, "account"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts.clear(); }),
            Answer(Refusal::bad_amount, "estimated_cost"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts[0].amount = Micros(-1); }),
            Answer(Refusal::bad_amount, "estimated_cost"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts[0].amount = max_amount + Micros(1); }),
            Answer(Refusal::bad_amount, "estimated_cost"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts[0].estimate = Micros(-1); }),
            Answer(Refusal::bad_amount, "estimated_cost"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts.push_back(a.parts[0]); }),
            Answer(Refusal::bad_name, "unit"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts[0].unit = ""; }), Answer(Refusal::bad_name, "unit"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.parts[0].unit = "EUR"; }).first, Refusal::no_budget);
  EXPECT_EQ(refusal([](PlaceHold& a) { a.task_count = 0; }),
            Answer(Refusal::bad_task_count, "array"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.task_count = 10'000'001; }),
            Answer(Refusal::bad_task_count, "array"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.user = std::string("a\0b", 3); }),
            Answer(Refusal::bad_name, "user"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.partition = std::string(2001, 'p'); }),
            Answer(Refusal::bad_name, "partition"));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.deadline = epoch - Span{1}; }),
            Answer(Refusal::expired, ""));
  EXPECT_EQ(refusal([](PlaceHold& a) { a.unbound_max = 0; }),
            Answer(Refusal::too_many_unbound, "account"));
}

TEST(PlaceHold, AnAnswerInTimeIsNotExpired) {
  TestLedger ledger = tree();
  PlaceHold action = place("proj001", usd(1));
  action.deadline = epoch;
  EXPECT_TRUE(ledger.run(action).accepted());
}

TEST(PlaceHold, TheAccountAndAllAboveItMustBeActive) {
  TestLedger ledger = tree();
  UpdateAccount suspend;
  suspend.name = "dept";
  suspend.status = AccountStatus::suspended;
  ASSERT_TRUE(ledger.run(suspend).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(1))).refusal, Refusal::account_inactive);
  suspend.status = AccountStatus::inactive;
  ASSERT_TRUE(ledger.run(suspend).accepted());
  EXPECT_EQ(ledger.run(place("dept", usd(1))).refusal, Refusal::account_inactive);
  ASSERT_TRUE(ledger.run(CloseAccount{"dept"}).accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(1))).refusal, Refusal::account_closed);
}

TEST(PlaceHold, AllUnitsOrNothing) {
  TestLedger ledger = tree();
  NewBudget core_hours = budget_of(usd(5));
  core_hours.unit = "core-hours";
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", core_hours}).accepted());
  PlaceHold action = place("proj001", usd(1));
  action.parts.push_back({"core-hours", usd(5), usd(6), 1});
  const Outcome outcome = ledger.run(action);
  EXPECT_EQ(outcome.refusal, Refusal::insufficient_budget);
  EXPECT_EQ(outcome.unit, "core-hours");
  EXPECT_EQ(ledger.budget("proj001").held, Micros());
  action.parts[1].amount = usd(5);
  EXPECT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.last_entries().size(), 2u);
  EXPECT_EQ(ledger.budget("proj001", 1).held, usd(5));
}

// For a job that can be kept from where the others are needed.
TEST(PlaceHold, OneUnitIsEnoughWhereThatWasSaid) {
  TestLedger ledger = tree();
  NewBudget core_hours = budget_of(usd(5));
  core_hours.unit = "core-hours";
  ASSERT_TRUE(ledger.run(AddBudget{"proj001", core_hours}).accepted());
  PlaceHold action = place("proj001", usd(21));
  action.any_unit = true;
  action.parts.push_back({"core-hours", usd(4), usd(5), 1});
  action.parts.push_back({"gpu-hours", usd(1), usd(1), 1});
  const Outcome outcome = ledger.run(action);
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.unit, "core-hours");
  EXPECT_EQ(outcome.amount, usd(5));
  ASSERT_EQ(ledger.hold(outcome.hold).parts.size(), 1u);
  EXPECT_EQ(ledger.budget("proj001").held, Micros());
  EXPECT_EQ(ledger.budget("proj001", 1).held, usd(5));
  EXPECT_EQ(ledger.last_entries().size(), 1u);
  // None of them is a refusal, in the words of the first.
  const Outcome none = ledger.run(action);
  EXPECT_EQ(none.refusal, Refusal::insufficient_budget);
  EXPECT_EQ(none.unit, "USD");
  EXPECT_EQ(ledger.budget("proj001", 1).held, usd(5));
}

TEST(PlaceHold, ATokenNamesOneHoldForEver) {
  TestLedger ledger = tree();
  PlaceHold action = place("proj001", usd(1));
  action.transaction_id = "token";
  const HoldId first = ledger.run(action).hold;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::request_id_conflict);
  ASSERT_TRUE(ledger.run(VoidHold{first}).accepted());
  EXPECT_EQ(ledger.run(action).refusal, Refusal::request_id_conflict);
  EXPECT_EQ(ledger.book.hold_of_request("token")->id, first);
  // An external caller may use its name again when its hold has closed.
  action.kind = HoldKind::external;
  action.transaction_id = "fleet";
  const HoldId fleet = ledger.run(action).hold;
  EXPECT_EQ(ledger.run(action).refusal, Refusal::request_id_conflict);
  ASSERT_TRUE(ledger.run(VoidHold{fleet}).accepted());
  const Outcome again = ledger.run(action);
  ASSERT_TRUE(again.accepted());
  ledger.book.forget(fleet);
  EXPECT_EQ(ledger.book.hold_of_request("fleet")->id, again.hold);
}

TEST(PlaceHold, UnboundHoldsAreCountedUpAndDown) {
  TestLedger ledger = tree();
  const AccountId account = ledger.book.account("proj001")->id;
  PlaceHold action = place("proj001", Micros(1));
  action.unbound_max = 3;
  std::vector<HoldId> holds;
  for (int i = 0; i < 3; ++i) holds.push_back(ledger.run(action).hold);
  EXPECT_EQ(ledger.run(action).refusal, Refusal::too_many_unbound);
  PlaceHold other = action;
  other.user = "bob";
  EXPECT_TRUE(ledger.run(other).accepted());
  other = action;
  other.kind = HoldKind::external;
  EXPECT_TRUE(ledger.run(other).accepted());
  ASSERT_TRUE(ledger.run(bind(holds[0], 7)).accepted());
  EXPECT_EQ(ledger.book.unbound_count("ada", account), 2);
  ASSERT_TRUE(ledger.run(VoidHold{holds[1]}).accepted());
  EXPECT_EQ(ledger.book.unbound_count("ada", account), 1);
  ASSERT_TRUE(ledger.run(settle(holds[2], job(9), Micros(1))).accepted());
  EXPECT_EQ(ledger.book.unbound_count("ada", account), 0);
  ASSERT_TRUE(ledger.run(settle(holds[0], job(7), Micros(1))).accepted());
  EXPECT_EQ(ledger.book.unbound_count("ada", account), 0);
  EXPECT_TRUE(ledger.run(action).accepted());
}

TEST(PlaceHold, TheCapCountsWithinABatchToo) {
  TestLedger ledger = tree();
  Stage stage(ledger.book);
  PlaceHold action = place("proj001", Micros(1));
  action.unbound_max = 2;
  const Command command{{"", "", "root", "", epoch}, action};
  EXPECT_TRUE(decide(stage, command).accepted());
  EXPECT_TRUE(decide(stage, command).accepted());
  EXPECT_EQ(decide(stage, command).refusal, Refusal::too_many_unbound);
}

// Each was judged by what was committed before both of them.
TEST(PlaceHold, TwoHoldsOfOneBatchShareTheMoney) {
  TestLedger ledger = tree();
  Stage stage(ledger.book);
  const Context context{"", "", "root", "", epoch};
  const Micros most = ledger.budget("proj001").available();
  EXPECT_TRUE(decide(stage, {context, place("proj001", most)}).accepted());
  EXPECT_EQ(decide(stage, {context, place("proj001", Micros(1))}).refusal,
            Refusal::insufficient_budget);
}

TEST(PlaceHold, WhatIsBoundOrEndedWithinABatchCountsNoMore) {
  TestLedger ledger = tree();
  PlaceHold action = place("proj001", Micros(1));
  action.unbound_max = 1;
  const auto fits_after = [&](auto change) {
    Stage stage(ledger.book);
    const Context context{"", "", "root", "", epoch};
    const HoldId id = decide(stage, {context, action}).hold;
    EXPECT_EQ(decide(stage, {context, action}).refusal, Refusal::too_many_unbound);
    EXPECT_TRUE(decide(stage, {context, change(id)}).accepted());
    return decide(stage, {context, action}).accepted();
  };
  EXPECT_TRUE(fits_after([](HoldId id) -> Action { return bind(id, 7); }));
  EXPECT_TRUE(fits_after([](HoldId id) -> Action { return VoidHold{id}; }));
  EXPECT_TRUE(fits_after([](HoldId id) -> Action { return settle(id, job(7), Micros(1)); }));
}

TEST(BindHold, OnceAndToOneJob) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(1));
  EXPECT_EQ(ledger.run(bind(HoldId{99}, 7)).refusal, Refusal::unknown_hold);
  ASSERT_TRUE(ledger.run(bind(id, 7)).accepted());
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_EQ(ledger.last_entries()[0].type, EntryType::bind);
  EXPECT_EQ(ledger.last_entries()[0].job.job_id, 7);
  EXPECT_TRUE(ledger.run(bind(id, 7)).accepted());
  EXPECT_TRUE(ledger.last_entries().empty());
  EXPECT_EQ(ledger.run(bind(id, 8)).refusal, Refusal::bound_elsewhere);
  EXPECT_EQ(ledger.book.holds_of_job("onprem", 7).size(), 1u);
}

// Without a federation each cluster has a job 7 of its own; a federated id is one job on all.
TEST(BindHold, ToTheJobOfOneCluster) {
  TestLedger ledger = tree();
  const HoldId id = ledger.hold("proj001", usd(1));
  ASSERT_TRUE(ledger.run(BindHold{id, {"onprem", 7, epoch}}).accepted());
  EXPECT_EQ(ledger.run(BindHold{id, {"cloud", 7, epoch}}).refusal, Refusal::bound_elsewhere);
  EXPECT_EQ(ledger.hold(id).job->cluster, "onprem");
  constexpr std::int64_t federated_id = 67'108'865;
  const HoldId federated = ledger.hold("proj001", usd(1));
  ASSERT_TRUE(ledger.run(BindHold{federated, {"onprem", federated_id, epoch}}).accepted());
  EXPECT_TRUE(ledger.run(BindHold{federated, {"cloud", federated_id, epoch}}).accepted());
  EXPECT_EQ(ledger.hold(federated).job->cluster, "onprem");
}

TEST(VoidHold, GivesAllBackAndOnlyWhenNothingBegan) {
  TestLedger ledger = tree();
  EXPECT_EQ(ledger.run(VoidHold{HoldId{1}}).refusal, Refusal::unknown_hold);
  const HoldId id = ledger.hold("proj001", usd(3), 4);
  const Outcome outcome = ledger.run(VoidHold{id});
  ASSERT_TRUE(outcome.accepted());
  EXPECT_EQ(outcome.released, usd(3));
  EXPECT_EQ(ledger.budget("proj001").held, Micros());
  EXPECT_EQ(ledger.budget("dept").held, Micros());
  EXPECT_EQ(ledger.hold(id).status, HoldStatus::closed);
  EXPECT_EQ(ledger.run(VoidHold{id}).refusal, Refusal::hold_closed);
  EXPECT_EQ(ledger.run(bind(id, 7)).refusal, Refusal::hold_closed);
  const HoldId bound = ledger.hold("proj001", usd(3));
  ASSERT_TRUE(ledger.run(bind(bound, 7)).accepted());
  EXPECT_EQ(ledger.run(VoidHold{bound}).refusal, Refusal::hold_is_bound);
  const HoldId running = ledger.hold("proj001", usd(3));
  ASSERT_TRUE(ledger.run(OpenShare{running, job(8)}).accepted());
  EXPECT_EQ(ledger.run(VoidHold{running}).refusal, Refusal::hold_is_bound);
  EXPECT_EQ(ledger.budget("proj001").held, usd(6));
}

// The budget is below zero and lends; the partition limit is what lacks the money.
TEST(PlaceHold, ARunningJobsRefusalNamesTheLegThatRefuses) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {testing::budget_of(usd(10))};
  create.budgets[0].credit_limit = usd(50);
  ASSERT_TRUE(ledger.run(create).accepted());
  const HoldId id = ledger.hold("proj001", usd(9));
  ASSERT_TRUE(ledger.run(settle(id, job(7), usd(15))).accepted());
  ASSERT_TRUE(ledger.run(SetPartitionLimit{"proj001", "USD", "cpu", usd(20)}).accepted());
  PlaceHold running = place("proj001", usd(6));
  running.running = true;
  const Outcome outcome = ledger.run(running);
  EXPECT_EQ(outcome.refusal, Refusal::partition_limit_exceeded);
  EXPECT_EQ(outcome.leg.partition, "cpu");
  EXPECT_EQ(outcome.leg.available, usd(5));
  running.parts[0].amount = usd(5);
  EXPECT_TRUE(ledger.run(running).accepted());
}

}  // namespace
}  // namespace asbb::ledger
