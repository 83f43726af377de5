// Jobs across the end of their account's period.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using testing::money;
using ::testing::SizeIs;

// proj001 has 10'000 until noon and the next period's 5 after it; its jobs are placed before.
class PeriodsTest : public testing::ReconcilerFixture {
 protected:
  PeriodsTest() { end_period(end_); }
  void add_next_period(const char* limit) { add_period(end_, limit); }
  ReconcilerOptions options(bool waiting, bool running) {
    ReconcilerOptions made;
    made.moves_waiting = waiting;
    made.moves_running = running;
    return made;
  }
  [[nodiscard]] ledger::Budget period(std::size_t index) const { return periods()[index]; }
  void expect_held(const char* before, const char* after) {
    EXPECT_EQ(to_decimal(period(0).held), before);
    EXPECT_EQ(to_decimal(period(1).held), after);
  }

  const Instant end_ = now() + hours(1);
};

TEST_F(PeriodsTest, AJobThatWaitsIsHeldInTheNextPeriodAndChargedThere) {
  add_next_period("5");
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  expect_held("1.2", "0");
  set_now(end_);
  const PassReport report = pass();
  EXPECT_EQ(report.followed, 1);
  EXPECT_THAT(report.actions.back(), HasSubstr("goes on into the next period of its account"));
  expect_held("0", "1.2");
  EXPECT_EQ(pass().followed, 0);
  auto ended = record(7, "COMPLETED", 90);
  ended.submit = job.submit;
  source_.set_queue("onprem", {});
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  expect_held("0", "0");
  EXPECT_EQ(to_decimal(period(0).used), "0");
  EXPECT_EQ(to_decimal(period(1).used), "0.09");
}

TEST_F(PeriodsTest, AJobThatRunsIsChargedToThePeriodInWhichItStarted) {
  add_next_period("5");
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "RUNNING");
  source_.set_queue("onprem", {job});
  (void)pass();
  auto ended = record(7, "COMPLETED", 90);
  set_now(end_ + seconds(60));
  (void)pass();
  expect_held("1.2", "0");
  source_.set_queue("onprem", {});
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(to_decimal(period(0).used), "0.09");
}

// It waited at the end of the old period, and no pass saw it before it ran.
TEST_F(PeriodsTest, AJobThatStartedInTheNextPeriodBeforeItWasSeenIsChargedThere) {
  add_next_period("5");
  const std::string token = hold("1.2");
  auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  set_now(end_ + seconds(5));
  job.status = slurm::parse_job_status("RUNNING");
  job.start = now();
  source_.set_queue("onprem", {job});
  EXPECT_EQ(pass().followed, 1);
  expect_held("0", "1.2");
  auto ended = record(7, "COMPLETED", 90);
  ended.submit = job.submit;
  source_.set_queue("onprem", {});
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(to_decimal(period(1).used), "0.09");
}

// Nobody looked while that period lasted.
TEST_F(PeriodsTest, AJobThatStartedInAPeriodThatIsOverIsChargedThere) {
  add_next_period("5");
  for (const char* name : {"lab", "proj001"}) {
    ledger::NewBudget after_next{"USD", end_ + hours(24), end_ + hours(48), money("100"), {}, {}};
    ASSERT_TRUE(run(ledger::AddBudget{name, after_next}).accepted());
  }
  auto job = queued(hold("1.2"), 7, "PENDING");
  auto waits = queued(hold("2.4"), 8, "PENDING");
  source_.set_queue("onprem", {job, waits});
  (void)pass();
  set_now(end_ + hours(25));
  job.status = slurm::parse_job_status("RUNNING");
  job.start = end_ + hours(23);
  source_.set_queue("onprem", {job, waits});
  EXPECT_EQ(pass().followed, 2);
  expect_held("0", "1.2");
  EXPECT_EQ(to_decimal(period(2).held), "2.4");
  EXPECT_EQ(pass().followed, 0);
  auto ended = record(7, "COMPLETED", 90);
  ended.submit = job.submit;
  ended.start = job.start;
  ended.end = *job.start + seconds(90);
  source_.set_queue("onprem", {waits});
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(to_decimal(period(1).used), "0.09");
}

