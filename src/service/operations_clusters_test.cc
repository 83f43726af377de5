// GET /clusters: what submitters choose by.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ClusterListTest : public testing::OperationsFixture {
 protected:
  ClusterListTest() {
    set_prices(R"(
prices:
  - {cluster: onprem, partition: cpu, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: "*", unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-03-01
)");
  }
  ~ClusterListTest() override { operations_.reset(); }

  void put_both(const slurm::ClusterEntry& onprem, const slurm::ClusterEntry& cloud) {
    auto both = associations();
    both.add(onprem);
    both.add(cloud);
    for (const char* name : {"onprem", "cloud"}) {
      auto snapshot = cluster(name);
      snapshot.slurm_version = "22.05.8";
      view_.put(std::move(snapshot));
      view_.put(name, both);
    }
  }
  std::vector<api::ClusterInfo> ask() { return operations_->clusters(alice()).value(); }
};

TEST_F(ClusterListTest, TellsUnitsFederationAndWhichIsCloudByItsFeature) {
  put_both({"onprem", "hybrid", {"Cloud"}}, {"cloud", "hybrid", {"aws"}});
  const auto infos = ask();
  ASSERT_EQ(infos.size(), 2U);
  EXPECT_EQ(infos[0].name, "onprem");
  EXPECT_TRUE(infos[0].is_usable) << infos[0].problem;
  EXPECT_TRUE(infos[0].is_cloud) << "the feature counts, as it does for the plugin's --cloud";
  EXPECT_FALSE(infos[1].is_cloud);
  EXPECT_THAT(infos[0].units, ElementsAre("core-hours"));
  EXPECT_THAT(infos[1].units, ElementsAre("USD"));
  EXPECT_EQ(infos[0].federation, "hybrid");
  EXPECT_THAT(infos[0].reaches, ElementsAre("cloud"));
  EXPECT_EQ(infos[0].view_age_s, 0);
  EXPECT_EQ(infos[0].slurm_version, "22.05.8");
}

TEST_F(ClusterListTest, WithoutFeaturesTheOneThatIsPaidIsCloud) {
  put_both({"onprem", "", {}}, {"cloud", "", {}});
  EXPECT_FALSE(ask()[0].is_cloud);
  EXPECT_TRUE(ask()[1].is_cloud);
}

TEST_F(ClusterListTest, SaysWhatIsNotReadOrTooOld) {
  EXPECT_FALSE(ask()[1].is_usable);
  EXPECT_THAT(ask()[1].problem, HasSubstr("not been read yet"));
  EXPECT_THAT(ask()[1].units, IsEmpty());
  pass_time(seconds(301));
  EXPECT_FALSE(ask()[0].is_usable);
  EXPECT_THAT(ask()[0].problem, HasSubstr("too old"));
  EXPECT_EQ(ask()[0].view_age_s, 301);
}

TEST_F(ClusterListTest, TellsNobodyWhoIsUnknown) {
  EXPECT_EQ(status_of(operations_->clusters(anonymous())), 401);
  EXPECT_EQ(status_of(operations_->clusters(bob())), 200);
}

}  // namespace
}  // namespace asbb::service
