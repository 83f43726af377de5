#include "report/adder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/record_sorter.h"

namespace asbb::report {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::optional<Micros> nothing;

Instant at(const char* text) {
  return parse_rfc3339(text).value();
}

class AdderTest : public ::testing::Test {
 protected:
  AdderTest() {
    report_.units = {"USD", "core-hours"};
    report_.first_day = {2025, 3, 29};
    report_.last_day = {2025, 3, 31};
  }

  void spend(const std::string& cluster, const std::string& job, const std::string& unit,
             std::int64_t micros, const std::string& when = "2025-03-30T12:00:00Z",
             const std::string& user = "alice", const std::string& partition = "cpu") {
    Spending spending{{cluster, job}, at(when.c_str()), "proj001", user, partition,
                      unit,           Micros(micros)};
    ASSERT_TRUE(sorter_.add(to_record(spending)).has_value());
  }

  void run(const std::string& cluster, const std::string& job, std::optional<std::int64_t> wait,
           std::int64_t used, std::optional<std::int64_t> asked, std::int64_t cores,
           const std::string& partition = "cpu", const std::string& user = "alice") {
    const Instant end = at("2025-03-30T11:59:00Z");
    report::Run one{{cluster, job}, "proj001", user,  partition, end - seconds(used), end,
                    wait,           used,      asked, cores};
    ASSERT_TRUE(sorter_.add(to_record(one)).has_value());
  }

  void add_up() {
    // As if `debug` had been made free an hour before those runs ended, and `cpu` had a price.
    const auto price_of = [](const std::string&, const std::string& partition, Instant start) {
      if (partition != "debug") return Price::priced;
      return start < at("2025-03-30T10:59:00Z") ? Price::missing : Price::free;
    };
    Adder adder(report_, [this](const JobLine& job) { jobs_.push_back(job); }, price_of);
    ASSERT_TRUE(sorter_.for_each([&](std::string_view record) -> Result<void> {
      adder.add(read_fact(record));
      return {};
    }));
    adder.finish();
  }

