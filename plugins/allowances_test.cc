// What jobs may spend while the service is silent, as the policy file says it.
#include "plugins/allowances.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "plugins/clock.h"
#include "plugins/policy.h"
#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Request;

// A node-hour of gpu-aws costs 10; cpu is free; hpc is priced in another unit; loop cannot be
// bounded. 1001 may use proj001 (by default) and proj001-sub, 1002 the account without money.
constexpr char kPolicy[] =
    "version 1\ndefault allow\ndefault_partition cpu\n"
    "partition cpu allow\npartition gpu-aws allow\npartition hpc allow\npartition loop allow\n"
    "allowance proj001 17 100000000 USD 1000000 0\n"
    "allowance proj002 0 0 USD 1200000 0\n"
    "allowance proj003 18 100000000 USD 1000000 1000\n"
    "spender 1001 proj001 proj001 default\n"
    "spender 1001 proj001-sub proj001\n"
    "spender 1002 proj002 proj002 default\n"
    "spender 1003 proj003 proj003\n"
    "rate gpu-aws USD 10000000 0 1 4 60 60 0\n"
    "rate hpc core-hours 10000000 0 1 4 60 60 0\n"
    "rate loop unbounded\n";

class AllowancesTest : public ::testing::Test {
 protected:
  AllowancesTest() {
    owners_.add(geteuid());
    publish(kPolicy);
    policy_.configure(path_.c_str(), &owners_, Stance::deny, count_path_.c_str());
    testing::take_log();
  }

  void publish(const std::string& text) {
    folder_.write("policy.onprem", text);
    now_ms_ += kPolicyLookMs;
  }
  bool ask(std::uint32_t user, const std::string& account, const std::string& partition,
           std::uint32_t minutes = 60) {
    Request job;
    job->user_id = user;
    job->num_tasks = 1;
    job->time_limit = minutes;
    if (!account.empty()) job.set(&job_desc_msg_t::account, account);
    if (!partition.empty()) job.set(&job_desc_msg_t::partition, partition);
    spending_ = Spending();
    return policy_.let_through(*job, now_ms_, &spending_);
  }
  [[nodiscard]] bool says(const std::string& words) const {
    return spending_.why.view().find(words) != std::string_view::npos;
  }

  testing::Folder folder_;
  std::string path_ = folder_.path("policy.onprem");
  std::string count_path_ = folder_.path("asbb_allowances");
  TrustedUsers owners_;
  Policy policy_;
  std::int64_t now_ms_ = 0;
  Spending spending_;
};

TEST_F(AllowancesTest, IsSpentJobByJobAndThenNoMore) {
  for (int job = 1; job <= 10; ++job) {
    ASSERT_TRUE(ask(1001, "proj001", "gpu-aws")) << job;
    EXPECT_EQ(spending_.allowed.generation, 17U);
    EXPECT_EQ(spending_.allowed.micros, 10'000'000);
    EXPECT_EQ(spending_.allowed.tasks, 1);
  }
  EXPECT_FALSE(ask(1001, "proj001", "gpu-aws", 6));
  EXPECT_TRUE(says("account proj001 may spend 100 USD on this cluster in all"))
      << spending_.why.view();
  EXPECT_TRUE(says("need up to 1 USD, and 0 USD of it is left"));
}

TEST_F(AllowancesTest, AFreePartitionNeedsNone) {
  EXPECT_TRUE(ask(1001, "proj001", "cpu"));
  EXPECT_EQ(spending_.allowed.generation, 0U);
  EXPECT_TRUE(ask(1002, "", ""));
  EXPECT_TRUE(ask(9999, "whoever", "cpu"));
  EXPECT_FALSE(ask(1002, "", "cpu,gpu-aws")) << "one of them costs";
}

TEST_F(AllowancesTest, TheAccountIsTheDefaultOneWhereNoneIsNamed) {
  EXPECT_TRUE(ask(1001, "", "gpu-aws"));
  EXPECT_EQ(spending_.allowed.generation, 17U);
  EXPECT_TRUE(ask(1001, "PROJ001-Sub", "gpu-aws"));
  EXPECT_EQ(spending_.allowed.generation, 17U);
}

