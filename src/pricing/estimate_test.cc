#include "pricing/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::pricing {
namespace {

using ::testing::HasSubstr;
using Gpus = std::map<std::string, std::int64_t>;

// Two sockets of eight cores with two threads, 128000 MB, four A100.
NodeShape gpu_node() {
  return {4, 32, 2, 8, 2, 128'000, {{"a100", 4}}, {"a100", "nvme"}};
}

// One socket of 16 cores with one thread, 64000 MB.
NodeShape cpu_node() {
  return {10, 16, 1, 16, 1, 64'000, {}, {"intel"}};
}

PartitionShape gpu_partition() {
  PartitionShape partition;
  partition.cluster = "onprem";
  partition.name = "gpu-aws";
  partition.default_time = TimeLimit{60, false};
  partition.max_time = TimeLimit{1440, false};
  partition.default_memory_per_cpu_mb = 2000;
  partition.nodes = {gpu_node()};
  partition.max_array_size = 1001;
  partition.recorded_gpu_types = {"a100", "v100"};
  return partition;
}

PartitionShape cpu_partition() {
  PartitionShape partition = gpu_partition();
  partition.name = "cpu-aws";
  partition.nodes = {cpu_node()};
  return partition;
}

Rate tres_rate(const std::string& partition) {
  Rate rate;
  rate.cluster = "onprem";
  rate.partition = partition;
  rate.unit = "USD";
  rate.per_node_hour = Micros(1'000'000);
  rate.per_core_hour = Micros(10'000);
  rate.per_gb_hour = Micros(1'000);
  rate.per_gpu_hour = {{"a100", Micros(3'000'000)}, {"v100", Micros(1'000'000)}};
  return rate;
}

PriceBook book() {
  PriceBook book;
  book.version = 7;
  book.rates = {tres_rate("cpu-aws"), tres_rate("gpu-aws")};
  return book;
}

JobRequest one_task(std::int64_t minutes) {
  JobRequest request;
  request.num_tasks = 1;
  request.min_nodes = 1;
  request.max_nodes = 1;
  request.time_limit = TimeLimit{minutes, false};
  return request;
}

Estimate estimate_ok(const JobRequest& request, const PartitionShape& partition = gpu_partition(),
                     const PriceBook& prices = book()) {
  auto result = estimate(request, {partition}, prices);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().sentence);
  return result ? *result : Estimate{};
}

Tres bound_of(const JobRequest& request, const PartitionShape& partition = gpu_partition()) {
  return estimate_ok(request, partition).bound;
}

EstimateRefusal refusal_of(const JobRequest& request, const PartitionShape& partition,
                           const PriceBook& prices = book()) {
  const auto result = estimate(request, {partition}, prices);
  EXPECT_FALSE(result.has_value());
  return result ? EstimateRefusal::no_partition : result.error().code;
}

TEST(Estimate, IsTheSumOfRatesForTheTime) {
  JobRequest request = one_task(90);
  request.cpus_per_task = 4;
  request.memory_per_node_mb = 8'192;
  request.tres_per_node = "gres:gpu:a100:2";
  const Estimate result = estimate_ok(request);
  EXPECT_EQ(result.bound, (Tres{1, 4, 8'192, {{"a100", 2}}}));
  // (1 + 4 x 0.01 + 8 x 0.001 + 2 x 3) x 1.5 h
  EXPECT_EQ(result.total, Micros(10'572'000));
  EXPECT_TRUE(result.priced);
  EXPECT_EQ(result.unit, "USD");
  EXPECT_EQ(result.price_version, 7);
  EXPECT_EQ(result.billed_seconds, 5'400);
  EXPECT_EQ(result.time_limit_minutes, 90);
  EXPECT_EQ(result.partition, "gpu-aws");
  EXPECT_EQ(result.cluster, "onprem");
}

TEST(Estimate, ExplainsItself) {
  JobRequest request = one_task(90);
  request.array = "1-10";
  const Estimate result = estimate_ok(request);
  std::string all;
  for (const std::string& line : result.lines) all += line + "\n";
  EXPECT_THAT(all, HasSubstr("price book 7"));
  EXPECT_THAT(all, HasSubstr("1 node x 1.00 + 2 CPUs x 0.01 + 4000 MB x 0.001 per GB USD"));
  EXPECT_THAT(all, HasSubstr("time limit 01:30:00, as asked"));
  EXPECT_THAT(all, HasSubstr("10 array tasks x $"));
  EXPECT_THAT(all, HasSubstr("at most " + to_display(result.total, "USD")));
}

TEST(Estimate, RoundsUpOnce) {
  PriceBook prices = book();
  prices.rates[1] = Rate{};
  prices.rates[1].cluster = "onprem";
  prices.rates[1].partition = "gpu-aws";
  prices.rates[1].unit = "USD";
  prices.rates[1].per_core_hour = Micros(1);
  JobRequest request = one_task(1);
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(1));
  request.array = "0-2";
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(3));
}

TEST(EstimateTime, FallsBackToDefaultThenMaximumThenRefuses) {
  JobRequest request = one_task(1);
  request.time_limit.reset();
  PartitionShape partition = gpu_partition();
  EXPECT_EQ(estimate_ok(request, partition).time_limit_minutes, 60);
  partition.default_time.reset();
  EXPECT_EQ(estimate_ok(request, partition).time_limit_minutes, 1440);
  partition.max_time.reset();
  EXPECT_EQ(refusal_of(request, partition), EstimateRefusal::no_time_limit);
  partition.max_time = TimeLimit{0, true};
  const auto refused = estimate(request, {partition}, book());
  EXPECT_THAT(refused.error().sentence, HasSubstr("--time"));
}

TEST(EstimateTime, RefusesWhatHasNoEnd) {
  JobRequest request = one_task(60);
  PartitionShape partition = gpu_partition();
  partition.over_time_limit = TimeLimit{0, true};
  EXPECT_EQ(refusal_of(request, partition), EstimateRefusal::unlimited_over_time_limit);
  request.time_limit = TimeLimit{0, true};
  EXPECT_EQ(refusal_of(request, gpu_partition()), EstimateRefusal::unlimited_time);
  for (const std::int64_t minutes : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    request.time_limit = TimeLimit{minutes, false};
    EXPECT_EQ(refusal_of(request, gpu_partition()), EstimateRefusal::bad_time_limit);
  }
}

TEST(EstimateTime, AddsOverTimeLimitAndTheMinimum) {
  PartitionShape partition = gpu_partition();
  partition.over_time_limit = TimeLimit{5, false};
  EXPECT_EQ(estimate_ok(one_task(60), partition).billed_seconds, 65 * 60);
  PriceBook prices = book();
  prices.rates[1].minimum_seconds = 600;
  EXPECT_EQ(estimate_ok(one_task(1), gpu_partition(), prices).billed_seconds, 600);
}

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
  EXPECT_EQ(bound_of(request, sockets).cores, 16);
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

TEST(EstimateBasis, NodeCountsNodesOnly) {
  PriceBook prices = book();
  Rate& rate = prices.rates[1];
  rate = Rate{};
  rate.cluster = "onprem";
  rate.partition = "gpu-aws";
  rate.unit = "USD";
  rate.basis = Basis::node;
  rate.per_node_hour = Micros(3'060'000);
  JobRequest request = one_task(60);
  request.max_nodes = 2;
  request.tres_per_node = "gres:gpu:4";
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(6'120'000));
}

TEST(EstimateBasis, ShareIsTheLargestPart) {
  PriceBook prices = book();
  Rate& rate = prices.rates[1];
  rate.basis = Basis::share;
  rate.per_node_hour = Micros();
  JobRequest request = one_task(60);
  request.cpus_per_task = 32;
  request.memory_per_node_mb = 1'024;
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(320'000));
  request.tres_per_node = "gres:gpu:1";
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(3'000'000));
  rate = tres_rate("gpu-aws");
  rate.basis = Basis::share;
  rate.node = NodeCapacity{32, 128'000, 4};
  request = one_task(60);
  request.cpus_per_task = 8;
  request.memory_per_node_mb = 64'000;
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(500'000));
  request.tres_per_node = "gres:gpu:3";
  EXPECT_EQ(estimate_ok(request, gpu_partition(), prices).total, Micros(750'000));
}

TEST(EstimatePartitions, OfAListTheDearestCounts) {
  PartitionShape unpriced = cpu_partition();
  unpriced.name = "free-for-all";
  JobRequest request = one_task(60);
  request.exclusive = true;
  const auto both = estimate(request, {cpu_partition(), unpriced, gpu_partition()}, book());
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->partition, "gpu-aws");
  const auto none = estimate(JobRequest{}, {unpriced}, book());
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->priced);
  EXPECT_TRUE(none->total.is_zero());
  EXPECT_EQ(estimate(request, {}, book()).error().code, EstimateRefusal::no_partition);
}

TEST(EstimatePartitions, OfDifferentUnitsAreRefused) {
  PriceBook prices = book();
  prices.rates[0].unit = "core-hours";
  const auto mixed = estimate(one_task(60), {cpu_partition(), gpu_partition()}, prices);
  ASSERT_FALSE(mixed.has_value());
  EXPECT_EQ(mixed.error().code, EstimateRefusal::mixed_units);
  EXPECT_THAT(mixed.error().sentence, HasSubstr("core-hours"));
}

TEST(EstimateRefuses, BadInputWithItsFieldAndValue) {
  JobRequest request = one_task(60);
  request.array = "1-";
  auto refused = estimate(request, {gpu_partition()}, book());
  EXPECT_EQ(refused.error().code, EstimateRefusal::bad_array);
  EXPECT_EQ(refused.error().field, "array");
  request = one_task(60);
  request.tres_per_task = "gpu:-1";
  refused = estimate(request, {gpu_partition()}, book());
  EXPECT_EQ(refused.error().code, EstimateRefusal::bad_tres);
  EXPECT_EQ(refused.error().field, "tres_per_task");
  request = one_task(60);
  request.cpus_per_task = -4;
  refused = estimate(request, {gpu_partition()}, book());
  EXPECT_EQ(refused.error().code, EstimateRefusal::bad_number);
  EXPECT_THAT(refused.error().sentence, HasSubstr("cpus_per_task is -4"));
  request.cpus_per_task = max_count + 1;
  EXPECT_EQ(refusal_of(request, gpu_partition()), EstimateRefusal::bad_number);
}

TEST(EstimateRefuses, WhatCannotBeCounted) {
  JobRequest request = one_task(max_time_limit_minutes);
  request.num_tasks = max_count;
  request.cpus_per_task = max_count;
  request.memory_per_cpu_mb = max_memory_mb;
  EXPECT_EQ(refusal_of(request, gpu_partition()), EstimateRefusal::too_large);
  request = one_task(max_time_limit_minutes);
  request.num_tasks = max_count;
  PriceBook prices = book();
  prices.rates[1].per_core_hour = max_rate;
  EXPECT_EQ(refusal_of(request, gpu_partition(), prices), EstimateRefusal::too_large);
}

TEST(Refusals, HaveStableCodes) {
  EXPECT_EQ(to_string(EstimateRefusal::no_time_limit), "no_time_limit");
  EXPECT_EQ(to_string(EstimateRefusal::mixed_units), "mixed_units");
  EXPECT_EQ(to_string(EstimateRefusal::too_large), "too_large");
}

TEST(HoldAmount, IsAPartRoundedUp) {
  EXPECT_EQ(hold_amount(Micros(10'000'000), default_hold_factor), Micros(12'000'000));
  EXPECT_EQ(hold_amount(Micros(1), default_hold_factor), Micros(2));
  EXPECT_EQ(hold_amount(Micros(), default_hold_factor), Micros());
  EXPECT_EQ(hold_amount(max_amount, Micros(1'000'000)), max_amount);
  EXPECT_EQ(hold_amount(max_amount, Micros(1'000'001)), std::nullopt);
  EXPECT_EQ(hold_amount(Micros(-1), default_hold_factor), std::nullopt);
  EXPECT_EQ(hold_amount(Micros(1), Micros(-1)), std::nullopt);
}

TEST(LongestFitting, IsTheLastMinuteThatFits) {
  JobRequest request = one_task(600);
  request.memory_per_node_mb = 1'024;
  request.cpus_per_task = 2;
  // 1.021 an hour, held at 120 %: 0.0204201 a minute, rounded up.
  const auto fits = [&](std::int64_t available) {
    return longest_fitting_minutes(request, {gpu_partition()}, book(), Micros(available),
                                   default_hold_factor);
  };
  EXPECT_EQ(fits(204'201), 10);
  EXPECT_EQ(fits(204'200), 9);
  EXPECT_EQ(fits(20'421), 1);
  EXPECT_EQ(fits(20'420), std::nullopt);
  EXPECT_EQ(fits(-5), std::nullopt);
  EXPECT_EQ(fits(max_amount.count()), 1440);  // MaxTime
  request.time_limit.reset();
  EXPECT_EQ(fits(204'201), 10);
  request.array = "x";
  EXPECT_EQ(fits(204'200), std::nullopt);
}

TEST(LongestFitting, CountsOverTimeLimitAndMinimum) {
  PartitionShape partition = gpu_partition();
  partition.over_time_limit = TimeLimit{5, false};
  JobRequest request = one_task(600);
  request.memory_per_node_mb = 1'024;
  request.cpus_per_task = 2;
  EXPECT_EQ(
      longest_fitting_minutes(request, {partition}, book(), Micros(204'201), default_hold_factor),
      5);
  PriceBook prices = book();
  prices.rates[1].minimum_seconds = 601;
  EXPECT_EQ(longest_fitting_minutes(request, {gpu_partition()}, prices, Micros(204'201),
                                    default_hold_factor),
            std::nullopt);
}

}  // namespace
}  // namespace asbb::pricing
