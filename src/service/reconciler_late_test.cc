// What the simulated centre found (tests/simulation/centre.h): holds that come to light late, rows
// that slurmdbd hears of late, and a database that does not answer in between. Each run is charged
// once all the same.
#include <gmock/gmock.h>

#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::IsEmpty;
using testing::money;
using ::testing::SizeIs;

constexpr std::int64_t federated = (std::int64_t{1} << 26) + 7;

using ToldLateTest = testing::ReconcilerFixture;

// It used to be charged without a hold by the row of the sibling that ran it, and again out of its
// hold once the origin's row, which alone has the token, had been read.
TEST_F(ToldLateTest, AFederatedJobThatNobodySawWhileItLivedIsChargedOutOfItsHold) {
  const std::string token = hold("1");
  auto origin = record("onprem", federated, "REVOKED", 0);
  origin.admin_comment = "asbb=" + token;
  source_.add_record(origin);
  source_.add_record(ran("cloud", federated, testing::Fixture::token()));
  pass_time(hours(2));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pass().charged_without_hold, 0);
    pass_time(seconds(301));
  }
  expect_balance("0", "0.1");
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

// A federated id that a controller gave out again belongs to whoever has it now.
TEST_F(ToldLateTest, AReusedFederatedIdIsNoSiblingOfTheJobThatHadIt) {
  const std::string token = hold("1");
  source_.add_record(ran("onprem", federated, token));
  pass_time(seconds(200));
  (void)pass();
  pass_time(seconds(301));
  (void)pass();
  expect_balance("0", "0.1");
  auto other = ran("onprem", federated, testing::Fixture::token());
  other.user = "bob";
  source_.add_record(other);
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("0", "0.2");
}

// The run that the sibling had was charged to both jobs: its row has a token that nobody knows.
TEST_F(ToldLateTest, ASiblingsRunIsChargedToTheLaterOfTwoJobsWithOneIdAlone) {
  const std::string lost = hold("1");
  source_.set_queue("onprem", {queued(lost, federated, "PENDING")});
  (void)pass();
  pass_time(seconds(500));
  const std::string again = hold("2");
  source_.set_queue("onprem", {queued(again, federated, "PENDING")});
  (void)pass();
  source_.set_queue("onprem", {});
  source_.add_record(ran("cloud", federated, testing::Fixture::token()));
  pass_time(seconds(301));
  (void)pass();
  (void)pass();
  expect_balance("1", "0.1");
  EXPECT_EQ(find(lost).status, ledger::HoldStatus::open);
  EXPECT_EQ(find(again).status, ledger::HoldStatus::closed);
}

// slurmdbd has the end before the start, and a list that does not show everything is no proof that
// it never started.
TEST_F(ToldLateTest, ACancelledJobWhoseStartIsNotToldIsNotChargedWhileTheListIsNotComplete) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  auto whole = ran("onprem", 7, token);
  whole.status = slurm::parse_job_status("CANCELLED by 1000");
  auto early = whole;
  early.start = std::nullopt;
  early.elapsed_seconds = 0;
  early.allocated_tres.clear();
  early.nodes.clear();
  source_.add_record(early);
  source_.set_queue("onprem", {});
  source_.set_operator("onprem", false);
  EXPECT_EQ(pass().settled, 0);
  source_.set_operator("onprem", true);
  source_.set_queue_problems("onprem", {"a row cannot be read"});
  EXPECT_EQ(pass().settled, 0);
  source_.set_records("onprem", {whole});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.1");
}

// The service's clock was ahead of Slurm's by as much as munge lets pass.
TEST_F(ToldLateTest, AHoldIsNotGivenBackForARowThatIsOlderByTheClocksOnly) {
  const std::string token = hold("1");
  auto origin = record("onprem", federated, "REVOKED", 0);
  origin.admin_comment = "asbb=" + token;
  origin.submit = now() - seconds(290);
  origin.eligible = origin.submit;
  origin.start = std::nullopt;
  origin.end = now() - seconds(280);
  source_.add_record(origin);
  pass_time(hours(1));
  EXPECT_EQ(pass().voided, 0);
  EXPECT_TRUE(find(token).job);
}

