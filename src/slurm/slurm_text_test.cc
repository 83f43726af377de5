#include "slurm/slurm_text.h"
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace asbb::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Duration, ReadsEveryFormOfSbatch) {
  EXPECT_EQ(parse_duration_seconds("30"), 1800);
  EXPECT_EQ(parse_duration_seconds("60:00"), 3600);
  EXPECT_EQ(parse_duration_seconds("1:30"), 90);
  EXPECT_EQ(parse_duration_seconds("10:00:01"), 36'001);
  EXPECT_EQ(parse_duration_seconds("2-3"), 2 * 86'400 + 3 * 3600);
  EXPECT_EQ(parse_duration_seconds("2-3:04"), 2 * 86'400 + 3 * 3600 + 240);
  EXPECT_EQ(parse_duration_seconds("1-00:00:00"), 86'400);
  EXPECT_EQ(parse_duration_seconds("0"), 0);
  EXPECT_EQ(parse_duration_seconds("UNLIMITED"), unlimited);
  EXPECT_EQ(parse_duration_seconds("infinite"), unlimited);
}

TEST(Duration, CountsAStartedMinuteWhole) {
  EXPECT_EQ(parse_duration_minutes("10:30"), 11);
  EXPECT_EQ(parse_duration_minutes("10:00"), 10);
  EXPECT_EQ(parse_duration_minutes("unlimited"), unlimited);
}

TEST(Duration, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "-1", "nan:00", "1:2:3:4", "1-", "-", "1-2-3", "1:", ":", " 5", "5 ", "+5", "00:01.5",
        "0x10", "1-00:00:00:00", "99999999999999999999", "4294967297:00:00", "49711-00", "1e3"}) {
    const auto parsed = parse_duration_seconds(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid) << text;
  }
}

RC_GTEST_PROP(Duration, ReadsBackWhatSacctPrints, ()) {
  const auto seconds = *rc::gen::inRange<std::int64_t>(0, 400'000'000);
  char text[32];
  std::snprintf(text, sizeof text, "%d-%02d:%02d:%02d", static_cast<int>(seconds / 86'400),
                static_cast<int>(seconds / 3600 % 24), static_cast<int>(seconds / 60 % 60),
                static_cast<int>(seconds % 60));
  RC_ASSERT(parse_duration_seconds(text).value() == seconds);
}

TEST(ArrayTasks, ExpandsRangesStepsAndLists) {
  EXPECT_THAT(*expand_array_tasks("1-3"), ElementsAre(1, 2, 3));
  EXPECT_THAT(*expand_array_tasks("[5-9:2,12%4]"), ElementsAre(5, 7, 9, 12));
  EXPECT_THAT(*expand_array_tasks("7"), ElementsAre(7));
  EXPECT_THAT(*expand_array_tasks("3,1,3,2-4"), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(expand_array_tasks("5-90,95%4")->size(), 87u);
  EXPECT_EQ(expand_array_tasks("0-4000000:4000000")->size(), 2u);
}

TEST(ArrayTasks, RefusesWhatSlurmWouldNotWrite) {
  for (const char* text : {"", "a", "1-", "-1", "3-1", "1-5:0", "5:2", "1,,2", "1,", "1-3%x",
                           "1-3%", "0-99999999999", "4000002", "1-2-3", "[1-3", "1 -3"}) {
    EXPECT_FALSE(expand_array_tasks(text).has_value()) << text;
  }
}

TEST(ArrayTasks, RefusesAShortenedList) {
  const auto cut = expand_array_tasks("2,9,22,26,29,31,64,96,102,...%7");
  ASSERT_FALSE(cut.has_value());
  EXPECT_THAT(cut.error().message, ::testing::HasSubstr("cut short"));
}

TEST(ArrayTasks, StaysWithinItsBound) {
  EXPECT_TRUE(expand_array_tasks("1-10", 10).has_value());
  EXPECT_FALSE(expand_array_tasks("1-11", 10).has_value());
  EXPECT_FALSE(expand_array_tasks("1-6,1-6", 10).has_value());
}

TEST(ArrayTasks, TellsTheThrottle) {
  EXPECT_EQ(array_throttle("[5-90%4]"), 4);
  EXPECT_EQ(array_throttle("5-90"), std::nullopt);
}

TEST(Hostlist, ExpandsBracketsAndKeepsZeros) {
  EXPECT_THAT(*expand_hostlist("gpu-aws-[1-3,07],login"),
              ElementsAre("gpu-aws-1", "gpu-aws-2", "gpu-aws-3", "gpu-aws-07", "login"));
  EXPECT_THAT(*expand_hostlist("n[09-11]"), ElementsAre("n09", "n10", "n11"));
  EXPECT_THAT(*expand_hostlist("r[1-2]n[1-2]-ib"),
              ElementsAre("r1n1-ib", "r1n2-ib", "r2n1-ib", "r2n2-ib"));
  EXPECT_THAT(*expand_hostlist("a,b,a"), ElementsAre("a", "b"));
  EXPECT_THAT(*expand_hostlist(""), IsEmpty());
  EXPECT_THAT(*expand_hostlist("(null)"), IsEmpty());
  EXPECT_THAT(*expand_hostlist("None assigned"), IsEmpty());
}

TEST(Hostlist, RefusesWhatDoesNotMatchOrIsTooLong) {
  for (const char* text :
       {"n[1-3", "n]1[", "n[[1]]", "n[]", "n[3-1]", "n[a-b]", "a,,b", ",",
        "n[1-99999999999999999999]", "n[0-2000000]", "n[1-1000]m[1-1000]k[1-1000]"}) {
    EXPECT_FALSE(expand_hostlist(text).has_value()) << text;
  }
  EXPECT_FALSE(expand_hostlist("a,b,c", 2).has_value());
  EXPECT_TRUE(expand_hostlist("a,b", 2).has_value());
  EXPECT_FALSE(expand_hostlist("a[1-2],a[1-2]", 3).has_value());
}

TEST(GresList, ReadsTypesCountsAndSockets) {
  EXPECT_THAT(*parse_gres("gpu:a100:2(S:0-1),gpu:1,shard:8,license"),
              ElementsAre(Gres{"gpu", "a100", 2}, Gres{"gpu", "", 1}, Gres{"shard", "", 8},
                          Gres{"license", "", 1}));
  EXPECT_THAT(*parse_gres("gpu:v100:2(S:0,1),bandwidth:lustre:4K"),
              ElementsAre(Gres{"gpu", "v100", 2}, Gres{"bandwidth", "lustre", 4096}));
  EXPECT_THAT(*parse_gres("gpu:a100"), ElementsAre(Gres{"gpu", "a100", 1}));
  EXPECT_THAT(*parse_gres("(null)"), IsEmpty());
  for (const char* text : {"gpu:a:b", "gpu:a:1:2", ":1", "gpu::1", "gpu:a100:9999999999999999P"}) {
    EXPECT_FALSE(parse_gres(text).has_value()) << text;
  }
}

RC_GTEST_PROP(SlurmText, AnyTextIsReadOrRefused, (const std::string& text)) {
  static_cast<void>(parse_duration_seconds(text));
  static_cast<void>(expand_array_tasks(text, 1000));
  static_cast<void>(expand_hostlist(text, 1000));
  static_cast<void>(parse_gres(text));
  RC_ASSERT(excerpt(text).size() <= 83);
}

}  // namespace
}  // namespace asbb::slurm
