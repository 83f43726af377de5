#include "base/time.h"

#include <gtest/gtest.h>

#include "base/zone.h"

namespace asbb {
namespace {

TEST(Rfc3339, RoundTrips) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2025-02-28T23:59:59Z", "2024-02-29T12:00:00.000001Z"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(to_rfc3339(*parsed), text);
  }
  EXPECT_EQ(to_rfc3339(*parse_rfc3339("2025-01-01T01:00:00+02:00")), "2024-12-31T23:00:00Z");
}

TEST(Rfc3339, RefusesOthers) {
  for (const char* text : {"", "2025-01-01", "2025-01-01T00:00:00", "2025-13-01T00:00:00Z",
                           "2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:00:00.Z",
                           "2025-01-01T00:00:00+2:00", "2025-01-01 00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

TEST(Day, ParsesAndSteps) {
  EXPECT_EQ(to_string(next_day(*parse_day("2024-02-28"))), "2024-02-29");
  EXPECT_EQ(to_string(previous_day(*parse_day("2025-01-01"))), "2024-12-31");
  for (const char* text : {"", "2025-2-1", "2025-02-30", "0000-01-01", "20250101", "2025-01-0x"}) {
    EXPECT_FALSE(parse_day(text).has_value()) << text;
  }
}

TEST(Zone, DaysBeginWhereTheZoneSays) {
  const Day day = *parse_day("2025-07-01");
  EXPECT_EQ(to_rfc3339(*start_of_day(day, "UTC")), "2025-07-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(*start_of_day(day, "Europe/Paris")), "2025-06-30T22:00:00Z");
  EXPECT_EQ(*day_of(*start_of_day(day, "Europe/Paris"), "Europe/Paris"), day);
  EXPECT_FALSE(start_of_day(day, "Nowhere/Town").has_value());
}

// A period of days has 23 or 25 hours in it when the clocks change, and none is lost between two.
TEST(Zone, DaysOfDaylightSavingAreShorterAndLonger) {
  const auto begins = [](const char* day, const char* zone) {
    return to_rfc3339(*start_of_day(*parse_day(day), zone));
  };
  EXPECT_EQ(begins("2025-03-30", "Europe/Paris"), "2025-03-29T23:00:00Z");
  EXPECT_EQ(begins("2025-03-31", "Europe/Paris"), "2025-03-30T22:00:00Z");
  EXPECT_EQ(begins("2025-10-26", "Europe/Paris"), "2025-10-25T22:00:00Z");
  EXPECT_EQ(begins("2025-10-27", "Europe/Paris"), "2025-10-26T23:00:00Z");
  // Midnight was skipped there: the day began at one.
  EXPECT_EQ(begins("2018-11-04", "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
  // And here it came twice: the day begins with the first.
  EXPECT_EQ(begins("2025-11-02", "America/Havana"), "2025-11-02T04:00:00Z");
  for (const char* zone : {"Europe/Paris", "America/Sao_Paulo", "America/Havana"}) {
    for (const char* day : {"2018-11-04", "2025-03-30", "2025-10-26", "2025-11-02"}) {
      const Instant start = *start_of_day(*parse_day(day), zone);
      EXPECT_EQ(*day_of(start, zone), *parse_day(day)) << zone;
      EXPECT_NE(*day_of(start - Span{1}, zone), *parse_day(day)) << zone;
    }
  }
}

}  // namespace
}  // namespace asbb
