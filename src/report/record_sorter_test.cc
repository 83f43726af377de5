#include "report/record_sorter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace asbb::report {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> sorted_by(std::size_t bytes_max, const std::vector<std::string>& records) {
  RecordSorter sorter(bytes_max);
  for (const std::string& record : records) EXPECT_TRUE(sorter.add(record).has_value());
  std::vector<std::string> out;
  EXPECT_TRUE(sorter.for_each([&](std::string_view record) -> Result<void> {
    out.emplace_back(record);
    return {};
  }));
  return out;
}

TEST(RecordSorter, ComesToTheSameInMemoryAndInPieces) {
  std::vector<std::string> records{"", std::string("a\0b", 3), "a", "a"};
  std::uint64_t seed = 20250101;
  for (int i = 0; i < 5000; ++i) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    records.push_back(std::string(seed >> 60U, 'x') + std::to_string(seed >> 40U));
  }
  auto expected = records;
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(sorted_by(RecordSorter::usual_bytes, records), expected);
  EXPECT_EQ(sorted_by(4096, records), expected);  // about a hundred pieces
}

TEST(RecordSorter, NothingComesToNothing) {
  EXPECT_TRUE(sorted_by(100, {}).empty());
}

TEST(RecordSorter, AnErrorStopsIt) {
  RecordSorter sorter(100);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(sorter.add(std::to_string(i)).has_value());
  int seen = 0;
  const auto stopped = sorter.for_each([&](std::string_view) -> Result<void> {
    return ++seen == 3 ? Result<void>(fail(ErrorKind::unavailable, "enough")) : Result<void>();
  });
  EXPECT_EQ(seen, 3);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().message, "enough");
}

TEST(RecordSorter, SaysWhereItCouldNotWrite) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "/tmp" : before;
  ::setenv("TMPDIR", "/nonexistent", 1);
  RecordSorter sorter(1);
  const auto added = sorter.add("a");
  ::setenv("TMPDIR", kept.c_str(), 1);
  ASSERT_FALSE(added.has_value());
  EXPECT_THAT(added.error().message, HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace asbb::report
