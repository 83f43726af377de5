#include "base/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace asbb {
namespace {

std::int64_t count(std::string_view text) {
  const auto parsed = parse_micros(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? parsed->count() : -1;
}

TEST(ParseMicros, ReadsDecimalsExactly) {
  EXPECT_EQ(count("12"), 12'000'000);
  EXPECT_EQ(count("0.000001"), 1);
  EXPECT_EQ(count("-0.5"), -500'000);
  EXPECT_EQ(count("1.506E2"), 150'600'000);
  EXPECT_EQ(count("5e-6"), 5);
  EXPECT_EQ(count("1.2300000000"), 1'230'000);
  EXPECT_EQ(count("0e999"), 0);
  EXPECT_EQ(count("1000000000000"), max_amount.count());
}

TEST(ParseMicros, RefusesWhatIsNotAnAmount) {
  for (const char* text : {"", "nan", "inf", "-inf", "0x10", " 1", "1 ", "1,5", ".5", "5.", "1e",
                           "--1", "0.0000001", "1000000000000.000001", "1e999", "1e-7", "1e9999",
                           "9999999999999999999999", "-1000000000000.000001"}) {
    EXPECT_FALSE(parse_micros(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_micros(std::string(10'000, '9')).has_value());
  EXPECT_FALSE(parse_micros(std::string_view("1\0", 2)).has_value());
}

TEST(ToDecimal, RoundTripsTheEdges) {
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1},
                               std::int64_t{1'500'000}, max_amount.count(), -max_amount.count()}) {
    EXPECT_EQ(count(to_decimal(Micros(n))), n);
  }
  EXPECT_EQ(to_decimal(Micros(std::numeric_limits<std::int64_t>::min())), "-9223372036854.775808");
  EXPECT_EQ(to_display(Micros(12'500'000)), "12.50");
  EXPECT_EQ(to_display(Micros(5'000)), "0.005");
  EXPECT_EQ(to_display(Micros(-3'000'000), "USD"), "-$3.00");
  EXPECT_EQ(to_display(Micros(3'000'000), "core-hours"), "3.00 core-hours");
}

TEST(Micros, OverflowIsNothing) {
  const Micros top(std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(top.plus(Micros(1)).has_value());
  EXPECT_FALSE(Micros(std::numeric_limits<std::int64_t>::min()).minus(Micros(1)).has_value());
  EXPECT_FALSE(top.times(2).has_value());
  EXPECT_DEATH(top + Micros(1), "assertion failed");
}

TEST(MulDiv, RoundsOnceAndByName) {
  EXPECT_EQ(mul_div(1, 1, 3, Rounding::up), 1);
  EXPECT_EQ(mul_div(-1, 1, 3, Rounding::up), 0);
  EXPECT_EQ(mul_div(5, 1, 2, Rounding::half_even), 2);
  EXPECT_EQ(mul_div(7, 1, 2, Rounding::half_even), 4);
  EXPECT_EQ(mul_div(-5, 1, 2, Rounding::half_even), -2);
  EXPECT_EQ(mul_div(8, 1, 3, Rounding::half_even), 3);
  const auto top = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(mul_div(top, top, top, Rounding::up), top);
  EXPECT_FALSE(mul_div(top, 2, 1, Rounding::up).has_value());
}

TEST(SplitPart, PartsSumToTheWhole) {
  for (const std::int64_t parts : {1, 3, 7, 1000}) {
    for (const std::int64_t total :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999'999'999}, max_amount.count()}) {
      Micros sum;
      for (std::int64_t i = 0; i < parts; ++i) sum += split_part(Micros(total), parts, i);
      EXPECT_EQ(sum.count(), total);
    }
  }
}

TEST(Unit, NamesAreChecked) {
  EXPECT_TRUE(is_valid_unit("USD"));
  EXPECT_TRUE(is_valid_unit("core-hours"));
  EXPECT_FALSE(is_valid_unit(""));
  EXPECT_FALSE(is_valid_unit("1USD"));
  EXPECT_FALSE(is_valid_unit("core hours"));
}

}  // namespace
}  // namespace asbb
