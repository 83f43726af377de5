#include "plugins/breaker.h"

#include <gtest/gtest.h>

namespace asbb::plugins {
namespace {

using Leave = Breaker::Leave;
using Outcome = Breaker::Outcome;

constexpr std::int64_t kStartMs = 1'000'000;

void call(Breaker* breaker, Outcome outcome, std::int64_t now_ms) {
  ASSERT_EQ(breaker->leave(now_ms), Leave::call);
  breaker->report(Leave::call, outcome, now_ms);
}

void open_at(Breaker* breaker, std::int64_t now_ms) {
  for (int at = 0; at < 3; ++at) call(breaker, Outcome::silent, now_ms);
}

TEST(Breaker, OpensAfterThreeSilencesInARow) {
  Breaker breaker;
  call(&breaker, Outcome::silent, kStartMs);
  call(&breaker, Outcome::silent, kStartMs);
  call(&breaker, Outcome::answered, kStartMs);
  call(&breaker, Outcome::silent, kStartMs);
  call(&breaker, Outcome::silent, kStartMs);
  EXPECT_EQ(breaker.leave(kStartMs), Leave::call);
  breaker.report(Leave::call, Outcome::silent, kStartMs);
  EXPECT_EQ(breaker.leave(kStartMs), Leave::silence);
}

TEST(Breaker, LetsOneCallerProbeAfterFiveSeconds) {
  Breaker breaker;
  open_at(&breaker, kStartMs);
  EXPECT_EQ(breaker.leave(kStartMs + 4'999), Leave::silence);
  EXPECT_EQ(breaker.leave(kStartMs + 5'000), Leave::probe_and_call);
  EXPECT_EQ(breaker.leave(kStartMs + 5'000), Leave::silence);
  EXPECT_EQ(breaker.leave(kStartMs + 500'000), Leave::silence) << "one probe at a time";
}

TEST(Breaker, ClosesWhenTheProbeIsAnswered) {
  Breaker breaker;
  open_at(&breaker, kStartMs);
  ASSERT_EQ(breaker.leave(kStartMs + 5'000), Leave::probe_and_call);
  breaker.report(Leave::probe_and_call, Outcome::answered, kStartMs + 5'001);
  call(&breaker, Outcome::silent, kStartMs + 5'002);
  call(&breaker, Outcome::silent, kStartMs + 5'002);
  call(&breaker, Outcome::silent, kStartMs + 5'002);
  EXPECT_EQ(breaker.leave(kStartMs + 10'001), Leave::silence);
  EXPECT_EQ(breaker.leave(kStartMs + 10'002), Leave::probe_and_call) << "from 5 s again";
}

TEST(Breaker, BacksOffFromFiveToSixtySeconds) {
  Breaker breaker;
  open_at(&breaker, kStartMs);
  std::int64_t now_ms = kStartMs;
  for (const std::int64_t pause_ms : {5'000, 10'000, 20'000, 40'000, 60'000, 60'000}) {
    EXPECT_EQ(breaker.leave(now_ms + pause_ms - 1), Leave::silence) << pause_ms;
    now_ms += pause_ms;
    ASSERT_EQ(breaker.leave(now_ms), Leave::probe_and_call) << pause_ms;
    breaker.report(Leave::probe_and_call, Outcome::silent, now_ms);
  }
}

TEST(Breaker, LetsTheNextCallerProbeWhenNothingWasLearnt) {
  Breaker breaker;
  open_at(&breaker, kStartMs);
  ASSERT_EQ(breaker.leave(kStartMs + 5'000), Leave::probe_and_call);
  breaker.report(Leave::probe_and_call, Outcome::not_asked, kStartMs + 5'000);
  EXPECT_EQ(breaker.leave(kStartMs + 5'000), Leave::probe_and_call);
}

TEST(Breaker, DoesNotCountWhatWasNotAsked) {
  Breaker breaker;
  call(&breaker, Outcome::silent, kStartMs);
  call(&breaker, Outcome::silent, kStartMs);
  call(&breaker, Outcome::not_asked, kStartMs);
  call(&breaker, Outcome::silent, kStartMs);
  EXPECT_EQ(breaker.leave(kStartMs), Leave::silence);
}

TEST(Breaker, IgnoresCallsThatBeganBeforeItOpened) {
  Breaker breaker;
  ASSERT_EQ(breaker.leave(kStartMs), Leave::call);
  open_at(&breaker, kStartMs);
  breaker.report(Leave::call, Outcome::silent, kStartMs + 1);
  breaker.report(Leave::call, Outcome::answered, kStartMs + 1);
  EXPECT_EQ(breaker.leave(kStartMs + 4'999), Leave::silence);
  ASSERT_EQ(breaker.leave(kStartMs + 5'000), Leave::probe_and_call);
  breaker.report(Leave::call, Outcome::answered, kStartMs + 5'000);
  EXPECT_EQ(breaker.leave(kStartMs + 5'000), Leave::silence) << "the probe is still under way";
}

}  // namespace
}  // namespace asbb::plugins
