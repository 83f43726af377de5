// What became of a job while nobody looked: between two passes, or while the service was away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::money;
using ::testing::SizeIs;

class UnseenTest : public testing::ReconcilerFixture {
 protected:
  UnseenTest() { account("other001", "", "50"); }

  // Until all is looked at, however long that was not done.
  void look() {
    pass_time(seconds(301));
    for (int i = 0; i < 3; ++i) (void)pass();
  }
  // A later look at all that slurmdbd has, which finds nothing new.
  void expect_nothing_more() {
    pass_time(seconds(301));
    const PassReport report = pass();
    EXPECT_EQ(report.settled + report.charged_without_hold, 0);
  }
};

class UnseenChanges : public testing::JobChanges {
 protected:
  // The job moves to a partition that costs nothing, which is seen, and back, which is not.
  void move_there_and_back(slurm::QueueJob row) {
    api::JobChange asked = change();
    asked.asked.partition = "cpu";
    ASSERT_EQ(ask(asked).decision, "allow");
    row.partition = "cpu";
    show({row});
    EXPECT_EQ(pass().followed, 1);
    expect_held("0");
    show({});
    pass_time(seconds(301));
  }
};

TEST_F(UnseenChanges, AJobThatCameBackFromAFreePartitionIsChargedThoughItsHoldIsGone) {
  const auto row = job();
  show({row});
  (void)pass();
  move_there_and_back(row);
  source_.add_record(ended(7, 600, row.submit, 1));
  EXPECT_EQ(pass().charged_without_hold, 1);
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.6");
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 0);
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.6");
}

TEST_F(UnseenChanges, TheRunBeforeItWasMovedIsNotChargedAgain) {
  auto row = job();
  show({row});
  (void)pass();
  auto first = ended(7, 600, row.submit, 1);
  first.status = slurm::parse_job_status("REQUEUED");
  source_.add_record(first);
  pass_time(seconds(601));
  row.restart_count = 1;
  row.submit = now();
  show({row});
  EXPECT_EQ(pass().settled, 1);
  move_there_and_back(row);
  auto second = ended(7, 100, row.submit, 2);
  second.run = 2;
  source_.add_record(second);
  EXPECT_EQ(pass().charged_without_hold, 1);
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.7");
}

TEST_F(UnseenTest, ARunUnderAnotherAccountIsChargedToThatAccount) {
  const std::string token = hold("1.2");
  const auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  source_.set_queue("onprem", {});
  auto ended = record(7, "COMPLETED", 90);
  ended.account = "other001";
  ended.admin_comment = job.admin_comment;
  source_.add_record(ended);
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("0", "0");
  EXPECT_EQ(to_decimal(budget("other001").used), "0.09");
  expect_nothing_more();
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

TEST_F(UnseenTest, TheRunBeforeTheAccountChangedStaysWithTheFirst) {
  const std::string token = hold("1.2");
  auto job = queued(token, 7, "PENDING");
  source_.set_queue("onprem", {job});
  (void)pass();
  source_.set_queue("onprem", {});
  source_.add_record(record(7, "REQUEUED", 100));
  pass_time(seconds(100));
  auto second = record(7, "COMPLETED", 50);
  second.account = "other001";
  second.run = 2;
  source_.add_record(second);
  pass_time(seconds(50));
  (void)pass();
  (void)pass();
  expect_balance("0", "0.1");
  EXPECT_EQ(to_decimal(budget("other001").used), "0.05");
  expect_nothing_more();
}

// Bug: a task that had left its hold left its charged runs with nobody, and after a restart they
// were charged once more.
TEST_F(UnseenTest, ATasksRunBeforeTheAccountChangedIsChargedOnceOverARestart) {
  const std::string token = hold("2.4", 2);
  auto job = queued(token, 7, "PENDING");
  job.array_job_id = 7;
  job.array_tasks = "0-1";
  source_.set_queue("onprem", {job});
  (void)pass();
  auto first = record(8, "PREEMPTED", 100);
  first.array_job_id = 7;
  first.array_task_id = 1;
  source_.add_record(first);
  job.array_tasks = "0";
  auto again = job;
  again.job_id = 8;
  again.array_tasks.clear();
  again.array_task_id = 1;
  again.restart_count = 1;
  again.submit = now();
  source_.set_queue("onprem", {job, again});
  EXPECT_EQ(pass().settled, 1);
  pass_time(seconds(100));
  auto second = record(8, "COMPLETED", 50);
  second.array_job_id = 7;
  second.array_task_id = 1;
  second.account = "other001";
  second.run = 2;
  source_.add_record(second);
  source_.set_queue("onprem", {job});
  pass_time(seconds(50));
  (void)pass();
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.1");
  EXPECT_EQ(to_decimal(budget("other001").used), "0.05");
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  for (int i = 0; i < 5; ++i) (void)restarted.run_pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.1");
  EXPECT_EQ(to_decimal(budget("other001").used), "0.05");
}

TEST_F(UnseenTest, AnAccountWithoutABudgetLeavesTheRunToTheHold) {
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued(token, 7, "PENDING")});
  (void)pass();
  source_.set_queue("onprem", {});
  auto ended = record(7, "COMPLETED", 90);
  ended.account = "unknown";
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.09");
}

