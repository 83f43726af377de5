// What accounts spent while the service was away: the money is set aside before, becomes the holds
// of the jobs that were let through, and comes back when none is left.
#include <gtest/gtest.h>

#include "service/testing/allowances_fixture.h"

namespace asbb::service {
namespace {

using AllowancesTest = testing::AllowancesFixture;
using testing::allowance_of;

TEST_F(AllowancesTest, IsSetAsideAndPublishedWithWhoMaySpendIt) {
  (void)pass();
  expect_balance("40", "0");
  const PublishedAllowance first = allowance();
  EXPECT_TRUE(first.hold.is_set());
  EXPECT_EQ(first.amount, testing::money("40"));
  EXPECT_EQ(first.factor, Micros(1'200'000));
  ASSERT_EQ(published().spenders.size(), 1U);
  EXPECT_EQ(published().spenders[0], (AllowanceSpender{"alice", "proj001", "proj001", true}));
  // It stays, over passes and a restart.
  (void)pass();
  start(allowances_);
  (void)pass();
  EXPECT_EQ(allowance(), first);
  expect_balance("40", "0");
  pass_grace();
  expect_balance("40", "0");
  EXPECT_EQ(allowance_holds(), 1U);
  pass_time(hours(48));
  (void)pass();
  EXPECT_TRUE(alarms_.list().empty());
}

// The whole way: two jobs were let through, one has ended, one runs; all is charged exactly, and
// then it is as before.
TEST_F(AllowancesTest, PaysForTheJobsThatWereLetThrough) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  block("60");  // nothing else is free
  expect_balance("100", "0");

  slurm::QueueJob runs = let_through(before, 8, "RUNNING", "15");
  source_.add_job(runs);
  slurm::AccountingRecord ended = record("cloud", 7, "COMPLETED", 3'000);
  ended.admin_comment = "asbb=" + token() + tag(before, "12");
  source_.add_record(ended);
  pass_time(hours(1));
  (void)pass();
  const ledger::Hold covered = find(runs.admin_comment.substr(5, 44));
  EXPECT_EQ(covered.parts.front().granted, testing::money("15"));
  ASSERT_TRUE(covered.job.has_value());
  EXPECT_EQ(covered.job->job_id, 8);
  // 60, 15 for the job that runs, and 13 that are left of the allowance; the 9 that job 7 did not
  // use are free.
  expect_balance("88", "3");
  EXPECT_FALSE(allowance().hold.is_set()) << "less than half is left";

  source_.set_queue("cloud", {});
  slurm::AccountingRecord over = record("cloud", 8, "COMPLETED", 10'000);
  over.submit = runs.submit;
  over.admin_comment = runs.admin_comment;
  source_.add_record(over);
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "13");
  for (int i = 0; i < 4; ++i) pass_grace();
  // Nobody is left: the money of the first is back, and the allowance as large as there is money.
  expect_balance("87", "13");
  EXPECT_EQ(allowance().amount, testing::money("27"));
  EXPECT_NE(allowance().hold, before);
  EXPECT_EQ(allowance_holds(), 1U);
  EXPECT_TRUE(has_alarm("allowance cloud proj001"));
}

TEST_F(AllowancesTest, ANewOneIsPublishedBesideWhatIsLeftOfTheLast) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  source_.add_job(let_through(before, 8, "PENDING", "15"));
  (void)pass();
  // 15 for the job, 25 that are left of the first, 40 anew.
  expect_balance("80", "0");
  EXPECT_NE(allowance().hold, before);
  EXPECT_EQ(allowance().amount, testing::money("40"));
  pass_grace();
  expect_balance("55", "0");
  EXPECT_EQ(allowance_holds(), 1U);
}

// The plugin may have let a job through a moment before it read the new file, and the list of jobs
// may be older than that.
TEST_F(AllowancesTest, AJobThatIsSeenLateIsStillPaidFromItsOwnGeneration) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  source_.add_job(let_through(before, 8, "PENDING", "15"));
  (void)pass();
  source_.add_job(let_through(before, 9, "PENDING", "25"));
  block("20");
  (void)pass();
  expect_balance("100", "0");
  pass_grace();
  expect_balance("100", "0");
  EXPECT_EQ(allowance().amount, testing::money("40"));
}

TEST_F(AllowancesTest, OfAnArrayEachTaskHasItsPart) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  slurm::QueueJob rest = let_through(before, 8, "PENDING", "40", 4);
  rest.array_job_id = 8;
  rest.array_tasks = "3-4";
  source_.add_job(rest);
  for (int task = 1; task <= 2; ++task) {
    slurm::AccountingRecord ended = record("cloud", 8 + task, "COMPLETED", 1'000);
    ended.array_job_id = 8;
    ended.array_task_id = task;
    ended.admin_comment = rest.admin_comment;
    ended.submit = rest.submit;
    source_.add_record(ended);
  }
  // Prices that came after the submission are not its own.
  pass_time(seconds(10));
  pricing::PriceBook later = *prices_.history()->in_force(now());
  later.effective_from = now();
  run(ledger::RecordPrices{later.effective_from, pricing::to_canonical_text(later)});
  committer_->read(
      [&](const ledger::Book& book) { ASSERT_TRUE(prices_.follow(book).has_value()); });
  (void)pass();
  const ledger::Hold covered = find(rest.admin_comment.substr(5, 44));
  EXPECT_EQ(covered.parts.front().price_version, 1);
  EXPECT_EQ(covered.task_count, 4);
  EXPECT_EQ(to_decimal(budget("proj001").used), "2");
  // 20 for the tasks that wait, nothing of the first, 40 anew.
  EXPECT_EQ(to_decimal(budget("proj001").held), "60");
}

