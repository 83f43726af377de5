// The tasks of an array: each its share, also those that Slurm forgets.
#include <gtest/gtest.h>

#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using TasksTest = testing::ReconcilerFixture;

TEST_F(TasksTest, EachArrayTaskSettlesItsShareAndThePendingRestGoesBack) {
  const std::string token = hold("10", 10);
  auto rest = queued(token, 20, "PENDING");
  rest.array_job_id = 20;
  rest.array_tasks = "2-9";
  auto running = queued(token, 21, "RUNNING");
  running.array_job_id = 20;
  running.array_task_id = 1;
  source_.set_queue("onprem", {rest, running});
  auto first = record(22, "COMPLETED", 100);
  first.array_job_id = 20;
  first.array_task_id = 0;
  source_.add_record(first);
  EXPECT_EQ(pass().settled, 1);
  expect_balance("9", "0.1");
  auto cancelled = record(20, "CANCELLED by 0", 0);
  cancelled.array_job_id = 20;
  cancelled.array_tasks = "2-9";
  auto second = record(21, "FAILED", 50);
  second.array_job_id = 20;
  second.array_task_id = 1;
  source_.set_queue("onprem", {});
  source_.add_record(cancelled);
  source_.add_record(second);
  EXPECT_EQ(pass().settled, 9);
  expect_balance("0", "0.15");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
}

// scancel 20_[2-5] of tasks that wait: slurmdbd has no record of them, and their money stayed held.
TEST_F(TasksTest, TasksThatWereCancelledByTheirNumberGiveTheirPartsBack) {
  const std::string token = hold("10", 10);
  auto waiting = queued(token, 20, "PENDING");
  waiting.array_job_id = 20;
  waiting.array_tasks = "0-9";
  auto row = record(20, "PENDING", 0);
  row.array_job_id = 20;
  row.array_tasks = "0-9";
  row.end = std::nullopt;
  source_.set_queue("onprem", {waiting});
  source_.set_records("onprem", {row});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("10", "0");
  waiting.array_tasks = row.array_tasks = "0-1,6-9";
  source_.set_queue("onprem", {waiting});
  source_.set_records("onprem", {row});
  (void)pass();
  expect_balance("10", "0");
  source_.set_accounting_queue_length("onprem", 3);
  (void)pass();
  expect_balance("6", "0");
  EXPECT_EQ(find(token).task_count, 6);
  row.status = slurm::parse_job_status("CANCELLED by 0");
  row.end = now();
  source_.set_queue("onprem", {});
  source_.set_records("onprem", {row});
  EXPECT_EQ(pass().settled, 6);
  expect_balance("0", "0");
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
}

TEST_F(TasksTest, TasksAreNotTakenForCancelledWithoutEvidence) {
  const std::string token = hold("10", 10);
  auto waiting = queued(token, 20, "PENDING");
  waiting.array_job_id = 20;
  waiting.array_tasks = "0-1,6-9";
  auto row = record(20, "PENDING", 0);
  row.array_job_id = 20;
  row.array_tasks = "0-1,6-9";
  row.end = std::nullopt;
  source_.set_queue("onprem", {waiting});
  for (int i = 0; i < 3; ++i) (void)pass();  // nothing of it in slurmdbd
  source_.set_records("onprem", {row});
  source_.set_accounting_queue_length("onprem", 3);
  for (int i = 0; i < 3; ++i) (void)pass();
  source_.set_accounting_queue_length("onprem", 0);
  source_.set_operator("onprem", false);
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("10", "0");
  source_.set_operator("onprem", true);
  row.array_tasks = waiting.array_tasks = "0-1,6-...";
  source_.set_queue("onprem", {waiting});
  for (int i = 0; i < 3; ++i) (void)pass();
  source_.set_records("onprem", {row});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("10", "0");
  row.array_tasks = waiting.array_tasks = "0-1,6-9";
  source_.set_queue("onprem", {waiting});
  source_.set_records("onprem", {row});
  for (int i = 0; i < 2; ++i) (void)pass();
  expect_balance("6", "0");
}

// A task that ended while slurmdbd had not heard of it yet is gone in one pass, another in the
// next.
TEST_F(TasksTest, OnlyTasksThatTwoPassesMissAreTakenForCancelled) {
  const std::string token = hold("10", 10);
  auto waiting = queued(token, 20, "PENDING");
  waiting.array_job_id = 20;
  auto row = record(20, "PENDING", 0);
  row.array_job_id = 20;
  row.end = std::nullopt;
  for (const char* shown : {"0-2,4-9", "0-3,5-9", "0-4,6-9"}) {
    waiting.array_tasks = row.array_tasks = shown;
    source_.set_queue("onprem", {waiting});
    source_.set_records("onprem", {row});
    (void)pass();
    expect_balance("10", "0");
  }
}

TEST_F(TasksTest, ARowThatCannotBeReadMayBeTheTasks) {
  const std::string token = hold("10", 10);
  auto waiting = queued(token, 20, "PENDING");
  waiting.array_job_id = 20;
  auto row = record(20, "PENDING", 0);
  row.array_job_id = 20;
  row.end = std::nullopt;
  waiting.array_tasks = row.array_tasks = "0-4,6-9";
  source_.set_queue("onprem", {waiting});
  source_.set_records("onprem", {row});
  source_.set_accounting_problems("onprem", {"row 7: 'XYZ' is no state"});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("10", "0");
  source_.set_accounting_problems("onprem", {});
  for (int i = 0; i < 2; ++i) (void)pass();
  expect_balance("9", "0");
}

}  // namespace
}  // namespace asbb::service
