// Submissions that are more than one job to Slurm: components of a heterogeneous job, and siblings
// in a federation.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;

class ComponentTest : public testing::OperationsFixture {
 protected:
  ComponentTest() {
    hooks_.known = &known_;
    hooks_.notify = [this] { ++notified_; };
    rebuild();
  }
  ~ComponentTest() override { operations_.reset(); }

  // Of the job whose first component has that token.
  api::SubmissionAnswer component(const std::string& group, const std::string& id, int cpus) {
    auto asked = submission();
    asked.het_group = group;
    asked.cpus_per_task = asked.min_cpus = cpus;
    asked.on_silence = on_silence_;
    return submit(asked, id);
  }
  bool is_refused(const std::string& id) const {
    return known_.het_groups.refused_at(id).has_value();
  }

  KnownJobs known_;
  api::OnSilence on_silence_ = api::OnSilence::deny;
  int notified_ = 0;
};

TEST_F(ComponentTest, OneThatIsRefusedMarksThoseBeforeIt) {
  const std::string first = token();
  const std::string second = token();
  const std::string other = token();
  EXPECT_EQ(component(first, first, 1).decision, "allow");
  EXPECT_EQ(component(first, second, 1).decision, "allow");
  EXPECT_EQ(component(other, other, 1).decision, "allow");
  EXPECT_FALSE(is_refused(first));
  EXPECT_EQ(component(first, token(), 16).code, "insufficient_budget");
  EXPECT_TRUE(is_refused(first));
  EXPECT_TRUE(is_refused(second));
  EXPECT_FALSE(is_refused(other));
  EXPECT_EQ(notified_, 1);
}

TEST_F(ComponentTest, SoDoesOneThatTheGateRefuses) {
  const std::string first = token();
  EXPECT_EQ(component(first, first, 1).decision, "allow");
  auto asked = submission();
  asked.het_group = first;
  asked.account = "other001";
  EXPECT_EQ(submit(asked, token()).code, "account_not_usable");
  EXPECT_TRUE(is_refused(first));
}

// A plugin that lets jobs pass in silence may not have heard the refusal in time.
TEST_F(ComponentTest, NothingIsSureWhereSilenceIsConsent) {
  on_silence_ = api::OnSilence::allow;
  const std::string first = token();
  EXPECT_EQ(component(first, first, 1).decision, "allow");
  EXPECT_EQ(component(first, token(), 16).code, "insufficient_budget");
  EXPECT_FALSE(is_refused(first));
  EXPECT_EQ(notified_, 0);
}

// An hour of a core is a core-hour on onprem, and two dollars on cloud.
constexpr const char* two_units = R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-03-01
)";

class FederationTest : public testing::OperationsFixture {
 protected:
  // The associations of onprem, which is federated with cloud.
  [[nodiscard]] slurm::Associations hybrid() const {
    auto federated = associations();
    federated.add(slurm::ClusterEntry{"onprem", "hybrid", {}});
    federated.add(slurm::ClusterEntry{"cloud", "hybrid", {"cloud"}});
    return federated;
  }
};

TEST_F(FederationTest, HoldsBothUnitsOfAFederation) {
  const auto federated = hybrid();
  view_.put("onprem", federated);
  view_.put(cluster("cloud"));
  set_prices(two_units);
  auto asked = submission();
  // No core-hours yet: it must not run where they are needed.
  const std::string restricted = token();
  const auto cloud_only = submit(asked, restricted);
  EXPECT_EQ(cloud_only.decision, "allow");
  EXPECT_EQ(cloud_only.cluster_features, "cloud");
  EXPECT_EQ(cloud_only.unit, "USD");
  EXPECT_THAT(cloud_only.message,
              HasSubstr("account proj001 has no 1.20 core-hours left for the other clusters: this "
                        "job runs on cloud only\n"));
  ASSERT_EQ(find(restricted).parts.size(), 1u);
  EXPECT_EQ(find(restricted).parts.front().unit, "USD");
  EXPECT_EQ(submit(asked, restricted), cloud_only);
  // Where no feature tells the clusters apart it cannot be kept away.
  auto alike = federated;
  alike.add(slurm::ClusterEntry{"onprem", "hybrid", {"cloud"}});
  view_.put("onprem", alike);
  EXPECT_EQ(submit(asked).code, "no_budget");
  view_.put("onprem", federated);
  ASSERT_TRUE(
      run(ledger::AddBudget{"proj001",
                            {"core-hours", testing::at("2025-01-01T00:00:00Z"),
                             testing::at("2026-01-01T00:00:00Z"), testing::money("10"), Micros()}})
          .accepted());
  const std::string id = token();
  const auto answer = submit(asked, id);
  EXPECT_EQ(answer.decision, "allow") << answer.message;
  ASSERT_EQ(find(id).parts.size(), 2u);
  EXPECT_THAT(answer.message, HasSubstr("core-hours"));
  // Where the user says on which cluster, only that one counts.
  asked.cluster_features = "cloud";
  const std::string there = token();
  EXPECT_EQ(submit(asked, there).decision, "allow");
  ASSERT_EQ(find(there).parts.size(), 1u);
  EXPECT_EQ(find(there).parts.front().unit, "USD");
  // An array stays where it is submitted.
  asked.cluster_features.clear();
  asked.array = "1-2";
  const std::string here = token();
  EXPECT_EQ(submit(asked, here).decision, "allow");
  ASSERT_EQ(find(here).parts.size(), 1u);
  EXPECT_EQ(find(here).parts.front().unit, "core-hours");
}

