#include "slurm/account_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::slurm {
namespace {

TEST(AccountLimits, AreReadAsSacctmgrShowsThem) {
  EXPECT_EQ(parse_limit(LimitKind::count, "10").value(), (Limit{{"", 10}}));
  EXPECT_EQ(parse_limit(LimitKind::count, "").value(), Limit{});
  EXPECT_EQ(parse_limit(LimitKind::minutes, "1-00:00:00").value(), (Limit{{"", 1440}}));
  EXPECT_EQ(parse_limit(LimitKind::minutes, "90").value(), (Limit{{"", 90}}));
  EXPECT_EQ(parse_limit(LimitKind::tres, "cpu=4,gres/gpu:a100=2,mem=10G").value(),
            (Limit{{"cpu", 4}, {"gres/gpu:a100", 2}, {"mem", 10'240}}));
  EXPECT_EQ(parse_limit(LimitKind::tres, "mem=10300M").value(), (Limit{{"mem", 10'300}}));
  EXPECT_EQ(parse_limit(LimitKind::tres, "mem=1.50T").value(), (Limit{{"mem", 1'572'864}}));
}

TEST(AccountLimits, WhatIsNoneIsNamed) {
  for (const char* text : {"ten", "-5", "1.5", "99999999999"}) {
    const auto limit = parse_limit(LimitKind::count, text);
    ASSERT_FALSE(limit) << text;
    EXPECT_THAT(limit.error().message, ::testing::HasSubstr(text));
  }
  for (const char* text : {"cpu", "cpu=", "=4", "cpu=4,cpu=5", "cpu=-4", "cpu=4 set", "a b=3"}) {
    EXPECT_FALSE(parse_limit(LimitKind::tres, text)) << text;
  }
  EXPECT_FALSE(parse_limit(LimitKind::minutes, "soon"));
}

TEST(AccountLimits, WhatIsSetClearsWhatItDoesNotName) {
  const Limit now{{"cpu", 4}, {"mem", 512}};
  EXPECT_EQ(to_setting({{"cpu", 8}}, now), "cpu=8,mem=-1");
  EXPECT_EQ(to_setting({}, now), "cpu=-1,mem=-1");
  EXPECT_EQ(to_text(now), "cpu=4,mem=512");
}

TEST(AccountLimits, ScaledAreRoundedDownButNeverToNothing) {
  EXPECT_EQ(scaled({{"cpu", 5}, {"gres/gpu", 1}, {"mem", 0}}, Micros(500'000)),
            (Limit{{"cpu", 2}, {"gres/gpu", 1}, {"mem", 0}}));
  EXPECT_EQ(scaled({{"", 10}}, Micros(1'250'000)), (Limit{{"", 12}}));
}

TEST(AccountLimits, NamesAreFoundWithoutRegardToCase) {
  ASSERT_NE(find_limit("maxjobs"), nullptr);
  EXPECT_EQ(find_limit("maxjobs")->name, "MaxJobs");
  EXPECT_EQ(find_limit("Fairshare"), nullptr);
}

}  // namespace
}  // namespace asbb::slurm
