// For tests: two small partitions, their prices, and short ways to ask for estimates.
#pragma once

#include <gtest/gtest.h>

#include "pricing/estimate.h"

namespace asbb::pricing {

// Two sockets of eight cores with two threads, 128000 MB, four A100.
inline NodeShape gpu_node() {
  return {4, 32, 2, 8, 2, 128'000, {{"a100", 4}}, {"a100", "nvme"}};
}

// One socket of 16 cores with one thread, 64000 MB.
inline NodeShape cpu_node() {
  return {10, 16, 1, 16, 1, 64'000, {}, {"intel"}};
}

inline PartitionShape gpu_partition() {
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

inline PartitionShape cpu_partition() {
  PartitionShape partition = gpu_partition();
  partition.name = "cpu-aws";
  partition.nodes = {cpu_node()};
  return partition;
}

inline Rate tres_rate(const std::string& partition) {
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

inline PriceBook book() {
  PriceBook book;
  book.version = 7;
  book.rates = {tres_rate("cpu-aws"), tres_rate("gpu-aws")};
  return book;
}

inline JobRequest one_task(std::int64_t minutes) {
  JobRequest request;
  request.num_tasks = 1;
  request.min_nodes = 1;
  request.max_nodes = 1;
  request.time_limit = TimeLimit{minutes, false};
  return request;
}

inline Estimate estimate_ok(const JobRequest& request,
                            const PartitionShape& partition = gpu_partition(),
                            const PriceBook& prices = book()) {
  auto result = estimate(request, {partition}, prices);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().sentence);
  return result ? *result : Estimate{};
}

inline Tres bound_of(const JobRequest& request, const PartitionShape& partition = gpu_partition()) {
  return estimate_ok(request, partition).bound;
}

inline EstimateRefusal refusal_of(const JobRequest& request, const PartitionShape& partition,
                                  const PriceBook& prices = book()) {
  const auto result = estimate(request, {partition}, prices);
  EXPECT_FALSE(result.has_value());
  return result ? EstimateRefusal::no_partition : result.error().code;
}

}  // namespace asbb::pricing
