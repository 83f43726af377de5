// The reconciler where job ids and time alone tell too little: clusters that share ids, outages
// that last, jobs that never got nodes, and Slurm commands that hang.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ClustersTest = testing::ReconcilerFixture;

// Each hold was charged with the rows of both.
TEST_F(ClustersTest, TwoClustersWithTheSameIdAreTwoJobs) {
  const std::string cloud = hold("1");
  const std::string onprem = hold("2");
  source_.add_job(queued("cloud", cloud, 7, "PENDING"));
  source_.add_job(queued("onprem", onprem, 7, "PENDING"));
  EXPECT_EQ(pass().bound, 2);
  EXPECT_EQ(find(cloud).job->cluster, "cloud");
  EXPECT_EQ(find(onprem).job->cluster, "onprem");
  source_.set_queue("cloud", {});
  source_.set_queue("onprem", {});
  source_.add_record(record("cloud", 7, "COMPLETED", 20));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("2", "0.02");
  source_.add_record(record("onprem", 7, "COMPLETED", 60));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.08");
  pass_time(seconds(301));
  const PassReport later = pass();
  EXPECT_EQ(later.settled + later.charged_without_hold, 0);
  expect_balance("0", "0.08");
}

// A job without a hold took the hold of another cluster's running job.
TEST_F(ClustersTest, AJobWithoutAHoldLeavesTheHoldOfAnotherClustersJob) {
  const std::string cloud = hold("1");
  source_.add_job(queued("cloud", cloud, 7, "RUNNING"));
  EXPECT_EQ(pass().bound, 1);
  pass_time(seconds(301));
  source_.add_record(record("onprem", 7, "COMPLETED", 60));
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("1", "0.06");
  EXPECT_EQ(find(cloud).status, ledger::HoldStatus::open);
  source_.set_queue("cloud", {});
  source_.add_record(record("cloud", 7, "COMPLETED", 500));
  pass_time(seconds(301));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.56");
}

// The look back ended after a week, and with it what anybody knew of older jobs.
TEST_F(ClustersTest, JobsOfALongOutageAreChargedAfterIt) {
  EXPECT_EQ(pass().charged_without_hold, 0);
  pass_time(hours(24));
  source_.add_record(record("onprem", 9, "COMPLETED", 30));
  source_.add_record(record("cloud", 9, "COMPLETED", 40));
  pass_time(hours(24 * 30));
  source_.add_record(record("onprem", 10, "COMPLETED", 100));
  pass_time(seconds(200));
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  std::int64_t charged = 0;
  for (int i = 0; i < 10; ++i) charged += restarted.run_pass().charged_without_hold;
  EXPECT_EQ(charged, 3);
  expect_balance("0", "0.17");
}

// The first charge after the outage, out of a hold, was taken for a proof that all before was seen.
TEST_F(ClustersTest, AHoldThatIsChargedFirstHidesNoJobOfALongOutage) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  pass_time(hours(1));
  source_.set_queue("onprem", {});
  source_.add_record(record("onprem", 9, "COMPLETED", 30));
  pass_time(hours(24 * 30));
  auto held = record("onprem", 7, "COMPLETED", 100);
  held.admin_comment = "asbb=" + token;
  source_.add_record(held);
  pass_time(seconds(200));
  {
    ReconcilerOptions blind;
    blind.looks_back = false;  // it died before it had looked back
    Reconciler first(*committer_, source_, view_, prices_, alarms_, blind);
    EXPECT_EQ(first.run_pass().settled, 1);
  }
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  std::int64_t charged = 0;
  for (int i = 0; i < 10; ++i) charged += restarted.run_pass().charged_without_hold;
  EXPECT_EQ(charged, 1);
  expect_balance("0", "0.13");
}

// The look for jobs without a hold was behind the charges of those with one when the service died.
TEST_F(ClustersTest, AHoldThatIsChargedHidesNoJobThatTheLookHadNotReached) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  source_.set_queue("onprem", {});
  pass_time(hours(4));
  source_.add_record(record("onprem", 9, "COMPLETED", 30));
  pass_time(hours(4));
  auto held = record("onprem", 7, "COMPLETED", 100);
  held.admin_comment = "asbb=" + token;
  source_.add_record(held);
  pass_time(seconds(200));
  {
    ReconcilerOptions blind;
    blind.looks_back = false;  // it died before it had looked back
    Reconciler first(*committer_, source_, view_, prices_, alarms_, blind);
    EXPECT_EQ(first.run_pass().settled, 1);
  }
  pass_time(hours(24 * 8));
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  std::int64_t charged = 0;
  for (int i = 0; i < 5; ++i) charged += restarted.run_pass().charged_without_hold;
  EXPECT_EQ(charged, 1);
  expect_balance("0", "0.13");
}

