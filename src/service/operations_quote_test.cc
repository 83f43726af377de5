// POST /quote, without HTTP.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;

class QuoteTest : public testing::OperationsFixture {
 protected:
  api::Quote quote(const api::Submission& job, const std::string& user = "alice") {
    const auto reply = operations_->quote(admin(), {job, user});
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply.value_or(api::Quote{});
  }
};

TEST_F(QuoteTest, SaysWhatASubmissionWouldHoldAndHoldsNothing) {
  const api::Quote answer = quote(submission());
  EXPECT_EQ(answer.decision, "allow");
  EXPECT_EQ(answer.message, "This job would hold $4.32 of account proj001 (estimate $3.60)\n");
  EXPECT_EQ(answer.account, "proj001");
  ASSERT_EQ(answer.parts.size(), 1U);
  const api::QuotePart& part = answer.parts.front();
  EXPECT_EQ(to_decimal(part.hold_amount), "4.32");
  EXPECT_EQ(part.partition, "gpu-aws");
  EXPECT_THAT(part.lines.front(), HasSubstr("partition gpu-aws of cluster onprem"));
  ASSERT_EQ(part.legs.size(), 2U);  // proj001, and lab above it
  EXPECT_EQ(part.legs.front().account, "proj001");
  EXPECT_EQ(to_decimal(part.legs.front().available.value_or(Micros())), "50");
  EXPECT_TRUE(part.legs.front().fits);
  EXPECT_TRUE(answer.fits.empty());
  expect_balance("0", "0");
  const auto held = submit(submission());
  EXPECT_EQ(held.hold_amount, part.hold_amount);
}

TEST_F(QuoteTest, APartitionThatIsNotThereIsNotFree) {
  auto job = submission();
  job.partition = "cpu,no-such";
  const api::Quote answer = quote(job);
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "unknown_partition");
  EXPECT_THAT(answer.message, HasSubstr("'no-such' is not known on cluster 'onprem'"));
  job.partition = "cpu";
  EXPECT_EQ(quote(job).decision, "allow");
}

// Or 'asbb submit --cheapest' chose the cluster that would refuse the job.
TEST_F(QuoteTest, AnAccountThatMayNotBeUsedIsNotFree) {
  auto job = submission();
  job.partition = "cpu";
  job.account = "lab";
  EXPECT_EQ(quote(job).decision, "allow") << "Slurm takes every account where it enforces none";
  auto enforcing = cluster("onprem");
  enforcing.accounting_storage_enforce = "associations,limits,qos,safe";
  view_.put(enforcing);
  job.account = "proj001";
  EXPECT_EQ(quote(job).decision, "allow");
  for (const char* account : {"lab", "no-such"}) {
    job.account = account;
    const api::Quote answer = quote(job);
    EXPECT_EQ(answer.decision, "deny");
    EXPECT_EQ(answer.code, "account_not_usable");
    EXPECT_THAT(answer.message, HasSubstr("on cluster 'onprem', or there is no such account"));
  }
}

TEST_F(QuoteTest, SaysWhatWouldFitInTimeNodesAndPartition) {
  auto job = submission();
  job.min_nodes = job.max_nodes = 2;
  job.num_tasks = 2;
  job.cpus_per_task = 16;
  job.min_cpus = 32;
  const api::Quote answer = quote(job);
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "insufficient_budget");
  EXPECT_THAT(answer.message, HasSubstr("must be held"));
  EXPECT_FALSE(answer.parts.front().legs.front().fits);
  ASSERT_EQ(answer.fits.size(), 2U);  // one node of 16 CPUs is too dear as well
  EXPECT_EQ(answer.fits[0].change, "time");
  EXPECT_EQ(answer.fits[0].arguments, "--time=00:21:00");
  EXPECT_LE(answer.fits[0].hold_amount, testing::money("50"));
  EXPECT_EQ(answer.fits[1].arguments, "--partition=cpu");
  EXPECT_EQ(answer.fits[1].unit, "");
  job.cpus_per_task = 8;
  job.min_cpus = 16;
  const api::Quote smaller = quote(job);
  ASSERT_EQ(smaller.fits.size(), 3U);
  EXPECT_EQ(smaller.fits[1].change, "nodes");
  EXPECT_EQ(smaller.fits[1].arguments, "--nodes=1 --ntasks=1");
  EXPECT_EQ(to_decimal(smaller.fits[1].estimated_cost), "28.8");
  expect_balance("0", "0");
}

TEST_F(QuoteTest, ShowsAUserHisOwnFiguresAlone) {
  const auto own = operations_->quote(alice(), {submission(), ""});
  ASSERT_TRUE(own.has_value());
  ASSERT_EQ(own->parts.front().legs.size(), 2U);
  EXPECT_TRUE(own->parts.front().legs[0].available.has_value());
  EXPECT_FALSE(own->parts.front().legs[1].available.has_value());  // of lab, above his account
  EXPECT_TRUE(own->parts.front().legs[1].fits);
  const auto foreign = operations_->quote(alice(), {submission(), "bob"});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().status, 403);
  const auto stranger = operations_->quote(bob(), {submission(), ""});
  ASSERT_TRUE(stranger.has_value());
  EXPECT_EQ(stranger->code, "account_not_usable");
  EXPECT_TRUE(stranger->parts.empty());
  EXPECT_EQ(operations_->quote(anonymous(), {submission(), ""}).error().status, 401);
}

TEST_F(QuoteTest, NeedsNoHoldWhereNothingCostsAndTellsEveryOtherRefusal) {
  auto job = submission();
  job.partition = "cpu";
  EXPECT_EQ(quote(job).decision, "allow");
  EXPECT_THAT(quote(job).message, HasSubstr("no hold is needed"));
  EXPECT_EQ(quote(submission(), "nobody-knows").code, "account_not_usable");
  job = submission();
  job.cluster = "elsewhere";
  EXPECT_FALSE(operations_->quote(admin(), {job, "alice"}).has_value());
  job = submission();
  job.array = "1-";
  EXPECT_EQ(quote(job).code, "bad_array");
}

}  // namespace
}  // namespace asbb::service