TEST_F(PeriodsTest, SoIsATaskWhoseArrayWentOnIntoTheNextButOne) {
  add_next_period("5");
  for (const char* name : {"lab", "proj001"}) {
    ledger::NewBudget after_next{"USD", end_ + hours(24), end_ + hours(48), money("100"), {}, {}};
    ASSERT_TRUE(run(ledger::AddBudget{name, after_next}).accepted());
  }
  const std::string token = hold("3.6", 3);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "0-2";
  source_.set_queue("onprem", {rest});
  (void)pass();
  set_now(end_ + hours(25));
  std::vector<slurm::QueueJob> tasks;
  for (std::int64_t task : {0, 1, 2}) {
    auto& row = tasks.emplace_back(queued(token, task == 2 ? 20 : 21 + task, "RUNNING"));
    row.submit = rest.submit;
    row.array_job_id = 20;
    row.array_task_id = task;
    row.start = end_ + hours(22 + task);
  }
  source_.set_queue("onprem", tasks);
  EXPECT_EQ(pass().followed, 3);
  expect_held("0", "2.4");
  EXPECT_EQ(to_decimal(period(2).held), "1.2");
  EXPECT_EQ(pass().followed, 0);
}

TEST_F(PeriodsTest, OneForWhichThatPeriodLacksTheMoneyKeepsNoOtherBack) {
  add_next_period("1");
  for (const char* name : {"lab", "proj001"}) {
    ledger::NewBudget after_next{"USD", end_ + hours(24), end_ + hours(48), money("100"), {}, {}};
    ASSERT_TRUE(run(ledger::AddBudget{name, after_next}).accepted());
  }
  const std::string token = hold("3.6", 3);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "0-2";
  source_.set_queue("onprem", {rest});
  (void)pass();
  set_now(end_ + hours(25));
  auto first = queued(token, 21, "RUNNING");
  first.submit = rest.submit;
  first.array_job_id = 20;
  first.array_task_id = 0;
  first.start = end_ + hours(23);
  rest.array_tasks = "1-2";
  source_.set_queue("onprem", {rest, first});
  EXPECT_EQ(pass().followed, 1);
  expect_held("1.2", "0");
  EXPECT_EQ(to_decimal(period(2).held), "2.4");
}

TEST_F(PeriodsTest, SoIsOneThatHasEndedBeforeItWasSeen) {
  add_next_period("5");
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  set_now(end_ + seconds(5));
  auto ended = record(7, "COMPLETED", 90);
  ended.submit = job.submit;
  pass_time(seconds(95));
  source_.set_queue("onprem", {});
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  expect_held("0", "0");
  EXPECT_EQ(to_decimal(period(0).used), "0");
  EXPECT_EQ(to_decimal(period(1).used), "0.09");
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 0);
}

TEST_F(PeriodsTest, OfRunsThatNobodySawEachIsChargedToThePeriodInWhichItStarted) {
  add_next_period("5");
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  auto first = record(7, "REQUEUED", 400);
  first.submit = job.submit;
  set_now(end_ + seconds(5));
  auto second = record(7, "COMPLETED", 90);
  second.submit = now() - seconds(1);
  second.run = 2;
  pass_time(seconds(95));
  source_.set_queue("onprem", {});
  source_.set_records("onprem", {first, second});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_held("0", "0");
  EXPECT_EQ(to_decimal(period(0).used), "0.4");
  EXPECT_EQ(to_decimal(period(1).used), "0.09");
}

// Its end was settled with the hold of the period before, and the money for the next run stayed.
TEST_F(PeriodsTest, WhatCameOfAJobAfterSuchARunGoesWithIt) {
  add_next_period("5");
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  set_now(end_ + seconds(5));
  auto first = record(7, "BOOT_FAIL", 90);
  first.submit = job.submit;
  pass_time(seconds(95));
  auto second = record(7, "CANCELLED by 0", 0);
  second.run = 2;
  pass_time(seconds(60));
  source_.set_queue("onprem", {});
  source_.set_records("onprem", {first, second});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_held("0", "0");
  EXPECT_EQ(to_decimal(period(1).used), "0.09");
}

