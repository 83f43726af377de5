// Requeued jobs: each run is paid once, by whom its cause says, and the next one has money.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using testing::money;
using ::testing::SizeIs;

class RunsOfJobsTest : public testing::ReconcilerFixture {
 protected:
  slurm::QueueJob requeued(const std::string& token, const char* state, std::int64_t restarts = 1) {
    auto job = queued(token, 7, state);
    job.restart_count = restarts;
    return job;
  }
  slurm::AccountingRecord run_of(std::int64_t run, const char* state, std::int64_t elapsed_s) {
    auto ended = record(7, state, elapsed_s);
    ended.run = run;
    return ended;
  }
  // Of 10'000 USD all but what is left.
  void spend_all_but(const char* left) {
    const Micros rest = budget("proj001").available() - money(left);
    ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", rest}).accepted());
  }
};

TEST_F(RunsOfJobsTest, EachRunIsPaidOnceAndTheNextHasItsWholePart) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {requeued(token, "PENDING")});
  source_.add_record(run_of(1, "REQUEUED", 100));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("1", "0.1");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::open);
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1", "0.1");
  source_.set_queue("onprem", {});
  source_.add_record(run_of(2, "COMPLETED", 1000));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "1.1");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
  EXPECT_THAT(alarms_.list(), SizeIs(0));
}

// slurmdbd hears of the next run a moment later than of the end of the one before it.
TEST_F(RunsOfJobsTest, ANodesFailureIsNoEndAsLongAsTheListOfJobsIsNotComplete) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  source_.set_queue("onprem", {});
  source_.add_record(run_of(1, "NODE_FAIL", 100));
  source_.set_queue_problems("onprem", {"a row that cannot be read"});
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1", "0");
  source_.set_queue_problems("onprem", {});
  source_.fail_queue("onprem", Error{ErrorKind::unavailable, "slurmctld is away", {}});
  EXPECT_EQ(pass().settled, 0);
  source_.fail_queue("onprem", {});
  source_.set_queue("onprem", {requeued(token, "PENDING")});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("1", "0.1");
}

// The first run used to be taken for another job's, with the same id: it was charged beyond the
// hold.
TEST_F(RunsOfJobsTest, AJobThatWasRequeuedBeforeItWasSeenIsTheSameJob) {
  const std::string token = hold("1");
  auto first = run_of(1, "REQUEUED", 100);
  pass_time(seconds(100));
  source_.set_queue("onprem", {requeued(token, "PENDING")});
  source_.add_record(first);
  const PassReport report = pass();
  EXPECT_EQ(report.settled, 1);
  EXPECT_EQ(report.charged_without_hold, 0);
  expect_balance("1", "0.1");
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("1", "0.1");
}

// The id has come back as that of an array's task, which was requeued.
TEST_F(RunsOfJobsTest, AnotherJobWithTheIdIsNotItsNextRun) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  slurm::QueueJob other = requeued(token, "PENDING");
  other.array_job_id = 40;
  other.array_task_id = 3;
  other.admin_comment.clear();
  source_.set_queue("onprem", {other});
  source_.add_record(run_of(1, "NODE_FAIL", 100));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.1");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
}

TEST_F(RunsOfJobsTest, ManyRunsArePaidEach) {
  const std::string token = hold("1");
  for (std::int64_t run = 1; run <= 5; ++run) {
    source_.set_queue("onprem", {requeued(token, "PENDING", run)});
    source_.add_record(run_of(run, run % 2 == 0 ? "NODE_FAIL" : "REQUEUED", 200));
    EXPECT_EQ(pass().settled, 1) << run;
    EXPECT_EQ(budget("proj001").held, money("1")) << run;
  }
  source_.set_queue("onprem", {});
  source_.add_record(run_of(6, "CANCELLED by 0", 0));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "1");
}

// Of scrontab: slurmctld has the job waiting for its next time as soon as a run has ended.
TEST_F(RunsOfJobsTest, AJobThatRunsAgainAndAgainIsHeldForEachRun) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)pass();
  for (int run = 1; run <= 3; ++run) {
    auto job = queued(token, 7, "PENDING");
    job.restart_count = run;
    source_.set_queue("onprem", {job});
    source_.add_record(run_of(run, "COMPLETED", 300));
    EXPECT_EQ(pass().settled, 1);
    EXPECT_EQ(budget("proj001").held, money("1"));
    EXPECT_EQ(budget("proj001").used, money(run == 1 ? "0.3" : run == 2 ? "0.6" : "0.9"));
  }
}

// The service was away: both runs are over when they are seen.
TEST_F(RunsOfJobsTest, ARunThatIsOverGetsNoNewMoney) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)pass();
  source_.set_queue("onprem", {});
  source_.add_record(run_of(1, "REQUEUED", 900));
  source_.add_record(run_of(2, "COMPLETED", 300));
  EXPECT_EQ(pass().settled, 2);
  expect_balance("0", "1.2");
  store::EntryQuery query;
  query.types = {ledger::EntryType::hold};
  EXPECT_EQ(store_.entries(query)->size(), 1u);
}

TEST_F(RunsOfJobsTest, ARunOfAnotherSizeGoesOnWithWhatIsLeft) {
  const std::string token = hold("1");
  auto job = queued(token, 7, "RUNNING");
  source_.set_queue("onprem", {job});
  source_.add_record(run_of(1, "RESIZING", 400));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0.6", "0.4");
  (void)pass();
  expect_balance("0.6", "0.4");
}