TEST_F(AllowancesTest, NobodySpendsWhatIsNotHis) {
  EXPECT_FALSE(ask(1002, "proj001", "gpu-aws"));
  EXPECT_TRUE(says("you may not use this account"));
  EXPECT_FALSE(ask(1002, "proj001-sub", "gpu-aws"));
  EXPECT_FALSE(ask(1001, std::string(500, 'x') + "proj001", "gpu-aws") &&
               spending_.allowed.generation != 0);
}

TEST_F(AllowancesTest, WhatCouldNotBeFundedIsNotSpent) {
  EXPECT_FALSE(ask(1002, "", "gpu-aws"));
  EXPECT_TRUE(says("may spend nothing: no money could be set aside"));
}

TEST_F(AllowancesTest, EndsWithThePeriodOfItsMoney) {
  EXPECT_FALSE(ask(1003, "proj003", "gpu-aws"));
}

TEST_F(AllowancesTest, AnAccountWithoutOneIsAsThePolicySays) {
  EXPECT_TRUE(ask(1009, "proj009", "gpu-aws"));
  EXPECT_EQ(spending_.allowed.generation, 0U);
  publish(std::string(kPolicy) + "without_allowance deny\n");
  EXPECT_FALSE(ask(1009, "proj009", "gpu-aws"));
  EXPECT_TRUE(says("this account has no allowance"));
  EXPECT_FALSE(ask(1009, "", "gpu-aws"));
  EXPECT_TRUE(says("your default account has no allowance"));
  EXPECT_TRUE(ask(1009, "proj009", "cpu"));
  EXPECT_TRUE(ask(1001, "proj001", "gpu-aws"));
}

// His default account may be one that has an allowance: 1003 has such an account, and 1009 is a
// user whom the file does not know.
TEST_F(AllowancesTest, WhoseAccountIsNotKnownHasToNameOne) {
  for (const std::uint32_t user : {1003U, 1009U}) {
    EXPECT_FALSE(ask(user, "", "gpu-aws")) << user;
    EXPECT_TRUE(says("Name the account with --account")) << spending_.why.view();
    EXPECT_TRUE(ask(user, "proj009", "gpu-aws"));
    EXPECT_TRUE(ask(user, "", "cpu")) << "it costs nothing";
  }
  publish(
      "version 1\ndefault allow\npartition gpu-aws allow\nwithout_allowance allow\n"
      "rate gpu-aws USD 10000000 0 1 4 60 60 0\n");
  EXPECT_TRUE(ask(1009, "", "gpu-aws")) << "nobody has an allowance";
}

TEST_F(AllowancesTest, WhatHasNoLargestCostIsRefused) {
  EXPECT_FALSE(ask(1001, "proj001", "loop"));
  EXPECT_TRUE(says("no largest cost"));
  EXPECT_FALSE(ask(1001, "proj001", "hpc"));
  EXPECT_TRUE(says("another unit"));
  EXPECT_FALSE(ask(1001, "proj001", "new-partition"));
  EXPECT_TRUE(says("not known yet"));
  EXPECT_FALSE(ask(1001, "proj001", "gpu-aws", INFINITE));
  EXPECT_TRUE(says("give --time"));
}

TEST_F(AllowancesTest, OfAListTheDearestPartitionCounts) {
  publish(std::string(kPolicy) + "partition big allow\nrate big USD 20000000 0 1 4 60 60 0\n");
  EXPECT_TRUE(ask(1001, "proj001", "gpu-aws,big,cpu"));
  EXPECT_EQ(spending_.allowed.micros, 20'000'000);
}

TEST_F(AllowancesTest, ARestartOfTheControllerSpendsNothingTwice) {
  ASSERT_TRUE(ask(1001, "proj001", "gpu-aws", 540));
  Policy next;
  next.configure(path_.c_str(), &owners_, Stance::deny, count_path_.c_str());
  Request job;
  job->user_id = 1001;
  job->num_tasks = 1;
  job.set(&job_desc_msg_t::partition, "gpu-aws");
  EXPECT_TRUE(next.let_through(*job, 0, &spending_));
  EXPECT_FALSE(next.let_through(*job, 0, &spending_));
}

