// What the plugin writes into a job that it let through on an allowance.
#include "service/allowances.h"

#include <gtest/gtest.h>

namespace asbb::service {
namespace {

TEST(AllowanceTags, AreReadExactly) {
  const auto found = find_allowance("asbb=x asbb-allowance=17:12500000:3 note");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->hold, ledger::HoldId{17});
  EXPECT_EQ(found->amount, Micros(12'500'000));
  EXPECT_EQ(found->tasks, 3);
  for (const char* bad :
       {"", "asbb-allowance=", "asbb-allowance=1:2", "asbb-allowance=1:2:3:4",
        "asbb-allowance=0:2:3", "asbb-allowance=1:-2:3", "asbb-allowance=1:2:0",
        "asbb-allowance=1:2:99999999", "asbb-allowance=1:99999999999999999999:1",
        "asbb-allowance=x:2:3", "xasbb-allowance=1:2:3", "asbb-allowance=1:2: 3"}) {
    EXPECT_FALSE(find_allowance(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace asbb::service