// slurmdbd has a row for each size, slurmctld counts restarts alone.
TEST_F(RunsOfJobsTest, AResizedJobIsHeldForItsNextRun) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  source_.add_record(run_of(1, "RESIZING", 100));
  EXPECT_EQ(pass().settled, 1);
  auto failed = run_of(2, "NODE_FAIL", 200);
  failed.resizes = 1;
  source_.add_record(failed);
  source_.set_queue("onprem", {requeued(token, "PENDING")});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("1", "0.3");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::open);
}

TEST_F(RunsOfJobsTest, WithoutMoneyTheRunIsShownAsUncoveredUntilThereIsSome) {
  const std::string token = hold("1");
  spend_all_but("0.2");
  source_.set_queue("onprem", {requeued(token, "PENDING")});
  source_.add_record(run_of(1, "REQUEUED", 500));
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(budget("proj001").held, money("0.5"));
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_EQ(alarms_.list()[0].key, "uncovered onprem job 7");
  EXPECT_EQ(alarms_.list()[0].message,
            "onprem job 7 was requeued and is not covered: $0.50 are missing on account proj001; "
            "they are held as soon as the account has them, else what a run uses beyond its hold "
            "is charged as an overrun");
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  (void)restarted.run_pass();
  EXPECT_THAT(alarms_.list(), SizeIs(1));
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("0") - money("0.3")}).accepted());
  (void)restarted.run_pass();
  EXPECT_EQ(budget("proj001").held, money("1"));
  EXPECT_THAT(alarms_.list(), SizeIs(0));
}

TEST_F(RunsOfJobsTest, AnUncoveredRunIsChargedAsAnOverrunAndItsAlarmEnds) {
  const std::string token = hold("1");
  spend_all_but("0");
  source_.set_queue("onprem", {requeued(token, "RUNNING")});
  source_.add_record(run_of(1, "REQUEUED", 500));
  (void)pass();
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  const Micros before = budget("proj001").used;
  source_.set_queue("onprem", {});
  source_.add_record(run_of(2, "COMPLETED", 900));
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(budget("proj001").used - before, money("0.9"));
  EXPECT_EQ(budget("proj001").held, money("0"));
  (void)pass();
  EXPECT_THAT(alarms_.list(), SizeIs(0));
}

TEST_F(RunsOfJobsTest, EachTaskOfAnArrayIsRequeuedByItself) {
  const std::string token = hold("10", 10);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "2-9";
  const auto task = [&](std::int64_t id, std::int64_t number, const char* state) {
    auto job = queued(token, id, state);
    job.array_job_id = 20;
    job.array_task_id = number;
    job.restart_count = 1;
    return job;
  };
  source_.set_queue("onprem", {rest, task(21, 0, "PENDING"), task(22, 1, "RUNNING")});
  for (const std::int64_t number : {0, 1}) {
    auto first = record(21 + number, "REQUEUED", 300);
    first.array_job_id = 20;
    first.array_task_id = number;
    source_.add_record(first);
  }
  EXPECT_EQ(pass().settled, 2);
  expect_balance("10", "0.6");
}

class CostsTest : public RunsOfJobsTest {
 protected:
  CostsTest() { account("overhead", "", "5"); }
  static ReconcilerOptions options() {
    ReconcilerOptions made;
    made.run_costs = {"overhead", true, true, false};
    return made;
  }
  Reconciler with_policy_{*committer_, source_, view_, prices_, alarms_, options()};
};

TEST_F(CostsTest, ANodesFailureIsWrittenOffAndARequeueIsBilled) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {requeued(token, "PENDING")});
  source_.add_record(run_of(1, "NODE_FAIL", 100));
  const PassReport report = with_policy_.run_pass();
  EXPECT_THAT(report.actions.back(),
              HasSubstr("wrote $0.10 off to account overhead for onprem job 7 (NODE_FAIL)"));
  expect_balance("1", "0");
  EXPECT_EQ(budget("overhead").used, money("0.1"));
  source_.set_queue("onprem", {requeued(token, "PENDING", 2)});
  source_.add_record(run_of(2, "REQUEUED", 200));
  (void)with_policy_.run_pass();
  expect_balance("1", "0.2");
  source_.set_queue("onprem", {requeued(token, "PENDING", 3)});
  source_.add_record(run_of(3, "PREEMPTED", 300));
  (void)with_policy_.run_pass();
  expect_balance("1", "0.5");
  (void)with_policy_.run_pass();
  EXPECT_EQ(budget("overhead").used, money("0.1"));
}

TEST_F(CostsTest, AJobWithoutAHoldIsWrittenOffAlike) {
  (void)with_policy_.run_pass();
  source_.add_record(record(9, "BOOT_FAIL", 30));
  pass_time(seconds(301));
  EXPECT_EQ(with_policy_.run_pass().charged_without_hold, 1);
  expect_balance("0", "0");
  EXPECT_EQ(budget("overhead").used, money("0.03"));
}

TEST_F(CostsTest, WhatCannotBeWrittenOffStaysAndIsAlarmed) {
  const std::string token = hold("1");
  ASSERT_TRUE(run(ledger::CloseAccount{"overhead"}).accepted());
  source_.set_queue("onprem", {});
  source_.add_record(run_of(1, "NODE_FAIL", 100));
  source_.set_queue("onprem", {queued(token, 7, "NODE_FAIL")});
  EXPECT_EQ(with_policy_.run_pass().settled, 1);
  expect_balance("0", "0.1");
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("cannot be written off to account 'overhead'"));
}

}  // namespace
}  // namespace asbb::service
