#include "slurm/cluster_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "slurm/key_values.h"
#include "slurm/test_files.h"

namespace asbb::slurm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ClusterSnapshot onprem() {
  ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  EXPECT_TRUE(read_config(recorded("cluster/onprem.config.txt"), snapshot).has_value());
  read_partitions(recorded("cluster/onprem.partitions.txt"), snapshot);
  read_nodes(recorded("cluster/onprem.nodes.txt"), snapshot);
  return snapshot;
}

TEST(ClusterReader, ReadsTheRecordedConfiguration) {
  const ClusterSnapshot snapshot = onprem();
  EXPECT_THAT(snapshot.problems, IsEmpty());
  EXPECT_EQ(snapshot.slurm_version, "22.05.8");
  EXPECT_EQ(snapshot.max_array_size, 1001);
  EXPECT_EQ(snapshot.max_job_count, 10'000);
  EXPECT_EQ(snapshot.over_time_limit_minutes, 0);
  EXPECT_EQ(snapshot.message_timeout_s, 10);
  EXPECT_EQ(snapshot.select_type, "select/cons_tres");
  EXPECT_THAT(snapshot.select_type_parameters, HasSubstr("CR_C"));
  EXPECT_THAT(snapshot.accounting_storage_enforce, HasSubstr("associations"));
  EXPECT_EQ(snapshot.slurm_user, "root");
  EXPECT_EQ(snapshot.slurm_user_id, 0u);
}

TEST(ClusterReader, ReadsTheRecordedPartitions) {
  const ClusterSnapshot snapshot = onprem();
  ASSERT_NE(snapshot.default_partition(), nullptr);
  EXPECT_EQ(snapshot.default_partition()->name, "cpu");
  const PartitionInfo* cpu = snapshot.partition("cpu");
  EXPECT_EQ(cpu->default_time_minutes, 10);
  EXPECT_EQ(cpu->max_time_minutes, 1440);
  EXPECT_EQ(cpu->state, "UP");
  EXPECT_EQ(cpu->max_nodes, unlimited);
  EXPECT_EQ(cpu->over_subscribe, OverSubscribe::no);
  EXPECT_EQ(cpu->over_time_limit_minutes, std::nullopt);
  EXPECT_THAT(cpu->nodes, ElementsAre("cpu-1", "cpu-2"));
  EXPECT_THAT(cpu->allow_accounts, IsEmpty());
  EXPECT_THAT(snapshot.nodes_of(*cpu), SizeIs(2));
  const PartitionInfo* quiet = snapshot.partition("quiet");
  ASSERT_NE(quiet, nullptr);
  EXPECT_TRUE(quiet->is_hidden);
  EXPECT_EQ(quiet->max_time_minutes, 120);
  const PartitionInfo* open = snapshot.partition("open");
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->default_time_minutes, std::nullopt);
  EXPECT_EQ(open->max_time_minutes, unlimited);
  EXPECT_EQ(snapshot.partition("big")->memory.default_per_cpu_mb, 4000);
  EXPECT_EQ(snapshot.partition("nowhere"), nullptr);
}

TEST(ClusterReader, ReadsTheRecordedNodes) {
  const ClusterSnapshot snapshot = onprem();
  const NodeInfo* cloud_node = snapshot.node("gpu-aws-2");
  ASSERT_NE(cloud_node, nullptr);
  EXPECT_EQ(cloud_node->cpus, 16);
  EXPECT_THAT(cloud_node->gres, ElementsAre(Gres{"gpu", "a100", 2}));
  EXPECT_THAT(cloud_node->features, ElementsAre("cloud", "p4d"));
  EXPECT_THAT(cloud_node->partitions, ElementsAre("gpu-aws"));
  EXPECT_THAT(cloud_node->state, HasSubstr("CLOUD"));
  const NodeInfo* big = snapshot.node("big-1");
  ASSERT_NE(big, nullptr);
  EXPECT_EQ(big->cpus, 32);
  EXPECT_EQ(big->sockets * big->cores_per_socket * big->threads_per_core, 32);
  EXPECT_GT(big->memory_mb, 100'000);
  EXPECT_THAT(big->partitions, Contains("open"));
}

TEST(ClusterReader, AnotherClustersConfigurationIsRefused) {
  ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  const auto read = read_config(recorded("cluster/cloud.config.txt"), snapshot);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorKind::broken);
  EXPECT_THAT(read.error().message, HasSubstr("calls itself 'cloud'"));
}