// The controller showed the later job no more when the service was back.
TEST_F(ToldLateTest, ASiblingsRunIsNotChargedToAJobThatHadTheIdBeforeALaterOneWithoutAHold) {
  const std::string lost = hold("1");
  source_.set_queue("onprem", {queued(lost, federated, "PENDING")});
  (void)pass();
  source_.set_queue("onprem", {});
  pass_time(seconds(1000));
  auto origin = record("onprem", federated, "REVOKED", 0);
  origin.admin_comment = "asbb=" + testing::Fixture::token();
  source_.add_record(origin);
  source_.add_record(ran("cloud", federated, testing::Fixture::token()));
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  (void)pass();
  expect_balance("1", "0.1");
  EXPECT_EQ(find(lost).status, ledger::HoldStatus::open);
}

// The hold used to be closed with the first run, because the cluster that had it shows no other.
TEST_F(ToldLateTest, AFederatedJobWhoseNextRunWaitsElsewhereKeepsItsHold) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, federated, "PENDING")});
  (void)pass();
  source_.add_record(ran("cloud", federated, testing::Fixture::token()));
  auto row = ran("cloud", federated, testing::Fixture::token());
  row.status = slurm::parse_job_status("NODE_FAIL");
  source_.set_records("cloud", {row});
  source_.fail_queue("onprem", Error{ErrorKind::unavailable, "away", ""});
  pass_time(seconds(60));
  EXPECT_EQ(pass().settled, 0);
  source_.fail_queue("onprem", std::nullopt);
  auto next = queued(token, federated, "PENDING");
  next.restart_count = 1;
  next.submit = now();
  source_.set_queue("onprem", {next});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("1", "0.1");
}

// A controller that was killed gives an id out again, and a sibling without a token shows no job.
TEST_F(ToldLateTest, AJobOfAnotherUserWithItsIdIsNoNextRun) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, federated, "REVOKED")});
  source_.set_queue("cloud", {queued("cloud", "", federated, "RUNNING")});
  (void)pass();
  source_.set_queue("cloud", {});
  source_.add_record(ran("cloud", federated, ""));
  pass_time(seconds(200));
  auto next = queued("", federated, "RUNNING");
  next.user = "bob";
  next.submit = now();
  source_.set_queue("onprem", {next});
  auto sibling = record("cloud", federated, "REVOKED", 0);
  sibling.user = "bob";
  sibling.run = 2;
  source_.add_record(sibling);
  (void)pass();
  pass_time(seconds(301));
  (void)pass();
  expect_balance("0", "0.1");
}

// The hold of a job that slurmctld lost followed what became of the one that has its id now.
TEST_F(ToldLateTest, AJobThatHasTheIdOfALostOneDoesNotSpeakForIt) {
  const std::string lost = hold("1");
  source_.set_queue("onprem", {queued(lost, 7, "PENDING")});
  (void)pass();
  pass_time(seconds(500));
  auto other = queued(testing::Fixture::token(), 7, "PENDING");
  other.partition = "debug";
  source_.set_queue("onprem", {other});
  EXPECT_EQ(pass().followed, 0);
  expect_balance("1", "0");
}

TEST_F(ToldLateTest, ASubmissionThatArrivesAfterItsJobWasChargedIsGivenBack) {
  const std::string late = testing::Fixture::token();
  source_.add_record(ran("onprem", 7, late));
  pass_time(seconds(200));
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("0", "0.1");
  ASSERT_TRUE(run(submission("1"), late).accepted());
  for (int i = 0; i < 3; ++i) {
    pass_time(seconds(301));
    EXPECT_EQ(pass().settled, 0);
  }
  expect_balance("0", "0.1");
  EXPECT_EQ(find(late).status, ledger::HoldStatus::closed);
}

