// The doors while an account is dry: submissions, raises, quotes and external checks are refused in
// the same words, and what was answered before is answered so again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;

class DryAccountTest : public testing::JobChanges {
 protected:
  DryAccountTest() {
    hooks_.stop = [this](ledger::PlaceHold& place, Instant) {
      asked_ = place;
      ++times_asked_;
      place.account = pays_.empty() ? place.account : pays_;
      return is_dry_ ? std::optional(Denial{"account_dry", "account proj001 has run dry\n"})
                     : std::nullopt;
    };
    operations_.reset();  // it takes its pricer with it
    rebuild();
  }
  bool is_dry_ = false;
  ledger::PlaceHold asked_;
  int times_asked_ = 0;
  std::string pays_;  // another account than the submission's
};

// It is on the way of every submission, and what it takes away of the hold stays away.
TEST_F(DryAccountTest, IsAskedOnceForASubmissionAndItsAnswerIsWhatIsPlaced) {
  account("other002", "", "100");
  pays_ = "other002";
  EXPECT_EQ(submit(submission()).decision, "allow");
  EXPECT_EQ(times_asked_, 1);
  EXPECT_EQ(to_decimal(budget("other002").held), "4.32");
  EXPECT_EQ(to_decimal(budget("proj001").held), "0");
}

TEST_F(DryAccountTest, RefusesSubmissionsAndKeepsTheAnswer) {
  const std::string before = token();
  ASSERT_EQ(submit(submission(), before).decision, "allow");
  EXPECT_EQ(asked_.account, "proj001");
  EXPECT_EQ(asked_.partition, "gpu-aws");
  is_dry_ = true;
  const std::string id = token();
  const auto refused = submit(submission(), id);
  EXPECT_EQ(refused.decision, "deny");
  EXPECT_EQ(refused.code, "account_dry");
  EXPECT_EQ(refused.message, "account proj001 has run dry\n");
  EXPECT_EQ(submit(submission(), before).decision, "allow");
  is_dry_ = false;
  EXPECT_EQ(submit(submission(), id).decision, "deny");
  EXPECT_EQ(submit(submission()).decision, "allow");
  expect_held("8.64");
}

TEST_F(DryAccountTest, LetsJobsThroughThatCostNothing) {
  is_dry_ = true;
  auto free = submission();
  free.partition = "cpu";
  EXPECT_EQ(submit(free).decision, "allow");
}

TEST_F(DryAccountTest, RefusesRaisesOfJobs) {
  auto row = job();
  show({row});
  (void)pass();
  is_dry_ = true;
  const auto refused = ask(minutes(120));
  EXPECT_EQ(refused.decision, "deny");
  EXPECT_EQ(refused.code, "account_dry");
  EXPECT_EQ(ask(minutes(30)).decision, "allow") << "a cut";
  expect_held("4.32");
  is_dry_ = false;
  EXPECT_EQ(ask(minutes(120)).decision, "allow");
}

TEST_F(DryAccountTest, RefusesExternalChecks) {
  is_dry_ = true;
  auto asked = two_cpus();
  asked.request_id = "one";
  auto answer = check(asked);
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->available);
  EXPECT_EQ(answer->code, "account_dry");
  EXPECT_EQ(to_decimal(answer->estimated_cost), "7.2");
  EXPECT_EQ(answer->transaction_id, "");
  expect_held("0");
  is_dry_ = false;
  EXPECT_TRUE(check(asked)->available);
  is_dry_ = true;
  EXPECT_TRUE(check(asked)->available) << "it has its answer";
}

}  // namespace
}  // namespace asbb::service
