#include "service/reconciler.h"

#include <gtest/gtest.h>

#include <future>

#include "service/log.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using testing::at;

constexpr std::int64_t federated_id = 67'108'865;

using ReconcilerTest = testing::ReconcilerFixture;

TEST_F(ReconcilerTest, AJobIsBoundWhenSeenAndChargedWhenEnded) {
  const std::string token = hold("1.2");
  expect_balance("1.2", "0");
  source_.add_job(queued(token, 7, "PENDING"));
  EXPECT_EQ(pass().bound, 1);
  EXPECT_EQ(find(token).job->job_id, 7);
  source_.set_queue("onprem", {queued(token, 7, "COMPLETED")});
  source_.add_record(record(7, "COMPLETED", 90));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.09");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
  EXPECT_EQ(pass().settled, 0);
  expect_balance("0", "0.09");
}

// logging.level had nothing to say, and charges were not logged.
TEST_F(ReconcilerTest, LogsEachChargeWithJobAccountAndAmount) {
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued(token, 7, "COMPLETED")});
  source_.add_record(record(7, "COMPLETED", 90));
  source_.add_record(record(9, "COMPLETED", 30));
  ASSERT_TRUE(start_log({.level = config::LogLevel::debug}));
  ::testing::internal::CaptureStderr();
  std::promise<void> done;
  reconciler_.ask([&](const Result<PassReport>&) { done.set_value(); });
  reconciler_.start();
  done.get_future().wait();
  reconciler_.stop();
  const std::string lines = ::testing::internal::GetCapturedStderr();
  const auto has = [&](const std::string& text) { return lines.find(text) != std::string::npos; };
  EXPECT_TRUE(has("info: charged $0.09 to account proj001 for onprem job 7 (COMPLETED)")) << lines;
  EXPECT_TRUE(has("info: charged $0.03 to account proj001 for onprem job 9, which ran without a"))
      << lines;
  EXPECT_TRUE(has("debug: pass 1 took ")) << lines;
  EXPECT_FALSE(has(token)) << lines;
}

class InstanceRates : public ReconcilerTest {
 protected:
  InstanceRates() {
    set_prices(R"(
prices:
- {cluster: "*", partition: gpu-aws, unit: USD, basis: node, per_node_hour: {small: 3.6, large: 36}}
)");
    price_version_ = 2;
  }

  // The view of onprem as it is now: nodes "aws-1", "aws-2"... with these features.
  void view(const std::vector<std::string>& features) {
    slurm::ClusterSnapshot snapshot;
    snapshot.cluster = "onprem";
    snapshot.read_at = now();
    for (const std::string& feature : features) {
      slurm::NodeInfo& node = snapshot.nodes.emplace_back();
      node.name = "aws-" + std::to_string(snapshot.nodes.size());
      node.features = {feature};
    }
    view_.put(snapshot);
  }

  slurm::AccountingRecord ran_on(std::int64_t id, const char* nodes, std::int64_t count) {
    auto out = record(id, "COMPLETED", 100);
    out.nodes = nodes;
    out.node_count = count;
    out.allocated_tres = "billing=1,cpu=1,node=" + std::to_string(count);
    return out;
  }

  [[nodiscard]] std::string alarm() const {
    for (const Alarm& each : alarms_.list()) {
      if (each.key == "instances onprem gpu-aws") return each.message;
    }
    return "";
  }
};

TEST_F(InstanceRates, AreThoseOfTheNodesOnWhichTheJobRan) {
  view({"small", "large", "small"});
  source_.set_queue("onprem", {queued(hold("12"), 7, "COMPLETED")});
  source_.add_record(ran_on(7, "aws-[1-3]", 3));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "1.2");  // 0.1 + 1 + 0.1
  EXPECT_EQ(alarm(), "");
}

