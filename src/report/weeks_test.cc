#include "report/weeks.h"

#include <gtest/gtest.h>

namespace asbb::report {
namespace {

TEST(Weeks, BelongToTheYearOfTheirThursday) {
  EXPECT_EQ(to_string(week_of({2025, 6, 15})), "2025-W24");
  EXPECT_EQ(to_string(week_of({2024, 12, 30})), "2025-W01");
  EXPECT_EQ(to_string(week_of({2027, 1, 3})), "2026-W53");
  EXPECT_EQ(to_string(week_of({2023, 1, 1})), "2022-W52");
}

TEST(Weeks, GoFromMondayToSunday) {
  const Week week = parse_week("2026-W53").value();
  EXPECT_EQ(to_string(first_day(week)), "2026-12-28");
  EXPECT_EQ(to_string(last_day(week)), "2027-01-03");
  EXPECT_EQ(to_string(next_week(week)), "2027-W01");
  EXPECT_EQ(previous_week(next_week(week)), week);
}

TEST(Weeks, EveryDayOfTwentyYearsIsInItsWeek) {
  Day day{2015, 1, 1};
  for (int i = 0; i < 7305; ++i, day = next_day(day)) {
    const Week week = week_of(day);
    EXPECT_LE(first_day(week), day);
    EXPECT_LE(day, last_day(week));
    EXPECT_EQ(parse_week(to_string(week)).value(), week);
  }
}

TEST(Weeks, RefusesWhatIsNone) {
  for (const char* text : {"2025-W54", "2025-W53", "2025-W00", "2025-24", "2025-W1", "25-W01", "",
                           "2025-w01", "2025-W0x"}) {
    EXPECT_FALSE(parse_week(text).has_value()) << text;
  }
}

TEST(Weeks, CountsDays) {
  EXPECT_EQ(days_between({2024, 2, 28}, {2024, 3, 1}), 2);
  EXPECT_EQ(to_string(days_after({2024, 3, 1}, -1)), "2024-02-29");
}

}  // namespace
}  // namespace asbb::report
