// Accounts that run dry while jobs run: what is done, to which jobs, once, and what is written
// down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/token.h"
#include "service/testing/ladder_fixture.h"

namespace asbb::service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LadderTest;
using testing::money;
using testing::to_cancel;
using testing::usual;

// A requeued run without new money; the ledger itself would let small jobs take what is left.
TEST_F(LadderTest, WarnsAndStopsNewJobsUntilThereIsMoneyAgain) {
  const std::string token = hold("1");
  leave("0.2");
  auto again = running(token, 7);
  again.restart_count = 1;
  source_.set_queue("onprem", {again});
  auto first = record(7, "REQUEUED", 500);
  source_.add_record(first);
  EXPECT_FALSE(refusal("0.1"));
  (void)pass();
  EXPECT_THAT(entries(), ElementsAre("warn begun", "stop_new begun"));
  EXPECT_EQ(alarm("dry proj001 USD"),
            "account proj001 has run dry while 1 job runs: they need $0.30 more than there is; new "
            "jobs are refused; put money into it (asbb deposit), or end jobs");
  const auto denial = refusal("0.1");
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->code, "account_dry");
  EXPECT_EQ(denial->message,
            "account proj001 has run dry: its running jobs need $0.30 more than there is\n"
            "new jobs on partition gpu-aws wait until there is money again: ask who manages the "
            "account for some, or use a partition without a price\n");
  EXPECT_FALSE(refusal("0"));
  EXPECT_FALSE(refusal("0.1", "gpu-aws", "lab"));
  (void)pass();
  EXPECT_EQ(entries().size(), 2u);
  EXPECT_THAT(control_.done, IsEmpty());

  deposit("5");
  EXPECT_TRUE(refusal("4.9")) << "what runs comes first";
  EXPECT_FALSE(refusal("4.6"));
  (void)pass();
  EXPECT_THAT(entries(),
              ElementsAre("warn begun", "stop_new begun", "warn ended", "stop_new ended"));
  EXPECT_EQ(alarm("dry proj001 USD"), "");
  EXPECT_FALSE(refusal("4.5"));
  expect_sound();
}

TEST_F(LadderTest, WhoIsOutOfOneUnitGoesOnWithTheOther) {
  const ledger::NewBudget hours_of_cores{"core-hours", testing::at("2025-01-01T00:00:00Z"),
                                         testing::at("2026-01-01T00:00:00Z"), money("1000"),
                                         Micros()};
  ASSERT_TRUE(run(ledger::AddBudget{"proj001", hours_of_cores}).accepted());
  const std::string token = hold("1");
  leave("0.2");
  auto again = running(token, 7);
  again.restart_count = 1;
  source_.set_queue("onprem", {again});
  source_.add_record(record(7, "REQUEUED", 500));
  (void)pass();
  EXPECT_TRUE(refusal("0.1"));
  ledger::PlaceHold place;
  place.account = "proj001";
  place.partition = "gpu-aws";
  place.parts.push_back({"core-hours", money("1"), money("1"), 1});
  EXPECT_FALSE(reconciler_ptr_->refusal_of(place, now()));
  // A job that either cluster may run keeps the leg that can be paid.
  place.parts.push_back({"USD", money("0.1"), money("0.1"), 1});
  place.any_unit = true;
  EXPECT_FALSE(reconciler_ptr_->refusal_of(place, now()));
  ASSERT_EQ(place.parts.size(), 1u);
  EXPECT_EQ(place.parts.front().unit, "core-hours");
}

TEST_F(LadderTest, SwitchedOffItDoesNothing) {
  climb(to_cancel());
  enforcement_.enabled = false;
  restart();
  source_.set_queue("onprem", {held_job(7), held_job(8)});
  overrun("1");
  (void)pass();
  EXPECT_TRUE(budget("proj001").available().is_negative());
  EXPECT_THAT(entries(), IsEmpty());
  EXPECT_THAT(control_.done, IsEmpty());
  EXPECT_THAT(alarms_.list(), IsEmpty());
  EXPECT_FALSE(refusal("1"));
}