// It was charged out of both.
TEST_F(ToldLateTest, ASubmissionThatArrivesAfterItsJobWasChangedIsGivenBack) {
  const std::string late = testing::Fixture::token();
  const auto row = queued(late, 7, "RUNNING");
  const auto record = ran("onprem", 7, late);
  source_.add_job(row);
  pass_time(seconds(200));
  const ledger::HoldId change = find(hold("1")).id;
  ASSERT_TRUE(run(ledger::BindHold{change, {"onprem", 7, row.submit}}).accepted());
  ASSERT_TRUE(run(submission("1"), late).accepted());
  expect_balance("2", "0");
  (void)pass();
  expect_balance("1", "0");
  source_.set_queue("onprem", {});
  source_.add_record(record);
  for (int i = 0; i < 3; ++i) {
    pass_time(seconds(301));
    (void)pass();
  }
  expect_balance("0", "0.1");
}

TEST_F(ToldLateTest, ASubmissionThatArrivesAfterItsChangedJobWasChargedIsGivenBack) {
  const std::string late = testing::Fixture::token();
  const auto row = queued(late, 7, "RUNNING");
  source_.add_record(ran("onprem", 7, late));
  pass_time(seconds(200));
  const ledger::HoldId change = find(hold("1")).id;
  ASSERT_TRUE(run(ledger::BindHold{change, {"onprem", 7, row.submit}}).accepted());
  EXPECT_EQ(pass().settled, 1);
  ASSERT_TRUE(run(submission("1"), late).accepted());
  for (int i = 0; i < 3; ++i) {
    pass_time(seconds(301));
    EXPECT_EQ(pass().settled, 0);
  }
  expect_balance("0", "0.1");
}

// A job that was let through, and changed while it ran, has the hold of its change.
TEST_F(ToldLateTest, TheHoldOfAChangedJobPaysAlthoughItsTokenIsUnknown) {
  const auto row = ran("onprem", 7, testing::Fixture::token());
  const ledger::HoldId change = find(hold("1")).id;
  ASSERT_TRUE(run(ledger::BindHold{change, {"onprem", 7, row.submit}}).accepted());
  source_.add_record(row);
  pass_time(seconds(200));
  const PassReport report = pass();
  EXPECT_EQ(report.settled, 1);
  EXPECT_EQ(report.charged_without_hold, 0);
  expect_balance("0", "0.1");
}

// A cancelled row whose start was not told yet used to be taken for a job that never began.
TEST_F(ToldLateTest, ACancelledJobThatRanIsNotTakenForOneThatWaited) {
  const std::string token = hold("1");
  auto shown = queued(token, 7, "CANCELLED");
  shown.nodes = "gpu-aws-1";
  source_.add_job(shown);
  auto told = record("onprem", 7, "CANCELLED by 1000", 0);
  told.admin_comment = "asbb=" + token;
  source_.add_record(told);
  pass_time(seconds(1));
  EXPECT_EQ(pass().settled, 0);
  auto whole = ran("onprem", 7, token);
  whole.db_index = told.db_index;
  whole.status = told.status;
  source_.set_records("onprem", {whole});
  pass_time(seconds(200));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.1");
}

// Ten minutes after its end a row without a start used to be charged nothing, though the controller
// had the rest of it still to send.
TEST_F(ToldLateTest, ARowIsNotTakenAtItsWordWhileTheControllerHasSomethingToSend) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)pass();
  source_.set_queue("onprem", {});
  auto told = record("onprem", 7, "COMPLETED", 0);
  told.admin_comment = "asbb=" + token;
  source_.add_record(told);
  source_.set_accounting_queue_length("onprem", 3);
  pass_time(seconds(700));
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1", "0");
  auto whole = ran("onprem", 7, token);
  whole.db_index = told.db_index;
  source_.set_accounting_queue_length("onprem", 0);
  source_.set_records("onprem", {whole});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.1");
}

