#include "http/target.h"

#include <gtest/gtest.h>

#include <vector>

namespace asbb::http {
namespace {

using Pieces = std::vector<std::string_view>;

Pieces segments_of(std::string_view path) {
  Pieces pieces;
  while (!path.empty()) pieces.push_back(take_segment(path));
  return pieces;
}

TEST(TargetTest, SplitsPaths) {
  EXPECT_EQ(segments_of("/health"), Pieces({"health"}));
  EXPECT_EQ(segments_of("/a/b/c"), Pieces({"a", "b", "c"}));
  EXPECT_EQ(segments_of("/a//c"), Pieces({"a", "", "c"}));
  EXPECT_EQ(segments_of("/a/"), Pieces({"a", ""}));
  EXPECT_EQ(segments_of(""), Pieces());
}

TEST(TargetTest, DecodesPercents) {
  EXPECT_EQ(percent_decode("a%2Fb%41").value(), "a/bA");
  EXPECT_EQ(percent_decode("a+b").value(), "a+b");
  EXPECT_EQ(percent_decode("a+b", true).value(), "a b");
  EXPECT_EQ(percent_decode("%c3%a9").value(), "\xc3\xa9");
  for (const char* bad : {"%", "%4", "%zz", "a%2", "%00", "%0a", "a\nb", "%7f"}) {
    EXPECT_FALSE(percent_decode(bad)) << bad;
  }
}

TEST(TargetTest, ReadsQueries) {
  EXPECT_EQ(path_of("/a?b=c"), "/a");
  EXPECT_EQ(path_of("/a"), "/a");
  const api::QueryParameters expected{{"a", "1 2"}, {"b", ""}, {"c", "x=y"}};
  EXPECT_EQ(parse_query("/p?a=1+2&b&&c=x%3Dy").value(), expected);
  EXPECT_TRUE(parse_query("/p")->empty());
  EXPECT_TRUE(parse_query("/p?")->empty());
  EXPECT_FALSE(parse_query("/p?a=%"));
}

}  // namespace
}  // namespace asbb::http
