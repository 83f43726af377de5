#include "pricing/estimate_fixture.h"

namespace asbb::pricing {
namespace {

using Gpus = std::map<std::string, std::int64_t>;

TEST(EstimateNodes, TakesTheMostOfARange) {
  JobRequest request = one_task(60);
  request.num_tasks = 2;
  request.min_nodes = 2;
  request.max_nodes = 4;
  EXPECT_EQ(bound_of(request).nodes, 4);
  EXPECT_EQ(bound_of(request).cores, 8);  // a core, two threads, on each
  request.ntasks_per_node = 3;
  EXPECT_EQ(bound_of(request).cores, 16);
  request.max_nodes = 400;  // the partition has 4
  EXPECT_EQ(bound_of(request).nodes, 4);
}

TEST(EstimateNodes, SpreadsTasksWhenNoMaximumIsGiven) {
  JobRequest request = one_task(60);
  request.max_nodes.reset();
  EXPECT_EQ(bound_of(request).nodes, 1);
  request.num_tasks = 3;
  EXPECT_EQ(bound_of(request).nodes, 3);
  request.num_tasks = 30;
  EXPECT_EQ(bound_of(request).nodes, 4);
  request.ntasks_per_node = 15;
  EXPECT_EQ(bound_of(request).nodes, 2);
  PartitionShape partition = gpu_partition();
  partition.max_nodes = 3;
  request.ntasks_per_node.reset();
  EXPECT_EQ(bound_of(request, partition).nodes, 3);
  partition.min_nodes = 2;
  EXPECT_EQ(bound_of(one_task(60), partition).nodes, 2);
  request = one_task(60);
  request.max_nodes.reset();
  request.required_nodes = 3;
  EXPECT_EQ(bound_of(request).nodes, 3);
}

TEST(EstimateNodes, GivesAtLeastTheNodesThatAConstraintCounts) {
  JobRequest request = one_task(60);
  request.max_nodes.reset();
  request.features = "a100*2";
  EXPECT_EQ(bound_of(request).nodes, 2);
  EXPECT_EQ(bound_of(request).cores, 4);
  request.features = "[a100*1&nvme*2]";
  EXPECT_EQ(bound_of(request).nodes, 3);
  request.max_nodes = 1;
  EXPECT_EQ(bound_of(request).nodes, 3);
  request.max_nodes.reset();
  request.exclusive = true;  // the counted ones, and one that the task fits on
  EXPECT_EQ(bound_of(request).nodes, 4);
}

TEST(EstimateNodes, SpreadsOverAsManyAsItCan) {
  JobRequest request = one_task(60);
  request.max_nodes.reset();
  request.num_tasks = 3;
  request.exclusive = true;
  EXPECT_EQ(bound_of(request).nodes, 1);
  request.spread_job = true;
  EXPECT_EQ(bound_of(request).nodes, 3);
}

TEST(EstimateCpus, AreTasksTimesCpusPerTaskInWholeCores) {
  JobRequest request = one_task(60);
  request.num_tasks = 5;
  EXPECT_EQ(bound_of(request).cores, 6);
  request.cpus_per_task = 3;
  EXPECT_EQ(bound_of(request).cores, 20);
  PartitionShape threads = gpu_partition();
  threads.whole_cores = false;
  EXPECT_EQ(bound_of(request, threads).cores, 15);
  PartitionShape sockets = gpu_partition();
  sockets.whole_sockets = true;
  request.cpus_per_task = 1;
  EXPECT_EQ(bound_of(request, sockets).cores, 32);  // tasks go round the sockets
  EXPECT_EQ(bound_of(request, cpu_partition()).cores, 5);
}

TEST(EstimateCpus, FollowThreadsAndTasksPerCore) {
  JobRequest request = one_task(60);
  request.num_tasks = 8;
  EXPECT_EQ(bound_of(request).cores, 8);
  request.threads_per_core = 1;
  EXPECT_EQ(bound_of(request).cores, 16);
  request.threads_per_core.reset();
  request.ntasks_per_core = 1;
  EXPECT_EQ(bound_of(request).cores, 16);
  request.ntasks_per_core.reset();
  PartitionShape partition = gpu_partition();
  partition.one_task_per_core = true;
  EXPECT_EQ(bound_of(request, partition).cores, 16);
}

TEST(EstimateCpus, RespectEveryOtherWayToAsk) {
  JobRequest request = one_task(60);
  request.min_cpus = 12;
  EXPECT_EQ(bound_of(request).cores, 12);
  request.max_cpus = 14;
  EXPECT_EQ(bound_of(request).cores, 14);
  request = one_task(60);
  request.min_cpus_per_node = 10;
  EXPECT_EQ(bound_of(request).cores, 10);
  request = one_task(60);
  request.tres_per_job = "gres:gpu:4";
  request.cpus_per_tres = "gres:gpu:6";
  EXPECT_EQ(bound_of(request).cores, 24);
  request.cpus_per_tres.clear();
  PartitionShape partition = gpu_partition();
  partition.default_cpus_per_gpu = 5;
  EXPECT_EQ(bound_of(request, partition).cores, 20);
  request = one_task(60);
  request.overcommit = true;
  EXPECT_EQ(bound_of(request).cores, 32);
}

TEST(EstimateCpus, GrowWithMemoryBeyondMaxMemPerCpu) {
  PartitionShape partition = gpu_partition();
  partition.max_memory_per_cpu_mb = 4'000;
  JobRequest request = one_task(60);
  request.num_tasks = 2;
  request.memory_per_cpu_mb = 9'000;  // three CPUs of 3000 MB for each task
  EXPECT_EQ(bound_of(request, partition), (Tres{1, 8, 24'000, {}}));
  request.memory_per_cpu_mb.reset();
  request.memory_per_node_mb = 40'000;
  EXPECT_EQ(bound_of(request, partition), (Tres{1, 10, 40'000, {}}));
}

TEST(EstimateMemory, TakesEachFormAndEachDefault) {
  JobRequest request = one_task(60);
  request.num_tasks = 4;
  request.max_nodes = 2;
  request.min_nodes = 2;
  request.memory_per_node_mb = 3'000;
  EXPECT_EQ(bound_of(request).memory_mb, 6'000);
  request.memory_per_node_mb = 0;
  EXPECT_EQ(bound_of(request).memory_mb, 256'000);
  request.memory_per_node_mb.reset();
  request.memory_per_cpu_mb = 500;
  EXPECT_EQ(bound_of(request).memory_mb, 500 * bound_of(request).cores);
  request.memory_per_cpu_mb.reset();
  EXPECT_EQ(bound_of(request).memory_mb, 2'000 * bound_of(request).cores);
  PartitionShape partition = gpu_partition();
  partition.default_memory_per_cpu_mb.reset();
  partition.default_memory_per_node_mb = 7'000;
  EXPECT_EQ(bound_of(request, partition).memory_mb, 14'000);
  partition.default_memory_per_node_mb.reset();
  EXPECT_EQ(bound_of(request, partition).memory_mb, 256'000);
  partition.memory_allocated = false;
  EXPECT_EQ(bound_of(request, partition).memory_mb, 0);
}

TEST(EstimateMemory, CanGoByGpu) {
  JobRequest request = one_task(60);
  request.tres_per_node = "gres:gpu:3";
  request.mem_per_tres = "gres:gpu:10000";
  EXPECT_EQ(bound_of(request).memory_mb, 30'000);
  request.mem_per_tres.clear();
  PartitionShape partition = gpu_partition();
  partition.default_memory_per_gpu_mb = 20'000;
  EXPECT_EQ(bound_of(request, partition).memory_mb, 60'000);
  request.memory_per_node_mb = 1'000;
  EXPECT_EQ(bound_of(request, partition).memory_mb, 1'000);
}

// Seen on Slurm 22.05: --exclusive --gpus=v100:1,a100:1 --mem-per-gpu=4G got 32 GB on a node with
// two of each.
TEST(EstimateMemory, ByGpuOnWholeNodesCountsOnceForEachTypeNamed) {
  PartitionShape partition = gpu_partition();
  partition.nodes.front().gpus_by_type = {{"a100", 2}, {"v100", 2}};
  JobRequest request = one_task(60);
  request.exclusive = true;
  request.tres_per_job = "gres:gpu:v100:1,gres:gpu:a100:1";
  request.mem_per_tres = "gres:gpu:4096";
  EXPECT_EQ(bound_of(request, partition).memory_mb, 32'768);
  request.tres_per_job = "gres:gpu:2";
  EXPECT_EQ(bound_of(request, partition).memory_mb, 16'384);
}

TEST(EstimateGpus, CountEveryForm) {
  JobRequest request = one_task(60);
  request.num_tasks = 6;
  request.min_nodes = 2;
  request.max_nodes = 2;
  const auto gpus = [&] { return bound_of(request).gpus_by_type; };
  request.tres_per_job = "gres:gpu:a100:5";
  EXPECT_EQ(gpus(), (Gpus{{"a100", 5}}));
  request.tres_per_node = "gres:gpu:a100:4";
  EXPECT_EQ(gpus(), (Gpus{{"a100", 8}}));
  request = one_task(60);
  request.tres_per_socket = "gres:gpu:a100:2";
  EXPECT_EQ(gpus(), (Gpus{{"a100", 4}}));
  request = one_task(60);
  request.num_tasks = 3;
  request.tres_per_task = "gres/gpu:1";
  EXPECT_EQ(gpus(), (Gpus{{"a100", 3}}));
  request = one_task(60);
  request.num_tasks = 4;
  request.ntasks_per_tres = 2;
  EXPECT_EQ(gpus(), (Gpus{{"a100", 2}}));
  request.tres_per_job = "gres:gpu:3";  // three GPUs with two tasks each
  EXPECT_EQ(bound_of(request).cores, 6);
}

TEST(EstimateGpus, OfEachSocketAreNoMoreThanTheNodeHas) {
  PartitionShape partition = gpu_partition();
  partition.nodes.front().sockets = 32;
  JobRequest request = one_task(60);
  request.tres_per_socket = "gres:gpu:a100:2";
  EXPECT_EQ(bound_of(request, partition).gpus_by_type, (Gpus{{"a100", 4}}));
}

// Seen on Slurm 22.05: 32 CPUs for one task with two GPUs, on a node whose GPUs belong to no
// socket.
TEST(EstimateGpus, BoundToCoresTakeACoreOfEverySocket) {
  PartitionShape partition = gpu_partition();
  partition.nodes.front().sockets = 8;
  partition.nodes.front().cores_per_socket = 2;
  JobRequest request = one_task(60);
  request.tres_per_node = "gres:gpu:a100:1";
  EXPECT_EQ(bound_of(request, partition).cores, 2);
  request.enforce_binding = true;
  EXPECT_EQ(bound_of(request, partition).cores, 16);
  request.tres_per_node.clear();
  EXPECT_EQ(bound_of(request, partition).cores, 2);
}

TEST(EstimateGpus, WithoutATypeAreTheDearestOfThePartition) {
  PartitionShape partition = gpu_partition();
  NodeShape other = gpu_node();
  other.gpus_by_type = {{"v100", 4}};
  partition.nodes.push_back(other);
  JobRequest request = one_task(60);
  request.tres_per_node = "gres:gpu:2";
  EXPECT_EQ(bound_of(request, partition).gpus_by_type, (Gpus{{"a100", 2}}));
  request.tres_per_node = "gres:gpu:v100:2";
  EXPECT_EQ(bound_of(request, partition).gpus_by_type, (Gpus{{"v100", 2}}));
}

TEST(EstimateGpus, OfATypeThatSlurmDoesNotRecordCoverTheChargeWithoutType) {
  PartitionShape partition = gpu_partition();
  partition.nodes.front().gpus_by_type = {{"v100", 4}};
  partition.recorded_gpu_types.clear();
  JobRequest request = one_task(60);
  request.tres_per_node = "gres:gpu:v100:2";
  EXPECT_EQ(bound_of(request, partition).gpus_by_type, (Gpus{{"", 2}}));
}

// Seen on Slurm 22.05 with a list of partitions, one of which has DefMemPerGPU: in the other one
// the job got all memory of its node.
TEST(EstimateLists, KeepWhatSlurmTookFromAnotherPartitionOfTheList) {
  JobRequest request = one_task(60);
  request.tres_per_node = "gres:gpu:a100:1";
  EXPECT_EQ(bound_of(request), (Tres{1, 2, 4'000, {{"a100", 1}}}));
  request.listed = {{"onprem", {}, 3'000, {}}};
  EXPECT_EQ(bound_of(request), (Tres{1, 2, 128'000, {{"a100", 1}}}));
  request.listed = {{"cloud", 5, 3'000, 1'000}};  // tried there as a job of its own
  EXPECT_EQ(bound_of(request), (Tres{1, 2, 4'000, {{"a100", 1}}}));
  request.listed = {{"onprem", 5, {}, {}}};
  EXPECT_EQ(bound_of(request).cores, 6);
  request.listed = {{"onprem", {}, {}, 1'000}};
  request.memory_per_cpu_mb = 4'000;  // four CPUs each, and still 4000 MB for each of them
  EXPECT_EQ(bound_of(request), (Tres{1, 4, 16'000, {{"a100", 1}}}));
}

TEST(EstimateWholeNodes, TakeAllThatTheDearestNodesHave) {
  JobRequest request = one_task(60);
  request.exclusive = true;
  request.memory_per_node_mb = 1'000;
  EXPECT_EQ(bound_of(request), (Tres{1, 32, 1'000, {{"a100", 4}}}));
  request.exclusive = false;
  PartitionShape partition = gpu_partition();
  partition.exclusive = true;
  partition.nodes.push_back(cpu_node());
  EXPECT_EQ(bound_of(request, partition), (Tres{1, 32, 1'000, {{"a100", 4}}}));
  request.features = "intel";
  EXPECT_EQ(bound_of(request, partition), (Tres{1, 16, 1'000, {}}));
  request.features.clear();
  request.max_nodes = 6;  // four with GPUs, two without
  EXPECT_EQ(bound_of(request, partition), (Tres{6, 160, 6'000, {{"a100", 16}}}));
}

TEST(EstimateWholeNodes, NeedNoMoreThanTheJobFills) {
  PartitionShape partition = cpu_partition();
  partition.exclusive = true;
  JobRequest request = one_task(60);
  request.max_nodes.reset();
  request.num_tasks = 33;
  EXPECT_EQ(bound_of(request, partition).nodes, 3);
  request.cpus_per_task = 3;  // five on a node
  EXPECT_EQ(bound_of(request, partition).nodes, 7);
  request.num_tasks = 4;
  request.cpus_per_task = 1;
  request.memory_per_cpu_mb = 30'000;  // two on a node
  EXPECT_EQ(bound_of(request, partition).nodes, 2);
  request.spread_job = true;
  EXPECT_EQ(bound_of(request, partition).nodes, 4);
  request = one_task(60);
  request.max_nodes.reset();
  request.num_tasks = 33;
  partition.nodes.push_back(gpu_node());  // 32 CPUs; the smaller nodes may come first
  EXPECT_EQ(bound_of(request, partition).nodes, 3);
  partition = gpu_partition();
  partition.exclusive = true;
  request = one_task(60);
  request.max_nodes.reset();
  request.tres_per_job = "gres:gpu:9";
  EXPECT_EQ(bound_of(request, partition).nodes, 3);
  request = one_task(60);
  request.core_spec = 2;
  EXPECT_EQ(bound_of(request).cores, 32);
}

TEST(EstimateFeatures, NarrowTheNodesOnlyWhereThatIsSafe) {
  PartitionShape partition = gpu_partition();
  partition.nodes.push_back(cpu_node());
  partition.exclusive = true;
  const auto gpus = [&](const char* features) {
    JobRequest request = one_task(60);
    request.max_nodes = 2;
    request.features = features;
    return bound_of(request, partition).gpus();
  };
  EXPECT_EQ(gpus("intel"), 0);
  EXPECT_EQ(gpus("a100&nvme"), 8);
  EXPECT_EQ(gpus("a100,nvme"), 8);
  EXPECT_EQ(gpus("intel|a100"), 8);
  EXPECT_EQ(gpus("[intel|nvme]"), 8);
  EXPECT_EQ(gpus("[intel*1&nvme*1]"), 8);
  EXPECT_EQ(gpus("intel*1"), 8);
  EXPECT_EQ(gpus("!intel"), 8);
  EXPECT_EQ(gpus("(intel|nvme)&a100"), 8);
  JobRequest request = one_task(60);
  request.features = "intel&a100";
  EXPECT_EQ(refusal_of(request, partition), EstimateRefusal::no_such_node);
  partition.nodes.clear();
  EXPECT_EQ(refusal_of(one_task(60), partition), EstimateRefusal::no_such_node);
}

}  // namespace
}  // namespace asbb::pricing