// slurmctld was killed with the start of a run unsent: its row never gets a partition, and its hold
// stayed for ever.
TEST_F(ToldLateTest, ARunWhosePartitionIsLostIsChargedByThatOfItsHold) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)pass();
  source_.set_queue("onprem", {});
  auto row = ran("onprem", 7, token);
  row.partition.clear();
  source_.add_record(row);
  pass_time(seconds(200));
  EXPECT_EQ(pass().settled, 0);
  pass_time(seconds(601));
  (void)pass();
  EXPECT_EQ(pass().settled, 0) << "settled twice";
  expect_balance("0", "0.1");
}

// A row without a token that ended without a second on a node used to keep every hold of its user
// and time.
TEST_F(ToldLateTest, AJobWithoutATokenThatCostNothingKeepsNoHold) {
  const std::string token = hold("1");
  auto lost = record("onprem", 7, "COMPLETED", 0);
  lost.admin_comment.clear();
  lost.partition.clear();
  lost.nodes = "gpu-aws-1";  // as sacctmgr show runawayjobs ends a run
  source_.add_record(lost);
  pass_time(seconds(300));
  EXPECT_EQ(pass().voided, 0);
  EXPECT_EQ(find(token).status, ledger::HoldStatus::open);
  pass_time(seconds(601));
  EXPECT_EQ(pass().voided, 1);
  expect_balance("0", "0");
}

// It kept the hold for ever as well when it was charged without one.
TEST_F(ToldLateTest, AJobWithoutATokenThatWasChargedByItselfKeepsNoHold) {
  const std::string token = hold("1");
  source_.add_record(ran("onprem", 7, ""));
  for (int i = 0; i < 3; ++i) {
    pass_time(seconds(301));
    (void)pass();
  }
  expect_balance("0", "0.1");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

// After a long outage of slurmdbd the controllers send what ended hours ago.
TEST_F(ToldLateTest, WhatAControllerStillHadToSendIsFoundHoweverLongAgoItEnded) {
  source_.set_accounting_queue_length("onprem", 3);
  const auto row = ran("onprem", 7, "");
  pass_time(hours(5));
  (void)pass();
  source_.set_accounting_queue_length("onprem", 0);
  source_.add_record(row);
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("0", "0.1");
}

// Its run before was charged by itself, before a change got it a hold: that run was waited for.
TEST_F(ToldLateTest, ARunOfTheNextPeriodAwaitsNoRunThatWasChargedWithoutAHold) {
  const Instant end = now() + hours(1);
  end_period(end);
  add_period(end, "100");
  auto before = ran("onprem", 7, "");
  before.status = slurm::parse_job_status("REQUEUED");
  source_.add_record(before);
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  const std::string change = hold("1.2");
  ASSERT_TRUE(run(ledger::BindHold{find(change).id, {"onprem", 7, before.submit}}).accepted());
  set_now(end + seconds(5));
  auto after = ran("onprem", 7, "");
  after.run = 2;
  after.submit = *before.end;
  source_.add_record(after);
  for (int i = 0; i < 3; ++i) {
    pass_time(seconds(301));
    (void)pass();
  }
  ASSERT_THAT(periods(), SizeIs(2));
  for (const ledger::Budget& period : periods()) {
    EXPECT_EQ(period.held, Micros());
    EXPECT_EQ(to_decimal(period.used), "0.1");
  }
}

// Also when it was away for longer than one look reaches back.
TEST_F(ToldLateTest, WhatAControllerKeptForWeeksIsFound) {
  (void)pass();
  source_.set_accounting_queue_length("onprem", 3);
  const auto row = ran("onprem", 7, "");
  for (int day = 0; day < 20; ++day) {
    pass_time(hours(24));
    (void)pass();
  }
  source_.set_accounting_queue_length("onprem", 0);
  source_.add_record(row);
  std::int64_t charged = 0;
  for (int i = 0; i < 5; ++i) {
    pass_time(seconds(301));
    charged += pass().charged_without_hold;
  }
  EXPECT_EQ(charged, 1);
  expect_balance("0", "0.1");
}

}  // namespace
}  // namespace asbb::service