// What is proven is what was charged on that cluster; another cluster's charges say nothing of it.
TEST_F(ClustersTest, AClusterThatCouldNotBeReadIsReadFromWhereItWasLeft) {
  source_.fail_accounting("cloud", Error{ErrorKind::unavailable, "away", ""});
  source_.add_record(record("cloud", 9, "COMPLETED", 40));
  pass_time(hours(24 * 20));
  source_.add_record(record("onprem", 10, "COMPLETED", 100));
  pass_time(seconds(200));
  for (int i = 0; i < 5; ++i) (void)pass();
  expect_balance("0", "0.1");
  source_.fail_accounting("cloud", std::nullopt);
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  for (int i = 0; i < 5; ++i) (void)restarted.run_pass();
  expect_balance("0", "0.14");
}

// It used to be "never", whatever was read.
TEST_F(ClustersTest, SaysWhenEachClusterWasLastReadWhole) {
  const Instant first = now();
  EXPECT_EQ(pass().complete.at("cloud"), first);
  source_.fail_queue("cloud", Error{ErrorKind::unavailable, "away", ""});
  pass_time(seconds(60));
  EXPECT_EQ(pass().complete.at("onprem"), now());
  EXPECT_EQ(reconciler_.last_report().complete.at("cloud"), first);
}

// A controller that was killed forgets jobs of its last seconds, and gives their ids out again. The
// hold of such a job was neither settled, because it never ran, nor given back, because slurmdbd
// had it.
TEST_F(ClustersTest, AJobThatOnlySlurmdbdKnowsAndThatNeverRanIsSettled) {
  const std::string token = hold("1");
  auto gone = record("onprem", 7, "CANCELLED by 0", 0);
  gone.admin_comment = "asbb=" + token;
  source_.add_record(gone);
  pass_time(seconds(301));
  (void)pass();
  (void)pass();
  expect_balance("0", "0");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
}

// It kept its hold for good, with an alarm that was not true.
TEST_F(ClustersTest, AJobThatFailedBeforeItHadNodesGivesAllBackAfterAWhile) {
  const std::string token = hold("1");
  source_.add_job(queued("onprem", token, 7, "PENDING"));
  EXPECT_EQ(pass().bound, 1);
  source_.set_queue("onprem", {});
  source_.add_record(record("onprem", 7, "FAILED", 0));
  EXPECT_EQ(pass().settled, 0);
  pass_time(seconds(599));
  EXPECT_EQ(pass().settled, 0);
  expect_balance("1", "0");
  pass_time(seconds(1));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0");
  EXPECT_TRUE(alarms_.list().empty());
}

// slurmdbd may tell the allocation and then never the nodes.
TEST_F(ClustersTest, WhatWasAllocatedForNoSecondAndWithoutNodesCostsNothing) {
  const std::string token = hold("1");
  source_.add_job(queued("onprem", token, 7, "NODE_FAIL"));
  auto failed = record("onprem", 7, "NODE_FAIL", 0);
  failed.start = now();
  failed.allocated_tres = "billing=1,cpu=1,node=1";
  source_.add_record(failed);
  EXPECT_EQ(pass().settled, 0);
  pass_time(seconds(600));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0");
}

TEST_F(ClustersTest, TheAlarmSaysWhatSlurmdbdSaysAndHowToEndTheHold) {
  const std::string token = hold("1");
  source_.add_job(queued("onprem", token, 7, "RUNNING"));
  EXPECT_EQ(pass().bound, 1);
  source_.set_queue("onprem", {});
  auto early = record("onprem", 7, "COMPLETED", 90);
  early.nodes.clear();
  source_.set_records("onprem", {early});
  pass_time(hours(25));
  EXPECT_EQ(pass().settled, 0);
  ASSERT_EQ(alarms_.list().size(), 1u);
  const std::string said = alarms_.list()[0].message;
  EXPECT_NE(said.find("COMPLETED on onprem, ended at 2025-06-01T12:01:30"), std::string::npos)
      << said;
  EXPECT_NE(said.find("after 90 s, without nodes"), std::string::npos) << said;
  EXPECT_NE(said.find("asbb reconcile 7 --cluster=onprem --actual-cost=AMOUNT"), std::string::npos)
      << said;
  EXPECT_EQ(said.find(token), std::string::npos) << said;
  early.nodes = "n1";
  source_.set_records("onprem", {early});
  EXPECT_EQ(pass().settled, 1);
  EXPECT_TRUE(alarms_.list().empty());
}

