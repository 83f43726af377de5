#include "pricing/slurm_values.h"

#include <gtest/gtest.h>

namespace asbb::pricing {
namespace {

TEST(TimeLimit, ReadsEveryFormOfSbatch) {
  const std::pair<const char*, std::int64_t> forms[] = {
      {"30", 30},          {"30:00", 30},     {"4:00:00", 240},     {"04:00:00", 240},
      {"1-12", 2160},      {"1-12:30", 2190}, {"1-00:00:00", 1440}, {"1-12:30:15", 2191},
      {"0:30", 1},         {"60:00", 60},     {"0:00:01", 1},       {"0-0:1", 1},
      {"100:00:00", 6000}, {"90", 90},        {"0-48", 2880}};
  for (const auto& [text, minutes] : forms) {
    const auto limit = parse_time_limit(text);
    ASSERT_TRUE(limit.has_value()) << text;
    EXPECT_EQ(*limit, (TimeLimit{minutes, false})) << text;
  }
  for (const char* text : {"UNLIMITED", "unlimited", "INFINITE"}) {
    EXPECT_EQ(*parse_time_limit(text), (TimeLimit{0, true})) << text;
  }
}

TEST(TimeLimit, RefusesTheRest) {
  for (const char* text : {"",
                           "0",
                           "00:00",
                           "0-0",
                           "nan",
                           "nan:00",
                           "-1",
                           "+5",
                           " 5",
                           "5 ",
                           "1.5",
                           "1:",
                           ":30",
                           "1:2:3:4",
                           "1-",
                           "-1:00",
                           "1-2-3",
                           "1-:30",
                           "0x10",
                           "1e3",
                           "99999999999",
                           "1-1:1:1:1",
                           "9999999999999999999999",
                           "1000000-00",
                           "infinity",
                           "UNLIMITED5",
                           "1d",
                           "4h"}) {
    EXPECT_FALSE(parse_time_limit(text).has_value()) << text;
  }
}

TEST(TimeLimit, NamesTheValueAndWhatIsAllowed) {
  const std::string message = parse_time_limit("nan:00").error().message;
  EXPECT_NE(message.find("'nan:00'"), std::string::npos);
  EXPECT_NE(message.find("hours:minutes:seconds"), std::string::npos);
}

TEST(TimeLimit, PrintsAsSlurmDoes) {
  EXPECT_EQ(to_string(TimeLimit{240, false}), "04:00:00");
  EXPECT_EQ(to_string(TimeLimit{1440 + 61, false}), "1-01:01:00");
  EXPECT_EQ(to_string(TimeLimit{0, true}), "UNLIMITED");
}

TEST(Memory, ReadsSizes) {
  const std::pair<const char*, std::int64_t> sizes[] = {
      {"64GB", 65'536}, {"1234MB", 1234}, {"4000M", 4000},  {"4000", 4000}, {"64GiB", 65'536},
      {"64g", 65'536},  {"1.5G", 1536},   {"1T", 1048576},  {"1K", 1},      {"2049kb", 3},
      {"0", 0},         {"0.1G", 103},    {"1.000001M", 2}, {"00064M", 64}};
  for (const auto& [text, mb] : sizes) {
    const auto size = parse_memory_mb(text);
    ASSERT_TRUE(size.has_value()) << text;
    EXPECT_EQ(*size, mb) << text;
  }
}

TEST(Memory, RefusesTheRest) {
  for (const char* text : {"", "-1", "-4G", "G", "4P", "4GG", "4GBB", "4 G", "nan", "inf", "1e3M",
                           "0x10M", "4Gib2", "9999999999999999G", ".5G", "4,5G", "1.0000001M"}) {
    EXPECT_FALSE(parse_memory_mb(text).has_value()) << text;
  }
}

TEST(Array, CountsTasks) {
  const std::pair<const char*, std::int64_t> arrays[] = {
      {"0-999%10", 1000}, {"1-10:2%3", 5},  {"0,5,7-9", 5}, {"7", 1},       {"0-0", 1},
      {"1,1,1", 1},       {"0-9,5-14", 15}, {"[1-4]", 4},   {"[1-4%2]", 4}, {"[1-4]%2", 4},
      {"1-9:100", 1},     {"0-8:4,1", 4},   {"0-3%2,5", 5}, {"1000", 1},    {"9-10:2", 1}};
  for (const auto& [text, count] : arrays) {
    const auto tasks = count_array_tasks(text, 1001);
    ASSERT_TRUE(tasks.has_value()) << text << ": " << tasks.error().message;
    EXPECT_EQ(*tasks, count) << text;
  }
}

TEST(Array, RefusesTheRest) {
  for (const char* text : {"",
                           "1001",
                           "0-1001",
                           "5-1",
                           "-1",
                           "1-",
                           "a",
                           "1-10:0",
                           "1-10:-2",
                           "1,,2",
                           ",1",
                           "1,",
                           "1:2",
                           "1-2-3",
                           "1%",
                           "%2",
                           "[1-4",
                           "1-4]",
                           "[1-4]x",
                           "1 ",
                           "nan",
                           "1-10:2:3",
                           "99999999999999999999",
                           "1-10:5000"}) {
    EXPECT_FALSE(count_array_tasks(text, 1001).has_value()) << text;
  }
  EXPECT_FALSE(count_array_tasks("1", 0).has_value());
}

TEST(Array, IsBoundedByMaxArraySize) {
  EXPECT_EQ(*count_array_tasks("0-4000000"), 4'000'001);
  EXPECT_FALSE(count_array_tasks("4000001").has_value());
  const std::string message = count_array_tasks("0-20", 10).error().message;
  EXPECT_NE(message.find("index 20"), std::string::npos);
  EXPECT_NE(message.find("up to 9"), std::string::npos);
}

TEST(Array, DoesNotSpendTimeOnRangesThatRepeat) {
  std::string text = "0-4000000";
  for (int i = 0; i < 1000; ++i) text += ",0-4000000";
  EXPECT_FALSE(count_array_tasks(text).has_value());
}

}  // namespace
}  // namespace asbb::pricing
