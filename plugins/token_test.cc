#include "plugins/token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "plugins/clock.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

std::string comment_with(const char* existing, const Token& token) {
  char* text = admin_comment_with(existing, token);
  const std::string copy = text;
  slurm_xfree(reinterpret_cast<void**>(&text));
  return copy;
}

TEST(Token, Is44LowerCaseHexadecimalDigitsTimeFirst) {
  const std::int64_t before = unix_millis();
  Token token;
  ASSERT_TRUE(mint_token(&token));
  const std::int64_t after = unix_millis();
  const std::string text(token.view());
  ASSERT_EQ(text.size(), 44U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
  const std::int64_t millis = std::stoll(text.substr(0, 12), nullptr, 16);
  EXPECT_GE(millis, before);
  EXPECT_LE(millis, after);
}

TEST(Token, IsNeverTheSameTwice) {
  constexpr int kTokens = 20'000;
  std::set<std::string> random_parts;
  for (int at = 0; at < kTokens; ++at) {
    Token token;
    ASSERT_TRUE(mint_token(&token));
    random_parts.insert(std::string(token.view()).substr(12));
  }
  EXPECT_EQ(random_parts.size(), kTokens);
}

TEST(Token, StandsInTheAdminCommentBehindWhatWasThere) {
  Token token;
  ASSERT_TRUE(mint_token(&token));
  const std::string mark = "asbb=" + std::string(token.view());
  EXPECT_EQ(comment_with(nullptr, token), mark);
  EXPECT_EQ(comment_with("", token), mark);
  EXPECT_EQ(comment_with("ticket 12, vip", token), "ticket 12, vip " + mark);
}

TEST(Token, ReplacesAnEarlierOne) {
  Token token;
  ASSERT_TRUE(mint_token(&token));
  const std::string mark = "asbb=" + std::string(token.view());
  const std::string old = "asbb=" + std::string(44, 'a');
  EXPECT_EQ(comment_with((old + " vip asbb=").c_str(), token), "vip " + mark);
  EXPECT_EQ(comment_with((old + " " + old).c_str(), token), mark);
  EXPECT_EQ(testing::live_allocations(), 0);
}

}  // namespace
}  // namespace asbb::plugins
