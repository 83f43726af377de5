// Jobs that needed no hold and are changed to where they cost something.
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"

namespace asbb::service {
namespace {

using testing::money;

class UnheldChanges : public testing::JobChanges {
 protected:
  // Of array 9.
  static slurm::AccountingRecord ended_task(std::int64_t task, const slurm::QueueJob& row) {
    auto over = ended(20 + task, 1000, row.submit, task + 1);
    over.array_job_id = 9;
    over.array_task_id = task;
    return over;
  }
};

TEST_F(UnheldChanges, AMoveToAPricedPartitionGetsAHold) {
  auto row = job();
  ask_in(row, "", "4.32");
  show({row});
  EXPECT_EQ(pass().bound, 1);
  pass_time(hours(2));
  source_.set_queue("onprem", {});
  source_.add_record(ended(9, 1000, row.submit, 1));
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
}

// Those that are over ran where it is free; their parts used to be waited for.
TEST_F(UnheldChanges, OfAnArrayThatMovesTheTasksThatAreLeftGetTheHold) {
  auto row = job("0-3");
  const Micros other = budget("proj001").held;
  row.array_job_id = 9;
  ask_in(row, "0-3", "17.28");
  row.array_tasks = "2-3";
  show({row});
  EXPECT_EQ(pass().bound, 1);
  EXPECT_EQ(budget("proj001").held - other, money("8.64"));
  source_.set_queue("onprem", {});
  for (std::int64_t task = 0; task < 4; ++task) {
    auto over = ended_task(task, row);
    if (task < 2) over.partition = "cpu";
    source_.add_record(over);
  }
  pass_time(hours(1));
  EXPECT_EQ(pass().settled, 2);
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "2");
}

// Each became a hold of the job, and one of them was never charged nor given back.
TEST_F(UnheldChanges, OfTwoChangesBeforeAPassTheLastOneAloneIsHeld) {
  auto row = job();
  const Micros other = budget("proj001").held;
  ask_in(row, "", "4.32");
  api::JobChange longer = minutes(120);
  longer.job = "9";
  EXPECT_EQ(ask(longer).hold_amount, money("8.64"));
  row.time_limit_minutes = 120;
  show({row});
  EXPECT_EQ(pass().bound, 1);
  EXPECT_EQ(budget("proj001").held - other, money("8.64"));
  EXPECT_EQ(pass().followed, 0);
  pass_time(hours(2));
  source_.set_queue("onprem", {});
  source_.add_record(ended(9, 1000, row.submit, 1));
  EXPECT_EQ(pass().settled, 1);
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
}

TEST_F(UnheldChanges, TasksThatWereChangedByThemselvesAreHeldOnce) {
  set_limit("100");
  auto row = job("0-3");
  const Micros other = budget("proj001").held;
  row.array_job_id = 9;
  ask_in(row, "0-3", "17.28");
  api::JobChange some = minutes(120);
  some.job = "9_[0-1]";
  EXPECT_EQ(ask(some).hold_amount, money("17.28"));
  auto longer = row;
  longer.array_tasks = "0-1";
  longer.time_limit_minutes = 120;
  row.array_tasks = "2-3";
  show({row, longer});
  EXPECT_EQ(pass().bound, 2);
  EXPECT_EQ(budget("proj001").held - other, money("25.92"));
  source_.set_queue("onprem", {});
  for (std::int64_t task = 0; task < 4; ++task) source_.add_record(ended_task(task, row));
  pass_time(hours(1));
  EXPECT_EQ(pass().settled, 4);
  expect_held("0");
}

}  // namespace
}  // namespace asbb::service
