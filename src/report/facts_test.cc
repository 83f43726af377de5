#include "report/facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace asbb::report {
namespace {

Spending spending(const std::string& cluster, const std::string& id) {
  Spending out;
  out.job = {cluster, id};
  out.at = Instant{1'748'736'000'000'001};
  out.account = "proj001";
  out.user = "alice";
  out.partition = "cpu";
  out.unit = "core-hours";
  out.amount = Micros(-5);
  return out;
}

TEST(Facts, ARecordReadsBack) {
  for (const char* id : {"7", "7_0", "7_4000", "", "run of program 7_3"}) {
    const Spending given = spending("onprem", id);
    const Fact fact = read_fact(to_record(given));
    ASSERT_TRUE(fact.spending.has_value());
    EXPECT_EQ(*fact.spending, given);
  }
  report::Run run;
  run.job = {"cloud", "9_1"};
  run.end = Instant{-1};
  run.used_seconds = 4'000'000'000'000;
  run.cores = 128;
  EXPECT_EQ(read_fact(to_record(run)).run, run);
  run.wait_seconds = 0;
  run.asked_seconds = 60;
  EXPECT_EQ(read_fact(to_record(run)).run, run);
}

TEST(Facts, RecordsSortByJobAndKeepEachJobTogether) {
  report::Run run;
  run.job = {"onprem", "9"};
  std::vector<std::string> records;
  for (const char* id : {"10", "9_10", "9_2", "9", "100_1", "9_0"}) {
    records.push_back(to_record(spending("onprem", id)));
  }
  records.push_back(to_record(run));
  records.push_back(to_record(spending("cloud", "500")));
  records.push_back(to_record(spending("", "a program's")));
  std::sort(records.begin(), records.end());
  std::vector<std::string> order;
  for (const std::string& record : records) {
    const Fact fact = read_fact(record);
    order.push_back(fact.spending ? fact.spending->job.id : "run of " + fact.run->job.id);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"a program's", "500", "9", "run of 9", "9_0", "9_2",
                                             "9_10", "10", "100_1"}));
}

}  // namespace
}  // namespace asbb::report
