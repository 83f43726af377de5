#include "plugins/policy.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

constexpr char kPolicy[] =
    "# written by the service\n"
    "version 1\n"
    "\n"
    "default_partition cpu   # where jobs go by themselves\n"
    "\tdefault allow\n"
    "partition gpu-aws deny\n"
    "partition cpu allow\r\n"
    "partition aws-gpu deny";

Stance decided(const std::string& text, std::string_view partitions) {
  PolicyText policy;
  AllowanceText allowances;
  int line = 0;
  const char* problem = policy.parse(text, &line, &allowances);
  EXPECT_EQ(problem, nullptr);
  return policy.decide(partitions);
}

TEST(PolicyText, DecidesByPartition) {
  EXPECT_EQ(decided(kPolicy, "gpu-aws"), Stance::deny);
  EXPECT_EQ(decided(kPolicy, "aws-gpu"), Stance::deny);
  EXPECT_EQ(decided(kPolicy, "cpu"), Stance::allow);
  EXPECT_EQ(decided(kPolicy, "unknown"), Stance::allow);
  EXPECT_EQ(decided(kPolicy, "GPU-AWS"), Stance::allow) << "names are compared exactly";
  EXPECT_EQ(decided(kPolicy, "gpu"), Stance::allow) << "a beginning is not a name";
}

TEST(PolicyText, OfAListOneDenyIsEnough) {
  EXPECT_EQ(decided(kPolicy, "cpu,gpu-aws"), Stance::deny);
  EXPECT_EQ(decided(kPolicy, "gpu-aws,cpu"), Stance::deny);
  EXPECT_EQ(decided(kPolicy, ",cpu,,other,"), Stance::allow);
}