// The counter's file was lost: more was let through than was set aside.
TEST_F(AllowancesTest, WhatWasSpentBeyondItComesFromWhatIsFreeAndIsShown) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  block("50");
  source_.add_job(let_through(before, 8, "RUNNING", "40"));
  source_.add_job(let_through(before, 9, "RUNNING", "40"));
  (void)pass();
  expect_balance("100", "0");
  EXPECT_TRUE(has_alarm("let-through cloud job 9"));
  EXPECT_FALSE(allowance().hold.is_set()) << "nothing can be set aside now";
  source_.set_queue("cloud", {});
  (void)pass();
  EXPECT_FALSE(has_alarm("let-through cloud job 9"));
}

// A test run (--test-only) was counted, and no job ever came of it.
TEST_F(AllowancesTest, WhatThePluginTellsItHasSpentIsSetAsideAnew) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  allowances_.told(std::to_string(before.value) + "=30000000,nonsense,7=,=9");
  (void)pass();
  EXPECT_NE(allowance().hold, before);
  EXPECT_EQ(allowance().amount, testing::money("40"));
  expect_balance("80", "0");
  pass_grace();
  expect_balance("40", "0");
}

// There is no money for a second one beside it: what is left goes on until that is less than half.
TEST_F(AllowancesTest, IsKeptWhileThereIsNoMoneyForAnother) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  block("60");
  allowances_.told(std::to_string(before.value) + "=15000000");
  (void)pass();
  EXPECT_EQ(allowance().hold, before);
  EXPECT_TRUE(has_alarm("allowance cloud proj001"));
  allowances_.told(std::to_string(before.value) + "=25000000");
  (void)pass();
  EXPECT_FALSE(allowance().hold.is_set());
  pass_grace();
  EXPECT_TRUE(allowance().hold.is_set());
  EXPECT_EQ(allowance().amount, testing::money("40"));
  expect_balance("100", "0");
  (void)pass();
  EXPECT_FALSE(has_alarm("allowance cloud proj001"));
}

TEST_F(AllowancesTest, NothingIsGivenBackWithoutProof) {
  (void)pass();
  source_.add_job(let_through(allowance().hold, 8, "PENDING", "15"));
  (void)pass();
  source_.set_operator("cloud", false);
  pass_grace();
  expect_balance("80", "0");
  source_.set_operator("cloud", true);
  source_.fail_accounting("cloud", Error{ErrorKind::unavailable, "away", ""});
  pass_grace();
  expect_balance("80", "0");
  source_.fail_accounting("cloud", std::nullopt);
  source_.set_accounting_queue_length("cloud", 3);
  pass_grace();
  expect_balance("80", "0");
  source_.set_accounting_queue_length("cloud", 0);
  pass_grace();
  expect_balance("55", "0");
}

// The file that has it may still be in force: it could not be written since.
TEST_F(AllowancesTest, WhatIsStillPublishedIsNotGivenBack) {
  (void)pass();
  const ClusterAllowances first = published();
  source_.add_job(let_through(allowance().hold, 8, "PENDING", "15"));
  for (int i = 0; i < 4; ++i) {
    pass_time(seconds(301));
    (void)service_->run_pass();
    allowances_.written("cloud", first, now());
  }
  expect_balance("80", "0");
}

TEST_F(AllowancesTest, GoesBackWhenTheSettingIsGone) {
  (void)pass();
  Allowances none;
  start(none);
  (void)pass();
  expect_balance("40", "0");
  pass_grace();
  expect_balance("0", "0");
}

TEST_F(AllowancesTest, FollowsTheSettingUpAndDown) {
  (void)pass();
  Allowances more{allowance_of("70")};
  start(more);
  (void)pass();
  EXPECT_EQ(allowance().amount, testing::money("60")) << "as much as there is";
  for (int i = 0; i < 3; ++i) pass_grace();
  EXPECT_EQ(allowance().amount, testing::money("70")) << "with what the first one had";
  Allowances less{allowance_of("10")};
  start(less);
  (void)pass();
  pass_grace();
  EXPECT_EQ(allowance().amount, testing::money("10"));
  expect_balance("10", "0");
}

TEST_F(AllowancesTest, MovesToTheNextPeriod) {
  const Instant next = end_in_ten_hours();
  (void)pass();
  const PublishedAllowance before = allowance();
  EXPECT_EQ(before.until, next);
  pass_time(hours(10));
  (void)pass();
  EXPECT_NE(allowance().hold, before.hold);
  EXPECT_EQ(allowance().amount, testing::money("30"));
  pass_grace();
  const Micros held = committer_->read([](const ledger::Book& book) {
    return book.budgets_of(book.account("proj001")->id)[0]->held;
  });
  EXPECT_EQ(held, Micros());
}

}  // namespace
}  // namespace asbb::service
