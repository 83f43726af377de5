#include "base/token.h"

#include <gtest/gtest.h>

namespace asbb {
namespace {

TEST(Token, CarriesItsTime) {
  const Instant at{1'763'762'143'123'000};
  const std::string token = make_token(at, {0, 1, 2, 255});
  EXPECT_TRUE(is_token(token));
  EXPECT_EQ(token_time(token), at);
  EXPECT_FALSE(is_token(token.substr(1)));
  EXPECT_FALSE(is_token(std::string(token_length, 'G')));
}

TEST(Token, IsFoundAsAWordOfTheComment) {
  const std::string token = make_token(Instant{1'000'000}, {});
  EXPECT_EQ(find_token("asbb=" + token), token);
  EXPECT_EQ(find_token("note of an administrator asbb=" + token + " more"), token);
  EXPECT_EQ(find_token("xasbb=" + token), "");
  EXPECT_EQ(find_token("asbb=" + token + "0"), "");
  EXPECT_EQ(find_token("asbb=short"), "");
  EXPECT_EQ(find_token(""), "");
}

}  // namespace
}  // namespace asbb