// As many as it takes: the newest, which gives back 1 less what it cost; the older one runs on.
TEST_F(LadderTest, SignalsTheNewestAndCancelsItAfterTheGrace) {
  climb(to_cancel());
  source_.set_queue("onprem", {held_job(7, 100), held_job(8, 50)});
  overrun("10.3");
  ASSERT_EQ(budget("proj001").available(), money("0.3"));
  ASSERT_THAT(entries(), IsEmpty());
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("0.8")}).accepted());
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 8 USR1"));
  EXPECT_THAT(entries(), ElementsAre("warn begun", "stop_new begun", "signal begun 8"));
  EXPECT_THAT(
      alarm("ladder onprem job 8"),
      HasSubstr("onprem job 8 of alice (account proj001, which has run dry) was sent USR1"));
  pass_time(seconds(299));
  (void)pass();
  EXPECT_EQ(control_.done.size(), 1u) << "the grace is not over, and once is enough";
  pass_time(seconds(1));
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 8 USR1", "onprem cancel 8"));
  EXPECT_THAT(job_entries(), ElementsAre("signal begun 8", "cancel begun 8"));
  // It is over, and slurmdbd says nothing yet: its money is on its way.
  source_.remove_job("onprem", 8);
  (void)pass();
  EXPECT_EQ(control_.done.size(), 2u);
  source_.add_record(record(8, "CANCELLED by 0", 50));
  (void)pass();
  (void)pass();
  EXPECT_FALSE(budget("proj001").available().is_negative());
  EXPECT_EQ(control_.done.size(), 2u);
  EXPECT_EQ(entries().size(), 6u);
  EXPECT_THAT(alarms_.list(), IsEmpty());
  expect_sound();
}

TEST_F(LadderTest, ARestartForgetsNothing) {
  climb(to_cancel());
  source_.set_queue("onprem", {held_job(7)});
  overrun("10");
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  (void)pass();
  ASSERT_THAT(control_.done, ElementsAre("onprem signal 7 USR1"));
  const auto before = entries();
  pass_time(seconds(200));
  restart();
  (void)pass();
  EXPECT_EQ(control_.done.size(), 1u);
  EXPECT_EQ(entries(), before);
  pass_time(seconds(100));
  restart();
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 7 USR1", "onprem cancel 7"));
  restart();
  (void)pass();
  EXPECT_EQ(control_.done.size(), 2u) << "slurmctld takes a while to end it";
  pass_time(seconds(61));
  (void)pass();
  EXPECT_EQ(control_.done.size(), 3u) << "it runs still";
  EXPECT_THAT(job_entries(), ElementsAre("signal begun 7", "cancel begun 7"));
  expect_sound();
}

TEST_F(LadderTest, WithMoneyInTheGraceTheJobGoesOn) {
  climb(to_cancel());
  source_.set_queue("onprem", {held_job(7)});
  overrun("10");
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  (void)pass();
  deposit("20");
  pass_time(seconds(400));
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 7 USR1"));
  EXPECT_THAT(job_entries(), ElementsAre("signal begun 7", "signal ended 7"));
  EXPECT_THAT(alarms_.list(), IsEmpty());
  // Dry once more: it gets a signal and the whole grace again.
  leave("-1");
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 7 USR1", "onprem signal 7 USR1"));
  expect_sound();
}

TEST_F(LadderTest, WhatFailsIsWrittenDownAlarmedAndTriedAgain) {
  climb(to_cancel());
  source_.set_queue("onprem", {held_job(7)});
  overrun("10");
  control_.failures["signal"] = {ErrorKind::unavailable, "scancel: Access denied", ""};
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  (void)pass();
  pass_time(seconds(400));
  (void)pass();
  EXPECT_EQ(control_.done.size(), 2u) << "no cancel without the signal before it";
  EXPECT_THAT(job_entries(), ElementsAre("signal begun 7", "signal failed 7"));
  EXPECT_THAT(alarm("ladder onprem job 7"),
              AllOf(HasSubstr("could not be signalled"), HasSubstr("Access denied")));
  restart();
  control_.failures.clear();
  (void)pass();
  EXPECT_EQ(control_.done.back(), "onprem signal 7 USR1");
  EXPECT_EQ(job_entries().back(), "signal done 7");
  EXPECT_THAT(alarm("ladder onprem job 7"), HasSubstr("was sent USR1"));
  pass_time(seconds(299));
  (void)pass();
  EXPECT_EQ(control_.done.size(), 3u) << "the grace begins when it was sent";
  pass_time(seconds(1));
  (void)pass();
  EXPECT_EQ(control_.done.back(), "onprem cancel 7");
  expect_sound();
}