TEST_F(AllowancesTest, AChangeCannotBeCounted) {
  EXPECT_EQ(policy_.decide("gpu-aws", now_ms_), Stance::allow);
  EXPECT_EQ(policy_.decide_change("gpu-aws", now_ms_), Stance::deny);
  EXPECT_EQ(policy_.decide_change(nullptr, now_ms_), Stance::deny);
  publish("version 1\ndefault allow\n");
  EXPECT_EQ(policy_.decide_change(nullptr, now_ms_), Stance::allow);
}

TEST_F(AllowancesTest, WhatIsSpentIsToldToTheService) {
  char storage[64];
  BoundedText nothing(storage, sizeof storage);
  policy_.write_spent(&nothing);
  EXPECT_EQ(nothing.view(), "");
  ASSERT_TRUE(ask(1001, "proj001", "gpu-aws"));
  BoundedText spent(storage, sizeof storage);
  policy_.write_spent(&spent);
  EXPECT_EQ(spent.view(), "17=10000000");
}

TEST(AllowanceText, RefusesAFileWithAnythingThatCannotBe) {
  const std::string head = "version 1\ndefault allow\n";
  const auto problem = [&](const std::string& text) {
    PolicyText policy;
    AllowanceText allowances;
    int line = 0;
    const char* found = policy.parse(text, &line, &allowances);
    return std::string(found == nullptr ? "" : found);
  };
  EXPECT_EQ(problem(kPolicy), "");
  for (const char* bad : {"allowance a 1 2 USD 3",
                          "allowance a 1 2 USD 3 4 5",
                          "allowance a -1 2 USD 3 4",
                          "allowance a 1 1234567890123456789 USD 3 4",
                          "allowance a 1 2 USD 9999999999 4",
                          "allowance a 1 2 USD 3 4\nallowance a 2 2 USD 3 4",
                          "allowance a 1 2 USD 3 4\nallowance b 1 2 USD 3 4",
                          "spender 1 a b",
                          "allowance a 1 2 USD 3 4\nspender 4294967296 a a",
                          "allowance a 1 2 USD 3 4\nspender 1 a a\nspender 1 a a",
                          "allowance a 1 2 USD 3 4\nspender 1 a a no",
                          "allowance a 1 2 USD 3 4\nspender 1 a",
                          "rate p USD 1 2 3 4 5 6",
                          "rate p USD 1 2 3 4 5 6 7 8",
                          "rate p unbounded 1",
                          "rate p",
                          "rate p USD 1 2 3 4 5 6 x",
                          "rate p unbounded\nrate p unbounded",
                          "without_allowance maybe",
                          "without_allowance",
                          "without_allowance deny deny",
                          "without_allowance deny\nwithout_allowance deny"}) {
    EXPECT_NE(problem(head + bad), "") << bad;
  }
  EXPECT_NE(problem("without_allowance deny\n" + head), "") << "before the version";
}

TEST(AllowanceText, HoldsAsManyAsItMayAndNoMore) {
  std::string text = "version 1\ndefault allow\nallowance a 1 2 USD 3 0\n";
  for (std::size_t user = 0; user < wire::policy::kSpendersMax; ++user) {
    text += "spender " + std::to_string(user) + " a a\n";
  }
  PolicyText policy;
  AllowanceText allowances;
  int line = 0;
  EXPECT_EQ(policy.parse(text, &line, &allowances), nullptr);
  EXPECT_NE(allowances.spender(8'191, "a"), nullptr);
  EXPECT_EQ(allowances.spender(8'192, "a"), nullptr);
  EXPECT_EQ(allowances.spender(5, ""), nullptr) << "nobody's default";
  PolicyText more_policy;
  AllowanceText more;
  const std::string too_many = text + "spender 9999 a a\n";
  EXPECT_NE(more_policy.parse(too_many, &line, &more), nullptr);
}

}  // namespace
}  // namespace asbb::plugins