TEST_F(PeriodsTest, TasksThatNobodySawMoveOnceEach) {
  add_next_period("50");
  const std::string token = hold("10", 10);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "0-9";
  source_.set_queue("onprem", {rest});
  (void)pass();
  source_.fail_queue("onprem", Error{ErrorKind::unavailable, "away", ""});
  set_now(end_ + seconds(5));
  std::vector<slurm::AccountingRecord> rows;
  const auto task = [&](std::int64_t index, std::int64_t run, const char* state,
                        std::int64_t elapsed_s) {
    auto row = record(21 + index, state, elapsed_s);
    row.array_job_id = 20;
    row.array_task_id = index;
    row.run = run;
    rows.push_back(row);
  };
  task(3, 1, "REQUEUED", 100);
  task(4, 1, "COMPLETED", 20);
  pass_time(seconds(200));
  task(3, 2, "COMPLETED", 50);
  pass_time(seconds(50));
  (void)pass();  // looks for jobs without a hold: those that follow do not
  source_.set_records("onprem", rows);
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_held("8", "0");
  EXPECT_EQ(to_decimal(period(1).used), "0.17");
}

// The pass that gives a cancelled task's money back is the one in which another task moves.
TEST_F(PeriodsTest, ATaskThatMovedStaysAwayWhenAnotherIsCancelled) {
  add_next_period("50");
  const std::string token = hold("3", 3);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "0-2";
  source_.set_queue("onprem", {rest});
  (void)pass();
  pass_time(seconds(100));
  const auto task = [&](std::int64_t index) {
    auto row = record(20 + index, "COMPLETED", 20);
    row.array_job_id = 20;
    row.array_task_id = index;
    return row;
  };
  auto first = task(1);
  auto waits = record(20, "PENDING", 0);
  waits.start = waits.end = std::nullopt;
  waits.array_job_id = 20;
  waits.array_tasks = "0";
  rest.array_tasks = "0";
  source_.set_queue("onprem", {rest});
  source_.set_records("onprem", {first, waits});
  (void)pass();
  expect_held("2", "0");
  set_now(end_ + seconds(5));
  pass_time(seconds(100));
  source_.set_queue("onprem", {});
  source_.set_records("onprem", {first, task(0)});
  for (int i = 0; i < 4; ++i) (void)pass();
  expect_held("0", "0");
  EXPECT_EQ(to_decimal(period(0).used), "0.02");
  EXPECT_EQ(to_decimal(period(1).used), "0.02");
}

TEST_F(PeriodsTest, ATaskWhoseFirstRunIsChargedStaysWithItsArray) {
  add_next_period("50");
  const std::string token = hold("2", 2);
  auto first = record(23, "REQUEUED", 100);
  first.array_job_id = 20;
  first.array_task_id = 1;
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "0-1";
  source_.set_queue("onprem", {rest});
  (void)pass();
  source_.fail_queue("onprem", Error{ErrorKind::unavailable, "away", ""});
  pass_time(seconds(200));
  source_.set_records("onprem", {first});
  (void)pass();
  set_now(end_ + seconds(5));
  auto second = record(23, "COMPLETED", 50);
  second.array_job_id = 20;
  second.array_task_id = 1;
  second.run = 2;
  pass_time(seconds(60));
  source_.set_records("onprem", {first, second});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_held("1", "0");
  EXPECT_EQ(to_decimal(period(0).used), "0.15");
}

TEST_F(PeriodsTest, WithoutANextPeriodTheRunIsChargedToTheOneThatHeldIt) {
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  set_now(end_ + seconds(5));
  auto ended = record(7, "COMPLETED", 90);
  ended.submit = job.submit;
  pass_time(seconds(95));
  source_.set_queue("onprem", {});
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(to_decimal(period(0).used), "0.09");
}

// Its cluster was away when the other one started the job.
TEST_F(PeriodsTest, ASiblingThatWaitsDoesNotMoveAJobThatRuns) {
  add_next_period("5");
  constexpr std::int64_t federated = (std::int64_t{1} << 26) + 7;
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued("onprem", token, federated, "RUNNING")});
  source_.set_queue("cloud", {queued("cloud", "", federated, "PENDING")});
  (void)pass();
  set_now(end_ + seconds(5));
  (void)pass();
  expect_held("1.2", "0");
}

