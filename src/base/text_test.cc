#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb {
namespace {

using ::testing::ElementsAre;

TEST(Text, LowersAsciiAlone) {
  EXPECT_EQ(to_lower("GPU:A100-z[@`{"), "gpu:a100-z[@`{");
  EXPECT_EQ(to_lower("\xC3\x84"), "\xC3\x84");
  EXPECT_EQ(to_lower(""), "");
}

TEST(Text, SplitsAndKeepsEmptyParts) {
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
  EXPECT_THAT(split("a", ','), ElementsAre("a"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Text, ACountIsDigitsAlone) {
  EXPECT_EQ(parse_count("0"), 0);
  EXPECT_EQ(parse_count("007"), 7);
  EXPECT_EQ(parse_count("9223372036854775807"), 9'223'372'036'854'775'807);
  for (const std::string_view text :
       {"", "-1", "-0", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "x", "9223372036854775808"}) {
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_count(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Text, ACountIsAtMostTheLargest) {
  EXPECT_EQ(parse_count("3", 3), 3);
  EXPECT_EQ(parse_count("4", 3), std::nullopt);
  EXPECT_EQ(parse_count("10", 9), std::nullopt);
  EXPECT_EQ(parse_count("0", 0), 0);
  EXPECT_EQ(parse_count("5", 0), std::nullopt);
}

TEST(Text, AWholeNumberMayBeNegative) {
  EXPECT_EQ(parse_whole("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_whole("-5", -5, 5), -5);
  EXPECT_EQ(parse_whole("-6", -5, 5), std::nullopt);
  EXPECT_EQ(parse_whole("6", -5, 5), std::nullopt);
  for (const std::string_view text : {"", "-", "--1", "- 1", "+1", "1-", "-9223372036854775809"}) {
    EXPECT_EQ(parse_whole(text), std::nullopt) << text;
  }
}

TEST(Text, AnExcerptIsShortAndOfOneLine) {
  EXPECT_EQ(excerpt("a\nb\x1b[2J\x7f\t\xC3\xA9"), "a?b?[2J??\xC3\xA9");
  EXPECT_EQ(excerpt(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(excerpt(std::string(81, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(excerpt(""), "");
  EXPECT_EQ(in_quotes("gpu\n"), "'gpu?'");
  EXPECT_EQ(in_quotes(std::string(200, 'x')).size(), 85u);
}

TEST(Text, ListsWordsUpToABound) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b", "c"}, 3), "a, b, c");
  EXPECT_EQ(listed({"a", "b", "c", "d"}, 2), "a, b and 2 more");
}

TEST(Joined, PutsTheSeparatorBetweenWords) {
  EXPECT_EQ(joined({}, ", "), "");
  EXPECT_EQ(joined({"a"}, ", "), "a");
  EXPECT_EQ(joined({"a", "b", "c"}, ","), "a,b,c");
}

TEST(Wrapped, BreaksAtBlanksAndKeepsAPercentSignWithItsNumber) {
  EXPECT_EQ(wrapped("", 10), "\n");
  EXPECT_EQ(wrapped("one two three", 8), "one two\nthree\n");
  EXPECT_EQ(wrapped("one two three", 9, "* "), "* one two\n  three\n");
  EXPECT_EQ(wrapped("incomprehensibilities are", 8), "incomprehensibilities\nare\n");
  EXPECT_EQ(wrapped("cost 13 % of", 7), "cost 13 %\nof\n");
}

}  // namespace
}  // namespace asbb
