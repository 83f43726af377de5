#include "base/slurm_units.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace asbb {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_s = 366 * day_s;
constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();

TEST(SlurmTime, ReadsEveryForm) {
  const std::pair<const char*, std::int64_t> forms[] = {{"0", 0},
                                                        {"30", 1800},
                                                        {"30:00", 1800},
                                                        {"0:30", 30},
                                                        {"01:05", 65},
                                                        {"60:00", 3600},
                                                        {"00:00:00", 0},
                                                        {"04:00:00", 14'400},
                                                        {"100:00:00", 360'000},
                                                        {"10:00:01", 36'001},
                                                        {"0:90", 90},
                                                        {"1-12", 129'600},
                                                        {"0-48", 2 * day_s},
                                                        {"1-12:30", 131'400},
                                                        {"0-0:1", 60},
                                                        {"1-00:00:00", day_s},
                                                        {"1-02:03:04", 93'784},
                                                        {"0000000000000000000000001", 60}};
  for (const auto& [text, seconds] : forms) {
    EXPECT_EQ(parse_slurm_time_s(text, year_s), seconds) << text;
  }
}

TEST(SlurmTime, RefusesTheRest) {
  for (const char* text :
       {"",     "-",     ":",      "nan",       "nan:00",    "-1",     "-00:05",    "+5",
        " 5",   "5 ",    "1.5",    "00:01.5",   "1:",        ":30",    "1:2:3:4",   "1-",
        "-1:0", "1-2-3", "1-:30",  "1-2:",      "1-1:1:1:1", "0x10",   "1e3",       "1d",
        "4h",   "1--2",  "1-2:-3", "UNLIMITED", "INFINITE",  "1:2:3-", "Partition", "12:00 "}) {
    EXPECT_EQ(parse_slurm_time_s(text, year_s), std::nullopt) << text;
  }
}

TEST(SlurmTime, StaysWithinItsRange) {
  EXPECT_EQ(parse_slurm_time_s("1-00:00:00", day_s), day_s);
  for (const char* text : {"1-00:00:01", "1-00:01", "1-01", "2-00", "1441", "1440:01", "24:00:01",
                           "24:01:00", "25:00:00", "99999999999999999999"}) {
    EXPECT_EQ(parse_slurm_time_s(text, day_s), std::nullopt) << text;
  }
  EXPECT_EQ(parse_slurm_time_s("0:00:9223372036854775807", any), any);
  EXPECT_EQ(parse_slurm_time_s("0:01:9223372036854775807", any), std::nullopt);
  EXPECT_EQ(parse_slurm_time_s("9223372036854775807", any), std::nullopt);
  EXPECT_EQ(parse_slurm_time_s("9223372036854775807-00", any), std::nullopt);
}

TEST(SlurmTime, KnowsTheWordsForNoEnd) {
  for (const char* text : {"UNLIMITED", "unlimited", "Unlimited", "INFINITE", "infinite"}) {
    EXPECT_TRUE(is_slurm_unlimited(text)) << text;
  }
  for (const char* text : {"", "UNLIMITED5", "infinity", "UNLIMITEDUNLIMITED", "INFINI", "-1"}) {
    EXPECT_FALSE(is_slurm_unlimited(text)) << text;
  }
}

TEST(SlurmMemory, ReadsSizesAndRoundsUp) {
  const std::pair<const char*, std::int64_t> sizes[] = {
      {"0", 0},         {"4000", 4000},    {"00064M", 64},        {"4000M", 4000},
      {"1234MB", 1234}, {"64GB", 65'536},  {"64GiB", 65'536},     {"64Gi", 65'536},
      {"64g", 65'536},  {"64GIB", 65'536}, {"1T", 1'048'576},     {"1.5T", 1'572'864},
      {"1K", 1},        {"1024K", 1},      {"1025K", 2},          {"2049kb", 3},
      {"1.5G", 1536},   {"0.1G", 103},     {"62.50G", 64'000},    {"1.000001M", 2},
      {"0.000001K", 1}, {"0.0K", 0},       {"1.00000000G", 1024}, {"0.5", 1},
      {"1000000K", 977}};
  for (const auto& [text, mb] : sizes) {
    EXPECT_EQ(parse_slurm_memory_mb(text, 1'000'000'000), mb) << text;
  }
}

TEST(SlurmMemory, RefusesTheRest) {
  for (const char* text :
       {"",     "-1",    "-4G",   "+4G",   "G",      "GB",        "4P",  "1PB", "4GG",
        "4GBB", "4BG",   "4B",    "4iB",   "4 G",    "4G ",       " 4G", "nan", "inf",
        "1e3M", "1e400", "0x10M", "4Gib2", "4GiBx",  "1.G",       ".5G", ".",   "1.2.3",
        "1..2", "4,5G",  "4G4",   "4GibB", "(null)", "1.0000001M"}) {
    EXPECT_EQ(parse_slurm_memory_mb(text, any), std::nullopt) << text;
  }
}

TEST(SlurmMemory, StaysWithinItsRange) {
  EXPECT_EQ(parse_slurm_memory_mb("1T", 1'048'576), 1'048'576);
  EXPECT_EQ(parse_slurm_memory_mb("1.000001T", 1'048'576), std::nullopt);
  EXPECT_EQ(parse_slurm_memory_mb("1048577", 1'048'576), std::nullopt);
  EXPECT_EQ(parse_slurm_memory_mb("9223372036854775807", any), any);
  for (const char* text : {"9223372036854775808", "9223372036854775807G", "9223372036854775807T",
                           "99999999999999999999T"}) {
    EXPECT_EQ(parse_slurm_memory_mb(text, any), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace asbb
