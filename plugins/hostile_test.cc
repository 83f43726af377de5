// A service that behaves badly in every way that a test can think of: slurmctld loses no more than
// its deadline, no job passes that nobody allowed, nothing is left behind. In the fast suite a few
// thousand calls, in plugin_hostile_long a hundred thousand.
#include <gtest/gtest.h>

#include <iostream>

#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"
#include "plugins/testing/hostile_run.h"

namespace asbb::plugins {
namespace {

#ifdef ASBB_HOSTILE_CALLS
constexpr int kCalls = ASBB_HOSTILE_CALLS;
#else
constexpr int kCalls = 3'600;
#endif

TEST(HostileService, CostsNoCallMoreThanItsDeadlineAndLeavesNothingBehind) {
  testing::keep_log(false);
  const int descriptors = testing::open_descriptors();
  const testing::HostileReport report = testing::run_hostile({.calls = kCalls});
  EXPECT_EQ(report.calls, kCalls);
  EXPECT_GT(report.answered, report.well_behaved / 10) << "hardly any good answer came in time";
  for (const std::string& text : report.violations) ADD_FAILURE() << text;
  EXPECT_EQ(testing::open_descriptors(), descriptors);
  EXPECT_EQ(testing::live_allocations(), 0);
  testing::keep_log(true);
  std::cout << report.calls << " calls, deadline 2 ms: median " << report.median_micros
            << " us, longest " << report.longest_micros << " us; of " << report.well_behaved
            << " calls to a service that behaves, " << report.answered
            << " were answered in time\n";
}

}  // namespace
}  // namespace asbb::plugins