  Dual report_;
  RecordSorter sorter_;
  std::vector<JobLine> jobs_;
};

TEST_F(AdderTest, OverrunsRefundsAndRequeuedRunsAreOneJob) {
  spend("cloud", "7", "USD", 5'000'000);
  spend("cloud", "7", "USD", 1'000'001);   // an overrun
  spend("cloud", "7", "USD", -2'000'000);  // a refund
  spend("cloud", "7", "USD", 3'000'000, "2025-03-31T00:00:00Z");
  run("cloud", "7", 10, 100, 200, 4);
  run("cloud", "7", 30, 50, 200, 4);
  add_up();
  EXPECT_EQ(report_.all.jobs, 1);
  EXPECT_THAT(report_.all.charged, ElementsAre(Micros(7'000'001), nothing));
  ASSERT_THAT(jobs_, SizeIs(1));
  EXPECT_EQ(jobs_[0].line.charged[0], Micros(7'000'001));
  const Effort& effort = report_.all.effort;
  EXPECT_EQ(effort.runs, 2);
  EXPECT_EQ(effort.mean_wait_seconds(), 20);
  EXPECT_EQ(effort.longest_wait_seconds, 30);
  EXPECT_EQ(effort.used_core_seconds, 600);
  EXPECT_EQ(effort.asked_core_seconds, 1600);
  EXPECT_EQ(effort.efficiency_permille(), 375);
  ASSERT_THAT(report_.by_day, SizeIs(2));
  EXPECT_EQ(report_.by_day[0].charged[0], Micros(4'000'001));
  EXPECT_EQ(report_.by_day[1].jobs, 1);
}

TEST_F(AdderTest, AJobWithoutAChargeIsNamedAndInNoSum) {
  spend("onprem", "1", "core-hours", 1'000'000);
  run("onprem", "2", 5, 3600, 7200, 2, "debug", "bob");
  run("onprem", "3", 5, 0, 7200, 2, "debug");  // cancelled as it began: nothing to charge
  add_up();
  EXPECT_THAT(report_.uncharged, ElementsAre(Uncharged{"onprem", "debug", 1, 7200, Price::free}));
  EXPECT_EQ(report_.all.effort.runs, 0);
  EXPECT_EQ(report_.jobs_without_accounting, 1);
  EXPECT_THAT(report_.by_user, SizeIs(1));
  EXPECT_THAT(report_.by_partition, SizeIs(1));
  ASSERT_THAT(jobs_, SizeIs(2));
  EXPECT_EQ(jobs_[1].user, "bob");
  EXPECT_THAT(jobs_[1].line.charged, ElementsAre(nothing, nothing));
}

TEST_F(AdderTest, EachRunIsJudgedByThePricesOfItsStart) {
  run("onprem", "2", 5, 3601, 7200, 2, "debug");
  run("onprem", "3", 5, 3600, 7200, 2, "debug");
  run("onprem", "4", 5, 3601, 7200, 2, "debug");
  run("onprem", "4", 5, 10, 7200, 2, "debug");  // requeued: the one run that had a price counts
  run("onprem", "5", 5, 0, 7200, 2, "cpu");     // was preempted before it used anything
  run("onprem", "5", 5, 4000, 7200, 1, "debug");
  add_up();
  EXPECT_THAT(report_.uncharged,
              ElementsAre(Uncharged{"onprem", "debug", 2, 11'202, Price::missing},
                          Uncharged{"onprem", "debug", 2, 14'422, Price::free}));
}

TEST_F(AdderTest, WhatCostNothingIsChargedAllTheSame) {
  spend("onprem", "1", "core-hours", 0);
  run("onprem", "1", 5, 10, 60, 1);
  add_up();
  EXPECT_THAT(report_.uncharged, IsEmpty());
  EXPECT_THAT(report_.all.charged, ElementsAre(nothing, Micros(0)));
}

TEST_F(AdderTest, TasksAndClustersAndProgramsAreJobsOfTheirOwn) {
  spend("onprem", "7_1", "core-hours", 1);
  spend("onprem", "7_2", "core-hours", 1);
  spend("cloud", "7_1", "USD", 1);
  spend("", "7_1", "USD", 1);
  add_up();
  EXPECT_EQ(report_.all.jobs, 4);
  EXPECT_THAT(report_.by_cluster, SizeIs(3));
}

TEST_F(AdderTest, AJobCountsOnceInEachPartitionItWasChargedFor) {
  spend("onprem", "7", "core-hours", 1, "2025-03-30T12:00:00Z", "alice", "cpu");
  spend("onprem", "7", "core-hours", 1, "2025-03-30T12:00:00Z", "alice", "cpu");
  spend("onprem", "7", "core-hours", 1, "2025-03-30T13:00:00Z", "alice", "long");
  add_up();
  ASSERT_THAT(report_.by_partition, SizeIs(2));
  EXPECT_EQ(report_.by_partition[0].jobs, 1);
  EXPECT_EQ(report_.by_partition[1].jobs, 1);
  EXPECT_EQ(report_.by_user[0].jobs, 1);
}

// In Paris 2025-03-30 has 23 hours and 2025-10-26 has 25.
TEST_F(AdderTest, DaysAreThoseOfTheZoneAtBothChangesOfTheClock) {
  report_.zone = "Europe/Paris";
  spend("cloud", "1", "USD", 1, "2025-03-29T22:59:59.999999Z");
  spend("cloud", "2", "USD", 2, "2025-03-29T23:00:00Z");
  spend("cloud", "3", "USD", 4, "2025-03-30T21:59:59.999999Z");
  spend("cloud", "4", "USD", 8, "2025-03-30T22:00:00Z");
  spend("cloud", "5", "USD", 16, "2025-10-25T21:59:59.999999Z");
  spend("cloud", "6", "USD", 32, "2025-10-25T22:00:00Z");
  spend("cloud", "7", "USD", 64, "2025-10-26T22:59:59.999999Z");
  spend("cloud", "8", "USD", 128, "2025-10-26T23:00:00Z");
  add_up();
  std::vector<std::pair<std::string, std::int64_t>> days;
  for (const Line& line : report_.by_day) {
    days.emplace_back(line.name, line.charged[0].value_or(Micros()).count());
  }
  EXPECT_THAT(days, ElementsAre(std::pair("2025-03-29", 1), std::pair("2025-03-30", 6),
                                std::pair("2025-03-31", 8), std::pair("2025-10-25", 16),
                                std::pair("2025-10-26", 96), std::pair("2025-10-27", 128)));
}

TEST_F(AdderTest, OneTotalIsRoundedHalfToEvenForEachLine) {
  report_.total_unit = "USD";
  report_.rates = {{"core-hours", "USD", Micros(500'000), Instant{}, Day{}}};
  spend("cloud", "1", "USD", 10);
  spend("onprem", "2", "core-hours", 5, "2025-03-30T12:00:00Z", "bob");
  add_up();
  EXPECT_EQ(report_.all.total, Micros(12));  // 10 + 2.5
  ASSERT_THAT(report_.by_user, SizeIs(2));
  EXPECT_EQ(report_.by_user[0].name, "alice");
  EXPECT_EQ(report_.by_user[1].total, Micros(2));
}

TEST_F(AdderTest, NothingIsNothing) {
  add_up();
  EXPECT_TRUE(report_.is_empty());
  EXPECT_FALSE(report_.has_effort());
  EXPECT_EQ(report_.all.effort.mean_wait_seconds(), std::nullopt);
}

TEST_F(AdderTest, WhatIsNotKnownOfARunIsLeftOut) {
  spend("onprem", "1", "core-hours", 1);
  run("onprem", "1", std::nullopt, 100, std::nullopt, 2);
  add_up();
  EXPECT_EQ(report_.all.effort.mean_wait_seconds(), std::nullopt);
  EXPECT_EQ(report_.all.effort.efficiency_permille(), std::nullopt);
  EXPECT_EQ(report_.all.effort.core_seconds, 200);
}

}  // namespace
}  // namespace asbb::report
