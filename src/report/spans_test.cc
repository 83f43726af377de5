#include "report/spans.h"

#include <gtest/gtest.h>

namespace asbb::report {
namespace {

Line line_of(const std::string& day, std::int64_t micros) {
  Line line;
  line.name = day;
  line.charged = {Micros(micros)};
  return line;
}

TEST(Spans, AMonthIsShownByDay) {
  const auto spans = spans_of({2024, 2, 1}, {2024, 2, 29}, {line_of("2024-02-29", 7)}, 0);
  ASSERT_EQ(spans.size(), 29u);
  EXPECT_EQ(spans.front().label, "1 Feb");
  EXPECT_FALSE(spans.front().charged.has_value());
  EXPECT_EQ(spans.back().charged, Micros(7));
}

TEST(Spans, AQuarterByWeekAndItsEndsAreParts) {
  const auto spans = spans_of({2025, 1, 1}, {2025, 3, 31},
                              {line_of("2025-01-01", 1), line_of("2025-01-05", 2),
                               line_of("2025-01-06", 4), line_of("2025-03-31", 8)},
                              0);
  ASSERT_EQ(spans.size(), 14u);
  EXPECT_EQ(spans[0].name, "2025-W01 (2025-01-01 to 2025-01-05)");
  EXPECT_EQ(spans[0].charged, Micros(3));
  EXPECT_EQ(spans[1].charged, Micros(4));
  EXPECT_EQ(spans.back().name, "2025-W14 (2025-03-31 to 2025-03-31)");
  EXPECT_EQ(spans.back().charged, Micros(8));
}

TEST(Spans, YearsByMonth) {
  const auto spans = spans_of({2024, 2, 10}, {2026, 1, 2}, {line_of("2025-12-31", 5)}, 0);
  ASSERT_EQ(spans.size(), 24u);
  EXPECT_EQ(spans[0].label, "Feb 24");
  EXPECT_EQ(to_string(spans[0].last), "2024-02-29");
  EXPECT_EQ(spans[22].name, "2025-12");
  EXPECT_EQ(spans[22].charged, Micros(5));
  EXPECT_EQ(to_string(spans[23].last), "2026-01-02");
}

}  // namespace
}  // namespace asbb::report