TEST_F(InstanceRates, OfANodeThatIsGoneAreTheDearestWithAnAlarm) {
  source_.set_queue("onprem", {queued(hold("12"), 7, "COMPLETED")});
  source_.add_record(ran_on(7, "aws-[1-2]", 2));
  pass_time(seconds(200));
  view({"small"});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "1.1");
  EXPECT_NE(alarm().find("onprem job 7: charged $1.10"), std::string::npos) << alarm();
  EXPECT_NE(alarm().find("unknown type: aws-2;"), std::string::npos) << alarm();
}

// The view is older than the job: it cannot tell a new node from one that is gone.
TEST_F(InstanceRates, WaitForAViewThatIsNewerThanTheJob) {
  view({"small"});
  pass_time(seconds(1));
  source_.set_queue("onprem", {queued(hold("12"), 7, "COMPLETED")});
  source_.add_record(ran_on(7, "aws-2", 1));
  source_.add_record(ran_on(9, "aws-2", 1));  // without a hold
  pass_time(hours(3));
  EXPECT_EQ(pass().settled, 0);
  expect_balance("12", "0");
  EXPECT_EQ(alarms_.list().size(), 2U);
  pass_time(hours(3));
  (void)pass();
  expect_balance("12", "0");
  pass_time(hours(1));
  view({"small", "large"});
  (void)pass();
  expect_balance("0", "2");  // both
  EXPECT_EQ(alarms_.list().size(), 0U);
}

TEST_F(ReconcilerTest, ARunningJobIsLeftAlone) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)pass();
  pass_time(hours(24 * 20));
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1.2", "0");
}

TEST_F(ReconcilerTest, CancelledWhilePendingGivesAllBack) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "PENDING"));
  (void)pass();
  source_.set_queue("onprem", {queued(token, 7, "CANCELLED")});
  source_.add_record(record(7, "CANCELLED by 1000", 0));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0");
}

// slurmdbd told the end of short jobs before their nodes or allocation: they were settled at
// nothing.
TEST_F(ReconcilerTest, AnEndThatSlurmdbdTellsInPiecesWaitsForTheRest) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "COMPLETED"));
  auto whole = record(7, "COMPLETED", 90);
  auto early = whole;
  early.allocated_tres.clear();
  early.nodes.clear();
  source_.set_records("onprem", {early});
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1.2", "0");
  early = whole;
  early.nodes.clear();
  source_.set_records("onprem", {early});
  EXPECT_EQ(pass().settled, 0);
  early = whole;
  early.partition.clear();
  source_.set_records("onprem", {early});
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1.2", "0");
  source_.set_records("onprem", {whole});
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.09");
}

TEST_F(ReconcilerTest, ARowThatChangesAfterItsChargeIsAlarmed) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "COMPLETED"));
  source_.add_record(record(7, "COMPLETED", 90));
  EXPECT_EQ(pass().settled, 1);
  auto changed = record(7, "COMPLETED", 80);
  source_.set_records("onprem", {changed});
  pass_time(seconds(301));
  (void)pass();
  expect_balance("0", "0.09");
  ASSERT_EQ(alarms_.list().size(), 1u);
  EXPECT_NE(alarms_.list()[0].message.find("slurmdbd now says"), std::string::npos);
}

TEST_F(ReconcilerTest, MoreThanTheHoldIsAnOverrun) {
  const std::string token = hold("0.05");
  source_.add_job(queued(token, 7, "COMPLETED"));
  source_.add_record(record(7, "COMPLETED", 90));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.09");
}

TEST_F(ReconcilerTest, OfFederatedSiblingsTheOneThatRanIsCharged) {
  const std::string token = hold("1");
  source_.add_job(queued(token, federated_id, "REVOKED"));
  (void)pass();
  auto revoked = record(federated_id, "REVOKED", 0);
  source_.add_record(revoked);
  auto ran = record(federated_id, "COMPLETED", 60);
  ran.cluster = "cloud";
  source_.add_record(ran);
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.06");
}