// What cannot be written down is not done.
TEST_F(LadderTest, TheEntryComesBeforeTheDeed) {
  source_.set_queue("onprem", {held_job(7)});
  overrun("10");
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  (void)pass();
  ASSERT_THAT(entries(), ElementsAre("warn begun", "stop_new begun"));
  climb(to_cancel());
  committer_->stop();
  const PassReport report = pass();
  EXPECT_THAT(control_.done, IsEmpty());
  EXPECT_THAT(report.problems, ::testing::Contains(HasSubstr("cannot be written down")));
}

// Nor are new jobs refused for it.
TEST_F(LadderTest, NewJobsAreStoppedOnceThatIsWrittenDown) {
  source_.set_queue("onprem", {held_job(7)});
  overrun("10");
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  committer_->stop();
  (void)pass();
  EXPECT_THAT(entries(), IsEmpty());
  EXPECT_FALSE(refusal("0.1"));
}

TEST_F(LadderTest, RequeuesIntoAnotherPartitionWhereTheJobStays) {
  config::Ladder ladder = usual;
  ladder.requeue_to = "cpu";
  ladder.cancel = true;
  climb(ladder);
  slurm::ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  snapshot.partitions.resize(2);
  snapshot.partitions[0].name = "gpu-aws";
  snapshot.partitions[1].name = "cpu";
  view_.put(snapshot);
  auto job = held_job(7);
  source_.set_queue("onprem", {job});
  overrun("10");
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem requeue 7"));
  // Its first run ends, and it waits, held.
  auto waits = queued(std::string(find_token(job.admin_comment)), 7, "PENDING");
  waits.restart_count = 1;
  waits.state_reason = "job requeued in held state";
  waits.submit = job.submit + seconds(10);
  pass_time(seconds(10));
  source_.set_queue("onprem", {waits});
  auto ended = record(7, "REQUEUED", 10);
  ended.submit = job.submit;
  source_.add_record(ended);
  restart();
  (void)pass();
  EXPECT_THAT(control_.done,
              ElementsAre("onprem requeue 7", "onprem move 7 cpu", "onprem release 7"));
  EXPECT_THAT(job_entries(), ElementsAre("requeue begun 7", "requeue done 7"));
  waits.partition = "cpu";
  waits.state_reason = "None";
  source_.set_queue("onprem", {waits});
  (void)pass();
  deposit("20");
  (void)pass();
  EXPECT_EQ(control_.done.size(), 3u) << "it stays where it is";
  EXPECT_EQ(job_entries().size(), 2u);
  EXPECT_EQ(alarm("dry proj001 USD"), "");
  expect_sound();
}

// sbatch --no-requeue: after three times the next step is taken.
TEST_F(LadderTest, AJobThatCannotBeRequeuedGoesOnToTheNextStep) {
  config::Ladder ladder = to_cancel();
  ladder.requeue_to = "cpu";
  climb(ladder);
  slurm::ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  snapshot.partitions.resize(1);
  snapshot.partitions[0].name = "cpu";
  view_.put(snapshot);
  auto other = held_job(8);
  source_.set_queue("onprem", {held_job(7)});
  overrun("10");
  control_.failures["requeue"] = {ErrorKind::unavailable,
                                  "Requested operation is presently disabled", ""};
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("1")}).accepted());
  for (int i = 0; i < 4; ++i) (void)pass();
  EXPECT_THAT(job_entries(), ElementsAre("requeue begun 7", "requeue failed 7", "signal begun 7"));
  EXPECT_EQ(control_.done.back(), "onprem signal 7 USR1");
  // Where there is no such partition, a job is not torn from its node for it.
  snapshot.partitions[0].name = "gpu";
  view_.put(snapshot);
  source_.set_queue("onprem", {other});
  source_.add_record(record(7, "FAILED", 1));
  (void)pass();
  EXPECT_EQ(control_.done.back(), "onprem signal 8 USR1");
  expect_sound();
}

TEST_F(LadderTest, OnCreditNothingIsDoneToJobs) {
  config::Ladder ladder = to_cancel();
  ladder.credit = true;
  climb(ladder);
  ledger::UpdateAccount update;
  update.name = "proj001";
  update.credit_limit = money("2");
  ASSERT_TRUE(run(update).accepted());
  source_.set_queue("onprem", {held_job(7)});
  leave("1");
  (void)pass();
  leave("-1.5");
  (void)pass();
  EXPECT_THAT(entries(), ElementsAre("warn begun", "stop_new begun", "credit begun"));
  EXPECT_THAT(alarm("dry proj001 USD"), HasSubstr("on credit, up to $2.00"));
  EXPECT_THAT(control_.done, IsEmpty());
  leave("-2.5");
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 7 USR1"));
  expect_sound();
}

