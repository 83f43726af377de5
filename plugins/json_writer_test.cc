#include "plugins/json_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "plugins/utf8.h"

namespace asbb::plugins {
namespace {

std::string quoted(std::string_view value) {
  char storage[256];
  BoundedText text(storage, sizeof storage);
  JsonWriter json(text, sizeof storage);
  json.begin_object();
  json.string("k", value);
  json.end_object();
  return std::string(text.view());
}

TEST(JsonWriter, WritesMembersInOrderWithCommasBetween) {
  char storage[128];
  BoundedText text(storage, sizeof storage);
  JsonWriter json(text, sizeof storage);
  json.begin_object();
  json.string("a", "x");
  json.number("b", 18'446'744'073'709'551'615U);
  json.begin_object("c");
  json.boolean("d", true);
  json.end_object();
  json.boolean("e", false);
  json.end_object();
  EXPECT_EQ(text.view(), R"({"a":"x","b":18446744073709551615,"c":{"d":true},"e":false})");
}

TEST(JsonWriter, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(quoted("a\"b\\c"), R"({"k":"a\"b\\c"})");
  EXPECT_EQ(quoted("a\nb\x01\x7F"), R"({"k":"a\u000ab\u0001\u007f"})");
  EXPECT_EQ(quoted("gr\xC3\xBC\xC3\x9F"), "{\"k\":\"gr\xC3\xBC\xC3\x9F\"}");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(quoted("a\xFF"), "{\"k\":\"a\xEF\xBF\xBD\"}");
  EXPECT_EQ(quoted("\xC3"), "{\"k\":\"\xEF\xBF\xBD\"}");
}

TEST(JsonWriter, OverflowsWhenAStringIsTooLong) {
  char storage[64];
  BoundedText text(storage, sizeof storage);
  JsonWriter json(text, sizeof storage);
  json.begin_object();
  json.string("long", std::string(1'000'000, 'x'));
  json.string("next", std::string(1'000'000, 'x'));
  json.end_object();
  EXPECT_TRUE(text.overflowed());
  EXPECT_GT(text.wanted_bytes(), 2'000'000U);
}

TEST(JsonWriter, HoldsWhatJustFits) {
  char storage[32];
  BoundedText text(storage, sizeof storage);
  JsonWriter json(text, sizeof storage);
  json.begin_object();
  json.string("k", std::string(23, 'x'));
  json.end_object();
  EXPECT_FALSE(text.overflowed());
  EXPECT_EQ(text.view(), "{\"k\":\"" + std::string(23, 'x') + "\"}");
}

TEST(BoundedText, CountsWhatDoesNotFitAndNeverWritesPastItsEnd) {
  char storage[9];
  std::fill(std::begin(storage), std::end(storage), '#');
  BoundedText text(storage, 8);
  text.append("1234567");
  EXPECT_FALSE(text.overflowed());
  text.append('8');
  EXPECT_TRUE(text.overflowed());
  text.append("9");
  EXPECT_EQ(text.wanted_bytes(), 10U);
  EXPECT_EQ(text.view(), "1234567");
  EXPECT_EQ(storage[8], '#') << "the byte behind the storage was touched";
}

TEST(FixedText, RefusesWhatIsTooLong) {
  FixedText<4> text;
  EXPECT_TRUE(text.assign("abc"));
  EXPECT_FALSE(text.assign("abcd"));
  EXPECT_FALSE(text.assign(std::string_view("a\0b", 3)));
  EXPECT_EQ(text.view(), "abc");
}

TEST(Utf8, KnowsTheCharactersOfRfc3629) {
  EXPECT_EQ(utf8_character_bytes("a"), 1U);
  EXPECT_EQ(utf8_character_bytes("\xC2\x80"), 2U);
  EXPECT_EQ(utf8_character_bytes("\xE2\x82\xAC"), 3U);
  EXPECT_EQ(utf8_character_bytes("\xF4\x8F\xBF\xBF"), 4U);
  EXPECT_EQ(utf8_character_bytes("\xC0\x80"), 0U) << "overlong";
  EXPECT_EQ(utf8_character_bytes("\xE0\x80\x80"), 0U) << "overlong";
  EXPECT_EQ(utf8_character_bytes("\xED\xA0\x80"), 0U) << "surrogate";
  EXPECT_EQ(utf8_character_bytes("\xF4\x90\x80\x80"), 0U) << "above U+10FFFF";
  EXPECT_EQ(utf8_character_bytes("\xE2\x82"), 0U) << "cut";
  EXPECT_EQ(utf8_character_bytes("\xE2\x82z"), 0U);
  EXPECT_EQ(utf8_character_bytes("\x80"), 0U);
}

}  // namespace
}  // namespace asbb::plugins
