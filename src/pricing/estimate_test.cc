#include "pricing/estimate_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

namespace asbb::pricing {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_EQ(estimate(request, std::vector<PartitionShape>{}, book()).error().code,
            EstimateRefusal::no_partition);
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

// Powered-down cloud nodes are hidden without PrivateData=cloud: jobs were priced for those that
// happened to be up.
TEST(Estimate, RefusesAPartitionWhoseNodesAreNotAllShown) {
  PartitionShape partition = gpu_partition();
  partition.hidden_nodes = 3;
  const auto result = estimate(one_task(60), {cpu_partition(), partition}, book());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, EstimateRefusal::hidden_nodes);
  EXPECT_THAT(result.error().sentence, HasSubstr("does not show 3 nodes of partition gpu-aws"));
  EXPECT_THAT(result.error().sentence, HasSubstr("PrivateData=cloud"));
  partition.name = "free";
  EXPECT_TRUE(estimate(one_task(60), {cpu_partition(), partition}, book()).has_value());
}

// Four nodes of 4 CPUs at 0.20 and two of 72 CPUs at 3.00, named by their features.
PartitionShape burst_partition() {
  PartitionShape partition = cpu_partition();
  partition.name = "burst";
  partition.nodes = {{4, 4, 1, 4, 1, 8'000, {}, {"c5.xlarge", "dynamic"}},
                     {2, 72, 2, 36, 1, 144'000, {}, {"c5.18xlarge", "dynamic"}}};
  return partition;
}

PriceBook instance_book() {
  Rate rate;
  rate.cluster = "onprem";
  rate.partition = "burst";
  rate.unit = "USD";
  rate.basis = Basis::node;
  rate.per_instance_hour = {{"c5.xlarge", Micros(200'000)}, {"c5.18xlarge", Micros(3'000'000)}};
  PriceBook book;
  book.version = 7;
  book.rates = {rate};
  return book;
}

Estimate burst_estimate(const JobRequest& request) {
  return estimate_ok(request, burst_partition(), instance_book());
}

TEST(InstanceTypes, TheDearestThatTheRequestAllowsCounts) {
  JobRequest request = one_task(60);
  const Estimate open = burst_estimate(request);
  EXPECT_EQ(open.total, Micros(3'000'000));
  EXPECT_EQ(open.bound.nodes_by_type, (std::map<std::string, std::int64_t>{{"c5.18xlarge", 1}}));
  request.features = "c5.xlarge";
  EXPECT_EQ(burst_estimate(request).total, Micros(200'000));
  request.features = "c5.xlarge|c5.18xlarge";
  EXPECT_EQ(burst_estimate(request).total, Micros(3'000'000));
  request.features = "dynamic";
  EXPECT_EQ(burst_estimate(request).total, Micros(3'000'000));
  request.features = "";
  request.cpus_per_task = 8;  // more than a c5.xlarge has
  EXPECT_EQ(burst_estimate(request).total, Micros(3'000'000));
}

TEST(InstanceTypes, OfSeveralNodesTheDearestAreCountedFirst) {
  JobRequest request = one_task(60);
  request.num_tasks = request.min_nodes = request.max_nodes = 5;
  const Estimate five = burst_estimate(request);
  EXPECT_EQ(five.total, Micros(6'600'000));
  EXPECT_EQ(to_string(five.bound), "5 nodes (2 c5.18xlarge, 3 c5.xlarge), 5 CPUs, 10000 MB");
  request.exclusive = true;
  EXPECT_EQ(burst_estimate(request).total, Micros(6'600'000));
}

TEST(InstanceTypes, TheLinesSayWhichTypesCanBeMetAndWhatEachCosts) {
  JobRequest request = one_task(60);
  request.num_tasks = request.min_nodes = request.max_nodes = 3;
  const auto lines = burst_estimate(request).lines;
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("an hour: 2 nodes c5.18xlarge x 3.00 + 1 node c5.xlarge x 0.20 USD"));
  EXPECT_TRUE(
      has("the nodes may be c5.18xlarge, c5.xlarge: the dearest count; --constraint names one"));
  request.features = "c5.xlarge";
  EXPECT_EQ(burst_estimate(request).lines.at(2), "an hour: 3 nodes c5.xlarge x 0.20 USD");
}

TEST(InstanceTypes, ANodeWithoutAListedTypeCostsWhatTheBookSaysOfOthers) {
  PartitionShape partition = burst_partition();
  partition.nodes[1].features = {"bare"};
  PriceBook prices = instance_book();
  EXPECT_EQ(estimate_ok(one_task(60), partition, prices).total, Micros(3'000'000));
  prices.rates[0].per_instance_hour["*"] = Micros(400'000);
  const Estimate other = estimate_ok(one_task(60), partition, prices);
  EXPECT_EQ(other.total, Micros(400'000));
  EXPECT_EQ(to_string(other.bound), "1 node, 1 CPU, 2000 MB");
}

TEST(InstanceTypes, AddToWhatElseIsPriced) {
  PriceBook prices = instance_book();
  prices.rates[0].basis = Basis::tres;
  prices.rates[0].per_core_hour = Micros(10'000);
  JobRequest request = one_task(60);
  request.exclusive = true;
  EXPECT_EQ(estimate_ok(request, burst_partition(), prices).total, Micros(3'720'000));
  request.features = "c5.xlarge";
  EXPECT_EQ(estimate_ok(request, burst_partition(), prices).total, Micros(240'000));
}

}  // namespace
}  // namespace asbb::pricing
