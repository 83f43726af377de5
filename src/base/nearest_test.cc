#include "base/nearest.h"

#include <gtest/gtest.h>

namespace asbb {
namespace {

TEST(Nearest, AWordWithASlipIsFound) {
  const std::vector<std::string> known = {"listen_addr", "socket", "socket_mode", "workers"};
  EXPECT_EQ(nearest_word("listen_adr", known), "listen_addr");
  EXPECT_EQ(nearest_word("listen_address", known), "listen_addr");
  EXPECT_EQ(nearest_word("wrokers", known), "workers");
  EXPECT_EQ(nearest_word("scket", known), "socket");
  EXPECT_EQ(nearest_word("socket", known), "socket");
}

TEST(Nearest, AnotherWordIsNot) {
  const std::vector<std::string> known = {"socket", "workers"};
  EXPECT_EQ(nearest_word("timezone", known), "");
  EXPECT_EQ(nearest_word("", known), "");
  EXPECT_EQ(nearest_word("socket", {}), "");
  EXPECT_EQ(nearest_word(std::string(100'000, 'x'), known), "");
}

}  // namespace
}  // namespace asbb
