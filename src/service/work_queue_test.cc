#include "service/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace asbb::service {
namespace {

TEST(WorkQueueTest, RunsEverythingItAccepted) {
  std::atomic<int> done{0};
  int accepted = 0;
  {
    WorkQueue queue(2, 1000);
    for (int i = 0; i < 500; ++i) accepted += queue.push([&done] { ++done; }) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 500);
  EXPECT_EQ(done, 500);
}

TEST(WorkQueueTest, RefusesWhatDoesNotFit) {
  WorkQueue queue(1, 2);
  std::promise<void> begun;
  std::promise<void> go_on;
  ASSERT_TRUE(queue.push([&begun, wait = go_on.get_future().share()] {
    begun.set_value();
    wait.wait();
  }));
  begun.get_future().wait();
  std::atomic<int> done{0};
  EXPECT_TRUE(queue.push([&done] { ++done; }));
  EXPECT_TRUE(queue.push([&done] { ++done; }));
  EXPECT_FALSE(queue.push([&done] { ++done; }));
  go_on.set_value();
  queue.stop();
  EXPECT_EQ(done, 2);
  EXPECT_FALSE(queue.push([&done] { ++done; }));
}

}  // namespace
}  // namespace asbb::service
