#include "api/json_value.h"

#include <gtest/gtest.h>

#include "api/json_writer.h"

namespace asbb::api {
namespace {

std::string problem(std::string_view text) {
  const auto json = parse_json(text);
  return json ? "accepted" : json.error().message;
}

TEST(JsonValue, KeepsTheTextOfNumbers) {
  for (const std::string number :
       {"0", "-0", "12", "-3.50", "0.000001", "1.506E2", "1e-7", "9223372036854775807",
        "18446744073709551616", "123456789012345678901234567890.123456789012345678901234567890",
        "0.30000000000000004"}) {
    const auto json = parse_json("{\"n\":" + number + ",\"list\":[" + number + "]}");
    ASSERT_TRUE(json) << number;
    EXPECT_EQ(json->find("n")->text, number);
    EXPECT_EQ(json->find("list")->items[0].text, number);
  }
}

TEST(JsonValue, ReadsEveryKind) {
  const auto json = parse_json(R"( {"a":[true,false,null],"b":{"c":"d\u00e9\n"},"e":""} )");
  ASSERT_TRUE(json);
  EXPECT_TRUE(json->find("a")->items[0].flag);
  EXPECT_FALSE(json->find("a")->items[1].flag);
  EXPECT_EQ(json->find("a")->items[2].kind, Json::Kind::null);
  EXPECT_EQ(json->find("b")->find("c")->text, "d\xC3\xA9\n");
  EXPECT_EQ(json->find("e")->text, "");
  EXPECT_EQ(json->find("x"), nullptr);
  EXPECT_EQ(json->find("a")->find("x"), nullptr);
}

TEST(JsonValue, RefusesAKeyGivenTwice) {
  const auto json = parse_json(R"({"amount":1,"b":2,"amount":1000})");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().kind, ErrorKind::invalid);
  EXPECT_EQ(json.error().field, "amount");
  EXPECT_NE(problem(R"({"a":{"b":1,"\u0062":2}})").find("twice"), std::string::npos);
  EXPECT_TRUE(parse_json(R"({"a":{"b":1},"b":2})"));
}

TEST(JsonValue, RefusesHostileText) {
  const std::vector<std::string> bad = {"",
                                        "  ",
                                        "{",
                                        "{\"a\":1",
                                        "{\"a\":1}}",
                                        "{\"a\":1} x",
                                        "{'a':1}",
                                        "{\"a\":01}",
                                        "{\"a\":+1}",
                                        "{\"a\":.5}",
                                        "{\"a\":1.}",
                                        "{\"a\":NaN}",
                                        "{\"a\":Infinity}",
                                        "{\"a\":0x10}",
                                        "{\"a\":1e}",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{\"a\":\"\\ud800\"}",
                                        "{\"a\":\"\x80\"}",
                                        "{\"a\":\"\xC0\xAF\"}",
                                        "{\"a\":\"\xED\xA0\x80\"}",
                                        "{\"a\":\"\n\"}",
                                        "\xEF\xBB\xBF{}",
                                        "// c\n{}",
                                        "{\"a\xFF\":1}"};
  for (const std::string& text : bad) EXPECT_NE(problem(text), "accepted") << text;
  EXPECT_NE(problem(std::string("{\"a\":1}\0", 8)), "accepted");
}

TEST(JsonValue, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_json(nested(json_depth_max)));
  EXPECT_NE(problem(nested(json_depth_max + 1)).find("deeper"), std::string::npos);
  EXPECT_NE(problem(std::string(100'000, '[')).find("deeper"), std::string::npos);
}

TEST(JsonValue, ManyKeysAreReadInReasonableTime) {
  std::string text = "{";
  for (int i = 0; i < 20'000; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  text.back() = '}';
  const auto json = parse_json(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->members.size(), 20'000U);
}

TEST(JsonWriter, EscapesAndRepairs) {
  JsonWriter out;
  out.begin_object();
  out.key("a\"b");
  out.text(std::string("x\\\n\t\x01\x7F", 6) + "\xC3\xA9\xF0\x9F\x92\xB6\xFF\xED\xA0\x80");
  out.key("n");
  out.begin_array();
  out.decimal(Micros(-1));
  out.number(7);
  out.flag(true);
  out.null();
  out.begin_object();
  out.end_object();
  out.end_array();
  out.end_object();
  const std::string text = out.take();
  EXPECT_EQ(
      text,
      "{\"a\\\"b\":\"x\\\\\\n\\t\\u0001\\u007f\xC3\xA9\xF0\x9F\x92\xB6\xEF\xBF\xBD\xEF\xBF\xBD"
      "\xEF\xBF\xBD\xEF\xBF\xBD\",\"n\":[-0.000001,7,true,null,{}]}");
  EXPECT_TRUE(parse_json(text));
}

}  // namespace
}  // namespace asbb::api