TEST(PolicyText, DeniesAListThatIsTooLongToRead) {
  EXPECT_EQ(decided("version 1\ndefault allow\n", std::string(16'384, 'x')), Stance::allow);
  EXPECT_EQ(decided("version 1\ndefault allow\n", std::string(16'385, 'x')), Stance::deny);
}

TEST(PolicyText, TakesTheDefaultPartitionWhenNoneIsAsked) {
  EXPECT_EQ(decided(kPolicy, ""), Stance::allow);
  EXPECT_EQ(decided(kPolicy, ",,"), Stance::allow);
  const std::string priced = "version 1\ndefault allow\ndefault_partition a\npartition a deny\n";
  EXPECT_EQ(decided(priced, ""), Stance::deny);
  EXPECT_EQ(decided("version 1\ndefault deny\n", ""), Stance::deny);
  EXPECT_EQ(decided("version 1\ndefault deny\npartition a allow", "a"), Stance::allow);
}

TEST(PolicyText, RefusesWhatItDoesNotKnow) {
  for (const std::string text :
       {"", "# nothing\n", "version 1\n", "default allow\n", "version 2\ndefault allow\n",
        "version 1\nversion 1\ndefault allow\n", "version 1 2\ndefault allow\n",
        "default allow\nversion 1\n", "version 1\ndefault maybe\n",
        "version 1\ndefault allow\ndefault allow\n", "version 1\ndefault allow deny\n",
        "version 1\ndefault\n", "version 1\ndefault allow\npartition a\n",
        "version 1\ndefault allow\npartition a allow deny\n",
        "version 1\ndefault allow\npartition a allow\npartition a allow\n",
        "version 1\ndefault allow\ndefault_partition\n",
        "version 1\ndefault allow\ndefault_partition a\ndefault_partition b\n",
        "version 1\ndefault allow\nDEFAULT deny\n"}) {
    PolicyText policy;
    AllowanceText allowances;
    int line = 0;
    EXPECT_NE(policy.parse(text, &line, &allowances), nullptr) << text;
  }
}

TEST(PolicyText, HoldsAThousandPartitionsAndNoMore) {
  std::string text = "version 1\ndefault deny\n";
  for (int at = 0; at < 1'024; ++at) text += "partition p" + std::to_string(at) + " allow\n";
  EXPECT_EQ(decided(text, "p0,p1023,p512"), Stance::allow);
  EXPECT_EQ(decided(text, "p0,p1024"), Stance::deny);
  PolicyText policy;
  AllowanceText allowances;
  int line = 0;
  EXPECT_NE(policy.parse(text + "partition more allow\n", &line, &allowances), nullptr);
  EXPECT_EQ(line, 1'027);
}

class PolicyFile : public ::testing::Test {
 protected:
  PolicyFile() {
    testing::take_log();
    owners_.add(geteuid());
    policy_.configure(path_.c_str(), &owners_, Stance::deny);
  }

  // A second later than the last one, so that the file is looked at.
  Stance decide(const char* partitions = "cpu") {
    now_ms_ += kPolicyLookMs;
    return policy_.decide(partitions, now_ms_);
  }
  void write(const std::string& text) { folder_.write("policy.onprem", text); }

  testing::Folder folder_;
  std::string path_ = folder_.path("policy.onprem");
  TrustedUsers owners_;
  Policy policy_;
  std::int64_t now_ms_ = 0;
};

TEST_F(PolicyFile, IsReadWhenItAppearsAndAgainWhenItChanges) {
  EXPECT_EQ(decide(), Stance::deny);
  write(kPolicy);
  EXPECT_EQ(decide(), Stance::allow);
  EXPECT_EQ(decide(nullptr), Stance::allow);
  write("version 1\ndefault deny\n");
  EXPECT_EQ(decide(), Stance::deny);
  EXPECT_EQ(decide(nullptr), Stance::deny);
}

TEST_F(PolicyFile, IsLookedAtOnceASecond) {
  write(kPolicy);
  EXPECT_EQ(decide(), Stance::allow);
  write("version 1\ndefault deny\n");
  EXPECT_EQ(policy_.decide("cpu", now_ms_ + kPolicyLookMs - 1), Stance::allow);
  EXPECT_EQ(policy_.decide("cpu", now_ms_ + kPolicyLookMs), Stance::deny);
}

TEST_F(PolicyFile, WhenItIsGoneTheArgumentDecides) {
  write(kPolicy);
  EXPECT_EQ(decide(), Stance::allow);
  unlink(path_.c_str());
  EXPECT_EQ(decide(), Stance::deny);

  Policy lenient;
  lenient.configure(path_.c_str(), &owners_, Stance::allow);
  EXPECT_EQ(lenient.decide("gpu-aws", 0), Stance::allow);
}

TEST_F(PolicyFile, WhenItIsBadTheArgumentDecidesAndTheLogSaysSoOnce) {
  write("version 1\nnonsense\n");
  for (int at = 0; at < 5; ++at) EXPECT_EQ(decide(), Stance::deny);
  const auto log = testing::take_log();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_TRUE(log[0].starts_with("error: asbb: policy file ")) << log[0];
  EXPECT_NE(log[0].find("line 2"), std::string::npos) << log[0];
}

TEST_F(PolicyFile, IsNotBelievedWhenOthersCouldHaveWrittenIt) {
  write(kPolicy);
  for (const mode_t mode : {0664U, 0646U, 0666U}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(decide(), Stance::deny) << std::oct << mode;
  }
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(decide(), Stance::allow);

  TrustedUsers others;
  others.add(geteuid() + 1);
  Policy foreign;
  foreign.configure(path_.c_str(), &others, Stance::deny);
  EXPECT_EQ(foreign.decide("cpu", 0), Stance::deny);
}

TEST_F(PolicyFile, MustBeARegularFileOfAModestSize) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(decide(), Stance::deny);
  unlink(path_.c_str());
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_EQ(decide(), Stance::deny);
  rmdir(path_.c_str());
  write(std::string(kPolicy) + "\n" + std::string(wire::policy::kFileBytesMax, '#'));
  EXPECT_EQ(decide(), Stance::deny);
}

TEST_F(PolicyFile, WithoutAPathTheArgumentDecides) {
  Policy nowhere;
  nowhere.configure("", &owners_, Stance::deny);
  EXPECT_EQ(nowhere.decide("cpu", 0), Stance::deny);
}

}  // namespace
}  // namespace asbb::plugins