// There "free" costs nothing on onprem, and money on cloud.
class FreeHereTest : public FederationTest {
 protected:
  FreeHereTest() {
    auto federated = associations();
    federated.add(slurm::ClusterEntry{"onprem", "hybrid", {"local"}});
    federated.add(slurm::ClusterEntry{"cloud", "hybrid", {"cloud"}});
    view_.put("onprem", federated);
    view_.put(cluster("cloud"));
    set_prices(R"(
prices:
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-02-01
)");
  }
  std::string held_with(const std::string& constraint) {
    auto asked = submission();
    asked.cluster_features = constraint;
    return to_decimal(submit(asked).hold_amount);
  }
};

// A capital letter used to be free of charge: no cluster seemed to fit, and only the own one
// counted.
TEST_F(FreeHereTest, AConstraintIsReadAsSlurmReadsIt) {
  for (const char* cloud : {"cloud", "CLOUD", "'Cloud'", "\"cloud\"", "!local", "!LOCAL", ""}) {
    EXPECT_EQ(held_with(cloud), "2.4") << cloud;
  }
  EXPECT_EQ(held_with("local"), "0");
  EXPECT_EQ(held_with("!CLOUD"), "0");
  EXPECT_EQ(held_with("unheard-of"), "2.4") << "Slurm may know better where it fits";
}

// Slurm starts them where they were submitted, whatever the constraint says.
TEST_F(FreeHereTest, ComponentsAndArraysStayWhereTheyAre) {
  auto asked = submission();
  asked.cluster_features = "local";
  asked.cluster = "onprem";
  asked.het_job_offset = 0;
  EXPECT_EQ(to_decimal(submit(asked).hold_amount), "0");
  set_prices(two_units);
  asked.cluster_features = "cloud";
  EXPECT_EQ(submit(asked).code, "no_budget") << "there are no core-hours";
}

TEST_F(FreeHereTest, NothingIsLeftOutWhereSilenceIsConsent) {
  set_prices(two_units);
  auto asked = submission();
  EXPECT_EQ(submit(asked).cluster_features, "cloud");
  asked.on_silence = api::OnSilence::allow;
  EXPECT_EQ(submit(asked).code, "no_budget");
}

