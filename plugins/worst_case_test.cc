#include "plugins/worst_case.h"

#include <gtest/gtest.h>

#include <string>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Request;

constexpr std::int64_t kUnit = 1'000'000;

// A node-hour costs 3, an asked CPU-hour at most 0.1; 8 nodes, an hour by default.
WorstRate some_rate() {
  WorstRate rate;
  rate.partition = "gpu-aws";
  rate.unit = "USD";
  rate.is_bounded = true;
  rate.node_hour_micros = 3 * kUnit;
  rate.cpu_hour_micros = kUnit / 10;
  rate.least_nodes = 1;
  rate.most_nodes = 8;
  rate.least_seconds = 60;
  rate.default_minutes = 60;
  return rate;
}

class WorstCase : public ::testing::Test {
 protected:
  // Micros, or -1 where there is no bound.
  std::int64_t cost(std::int64_t factor_millionths = kUnit) {
    std::int64_t micros = -1;
    problem_ = worst_case(*job_, rate_, factor_millionths, &micros);
    return problem_ == nullptr ? micros : -1;
  }

  WorstRate rate_ = some_rate();
  Request job_;
  const char* problem_ = nullptr;
};

TEST_F(WorstCase, OfAPlainJobIsWhatItsCpusCost) {
  job_->num_tasks = 4;
  job_->cpus_per_task = 2;
  job_->min_cpus = 8;
  EXPECT_EQ(cost(), 8 * kUnit / 10);
  job_->shared = 1;
  EXPECT_EQ(cost(), 8 * kUnit / 10);
  job_->time_limit = 90;
  EXPECT_EQ(cost(), 12 * kUnit / 10);
  EXPECT_EQ(cost(1'200'000), 144 * kUnit / 100);
}

TEST_F(WorstCase, NeverMoreThanWholeNodes) {
  job_->num_tasks = 1;
  job_->cpus_per_task = 64;
  job_->min_cpus = 64;
  EXPECT_EQ(cost(), 3 * kUnit);
}

TEST_F(WorstCase, WholeNodesWhereMoreThanTheCpusMayBeGiven) {
  const auto whole = [&](auto set) {
    Request other;
    other->num_tasks = 1;
    set(other);
    std::int64_t micros = 0;
    EXPECT_EQ(worst_case(*other, rate_, kUnit, &micros), nullptr);
    return micros;
  };
  EXPECT_EQ(whole([](Request& job) { job->shared = 0; }), 3 * kUnit) << "--exclusive";
  EXPECT_EQ(whole([](Request& job) { job->overcommit = 1; }), 3 * kUnit);
  EXPECT_EQ(whole([](Request& job) { job->core_spec = 1; }), 3 * kUnit);
  EXPECT_EQ(whole([](Request& job) { job->pn_min_cpus = 4; }), 3 * kUnit);
  EXPECT_EQ(whole([](Request& job) { job->ntasks_per_node = 4; }), 3 * kUnit);
  EXPECT_EQ(whole([](Request& job) { job.set(&job_desc_msg_t::tres_per_node, "gres:gpu:1"); }),
            24 * kUnit)
      << "on as many nodes as there are";
  EXPECT_EQ(whole([](Request& job) { job.set(&job_desc_msg_t::features, "[a*2&b]"); }), 24 * kUnit);
  EXPECT_EQ(whole([](Request& job) { job.set(&job_desc_msg_t::req_nodes, "n[1-3]"); }), 24 * kUnit);
  EXPECT_EQ(whole([](Request& job) { job->bitflags = SPREAD_JOB; }), 24 * kUnit);
}

TEST_F(WorstCase, CountsTheNodesThatItMayHave) {
  rate_.cpu_hour_micros = 0;
  EXPECT_EQ(cost(), 3 * kUnit);
  job_->min_nodes = 2;
  EXPECT_EQ(cost(), 6 * kUnit);
  job_->max_nodes = 5;
  EXPECT_EQ(cost(), 15 * kUnit);
  job_->max_nodes = 0;
  job_->num_tasks = 100;
  EXPECT_EQ(cost(), 24 * kUnit);
  job_->num_tasks = NO_VAL;
  EXPECT_EQ(cost(), 6 * kUnit);
  job_->ntasks_per_node = 2;
  EXPECT_EQ(cost(), 24 * kUnit) << "nobody said how many tasks there are in all";
  rate_.least_nodes = 20;
  EXPECT_EQ(cost(), 60 * kUnit);
}

TEST_F(WorstCase, TakesThePartitionsTimeAndWhatIsBilledAtLeast) {
  rate_.cpu_hour_micros = 0;
  rate_.over_minutes = 30;
  EXPECT_EQ(cost(), 45 * kUnit / 10);
  job_->time_limit = 1;
  rate_.over_minutes = 0;
  EXPECT_EQ(cost(), kUnit / 20);
  rate_.least_seconds = 600;
  EXPECT_EQ(cost(), kUnit / 2);
}

TEST_F(WorstCase, WithoutABoundThereIsNone) {
  job_->time_limit = INFINITE;
  EXPECT_EQ(cost(), -1);
  job_->time_limit = 0;
  EXPECT_EQ(cost(), -1) << "--time=0 is no limit";
  job_->time_limit = NO_VAL;
  rate_.default_minutes = 0;
  EXPECT_EQ(cost(), -1);
  rate_ = some_rate();
  job_->bitflags = CRON_JOB;
  EXPECT_EQ(cost(), -1);
  job_->bitflags = 0;
  EXPECT_GT(cost(), 0);
  rate_.is_bounded = false;
  EXPECT_EQ(cost(), -1);
}

TEST_F(WorstCase, OfAnArrayIsThatOfAllTasks) {
  job_->num_tasks = 1;
  job_.set(&job_desc_msg_t::array_inx, "1-10%2");
  EXPECT_EQ(cost(), kUnit);
  job_.set(&job_desc_msg_t::array_inx, "1-99999999999");
  EXPECT_EQ(cost(), -1);
}

TEST_F(WorstCase, HugeNumbersAreRefusedNotWrapped) {
  job_->time_limit = 0xFFFF'FFF0;
  rate_.node_hour_micros = kWorstCaseMax;
  rate_.cpu_hour_micros = kWorstCaseMax;
  rate_.most_nodes = 1'000'000'000;
  job_->max_nodes = 0xFFFF'FFF0;
  job_->num_tasks = 0xFFFF'FFF0;
  job_->min_cpus = 0xFFFF'FFF0;
  job_.set(&job_desc_msg_t::array_inx, "0-9999999");
  EXPECT_EQ(cost(1'000'000'000), -1);
  EXPECT_NE(std::string(problem_).find("more than can be counted"), std::string::npos);
}

TEST(CountTasks, ReadsWhatSlurmReads) {
  EXPECT_EQ(count_tasks(nullptr), 1);
  EXPECT_EQ(count_tasks(""), 1);
  EXPECT_EQ(count_tasks("7"), 1);
  EXPECT_EQ(count_tasks("0-9"), 10);
  EXPECT_EQ(count_tasks("0-9:3"), 4);
  EXPECT_EQ(count_tasks("1,3,10-12%2"), 5);
  for (const char* bad : {"a", "1-", "-1", "5-1", "1-5:0", "1-5:x", "1,,2", "[1-5]", "1 2", "%5",
                          "0-99999999", "999999999999999999999"}) {
    EXPECT_EQ(count_tasks(bad), 0) << bad;
  }
}

}  // namespace
}  // namespace asbb::plugins
