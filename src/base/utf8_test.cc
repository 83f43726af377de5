#include "base/utf8.h"

#include <gtest/gtest.h>

namespace asbb {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, TellsTheLengthOfWellFormedSequencesAlone) {
  EXPECT_EQ(utf8_length("a"), 1U);
  EXPECT_EQ(utf8_length("\0"sv), 1U);
  EXPECT_EQ(utf8_length("\xC3\xA9x"), 2U);
  EXPECT_EQ(utf8_length("\xE2\x82\xAC"), 3U);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80"), 4U);
  for (const std::string_view wrong :
       {"\x80", "\xC3", "\xC3(", "\xC1\xBF", "\xE2\x82", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(utf8_length(wrong), 0U) << wrong;
  }
}

TEST(Utf8, KnowsControlsAndMarksThatTurnText) {
  for (const std::string_view control :
       {"\n"sv, "\x1b"sv, "\x7F"sv, "\xC2\x9B"sv, "\xE2\x80\xAE"sv, "\xE2\x81\xA6"sv}) {
    EXPECT_TRUE(is_utf8_control(control));
  }
  for (const std::string_view other :
       {"a"sv, " "sv, "\xC2\xA0"sv, "\xE2\x80\x90"sv, "\xE2\x81\xAA"sv, "\xF0\x9F\x98\x80"sv}) {
    EXPECT_FALSE(is_utf8_control(other)) << other;
  }
}

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(utf8_characters(""), 0U);
  EXPECT_EQ(utf8_characters("na\xC3\xAFve"), 5U);
}

TEST(Utf8, ShortensByCharacters) {
  EXPECT_EQ(utf8_shortened("na\xC3\xAFve", 5, "~"), "na\xC3\xAFve");
  EXPECT_EQ(utf8_shortened("na\xC3\xAFve", 4, "~"), "na\xC3\xAF~");
}

}  // namespace
}  // namespace asbb
