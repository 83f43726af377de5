// What a ladder of enforcement does not do: too much in one pass, anything that is not wanted any
// more, a cancel without a grace, and requeue a job of a federation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "ledger/same_job.h"
#include "service/testing/ladder_fixture.h"

namespace asbb::service {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::LadderTest;
using testing::money;
using ::testing::SizeIs;
using testing::to_cancel;
using testing::usual;

class LadderLimitsTest : public LadderTest {
 protected:
  // They hold 0.1 each, job 1 started first; more is missing than all of them give back.
  void run_dry_with(std::int64_t jobs) {
    std::vector<slurm::QueueJob> rows;
    for (std::int64_t id = 1; id <= jobs; ++id) {
      rows.push_back(running(hold("0.1"), id, jobs - id));
    }
    source_.set_queue("onprem", rows);
    (void)pass();
    leave("-40");
  }
  // What was done since the last time.
  std::vector<std::string> done() { return std::exchange(control_.done, {}); }
};

TEST_F(LadderLimitsTest, ActsOnFiftyJobsInAPassAndOnTheRestInTheNext) {
  climb(to_cancel());
  run_dry_with(60);
  const PassReport first = pass();
  EXPECT_THAT(done(), SizeIs(50));
  EXPECT_EQ(first.acts_left, 10);
  const PassReport second = pass();
  EXPECT_THAT(done(), SizeIs(10));
  EXPECT_EQ(second.acts_left, 0);
  (void)pass();
  EXPECT_THAT(done(), SizeIs(0));
  pass_time(seconds(300));
  (void)pass();
  auto cancelled = done();
  EXPECT_THAT(cancelled, SizeIs(50));
  EXPECT_EQ(cancelled.front(), "onprem cancel 60");
  (void)pass();
  cancelled = done();
  EXPECT_THAT(cancelled, SizeIs(10));
  EXPECT_EQ(cancelled.back(), "onprem cancel 1");
  // Once a job, and nobody who waits for the next pass is taken for one that has money again.
  EXPECT_EQ(job_entries().size(), 120u);
  expect_sound();
}

TEST_F(LadderLimitsTest, WhatFailsKeepsNoOtherJobWaiting) {
  climb(to_cancel());
  run_dry_with(60);
  control_.failures["signal"] = {ErrorKind::unavailable, "scancel: Access denied", ""};
  const PassReport first = pass();
  EXPECT_EQ(first.acts_left, 0) << "nothing is gained by haste";
  (void)pass();
  const auto tried = done();
  EXPECT_THAT(tried, SizeIs(100));
  EXPECT_EQ((std::set<std::string>{tried.begin(), tried.end()}.size()), 60u);
  EXPECT_EQ(tried[50], "onprem signal 10 USR1: failed");
  expect_sound();
}

TEST_F(LadderLimitsTest, MoneyThatArrivesWhileItActsIsSeen) {
  climb(to_cancel());
  std::vector<slurm::QueueJob> rows;
  for (const std::int64_t id : {7, 8, 9}) rows.push_back(held_job(id, 100 - id));
  source_.set_queue("onprem", rows);
  (void)pass();
  leave("-2.5");
  control_.meanwhile = [&] {
    deposit("1.0");
    control_.meanwhile = nullptr;
  };
  (void)pass();
  EXPECT_THAT(done(), ElementsAre("onprem signal 9 USR1", "onprem signal 8 USR1"))
      << "1.5 are missing still: that takes two";
  control_.meanwhile = [&] { deposit("20"); };
  pass_time(seconds(300));
  (void)pass();
  EXPECT_THAT(done(), ElementsAre("onprem cancel 9"));
  EXPECT_EQ(job_entries().back(), "signal ended 8");
  expect_sound();
}

TEST_F(LadderLimitsTest, ASecondDrySpellHasItsOwnGraceWhileAControllerIsAway) {
  climb(to_cancel());
  source_.set_queue("onprem", {held_job(7)});
  (void)pass();
  leave("-1");
  (void)pass();
  EXPECT_THAT(done(), ElementsAre("onprem signal 7 USR1"));
  source_.fail_queue("cloud", Error{ErrorKind::unavailable, "away", ""});
  deposit("20");
  (void)pass();
  EXPECT_THAT(job_entries(), ElementsAre("signal begun 7", "signal ended 7"));
  EXPECT_EQ(alarm("ladder onprem job 7"), "");
  EXPECT_THAT(entries(), ::testing::Not(Contains("warn ended")));
  pass_time(seconds(400));
  leave("-1");
  (void)pass();
  EXPECT_THAT(done(), ElementsAre("onprem signal 7 USR1")) << "and no cancel";
  pass_time(seconds(300));
  (void)pass();
  EXPECT_THAT(done(), ElementsAre("onprem cancel 7"));
  expect_sound();
}

// Whether its own cluster shows all there is cannot be told: what was done to it stays.
TEST_F(LadderLimitsTest, AJobOfAListWithoutTheOperatorRightIsNotTakenBack) {
  climb(to_cancel());
  source_.set_queue("onprem", {held_job(7)});
  (void)pass();
  leave("-1");
  (void)pass();
  source_.set_operator("onprem", false);
  deposit("20");
  (void)pass();
  EXPECT_THAT(job_entries(), ElementsAre("signal begun 7"));
}

// Slurm sends the requeue to the job's origin, where it waits under another cluster's name.
TEST_F(LadderLimitsTest, AJobThatRunsElsewhereThanItWasSubmittedIsNotRequeued) {
  config::Ladder ladder = to_cancel();
  ladder.requeue_to = "cpu";
  climb(ladder);
  slurm::ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  snapshot.partitions.resize(1);
  snapshot.partitions[0].name = "cpu";
  view_.put(snapshot);
  const std::int64_t id = ledger::first_federated_id + 7;
  auto elsewhere = held_job(id, 100);
  elsewhere.federation_origin = "cloud";
  auto at_home = held_job(8, 50);
  at_home.federation_origin = "onprem";
  source_.set_queue("onprem", {elsewhere, at_home});
  (void)pass();
  leave("-1.5");
  (void)pass();
  EXPECT_THAT(done(),
              ElementsAre("onprem requeue 8", "onprem signal " + std::to_string(id) + " USR1"));
  expect_sound();
}

}  // namespace
}  // namespace asbb::service
