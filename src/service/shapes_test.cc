#include "service/shapes.h"

#include <gtest/gtest.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using testing::node_info;
using testing::partition_info;

slurm::ClusterSnapshot cluster_with(slurm::PartitionInfo partition) {
  slurm::ClusterSnapshot cluster;
  cluster.cluster = "OnPrem";
  cluster.select_type = "select/cons_tres";
  cluster.select_type_parameters = "CR_CORE_MEMORY";
  cluster.accounting_storage_tres = "cpu,gres/gpu,gres/gpu:a100";
  for (const char* name : {"n1", "n2", "n3"}) cluster.nodes.push_back(node_info(name, "p"));
  cluster.nodes[2].features = {"fat"};
  cluster.nodes[2].boards = 2;
  cluster.nodes[2].memory_reserved_mb = 4'000;
  cluster.nodes[2].cpus_effective = 14;
  cluster.partitions.push_back(std::move(partition));
  return cluster;
}

pricing::PartitionShape shape_of(const slurm::ClusterSnapshot& cluster) {
  return partition_shape(cluster, cluster.partitions.front());
}

TEST(PartitionShape, CountsNodesThatAreAlike) {
  const auto shape = shape_of(cluster_with(partition_info("p", true, {"n1", "n2", "n3"})));
  EXPECT_EQ(shape.cluster, "onprem");
  ASSERT_EQ(shape.nodes.size(), 2U);
  EXPECT_EQ(shape.nodes[0].count, 2);
  EXPECT_EQ(shape.nodes[0].cpus, 16);
  EXPECT_EQ(shape.nodes[0].memory_mb, 64'000);
  EXPECT_EQ(shape.nodes[1].count, 1);
  EXPECT_EQ(shape.nodes[1].cpus, 14);  // without the specialised core
  EXPECT_EQ(shape.nodes[1].memory_mb, 60'000);
  EXPECT_EQ(shape.nodes[1].sockets, 2);  // one on each board
  EXPECT_EQ(shape.nodes[1].features, std::vector<std::string>{"fat"});
  EXPECT_EQ(shape.recorded_gpu_types, std::vector<std::string>{"a100"});
}

TEST(PartitionShape, CountsNodesThatSlurmDoesNotShow) {
  auto cluster = cluster_with(partition_info("p", true, {"n1", "n2", "n3", "gone", "down"}));
  EXPECT_EQ(shape_of(cluster).hidden_nodes, 2);
  cluster.partitions.front().nodes = {"n1", "n2", "n3"};
  cluster.nodes[1].state = "FUTURE";  // known, but not there yet
  const auto shape = shape_of(cluster);
  EXPECT_EQ(shape.hidden_nodes, 0);
  ASSERT_EQ(shape.nodes.size(), 2U);
  EXPECT_EQ(shape.nodes[0].count, 1);
}

TEST(PartitionShape, HandsOutWhatTheSelectPluginDoes) {
  auto cluster = cluster_with(partition_info("p", true, {"n1"}));
  EXPECT_TRUE(shape_of(cluster).whole_cores && shape_of(cluster).memory_allocated);
  EXPECT_FALSE(shape_of(cluster).exclusive || shape_of(cluster).whole_sockets);
  cluster.select_type_parameters = "CR_CPU";
  EXPECT_FALSE(shape_of(cluster).whole_cores || shape_of(cluster).memory_allocated);
  cluster.partitions.front().select_type_parameters = "CR_SOCKET_MEMORY";
  EXPECT_TRUE(shape_of(cluster).whole_sockets && shape_of(cluster).memory_allocated);
  cluster.select_type = "select/linear";  // whole nodes, whatever the partition says
  EXPECT_TRUE(shape_of(cluster).exclusive);
  EXPECT_FALSE(shape_of(cluster).whole_sockets || shape_of(cluster).memory_allocated);
  cluster.select_type = "select/cons_res";
  cluster.partitions.front().over_subscribe = slurm::OverSubscribe::exclusive;
  EXPECT_TRUE(shape_of(cluster).exclusive);
}

TEST(PartitionShape, TakesTheClustersSettingsWhereItHasNone) {
  auto cluster = cluster_with(partition_info("p", true, {"n1"}));
  cluster.over_time_limit_minutes = 5;
  cluster.memory.default_per_cpu_mb = 1'000;
  cluster.memory.max_per_cpu_mb = 4'000;
  cluster.memory.default_per_gpu_mb = 8'000;
  cluster.memory.default_cpus_per_gpu = 4;
  const auto from_cluster = shape_of(cluster);
  EXPECT_EQ(from_cluster.over_time_limit, (pricing::TimeLimit{5, false}));
  EXPECT_EQ(from_cluster.default_memory_per_cpu_mb, 1'000);
  EXPECT_EQ(from_cluster.max_memory_per_cpu_mb, 4'000);
  EXPECT_EQ(from_cluster.default_memory_per_gpu_mb, 8'000);
  EXPECT_EQ(from_cluster.default_cpus_per_gpu, 4);
  slurm::PartitionInfo& partition = cluster.partitions.front();
  partition.over_time_limit_minutes = slurm::unlimited;
  partition.max_time_minutes = slurm::unlimited;
  partition.memory.default_per_node_mb = 9'000;
  partition.memory.max_per_node_mb = 50'000;
  const auto own = shape_of(cluster);
  EXPECT_EQ(own.over_time_limit, (pricing::TimeLimit{0, true}));
  EXPECT_EQ(own.max_time, std::nullopt);
  EXPECT_EQ(own.default_memory_per_cpu_mb, std::nullopt);
  EXPECT_EQ(own.default_memory_per_node_mb, 9'000);
  EXPECT_EQ(own.max_memory_per_cpu_mb, std::nullopt);
  EXPECT_EQ(own.max_memory_per_node_mb, 50'000);
}

}  // namespace
}  // namespace asbb::service
