#include "plugins/silence_log.h"

#include <gtest/gtest.h>

#include <string>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

TEST(SilenceLog, WritesOneLineInTenSecondsWithCounts) {
  testing::take_log();
  SilenceLog log;
  log.silence(Failure::deadline, Stance::deny, 0);
  ASSERT_EQ(testing::take_log().size(), 1U);
  for (int at = 0; at < 500; ++at) log.silence(Failure::breaker_open, Stance::allow, 9'999);
  log.silence(Failure::breaker_open, Stance::deny, 9'999);
  EXPECT_TRUE(testing::take_log().empty());
  log.silence(Failure::breaker_open, Stance::allow, 10'000);
  const auto lines = testing::take_log();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(
      lines[0],
      "error: asbb: the budget service is silent (no answer before the deadline); without its "
      "answer since the last such line: 501 submissions accepted, 1 refused");
}

TEST(SilenceLog, SaysWhenTheServiceIsBackAndWhatHappenedUntilThen) {
  testing::take_log();
  SilenceLog log;
  log.answered();
  EXPECT_TRUE(testing::take_log().empty());
  log.silence(Failure::no_socket, Stance::deny, 0);
  log.silence(Failure::no_socket, Stance::deny, 1);
  log.answered();
  log.answered();
  const auto lines = testing::take_log();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1],
            "info: asbb: the budget service answers again; until then and since the last line: "
            "0 submissions accepted without its answer, 1 refused");
}

TEST(SilenceLog, IsNotFloodedByAServiceThatComesAndGoes) {
  testing::take_log();
  SilenceLog log;
  for (int now_ms = 0; now_ms < 30'000; now_ms += 10) {
    log.silence(Failure::broken_off, Stance::allow, now_ms);
    log.answered();
  }
  EXPECT_EQ(testing::take_log().size(), 6U);
}

}  // namespace
}  // namespace asbb::plugins
