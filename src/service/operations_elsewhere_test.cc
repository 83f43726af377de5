// What a refusal says of the account's other unit: only where the job would really be paid.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* hint = "left on onprem: ";

// gpu-aws costs core-hours on onprem and dollars on cloud; each account has what a test gives it.
class ElsewhereTest : public testing::OperationsFixture {
 protected:
  ElsewhereTest() {
    set_prices(R"(
prices:
  - {cluster: onprem, partition: "*", unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: "*", unit: USD, basis: tres, per_core_hour: 1000}
effective_from: 2025-03-01
)");
    put_federation("hybrid");
  }
  ~ElsewhereTest() override { operations_.reset(); }

  void put_federation(const std::string& federation) {
    auto both = associations();
    both.add(slurm::ClusterEntry{"onprem", federation, {"onprem"}});
    both.add(slurm::ClusterEntry{"cloud", federation, {"cloud"}});
    both.add(slurm::Association{"cloud", "lab", "", "", "", "", false});
    both.add(slurm::Association{"cloud", "proj001", "", "", "lab", "", false});
    both.add(slurm::Association{"cloud", "proj001", "alice", "", "", "", true});
    both.set_default_account("cloud", "alice", "proj001");
    for (const char* name : {"onprem", "cloud"}) {
      view_.put(cluster(name));
      view_.put(name, both);
    }
  }

  void give(const std::string& account, const std::string& unit, const char* limit) {
    const ledger::NewBudget budget{unit, testing::at("2025-01-01T00:00:00Z"),
                                   testing::at("2026-01-01T00:00:00Z"), testing::money(limit),
                                   Micros()};
    ASSERT_TRUE(run(ledger::AddBudget{account, budget}).accepted());
  }

  static api::Submission for_cloud() {
    auto asked = submission();
    asked.cluster = asked.clusters = "cloud";
    return asked;
  }

  std::string quoted(const api::Submission& asked) {
    const auto answer = operations_->quote(alice(), {asked, ""});
    return answer ? answer->message : answer.error().message;
  }
};

TEST_F(ElsewhereTest, OutOfDollarsTheAccountGoesOnOnPremises) {
  give("proj001", "core-hours", "1200");
  const auto refused = submit(for_cloud());
  EXPECT_EQ(refused.code, "insufficient_budget") << refused.message;
  EXPECT_THAT(refused.message, HasSubstr("The account has 1200.00 core-hours left on onprem: "
                                         "sbatch -M onprem ...\n"));
  EXPECT_THAT(quoted(for_cloud()), HasSubstr("sbatch -M onprem ...\n"));
}

TEST_F(ElsewhereTest, TheReverseAsWell) {
  give("proj001", "core-hours", "1");
  set_prices(R"(
prices:
  - {cluster: onprem, partition: "*", unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: "*", unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-03-01
)");
  auto asked = submission();
  asked.clusters = "onprem";
  const auto refused = submit(asked);
  EXPECT_EQ(refused.decision, "deny");
  EXPECT_THAT(refused.message, HasSubstr("left on cloud: sbatch -M cloud ...\n"));
}

TEST_F(ElsewhereTest, SaysNothingThatIsNotTrueOfTheJob) {
  EXPECT_THAT(submit(for_cloud()).message, Not(HasSubstr(hint))) << "no core-hours at all";
  give("proj001", "core-hours", "1");
  EXPECT_THAT(submit(for_cloud()).message, Not(HasSubstr(hint))) << "1.20 must be held";
  give("lab", "core-hours", "1000");
  EXPECT_THAT(submit(for_cloud()).message, Not(HasSubstr(hint))) << "its own budget pays";
}

TEST_F(ElsewhereTest, ALimitAboveCountsAndItsFigureIsNotShown) {
  give("proj001", "core-hours", "1200");
  give("lab", "core-hours", "7");
  EXPECT_THAT(submit(for_cloud()).message, HasSubstr("The account has 1200.00 core-hours left"));
  auto large = for_cloud();
  large.cpus_per_task = large.min_cpus = 10;
  const auto refused = submit(large);
  EXPECT_EQ(refused.decision, "deny");
  EXPECT_THAT(refused.message, Not(HasSubstr(hint))) << "12 of the 7 that lab has";
  EXPECT_THAT(refused.message, Not(HasSubstr("7.00")));
}

TEST_F(ElsewhereTest, NamesAPartitionThatIsThereAndAClusterThatMDoesNotReach) {
  give("proj001", "core-hours", "1200");
  auto elsewhere = cluster("cloud");
  elsewhere.partitions.push_back(testing::partition_info("aws-cpu", false, {"aws-1"}));
  elsewhere.nodes.push_back(testing::node_info("aws-1", "aws-cpu"));
  view_.put(elsewhere);
  auto asked = for_cloud();
  asked.partition = "aws-cpu";
  EXPECT_THAT(submit(asked).message, HasSubstr("sbatch -M onprem -p cpu ...\n"));
  slurm::Associations only_cloud;
  only_cloud.read_at = now();
  only_cloud.add(slurm::ClusterEntry{"cloud", "", {}});
  only_cloud.add(slurm::Association{"cloud", "proj001", "", "", "", "", false});
  only_cloud.add(slurm::Association{"cloud", "proj001", "alice", "", "", "", true});
  view_.put("cloud", only_cloud);
  view_.put("onprem", associations());
  asked.clusters.clear();
  EXPECT_THAT(submit(asked).message, HasSubstr("asbb submit --cluster=onprem -p cpu ...\n"));
}

TEST_F(ElsewhereTest, OneWhoMayNotSpendThereIsToldNothing) {
  give("proj001", "core-hours", "1200");
  slurm::Associations only_cloud;
  only_cloud.read_at = now();
  only_cloud.add(slurm::ClusterEntry{"onprem", "hybrid", {"onprem"}});
  only_cloud.add(slurm::ClusterEntry{"cloud", "hybrid", {"cloud"}});
  only_cloud.add(slurm::Association{"cloud", "proj001", "", "", "", "", false});
  only_cloud.add(slurm::Association{"cloud", "proj001", "alice", "", "", "", true});
  view_.put("cloud", only_cloud);
  view_.put("onprem", only_cloud);
  const auto refused = submit(for_cloud());
  EXPECT_EQ(refused.decision, "deny");
  EXPECT_THAT(refused.message, Not(HasSubstr("core-hours")));
}

// The ladder is climbed for one unit; the other is none of its business.
TEST_F(ElsewhereTest, AnAccountThatRanDryOfOneUnitIsToldOfTheOther) {
  give("proj001", "core-hours", "1200");
  hooks_.stop = [](ledger::PlaceHold& place, Instant) {
    const bool is_paid = place.parts.front().unit == "USD";
    return is_paid ? std::optional(Denial{"account_dry", "account proj001 has run dry\n"})
                   : std::nullopt;
  };
  rebuild();
  const auto refused = submit(for_cloud());
  EXPECT_EQ(refused.code, "account_dry");
  EXPECT_THAT(refused.message, HasSubstr("left on onprem: sbatch -M onprem ...\n"));
  auto there = for_cloud();
  there.cluster = there.clusters = "onprem";
  EXPECT_EQ(submit(there).decision, "allow");
}

}  // namespace
}  // namespace asbb::service
