#include "advisor/breaker.h"

#include <gtest/gtest.h>

namespace asbb::advisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Breaker, OpensAfterThreeFailuresInARowAndCloses) {
  Breaker breaker;
  Breaker::Steady::time_point now;
  breaker.failed(now);
  breaker.failed(now);
  breaker.succeeded();
  breaker.failed(now);
  breaker.failed(now);
  EXPECT_TRUE(breaker.allows(now));
  breaker.failed(now);
  EXPECT_TRUE(breaker.is_open());
  EXPECT_FALSE(breaker.allows(now + milliseconds(4'999)));
  EXPECT_TRUE(breaker.allows(now + seconds(5)));
  EXPECT_FALSE(breaker.allows(now + seconds(5))) << "one question at a time finds out";
  breaker.succeeded();
  EXPECT_FALSE(breaker.is_open());
  EXPECT_TRUE(breaker.allows(now + seconds(5)));
}

TEST(Breaker, WaitsLongerEachTimeUpToAMinute) {
  Breaker breaker;
  Breaker::Steady::time_point now;
  for (int i = 0; i < 3; ++i) breaker.failed(now);
  for (const int pause : {5, 10, 20, 40, 60, 60}) {
    EXPECT_FALSE(breaker.allows(now + seconds(pause) - milliseconds(1))) << pause;
    now += seconds(pause);
    ASSERT_TRUE(breaker.allows(now)) << pause;
    breaker.failed(now);
  }
}

TEST(Breaker, QuestionsThatWereUnderWayWhenItOpenedDoNotLengthenThePause) {
  Breaker breaker;
  const Breaker::Steady::time_point now;
  for (int i = 0; i < 20; ++i) breaker.failed(now);
  EXPECT_TRUE(breaker.allows(now + seconds(5)));
}

}  // namespace
}  // namespace asbb::advisor