// Each cluster counts the runs that began there.
TEST_F(PeriodsTest, AFederatedJobThatRanElsewhereBeforeIsChargedInThePeriodItMovedTo) {
  add_next_period("5");
  Reconciler moving{*committer_, source_, view_, prices_, alarms_, options(true, true)};
  constexpr std::int64_t federated = (std::int64_t{1} << 26) + 7;
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued("onprem", token, federated, "RUNNING")});
  (void)moving.run_pass();
  source_.add_record(record("onprem", federated, "REQUEUED", 100));
  auto there = queued("cloud", token, federated, "RUNNING");
  there.restart_count = 1;
  source_.set_queue("onprem", {});
  source_.set_queue("cloud", {there});
  EXPECT_EQ(moving.run_pass().settled, 1);
  set_now(end_ + seconds(5));
  EXPECT_EQ(moving.run_pass().followed, 1);
  expect_held("0", "1.2");
  source_.set_queue("cloud", {});
  source_.add_record(record("cloud", federated, "COMPLETED", 200));
  EXPECT_EQ(moving.run_pass().settled, 1);
  expect_held("0", "0");
  EXPECT_EQ(to_decimal(period(0).used), "0.1");
  EXPECT_EQ(to_decimal(period(1).used), "0.2");
  pass_time(hours(1));
  EXPECT_EQ(moving.run_pass().charged_without_hold, 0);
}

TEST_F(PeriodsTest, OfAnArrayTheTasksThatWaitMove) {
  add_next_period("50");
  const std::string token = hold("10", 10);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "2-9";
  auto first = queued(token, 21, "RUNNING");
  first.array_job_id = 20;
  first.array_task_id = 0;
  auto second = first;
  second.job_id = 22;
  second.array_task_id = 1;
  source_.set_queue("onprem", {rest, first, second});
  (void)pass();
  set_now(end_);
  EXPECT_EQ(pass().followed, 1);
  expect_held("2", "8");
}

TEST_F(PeriodsTest, ARequeuedJobThatWaitsHasItsWholePartInTheNextPeriod) {
  add_next_period("50");
  const std::string token = hold("1");
  auto job = queued(token, 7, "PENDING");
  job.restart_count = 1;
  source_.set_queue("onprem", {job});
  source_.add_record(record(7, "REQUEUED", 400));
  EXPECT_EQ(pass().settled, 1);
  set_now(end_);
  EXPECT_EQ(pass().followed, 1);
  expect_held("0", "1");
  EXPECT_EQ(to_decimal(period(0).used), "0.4");
}

// slurmdbd was away at the end, and the run that was over then had not been charged.
TEST_F(PeriodsTest, ARunThatHasEndedIsChargedToItsPeriodBeforeTheNextRunMoves) {
  add_next_period("50");
  const std::string token = hold("1");
  auto job = queued(token, 7, "PENDING");
  job.restart_count = 1;
  source_.set_queue("onprem", {job});
  source_.fail_accounting("onprem", Error{ErrorKind::unavailable, "away", ""});
  (void)pass();
  const auto over = record(7, "REQUEUED", 400);
  set_now(end_);
  EXPECT_EQ(pass().followed, 0);
  expect_held("1", "0");
  source_.fail_accounting("onprem", std::nullopt);
  source_.add_record(over);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(pass().followed, 1);
  expect_held("0", "1");
  EXPECT_EQ(to_decimal(period(0).used), "0.4");
  EXPECT_EQ(to_decimal(period(1).used), "0");
}

TEST_F(PeriodsTest, WhereTheNextPeriodLacksTheMoneyTheHoldStaysAndIsShown) {
  add_next_period("1");
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued(token, 7, "PENDING")});
  (void)pass();
  set_now(end_);
  EXPECT_EQ(pass().followed, 0);
  expect_held("1.2", "0");
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("goes on into the next period"));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("insufficient_budget"));
  ASSERT_TRUE(run(ledger::Deposit{"proj001", "USD", money("1")}).accepted());
  EXPECT_EQ(pass().followed, 1);
  expect_held("0", "1.2");
  EXPECT_THAT(alarms_.list(), SizeIs(0));
}

TEST_F(PeriodsTest, BothAreSettings) {
  add_next_period("50");
  const std::string waiting = hold("1.2");
  const std::string running = hold("2");
  auto other = queued(running, 8, "RUNNING");
  source_.set_queue("onprem", {queued(waiting, 7, "PENDING"), other});
  (void)pass();
  set_now(end_);
  Reconciler keeps(*committer_, source_, view_, prices_, alarms_, options(false, false));
  (void)keeps.run_pass();
  expect_held("3.2", "0");
  other.start = end_;
  source_.set_queue("onprem", {queued(waiting, 7, "PENDING"), other});
  Reconciler moves(*committer_, source_, view_, prices_, alarms_, options(false, true));
  (void)moves.run_pass();
  expect_held("1.2", "2");
}

}  // namespace
}  // namespace asbb::service
