// Who may have a change of a job priced, and who learns nothing.
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"

namespace asbb::service {
namespace {

using testing::JobChanges;
using testing::money;

// What an update does not touch is as the job has it: rackslab/slurm-quota held it for one task.
TEST_F(JobChanges, ARaiseIsPricedByAllThatTheJobHas) {
  api::Submission large = submission();
  large.num_tasks = large.min_cpus = 4;
  token_ = token();
  EXPECT_EQ(submit(large, token_).decision, "allow");
  expect_held("17.28");
  EXPECT_EQ(ask(minutes(90)).hold_amount, money("8.64"));
  expect_held("25.92");
}

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

// Two components of a het job, of one and of two cores for an hour: 4.32 and 8.64 held.
class HetChanges : public JobChanges {
 protected:
  HetChanges() {
    set_limit("100");
    for (const int cpus : {1, 2}) {
      api::Submission asked = submission();
      asked.cpus_per_task = asked.min_cpus = cpus;
      asked.het_job_offset = cpus - 1;
      tokens_.push_back(token());
      asked.het_group = tokens_.front();
      EXPECT_EQ(submit(asked, tokens_.back()).decision, "allow");
      token_ = tokens_.back();
    }
    expect_held("12.96");
  }
  void see(std::int64_t first_minutes, std::int64_t second_minutes) {
    std::vector<slurm::QueueJob> rows;
    for (const int offset : {0, 1}) {
      slurm::QueueJob row;
      row.cluster = "onprem";
      row.job_id = 7 + offset;
      row.het_job_id = 7;
      row.het_job_offset = offset;
      row.user = "alice";
      row.user_id = 1000;
      row.account = "proj001";
      row.partition = "gpu-aws";
      row.status = slurm::parse_job_status("PENDING");
      row.submit = submitted_;
      row.time_limit_minutes = offset == 0 ? first_minutes : second_minutes;
      row.node_count = 1;
      row.cpus = 1 + offset;
      row.requested_tres = "cpu=" + std::to_string(row.cpus) + ",mem=62.50G,node=1,billing=1";
      row.min_memory_mb = 0;
      row.admin_comment = "asbb=" + tokens_[static_cast<std::size_t>(offset)];
      rows.push_back(row);
    }
    show(rows);
    (void)pass();
  }
  // As slurmctld asks when `scontrol update JobId=NAME` changes that component.
  void change_component(const std::string& name, std::size_t offset, std::int64_t limit) {
    api::JobChange asked = minutes(limit);
    asked.job = name;
    asked.token = tokens_[offset];
    EXPECT_EQ(ask(asked).decision, "allow");
  }

  const Instant submitted_ = now();
  std::vector<std::string> tokens_;
};

// The second component's change was taken for the leader's: its hold became twice what it costs.
TEST_F(HetChanges, AnUpdateOfTheLeadersNumberChangesEachComponent) {
  change_component("7", 0, 120);
  change_component("7", 1, 120);
  expect_held("25.92");
  see(120, 120);
  expect_held("25.92");
  see(120, 120);
  expect_held("25.92");
}

TEST_F(HetChanges, SoItDoesOnceTheComponentsWereSeen) {
  see(60, 60);
  change_component("7", 0, 120);
  change_component("7", 1, 120);
  expect_held("25.92");
  see(120, 120);
  expect_held("25.92");
  change_component("7+1", 1, 240);
  expect_held("43.2");
  see(120, 240);
  expect_held("43.2");
  EXPECT_EQ(alarms_of_changes(), 0);
  see(120, 60);
  expect_held("17.28");
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