TEST(ClusterReader, AConfigurationWithoutANumberIsAProblem) {
  ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  ASSERT_TRUE(read_config("ClusterName = onprem\nMaxArraySize = many\n", snapshot).has_value());
  ASSERT_THAT(snapshot.problems, SizeIs(1));
  EXPECT_THAT(snapshot.problems[0], HasSubstr("MaxArraySize is 'many'"));
}

TEST(ClusterReader, ReadsWhatAnAdministratorCanSetOnAPartition) {
  ClusterSnapshot snapshot;
  read_partitions(
      "PartitionName=p AllowAccounts=proj001,nih-r01 DenyAccounts=x Default=NO QoS=part "
      "DefaultTime=NONE ExclusiveUser=YES Hidden=NO MaxNodes=4 MaxTime=2-00:00:00 MinNodes=2 "
      "MaxCPUsPerNode=8 Nodes=n[1-4] OverSubscribe=EXCLUSIVE OverTimeLimit=15 State=DOWN "
      "TotalCPUs=64 TotalNodes=4 SelectTypeParameters=CR_CORE "
      "JobDefaults=DefCpuPerGPU=2,DefMemPerGPU=4096 DefMemPerNode=1000 MaxMemPerCPU=500 "
      "TRESBillingWeights=CPU=1.0,GRES/gpu=50.0\n"
      "PartitionName=q Nodes=(null) OverSubscribe=FORCE:4 OverTimeLimit=UNLIMITED State=UP "
      "MaxTime=UNLIMITED\n",
      snapshot);
  EXPECT_THAT(snapshot.problems, IsEmpty());
  const PartitionInfo& p = *snapshot.partition("p");
  EXPECT_THAT(p.allow_accounts, ElementsAre("proj001", "nih-r01"));
  EXPECT_THAT(p.deny_accounts, ElementsAre("x"));
  EXPECT_EQ(p.qos, "part");
  EXPECT_TRUE(p.exclusive_user);
  EXPECT_EQ(p.min_nodes, 2);
  EXPECT_EQ(p.max_nodes, 4);
  EXPECT_EQ(p.max_cpus_per_node, 8);
  EXPECT_EQ(p.over_subscribe, OverSubscribe::exclusive);
  EXPECT_EQ(p.over_time_limit_minutes, 15);
  EXPECT_EQ(p.memory.default_per_node_mb, 1000);
  EXPECT_EQ(p.memory.max_per_cpu_mb, 500);
  EXPECT_EQ(p.memory.default_per_gpu_mb, 4096);
  EXPECT_EQ(p.memory.default_cpus_per_gpu, 2);
  EXPECT_EQ(p.billing_weights, "CPU=1.0,GRES/gpu=50.0");
  const PartitionInfo& q = *snapshot.partition("q");
  EXPECT_THAT(q.nodes, IsEmpty());
  EXPECT_EQ(q.over_subscribe, OverSubscribe::force);
  EXPECT_EQ(q.over_time_limit_minutes, unlimited);
}

TEST(ClusterReader, ABadRecordDoesNotTakeTheOthersWithIt) {
  ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  read_partitions(
      "PartitionName=a OverSubscribe=NO MaxTime=nan:00\n"
      "slurm_load_partitions: garbage\n"
      "PartitionName=b OverSubscribe=NO Nodes=n[1-\n"
      "PartitionName=c OverSubscribe=NO MaxNodes=-3\n"
      "PartitionName=d OverSubscribe=NO Nodes=n1\n"
      "PartitionName=e OverSu",
      snapshot);
  EXPECT_THAT(snapshot.partitions, SizeIs(1));
  EXPECT_NE(snapshot.partition("d"), nullptr);
  EXPECT_THAT(snapshot.problems, SizeIs(5));
  read_nodes(
      "NodeName=n1 CPUTot=4 Sockets=4 CoresPerSocket=1 ThreadsPerCore=1 RealMemory=10 "
      "Gres=gpu:a:b\nNodeName=n2 CPUTot=99999999999999999999\n",
      snapshot);
  EXPECT_THAT(snapshot.nodes, IsEmpty());
  EXPECT_THAT(snapshot.problems, SizeIs(7));
}

TEST(KeyValues, ABlankInAValueDoesNotMakeAKeyThatWins) {
  const auto values =
      parse_key_values("NodeName=n1 OS=Linux 6.1 #1 x  State=IDLE Reason=a State=UP");
  EXPECT_EQ(values.at("OS"), "Linux 6.1 #1 x");
  EXPECT_EQ(values.at("State"), "IDLE");
}

Associations recorded_associations() {
  Associations associations;
  read_association_rows(recorded("cluster/assoc.txt"), associations);
  read_user_rows(recorded("cluster/user-withassoc.txt"), associations);
  read_cluster_rows(recorded("cluster/cluster.txt"), associations);
  return associations;
}