// The account has got a budget of its own since the hold was placed above it.
TEST_F(UnseenTest, AHoldOfAnAccountAbovePaysForTheRunThatItWasPlacedFor) {
  slurm::Associations tree;
  tree.add(slurm::Association{"onprem", "sub001", "", "", "proj001", "", false});
  view_.put("onprem", tree);
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued(token, 7, "PENDING")});
  (void)pass();
  account("sub001", "proj001", "10");
  source_.set_queue("onprem", {});
  auto ended = record(7, "COMPLETED", 90);
  ended.account = "sub001";
  source_.add_record(ended);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(to_decimal(budget("sub001").used), "0");
}

TEST_F(UnseenTest, ARunThatNeverGotItsPartitionAndHasNoHoldIsAlarmed) {
  auto lost = record(7, "COMPLETED", 90);
  lost.partition.clear();
  source_.add_record(lost);
  pass_time(seconds(1800));
  (void)pass();
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("onprem job 7"));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("without a partition"));
  lost.partition = "gpu-aws";
  source_.set_records("onprem", {lost});
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

TEST_F(UnseenTest, ARunWhoseEndIsLostAndThatHasNoHoldIsAlarmed) {
  auto lost = record(7, "RUNNING", 90);
  lost.end.reset();
  lost.eligible = now();
  auto live = record(8, "RUNNING", 90);
  live.end.reset();
  live.eligible = now();
  source_.set_records("onprem", {lost, live});
  source_.set_queue("onprem", {queued("", 7, "RUNNING"), queued("", 8, "RUNNING")});
  pass_time(hours(25));
  look();
  EXPECT_THAT(alarms_.list(), IsEmpty());
  source_.set_queue("onprem", {queued("", 8, "RUNNING")});
  look();
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("onprem job 7"));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("runawayjobs"));
  auto ended = lost;
  ended.status = slurm::parse_job_status("COMPLETED");
  ended.end = now();
  source_.set_records("onprem", {ended, live});
  look();
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.09");
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

// slurmdbd has no row of the first run any more, and the second is counted as the first.
TEST_F(UnseenTest, ARunWhoseForerunnerWasPurgedIsAnAlarmAndNotChargedTwice) {
  const std::string token = hold("1.2");
  auto job = queued(token, 7, "PENDING");
  job.restart_count = 1;
  source_.set_queue("onprem", {job});
  source_.add_record(record(7, "REQUEUED", 100));
  pass_time(hours(1));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("1.2", "0.1");
  pass_time(hours(1000));
  source_.set_records("onprem", {record(7, "COMPLETED", 50)});
  source_.set_queue("onprem", {});
  pass_time(hours(1));
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("1.2", "0.1");
  const auto alarms = alarms_.list();
  EXPECT_TRUE(std::any_of(alarms.begin(), alarms.end(), [](const Alarm& alarm) {
    return alarm.key.starts_with("changed onprem") &&
           alarm.message.find("$0.05") != std::string::npos;
  }));
}

// The submission arrives when its job was charged already, and the record was corrected since.
TEST_F(UnseenTest, ACorrectionThatComesWithALateHoldIsAlarmed) {
  auto row = record(7, "COMPLETED", 80);
  const std::string token = this->token();
  row.admin_comment = "asbb=" + token;
  source_.add_record(row);
  EXPECT_EQ(pass().charged_without_hold, 1);
  ledger::PlaceHold late;
  late.account = "proj001";
  late.user = "alice";
  late.cluster = "onprem";
  late.partition = "gpu-aws";
  late.transaction_id = token;
  late.parts.push_back({"USD", money("1"), money("1"), price_version_});
  ASSERT_TRUE(run(late).accepted());
  row.elapsed_seconds = 90;
  row.end = *row.start + seconds(90);
  source_.set_records("onprem", {row});
  look();
  expect_balance("0", "0.08");
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].key, HasSubstr("changed onprem job 7"));
}

// slurmctld says that it ended when it was suspended, which is in no window any more.
TEST_F(UnseenTest, ARunThatIsCancelledLongAfterItsSuspensionIsCharged) {
  auto row = record(7, "RUNNING", 3600);
  const auto end = *row.end;
  row.end.reset();
  row.eligible = now();
  source_.set_records("onprem", {row});
  for (int i = 0; i < 50; ++i) {
    pass_time(seconds(301));
    (void)pass();
  }
  row.status = slurm::parse_job_status("CANCELLED by 0");
  row.end = end;
  source_.set_records("onprem", {row});
  look();
  expect_balance("0", "3.6");
}

TEST_F(UnseenTest, AJobThatRanWhereNothingCostsKeepsNobodysHold) {
  (void)hold("1");
  auto free = record(9, "COMPLETED", 30);
  free.partition = "cpu";
  source_.add_record(free);
  pass_time(seconds(61));
  EXPECT_EQ(pass().voided, 1);
  EXPECT_THAT(alarms_.list(), IsEmpty());
  expect_balance("0", "0");
}

// Another plugin wrote its own words over the token before the job was seen.
TEST_F(UnseenTest, AHoldWhoseJobMayWaitWithoutItsTokenIsKeptAndAlarmed) {
  const std::string token = hold("1.2");
  auto job = queued("", 7, "PENDING");
  job.admin_comment = "of another plugin";
  pass_time(hours(1));
  source_.set_queue("onprem", {job});
  EXPECT_EQ(pass().voided, 0);
  expect_balance("1.2", "0");
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("may belong to onprem job 7"));
  job.partition = "cpu";  // which costs nothing
  source_.set_queue("onprem", {job});
  pass_time(hours(1));
  EXPECT_EQ(pass().voided, 1);
  expect_balance("0", "0");
}

}  // namespace
}  // namespace asbb::service