TEST_F(ReconcilerTest, AJobWithoutAHoldIsChargedOnce) {
  (void)pass();
  source_.add_record(record(9, "COMPLETED", 30));
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("0", "0.03");
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 0);
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  EXPECT_EQ(restarted.run_pass().charged_without_hold, 0);
  expect_balance("0", "0.03");
}

// It asked for its own account in the ledger and was alarmed instead of charged.
TEST_F(ReconcilerTest, AJobWithoutAHoldIsChargedToTheNearestAccountAboveThatHasMoney) {
  slurm::Associations associations;
  const auto account = [&](const char* name, const char* parent) {
    associations.add(slurm::Association{"onprem", name, "", "", parent, "", false});
  };
  account("lab", "");
  account("proj001", "lab");
  account("child", "proj001");
  account("grandchild", "child");
  view_.put("onprem", associations);
  auto inherited = record(9, "COMPLETED", 30);
  inherited.account = "grandchild";
  source_.add_record(inherited);
  EXPECT_EQ(pass().charged_without_hold, 1);
  EXPECT_TRUE(alarms_.list().empty());
  expect_balance("0", "0.03");
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("0", "0.03");
}

// The tree of one cluster says nothing about an account of another.
TEST_F(ReconcilerTest, AJobWithoutAHoldIsNotChargedByTheTreeOfAnotherCluster) {
  slurm::Associations elsewhere;
  elsewhere.add(slurm::Association{"cloud", "child", "", "", "proj001", "", false});
  view_.put("cloud", elsewhere);
  auto foreign = record(9, "COMPLETED", 30);
  foreign.account = "child";
  source_.add_record(foreign);
  EXPECT_EQ(pass().charged_without_hold, 0);
  ASSERT_EQ(alarms_.list().size(), 1u);
  EXPECT_NE(alarms_.list()[0].message.find("account child"), std::string::npos);
  expect_balance("0", "0");
}

TEST_F(ReconcilerTest, AJobThatEndedUnseenIsFoundByItsToken) {
  const std::string token = hold("1");
  auto ended = record(9, "COMPLETED", 30);
  ended.admin_comment = "note asbb=" + token;
  source_.add_record(ended);
  const PassReport report = pass();
  EXPECT_EQ(report.bound, 1);
  EXPECT_EQ(report.settled, 1);
  EXPECT_EQ(report.charged_without_hold, 0);
  expect_balance("0", "0.03");
}

// Each job had a question of its own, so that the first pass after a restart took half a minute.
TEST_F(ReconcilerTest, ARescanAsksOnceForAllJobsThatHaveAHold) {
  for (int job = 1; job <= 20; ++job) {
    auto ended = record(job, "COMPLETED", 30);
    ended.admin_comment = "asbb=" + hold("0.05");
    source_.add_record(ended);
  }
  EXPECT_EQ(pass().settled, 20);
  expect_balance("0", "0.6");
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  const int before = source_.calls();
  EXPECT_EQ(restarted.run_pass().charged_without_hold, 0);
  EXPECT_LE(source_.calls() - before, 10);
  expect_balance("0", "0.6");
}

TEST_F(ReconcilerTest, AJobThatNobodyCanPayForIsAlarmed) {
  auto foreign = record(9, "COMPLETED", 30);
  foreign.account = "nobody";
  source_.add_record(foreign);
  EXPECT_EQ(pass().charged_without_hold, 0);
  ASSERT_EQ(alarms_.list().size(), 1u);
  EXPECT_NE(alarms_.list()[0].message.find("unknown_account"), std::string::npos);
}

TEST_F(ReconcilerTest, UnpricedPartitionsAndJobsBeforeThePricesAreNobodysBusiness) {
  auto free = record(9, "COMPLETED", 30);
  free.partition = "cpu";
  source_.add_record(free);
  auto early = record(10, "COMPLETED", 30);
  early.start = at("2024-12-31T00:00:00Z");
  source_.add_record(early);
  EXPECT_EQ(pass().charged_without_hold, 0);
  EXPECT_TRUE(alarms_.list().empty());
}