TEST(AssociationReader, TellsWhoMayUseWhat) {
  const Associations associations = recorded_associations();
  EXPECT_THAT(associations.problems, IsEmpty());
  EXPECT_TRUE(associations.may_use("onprem", "games", "proj002"));
  EXPECT_FALSE(associations.may_use("onprem", "games", "proj001"));
  EXPECT_TRUE(associations.may_use("cloud", "news", "NIH-R01"));
  EXPECT_FALSE(associations.may_use("cloud", "news", "lab")) << "the parent is not his";
  EXPECT_FALSE(associations.may_use("cloud", "", "lab")) << "an account's own row is nobody's";
  EXPECT_FALSE(associations.may_use("nowhere", "games", "proj002"));
  EXPECT_EQ(associations.default_account("onprem", "news"), "nih-r01");
  EXPECT_EQ(associations.default_account("onprem", "nobody"), "");
  EXPECT_EQ(associations.parent("onprem", "nih-r01"), "lab");
  EXPECT_EQ(associations.parent("onprem", "lab"), "");
  EXPECT_EQ(associations.account_name("onprem", "Nih-R01"), "nih-r01");
  EXPECT_EQ(associations.account_name("onprem", "unknown"), "");
  EXPECT_EQ(associations.admin_level("root"), AdminLevel::operator_level);
  EXPECT_EQ(associations.admin_level("games"), AdminLevel::none);
  EXPECT_THAT(associations.users(), ElementsAre("games", "news", "root"));
  EXPECT_THAT(associations.accounts_of("onprem", "root"),
              ElementsAre("nih-r01", "proj001", "root"));
  ASSERT_THAT(associations.clusters(), SizeIs(2));
  EXPECT_EQ(associations.clusters()[0].federation, "hybrid_cluster");
  EXPECT_THAT(associations.clusters()[0].features, ElementsAre("aws", "cloud"));
  EXPECT_TRUE(associations.knows_cluster("onprem"));
}

TEST(AssociationReader, AnAssociationForOnePartitionIsForThatOne) {
  Associations associations;
  read_association_rows("onprem|child-a|||nih-r01|normal|\nonprem|child-a|news|cpu||normal|\n",
                        associations);
  EXPECT_TRUE(associations.may_use("onprem", "news", "child-a"));
  EXPECT_TRUE(associations.may_use("onprem", "news", "child-a", "cpu"));
  EXPECT_FALSE(associations.may_use("onprem", "news", "child-a", "big"));
  EXPECT_FALSE(associations.may_use("onprem", "news", "nih-r01"));
}

TEST(AssociationReader, ACoordinatorIsOneOfTheAccountsBelowToo) {
  const Associations recorded = recorded_associations();
  EXPECT_TRUE(recorded.is_coordinator("onprem", "games", "lab"));
  EXPECT_TRUE(recorded.is_coordinator("onprem", "games", "NIH-R01"));
  EXPECT_FALSE(recorded.is_coordinator("onprem", "games", "proj002")) << "only a user there";
  EXPECT_FALSE(recorded.is_coordinator("onprem", "news", "nih-r01"));
  EXPECT_FALSE(recorded.may_use("onprem", "games", "nih-r01"));
  Associations direct;
  read_association_rows("onprem|lab|||root|normal|\nonprem|nih-r01|||lab|normal|\n", direct);
  read_user_rows("|eve||None||lab\n", direct);
  EXPECT_TRUE(direct.is_coordinator("onprem", "eve", "nih-r01"));
  EXPECT_FALSE(direct.is_coordinator("onprem", "eve", "unknown"));
  EXPECT_THAT(direct.users(), ElementsAre("eve"));
}

TEST(AssociationReader, RowsOfOtherColumnsAreProblems) {
  Associations associations;
  read_association_rows("sacctmgr: something\nonprem|a|u||||\nonprem|a|b|c\n", associations);
  EXPECT_THAT(associations.problems, SizeIs(2));
  EXPECT_TRUE(associations.may_use("onprem", "u", "a"));
}

RC_GTEST_PROP(ClusterReader, AnyTextIsReadOrAProblem, (const std::string& text)) {
  ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  static_cast<void>(read_config(text, snapshot));
  read_partitions("PartitionName=" + text, snapshot);
  read_nodes("NodeName=" + text, snapshot);
  Associations associations;
  read_association_rows(text, associations);
  read_user_rows(text, associations);
  read_cluster_rows(text, associations);
  RC_ASSERT(snapshot.nodes.empty());
}

}  // namespace
}  // namespace asbb::slurm
