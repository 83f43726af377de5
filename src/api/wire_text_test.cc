#include "api/wire_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "api/dates.h"
#include "api/problem.h"

namespace asbb::api {
namespace {

std::int64_t half_even(std::string_view text) {
  const auto amount = parse_rounded(text, Rounding::half_even);
  EXPECT_TRUE(amount) << text;
  return amount ? amount->count() : -1;
}

TEST(ParseRounded, RoundsOnceInTheDirectionNamed) {
  EXPECT_EQ(half_even("0.30000000000000004"), 300'000);
  EXPECT_EQ(half_even("0.0000005"), 0);
  EXPECT_EQ(half_even("0.0000015"), 2);
  EXPECT_EQ(half_even("0.0000025"), 2);
  EXPECT_EQ(half_even("0.00000250000000000000001"), 3);
  EXPECT_EQ(half_even("-0.0000015"), -2);
  EXPECT_EQ(half_even("1.506E2"), 150'600'000);
  EXPECT_EQ(half_even("+1.5e+2"), 150'000'000);  // as the exact reader does
  EXPECT_EQ(half_even("5e-7"), 0);
  EXPECT_EQ(half_even("6e-7"), 1);
  EXPECT_EQ(half_even("1e-300"), 0);
  EXPECT_EQ(half_even("0e9999"), 0);
  EXPECT_EQ(half_even("000000000000000000000000000012"), 12'000'000);
  EXPECT_EQ(parse_rounded("0.0000001", Rounding::up)->count(), 1);
  EXPECT_EQ(parse_rounded("1e-300", Rounding::up)->count(), 1);
  EXPECT_EQ(parse_rounded("-0.0000009", Rounding::up)->count(), 0);
}

TEST(ParseRounded, RefusesWhatIsNoAmount) {
  for (const std::string text : {"",
                                 "-",
                                 ".",
                                 "1.",
                                 ".5",
                                 "nan",
                                 "inf",
                                 "0x1",
                                 "1e",
                                 "1e+",
                                 "1e99999",
                                 "--1",
                                 "+-1",
                                 "1e+-5",
                                 "1 ",
                                 " 1",
                                 "1,5",
                                 "99999999999999",
                                 "1e13",
                                 "1000000000000.0000006",
                                 "1e18446744073709551617"}) {
    EXPECT_FALSE(parse_rounded(text, Rounding::half_even)) << text;
  }
  EXPECT_FALSE(parse_rounded(std::string(500, '1'), Rounding::up));
}

RC_GTEST_PROP(ParseRounded, AgreesWithTheExactReader, ()) {
  const Micros amount(*rc::gen::inRange<std::int64_t>(-max_amount.count(), max_amount.count()));
  const auto read = parse_rounded(to_decimal(amount), Rounding::half_even);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == amount);
}

TEST(ParseWallTime, ReadsEveryFormOfSbatch) {
  EXPECT_EQ(*parse_wall_time_s("30"), 1'800);
  EXPECT_EQ(*parse_wall_time_s("60:00"), 3'600);
  EXPECT_EQ(*parse_wall_time_s("04:00:00"), 14'400);
  EXPECT_EQ(*parse_wall_time_s("1-12"), 129'600);
  EXPECT_EQ(*parse_wall_time_s("1-00:30"), 88'200);
  EXPECT_EQ(*parse_wall_time_s("1-00:00:00"), 86'400);
  EXPECT_EQ(*parse_wall_time_s("0:01"), 1);
}

TEST(ParseWallTime, RefusesWhatHasNoPrice) {
  for (const std::string text : {"",
                                 "0",
                                 "00:00:00",
                                 "UNLIMITED",
                                 "INFINITE",
                                 "nan:00",
                                 "-1",
                                 "1-",
                                 "-",
                                 ":",
                                 "1:",
                                 ":1",
                                 "1:2:3:4",
                                 "1.5",
                                 "1e3",
                                 " 30",
                                 "99999999999999999999",
                                 "4294967296:00",
                                 "1-2-3",
                                 "100001-00:00:00"}) {
    EXPECT_FALSE(parse_wall_time_s(text)) << text;
  }
}

TEST(ParseMemory, ReadsSizesAndRoundsUp) {
  EXPECT_EQ(*parse_memory_mb("64GB"), 65'536);
  EXPECT_EQ(*parse_memory_mb("64GiB"), 65'536);
  EXPECT_EQ(*parse_memory_mb("1234MB"), 1'234);
  EXPECT_EQ(*parse_memory_mb("1234"), 1'234);
  EXPECT_EQ(*parse_memory_mb("1.5T"), 1'572'864);
  EXPECT_EQ(*parse_memory_mb("1K"), 1);
  EXPECT_EQ(*parse_memory_mb("1025K"), 2);
  for (const std::string text : {"", "GB", "-1", "1PB", "nan", "1e400", "1 GB", "9999999999T"}) {
    EXPECT_FALSE(parse_memory_mb(text)) << text;
  }
}

TEST(Dates, DaysAreInclusiveAndInstantsAreNot) {
  const auto day = parse_date("2025-12-31");
  const auto instant = parse_date("2025-12-31T00:00:00Z");
  ASSERT_TRUE(day && instant);
  EXPECT_EQ(to_rfc3339(*period_start(*day, "UTC")), "2025-12-31T00:00:00Z");
  EXPECT_EQ(to_rfc3339(*period_end(*day, "UTC")), "2026-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(*period_end(*day, "Europe/Paris")), "2025-12-31T23:00:00Z");
  EXPECT_EQ(to_rfc3339(*period_end(*instant, "Europe/Paris")), "2025-12-31T00:00:00Z");
  EXPECT_EQ(to_string(*day), "2025-12-31");
  for (const std::string text :
       {"", "2025-13-01", "2025-02-29", "31.12.2025", "2025-12-31 00:00"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(Problems, EveryKindHasAStatusAndBack) {
  for (const ErrorKind kind : {ErrorKind::invalid, ErrorKind::not_found, ErrorKind::conflict,
                               ErrorKind::denied, ErrorKind::unavailable, ErrorKind::broken}) {
    EXPECT_EQ(kind_of_status(problem_of(Error{kind, "m", "f"}).status), kind);
  }
  EXPECT_EQ(problem_of(Error{ErrorKind::unknown_outcome, "m", ""}).status, 503);
  EXPECT_EQ(problem_of(Error{ErrorKind::invalid, "m", "f"}).code, "VALIDATION_ERROR");
}

}  // namespace
}  // namespace asbb::api