// Blocks in each read of a queue until it is let go.
class BlockingSource final : public slurm::JobSource {
 public:
  explicit BlockingSource(slurm::JobSource& inner) : inner_(inner) {}

  void release() {
    {
      const std::lock_guard lock(mutex_);
      released_ = true;
    }
    changed_.notify_all();
  }
  std::vector<std::string> clusters() const override { return inner_.clusters(); }
  Result<slurm::QueueList> list_queue(const std::string& cluster) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return released_; });
    return inner_.list_queue(cluster);
  }
  Result<slurm::AccountingList> list_accounting(const std::string& cluster,
                                                const slurm::AccountingQuery& query) override {
    return inner_.list_accounting(cluster, query);
  }
  Result<std::int64_t> accounting_queue_length(const std::string& cluster) override {
    return inner_.accounting_queue_length(cluster);
  }

 private:
  slurm::JobSource& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
};

// The controller of `cloud` is away, which a command of Slurm finds out slowly.
class AwaySource final : public slurm::JobSource {
 public:
  explicit AwaySource(slurm::JobSource& inner) : inner_(inner) {}

  std::vector<std::string> clusters() const override { return inner_.clusters(); }
  Result<slurm::QueueList> list_queue(const std::string& cluster) override {
    if (cluster != "cloud") return inner_.list_queue(cluster);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return fail(ErrorKind::unavailable, "Unable to contact slurm controller (connect failure)");
  }
  Result<slurm::AccountingList> list_accounting(const std::string& cluster,
                                                const slurm::AccountingQuery& query) override {
    return inner_.list_accounting(cluster, query);
  }
  Result<std::int64_t> accounting_queue_length(const std::string& cluster) override {
    return inner_.accounting_queue_length(cluster);
  }

 private:
  slurm::JobSource& inner_;
};

// The rest after a pass was five times as long as the pass, the wait for that controller counted:
// nearly a minute before a job of the other cluster was charged.
TEST_F(ClustersTest, AControllerThatIsAwayDoesNotHoldUpTheOthers) {
  AwaySource away(source_);
  ReconcilerOptions options;
  options.interval = milliseconds(10);
  Reconciler reconciler(*committer_, away, view_, prices_, alarms_, options);
  reconciler.start();
  const auto started = std::chrono::steady_clock::now();
  constexpr std::int64_t passes = 4;  // 10 s with such rests
  while (reconciler.last_report().number < passes &&
         std::chrono::steady_clock::now() - started < std::chrono::seconds(8)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_GE(reconciler.last_report().number, passes);
  reconciler.stop();
}

// The request hung for as long as Slurm's commands did, minutes.
TEST_F(ClustersTest, WhoAsksIsToldWhatAPassWaitsFor) {
  BlockingSource blocking(source_);
  ReconcilerOptions options;
  EXPECT_EQ(options.answer_within, seconds(20));
  options.answer_within = milliseconds(1'000);
  Reconciler reconciler(*committer_, blocking, view_, prices_, alarms_, options);
  reconciler.start();
  std::promise<Result<PassReport>> first;
  reconciler.ask([&](const Result<PassReport>& report) { first.set_value(report); });
  std::promise<Result<PassReport>> second;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  reconciler.ask([&](const Result<PassReport>& report) { second.set_value(report); });
  for (auto* asked : {&first, &second}) {
    auto answer = asked->get_future();
    ASSERT_EQ(answer.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    const auto told = answer.get();
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(told.error().message,
              "the pass over the jobs is not done after 1 s: it waits for squeue of cluster "
              "onprem; it goes on, ask again in a while");
  }
  blocking.release();
  std::promise<Result<PassReport>> third;
  reconciler.ask([&](const Result<PassReport>& report) { third.set_value(report); });
  EXPECT_TRUE(third.get_future().get());
  reconciler.stop();
}

// The ledger's and the reconciler's ends must not leave anybody waiting.
TEST_F(ClustersTest, WhoAsksAServiceThatStopsIsTold) {
  Reconciler reconciler(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  std::promise<Result<PassReport>> asked;
  reconciler.ask([&](const Result<PassReport>& report) { asked.set_value(report); });
  reconciler.stop();
  EXPECT_FALSE(asked.get_future().get());
}

}  // namespace
}  // namespace asbb::service