TEST_F(ReconcilerTest, AHoldWithoutAJobGoesBackOnEvidence) {
  (void)hold("1");
  pass_time(seconds(59));
  EXPECT_EQ(pass().voided, 0);
  expect_balance("1", "0");
  pass_time(seconds(2));
  EXPECT_EQ(pass().voided, 1);
  expect_balance("0", "0");
}

// Of a job that a killed controller forgot, slurmdbd has a row that will never have a partition or
// an account (seen on 22.05): its hold waited for ever.
TEST_F(ReconcilerTest, ARowOfAForgottenJobIsTakenAtItsWordAfterAWhile) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "PENDING"));
  (void)pass();
  source_.set_queue("onprem", {});
  auto row = record(7, "CANCELLED by 0", 0);
  row.partition.clear();
  row.account.clear();
  source_.add_record(row);
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1.2", "0");
  pass_time(seconds(601));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0");
}

// The alarm went with the next list that did not reach back to the row.
TEST_F(ReconcilerTest, ARowThatStaysUnreadableStaysAnAlarm) {
  const auto unreadable = [&] {
    const auto alarms = alarms_.list();
    return std::count_if(alarms.begin(), alarms.end(),
                         [](const Alarm& alarm) { return alarm.key == "record onprem row 3"; });
  };
  source_.set_accounting_problems("onprem", {"row 3"});
  (void)pass();
  EXPECT_EQ(unreadable(), 1);
  source_.set_accounting_problems("onprem", {});
  pass_time(seconds(301));
  (void)pass();
  EXPECT_EQ(unreadable(), 0) << "it could be read the next time";
  source_.set_accounting_problems("onprem", {"row 3"});
  for (int look = 0; look < 20; ++look) {
    pass_time(seconds(301));
    (void)pass();
  }
  source_.set_accounting_problems("onprem", {});
  pass_time(seconds(301));
  (void)pass();
  EXPECT_EQ(unreadable(), 1);
}

// slurmctld makes no component of a job of which another one was refused: there is nothing to wait
// for, but its list must have been read since then.
TEST_F(ReconcilerTest, TheOtherComponentsOfARefusedJobGoBackAtOnce) {
  const std::string first = hold("1");
  const std::string second = hold("1");
  const std::string other = hold("1");
  HetGroups& groups = reconciler_.known_jobs().het_groups;
  groups.joined(first, first);
  groups.joined(first, second);
  groups.joined(other, other);
  EXPECT_TRUE(groups.refused(first, now()));
  EXPECT_EQ(pass().voided, 0);
  pass_time(seconds(1));
  source_.set_operator("onprem", false);
  EXPECT_EQ(pass().voided, 0);
  source_.set_operator("onprem", true);
  EXPECT_EQ(pass().voided, 2);
  expect_balance("1", "0");
  EXPECT_EQ(find(other).status, ledger::HoldStatus::open);
}

// Anybody can say that his job is a component of another one; then that one's job is there.
TEST_F(ReconcilerTest, AComponentThatBecameAJobKeepsItsHold) {
  const std::string first = hold("1");
  HetGroups& groups = reconciler_.known_jobs().het_groups;
  groups.joined(first, first);
  EXPECT_TRUE(groups.refused(first, now()));
  pass_time(seconds(1));
  source_.add_job(queued(first, 7, "PENDING"));
  EXPECT_EQ(pass().voided, 0);
  expect_balance("1", "0");
}