// Other accounts' jobs, and jobs on partitions without a price, are nobody's money here.
TEST_F(LadderTest, LeavesOtherJobsAlone) {
  climb(to_cancel());
  enforcement_.accounts["lab"] = {};
  enforcement_.accounts["proj001"] = to_cancel();
  restart();
  account("other001", "lab", "50");
  auto free = held_job(6);
  free.partition = "cpu";
  auto others = running("", 8);
  others.account = "other001";
  source_.set_queue("onprem", {free, others, queued(hold("1"), 9, "PENDING"), held_job(7, 500)});
  (void)pass();
  leave("-40");
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 7 USR1"));
  expect_sound();
}

// Let through while the service was away: it costs, and nobody holds anything for it.
TEST_F(LadderTest, AJobWithoutAHoldIsActedOnFirst) {
  climb(to_cancel());
  leave("1.5");
  source_.set_queue("onprem", {held_job(7), running("", 8, 400)});
  (void)pass();
  EXPECT_THAT(entries(), IsEmpty()) << "0.4 of 0.5 so far";
  pass_time(seconds(200));
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 8 USR1"));
  EXPECT_THAT(alarm("dry proj001 USD"), HasSubstr("they need $0.10 more"));
  expect_sound();
}

// OverTimeLimit: it runs on after its time, and beyond what was held for it.
TEST_F(LadderTest, AJobBeyondItsHoldLacksWhatItCostMore) {
  climb(to_cancel());
  auto job = held_job(7, 900);
  job.time_limit_minutes = 16;
  job.end = *job.start + seconds(960);
  source_.set_queue("onprem", {job});
  leave("0.2");
  pass_time(seconds(250));
  (void)pass();
  EXPECT_THAT(entries(), IsEmpty()) << "1.15 of 1, and 0.2 left";
  pass_time(seconds(100));
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 7 USR1"));
  EXPECT_THAT(alarm("dry proj001 USD"), HasSubstr("they need $0.05 more"));
  expect_sound();
}

// What squeue says without the operator right is not all there is.
TEST_F(LadderTest, AListWithoutTheOperatorRightEndsNothing) {
  source_.set_queue("onprem", {held_job(7)});
  (void)pass();
  leave("-1");
  (void)pass();
  source_.set_operator("onprem", false);
  source_.set_queue("onprem", {});
  (void)pass();
  EXPECT_THAT(entries(), ElementsAre("warn begun", "stop_new begun"));
  EXPECT_TRUE(refusal("0.1"));
}

TEST_F(LadderTest, TasksOfAnArrayAreNamedEach) {
  climb(to_cancel());
  const std::string token = hold("2", 2);
  std::vector<slurm::QueueJob> rows;
  for (const std::int64_t task : {0, 1}) {
    auto row = running(token, 7 + task, 100 - task);
    row.array_job_id = 8;
    row.array_task_id = task;
    rows.push_back(row);
  }
  source_.set_queue("onprem", rows);
  (void)pass();
  leave("-0.1");
  (void)pass();
  EXPECT_THAT(control_.done, ElementsAre("onprem signal 8_1 USR1"));
  expect_sound();
}

// A controller that does not answer may have the jobs: what is in force stays so.
TEST_F(LadderTest, StepsDownOnlyWhenEveryControllerWasHeard) {
  source_.set_queue("onprem", {held_job(7)});
  (void)pass();
  leave("-1");
  (void)pass();
  ASSERT_EQ(entries().size(), 2u);
  source_.fail_queue("onprem", Error{ErrorKind::unavailable, "away", ""});
  (void)pass();
  EXPECT_EQ(entries().size(), 2u);
  EXPECT_TRUE(refusal("0.1"));
  source_.fail_queue("onprem", std::nullopt);
  source_.set_queue("onprem", {});
  (void)pass();
  EXPECT_EQ(entries().size(), 4u) << "nothing runs any more: the ledger refuses by itself";
}

}  // namespace
}  // namespace asbb::service
