#include "pricing/billing_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::pricing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Rate priced(std::int64_t core, std::int64_t gb) {
  Rate rate;
  rate.unit = "USD";
  rate.per_core_hour = Micros(core);
  rate.per_gb_hour = Micros(gb);
  return rate;
}

TEST(BillingWeights, AreTheRatesByAscaleThatMakesThemWhole) {
  const Rate core_hours = priced(1'000'000, 0);
  EXPECT_EQ(billing_scale({core_hours}), 1);
  EXPECT_EQ(billing_weights(core_hours, 1).text(), "CPU=1");
  const Rate dollars = priced(40'000, 2'000);
  EXPECT_EQ(billing_scale({dollars}), 10'000) << "a CPU is 400, so that a fraction is below 1 %";
  EXPECT_EQ(billing_weights(dollars, 10'000).text(), "CPU=400,Mem=20G");
  EXPECT_EQ(billing_scale({priced(1, 0)}), 1'000'000);
}

TEST(BillingWeights, OfANodeItIsTheNodeAlone) {
  Rate rate;
  rate.basis = Basis::node;
  rate.per_node_hour = Micros(32'770'000);
  rate.per_core_hour = Micros();
  const BillingWeights weights = billing_weights(rate, 100);
  EXPECT_EQ(weights.text(), "Node=3277");
  EXPECT_EQ(slurm_billing(weights, Tres{2, 5, 0, {}}, false), 6554);
  EXPECT_FALSE(weights.needs_max_tres);
}

TEST(BillingWeights, GpusByTypeAndOfOnePrice) {
  Rate rate = priced(50'000, 0);
  rate.per_gpu_hour = {{"*", Micros(1'100'000)}};
  EXPECT_EQ(billing_weights(rate, 100).text(), "CPU=5,GRES/gpu=110");
  rate.per_gpu_hour = {{"a100", Micros(3'060'000)}, {"v100", Micros(1'100'000)}};
  rate.per_node_hour = Micros(400'000);
  const BillingWeights weights = billing_weights(rate, 100);
  EXPECT_EQ(weights.text(), "Node=40,CPU=5,GRES/gpu:a100=306,GRES/gpu:v100=110");
  EXPECT_THAT(weights.notes, ElementsAre(HasSubstr("AccountingStorageTRES must list each")));
  const Tres tres{.nodes = 1, .cores = 2, .gpus_by_type = {{"a100", 1}}};
  EXPECT_EQ(slurm_billing(weights, tres, false), 356);
}

TEST(BillingWeights, TheFractionOfAJobIsCutOff) {
  const BillingWeights weights = billing_weights(priced(40'000, 2'000), 100);
  // 4 + 0.2 x 1.5 GB
  EXPECT_EQ(slurm_billing(weights, Tres{1, 1, 1536, {}}, false), 4);
  EXPECT_EQ(slurm_billing(weights, Tres{1, 1, 5120, {}}, false), 5);
}

TEST(BillingWeights, AShareNeedsMaxTres) {
  Rate rate;
  rate.basis = Basis::share;
  rate.per_node_hour = Micros(16'000'000);
  rate.node = NodeCapacity{.cores = 16, .memory_mb = 65'536, .gpus = 4};
  const BillingWeights weights = billing_weights(rate, 1);
  EXPECT_TRUE(weights.needs_max_tres);
  EXPECT_EQ(weights.text(), "CPU=1,Mem=0.25G,GRES/gpu=4");
  const Tres tres{.nodes = 1, .cores = 2, .memory_mb = 16'384, .gpus_by_type = {{"", 3}}};
  EXPECT_EQ(slurm_billing(weights, tres, true), 12);
  EXPECT_EQ(slurm_billing(weights, tres, false), 18) << "too much, without the flag";
}

TEST(BillingWeights, OfSeveralInstanceTypesTheDearestCounts) {
  Rate rate;
  rate.per_instance_hour = {{"c5.xlarge", Micros(170'000)}, {"c5.9xlarge", Micros(1'530'000)}};
  const BillingWeights weights = billing_weights(rate, 100);
  EXPECT_EQ(weights.text(), "Node=153");
  EXPECT_THAT(weights.notes, ElementsAre(HasSubstr("by instance type")));
}

TEST(BillingWeights, OfAPriceOfNothingThereAreNone) {
  EXPECT_THAT(billing_weights(Rate{}, 1).weights, IsEmpty());
  Rate free;
  free.free = true;
  EXPECT_EQ(billing_scale({free}), 1);
}

}  // namespace
}  // namespace asbb::pricing