// A sibling puts a job that names no partition into its own default one (Slurm 22.05): only the
// default of the cluster it was submitted to used to count.
TEST_F(FederationTest, CountsTheDefaultPartitionOfEachCluster) {
  const auto federated = hybrid();
  view_.put("onprem", federated);
  set_prices(R"(
prices:
  - {cluster: cloud, partition: aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-02-01
)");
  auto asked = submission();
  asked.partition.clear();
  EXPECT_EQ(submit(asked).code, "cluster_unknown") << "its default may be what costs money";
  auto elsewhere = cluster("cloud");
  elsewhere.partitions = {testing::partition_info("aws", true, {"gpu-1"})};
  for (auto& node : elsewhere.nodes) node.partitions = {"aws"};
  view_.put(elsewhere);
  const std::string id = token();
  const auto answer = submit(asked, id);
  EXPECT_EQ(answer.decision, "allow") << answer.message;
  EXPECT_EQ(to_decimal(answer.hold_amount), "2.4");
  asked.cluster_features = "cloud";
  EXPECT_EQ(to_decimal(submit(asked).hold_amount), "2.4") << "it names no partition";
  asked.cluster_features = "!cloud";
  EXPECT_EQ(to_decimal(submit(asked).hold_amount), "0");
}

// Since the service started slurmdbd was never read, so that nobody knows which clusters are one
// federation: a job that is free here may cost money on a sibling.
TEST_F(FederationTest, IsNotFreeWhileItIsUnknownWhereTheJobMayGo) {
  slurm::ClusterCache unread;
  unread.put(cluster("onprem"));
  const Collaborators with{*committer_, prices_, unread, names_, *authority_, alarms_, work_};
  OperationsOptions options;
  options.clusters = {"onprem", "cloud"};
  Operations starting(with, hooks_, store::ChainKey{1, 2, 3}, options);
  const auto submit_to = [&](const api::Submission& asked) {
    const auto reply = wait<api::SubmissionAnswer>([&](const auto& promise) {
      starting.submit_job(slurm_user(), token(), api::to_json(asked), promise);
    });
    return reply.value_or(api::SubmissionAnswer{});
  };
  set_prices(R"(
prices:
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-03-01
)");
  auto asked = submission();
  const auto refused = submit_to(asked);
  EXPECT_EQ(refused.code, "associations_unknown");
  EXPECT_THAT(refused.message, HasSubstr("which clusters"));
  asked.partition = "cpu";
  EXPECT_EQ(submit_to(asked).decision, "allow") << "free wherever it goes";
  asked.partition.clear();
  EXPECT_EQ(submit_to(asked).code, "associations_unknown") << "the default one of cloud may cost";
  unread.put(cluster("cloud"));
  EXPECT_EQ(submit_to(asked).decision, "allow") << "that is cpu there, too";
  asked = submission();
  asked.clusters = "onprem";
  EXPECT_EQ(submit_to(asked).decision, "allow") << "it may not go to another cluster";
  asked = submission();
  asked.array = "1-3";
  EXPECT_EQ(submit_to(asked).decision, "allow") << "arrays stay";
  asked = submission();
  unread.put("onprem", hybrid());
  EXPECT_EQ(submit_to(asked).decision, "allow");
  EXPECT_EQ(submit_to(asked).unit, "USD");
  unread.put("onprem", associations());
  EXPECT_EQ(submit_to(asked).unit, "") << "no federation: it runs here alone";
}

// A cluster that no price names is priced by "*", and known from the configuration alone.
TEST_F(FederationTest, IsNotFreeWhereEveryOtherClusterHasAPrice) {
  slurm::ClusterCache unread;
  unread.put(cluster("onprem"));
  const Collaborators with{*committer_, prices_, unread, names_, *authority_, alarms_, work_};
  set_prices(R"(
prices:
  - {cluster: onprem, partition: "*", free: true}
  - {cluster: onprem, partition: gpu-aws, free: true}
  - {cluster: "*", partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-03-01
)");
  const auto code_with = [&](std::vector<std::string> clusters) {
    OperationsOptions options;
    options.clusters = std::move(clusters);
    Operations starting(with, hooks_, store::ChainKey{1, 2, 3}, options);
    const auto reply = wait<api::SubmissionAnswer>([&](const auto& promise) {
      starting.submit_job(slurm_user(), token(), api::to_json(submission()), promise);
    });
    return reply.value_or(api::SubmissionAnswer{}).code;
  };
  EXPECT_EQ(code_with({"onprem", "cloud"}), "associations_unknown");
  EXPECT_EQ(code_with({"onprem"}), "") << "there is no other";
}

TEST_F(FederationTest, RefusesAConstraintThatLeavesNoClusterWithThePartition) {
  const auto federated = hybrid();
  view_.put("onprem", federated);
  auto elsewhere = cluster("cloud");
  elsewhere.partitions.pop_back();
  view_.put(elsewhere);
  auto asked = submission();
  asked.cluster_features = "cloud";
  const auto refused = submit(asked);
  EXPECT_EQ(refused.code, "no_cluster");
  EXPECT_EQ(
      refused.message,
      "None of the clusters that --cluster-constraint='cloud' allows has partition 'gpu-aws': "
      "there are 'cpu'; name one with --partition.\n");
  asked.spank.cloud = true;
  EXPECT_THAT(submit(asked).message, HasSubstr("that --cloud allows has"));
  asked.spank.cloud = false;
  asked.cluster_features = "!nothing,at,all";
  EXPECT_EQ(to_decimal(submit(asked).hold_amount), "4.32");
}

}  // namespace
}  // namespace asbb::service