TEST_F(ReconcilerTest, WhatCannotBeReadVoidsNothing) {
  (void)hold("1");
  pass_time(hours(1));
  source_.set_operator("cloud", false);
  EXPECT_EQ(pass().voided, 0);
  source_.set_operator("cloud", true);
  source_.fail_queue("cloud", Error{ErrorKind::unavailable, "away", ""});
  EXPECT_EQ(pass().voided, 0);
  source_.fail_queue("cloud", std::nullopt);
  source_.set_accounting_queue_length("onprem", 3);
  EXPECT_EQ(pass().voided, 0);
  source_.set_accounting_queue_length("onprem", 0);
  source_.fail_queue_length("onprem", Error{ErrorKind::unavailable, "away", ""});
  EXPECT_EQ(pass().voided, 0);
  source_.fail_queue_length("onprem", std::nullopt);
  source_.fail_accounting("onprem", Error{ErrorKind::unavailable, "away", ""});
  EXPECT_EQ(pass().voided, 0);
  source_.fail_accounting("onprem", std::nullopt);
  source_.set_queue_problems("onprem", {"a row cannot be read"});
  EXPECT_EQ(pass().voided, 0);
  source_.set_queue_problems("onprem", {});
  source_.set_accounting_problems("onprem", {"a row cannot be read"});
  EXPECT_EQ(pass().voided, 0);
  expect_balance("1", "0");
  source_.set_accounting_problems("onprem", {});
  EXPECT_EQ(pass().voided, 1);
}

TEST_F(ReconcilerTest, AJobThatMightBeTheHoldsKeepsItAndIsAlarmed) {
  const std::string token = hold("1");
  auto like_it = record(9, "PENDING", 0);
  like_it.end = std::nullopt;
  like_it.eligible = now();
  source_.add_record(like_it);
  pass_time(hours(1));
  EXPECT_EQ(pass().voided, 0);
  ASSERT_EQ(alarms_.list().size(), 1u);
  EXPECT_NE(alarms_.list()[0].key.find(token), std::string::npos);
  expect_balance("1", "0");
}

// It was compared by the name of the account that pays, so that a job of a child never looked like
// the hold.
TEST_F(ReconcilerTest, AJobOfAChildAccountMightBeTheHoldsAsWell) {
  slurm::Associations associations;
  associations.add(slurm::Association{"onprem", "proj001", "", "", "", "", false});
  associations.add(slurm::Association{"onprem", "child", "", "", "proj001", "", false});
  view_.put("onprem", associations);
  (void)hold("1");
  auto like_it = record(9, "PENDING", 0);
  like_it.account = "child";
  like_it.end = std::nullopt;
  like_it.eligible = now();
  source_.add_record(like_it);
  pass_time(hours(1));
  EXPECT_EQ(pass().voided, 0);
  EXPECT_EQ(alarms_.list().size(), 1u);
  expect_balance("1", "0");
}

TEST_F(ReconcilerTest, ABoundHoldIsNeverVoided) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "PENDING"));
  (void)pass();
  source_.set_queue("onprem", {});
  pass_time(hours(24 * 40));
  EXPECT_EQ(pass().voided, 0);
  expect_balance("1", "0");
  ASSERT_EQ(alarms_.list().size(), 1u);
  EXPECT_NE(alarms_.list()[0].message.find("runawayjobs"), std::string::npos);
}

TEST_F(ReconcilerTest, AChangedPriceDoesNotMoveAHold) {
  const std::string token = hold("1");
  set_prices(R"(
prices:
  - cluster: onprem
    partition: gpu-aws
    unit: USD
    basis: tres
    per_core_hour: 360
effective_from: 2025-02-01
)");
  source_.add_job(queued(token, 7, "COMPLETED"));
  source_.add_record(record(7, "COMPLETED", 100));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.1");
}

TEST_F(ReconcilerTest, ItsThreadAnswersWhoAsks) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "PENDING"));
  reconciler_.start();
  std::promise<std::int64_t> bound;
  reconciler_.ask([&](const Result<PassReport>& report) { bound.set_value(report->bound); });
  EXPECT_EQ(bound.get_future().get(), 1);
  reconciler_.notify();
  reconciler_.stop();
}

}  // namespace
}  // namespace asbb::service
