// Who may have a change of a job priced, and who learns nothing.
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"

namespace asbb::service {
namespace {

using testing::JobChanges;
using testing::money;

TEST_F(JobChanges, AStrangerSetsNothingAsideAndLearnsNothing) {
  show({job()});
  (void)pass();
  api::JobChange asked = minutes(60 * 20);
  asked.submit_uid = 1001;
  const auto answer = ask(asked);
  EXPECT_EQ(answer.decision, "allow");
  EXPECT_EQ(answer.message, "");
  asked.asked.time_limit_minutes = 120;
  EXPECT_EQ(ask(asked).decision, "allow");
  expect_held("4.32");
}

TEST_F(JobChanges, ACoordinatorOfTheAccountIsGatedAsTheOwner) {
  auto row = job();
  show({row});
  (void)pass();
  auto associations = this->associations();
  associations.add_coordinator("bob", "lab");
  view_.put("onprem", associations);
  api::JobChange asked = minutes(60 * 20);
  asked.submit_uid = 1001;
  const auto refused = ask(asked);
  EXPECT_EQ(refused.code, "insufficient_budget");
  EXPECT_NE(refused.message.find("available in the budget of account proj001"), std::string::npos);
  asked.asked.time_limit_minutes = 120;
  EXPECT_EQ(ask(asked).hold_amount, money("4.32"));
  expect_held("8.64");
  asked.asked.time_limit_minutes.reset();
  for (const char* account : {"nobody", "secret"}) {
    asked.asked.account = account;
    EXPECT_EQ(ask(asked).code, "account_not_usable") << account;
  }
  expect_held("8.64");
}

TEST_F(JobChanges, ACoordinatorIsGatedBeforeAnyListShowsTheJob) {
  (void)job();
  auto associations = this->associations();
  associations.add_coordinator("bob", "proj001");
  view_.put("onprem", associations);
  api::JobChange asked = minutes(60 * 20);
  asked.submit_uid = 1001;
  EXPECT_EQ(ask(asked).code, "insufficient_budget");
}

TEST_F(JobChanges, AStrangerMovesNoJobOfNobodyYetToAPricedPartition) {
  api::Submission free = submission();
  free.partition = "cpu";
  token_ = token();
  EXPECT_EQ(submit(free, token_).decision, "allow");
  api::JobChange asked = change();
  asked.asked.partition = "gpu-aws";
  asked.submit_uid = 1001;
  EXPECT_EQ(ask(asked).hold_amount, Micros());
  expect_held("0");
  asked.submit_uid = 1000;
  EXPECT_EQ(ask(asked).hold_amount, money("4.32"));
}

// Clusters= names the clusters that may run the job: one that costs more is priced as a constraint
// is.
TEST_F(JobChanges, OtherClustersAreHeldForBeforeTheJobMayRunThere) {
  auto federated = associations();
  federated.add(slurm::ClusterEntry{"onprem", "hybrid", {}});
  federated.add(slurm::ClusterEntry{"cloud", "hybrid", {"cloud"}});
  view_.put("onprem", federated);
  view_.put(cluster("cloud"));
  set_prices(R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-02-01
)");
  for (const bool is_emptied : {false, true}) {
    api::Submission here = submission();
    here.clusters = "onprem";
    token_ = token();
    EXPECT_EQ(to_decimal(submit(here, token_).hold_amount), "1.2");
    api::JobChange asked = change();
    asked.job.clear();
    if (is_emptied) {
      asked.cleared = "clusters";
    } else {
      asked.asked.clusters = "onprem,cloud";
    }
    const auto answer = ask(asked);
    EXPECT_EQ(answer.decision, "allow") << answer.message;
    EXPECT_EQ(to_decimal(answer.hold_amount), "1.2") << "what it costs more there";
  }
  expect_held("4.8");
}

}  // namespace
}  // namespace asbb::service
