#include "pricing/charge.h"

#include <gtest/gtest.h>

namespace asbb::pricing {
namespace {

PriceBook book() {
  Rate rate;
  rate.cluster = "onprem";
  rate.partition = "gpu-aws";
  rate.unit = "USD";
  rate.per_node_hour = Micros(1'200'000);
  rate.per_core_hour = Micros(50'000);
  rate.per_gb_hour = Micros(4'000);
  rate.per_gpu_hour = {{"*", Micros(2'000'000)}, {"a100", Micros(2'500'000)}};
  rate.minimum_seconds = 60;
  Rate free;
  free.partition = "debug";
  free.free = true;
  PriceBook book;
  book.version = 3;
  book.rates = {free, rate};
  return book;
}

Usage usage(std::int64_t elapsed) {
  return {*parse_allocated_tres("cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=8G,node=1"), 1, elapsed,
          true};
}

Charge charge_ok(const Usage& of, const char* partition = "gpu-aws") {
  const auto result = charge(book(), "onprem", partition, of);
  EXPECT_TRUE(result.has_value());
  return result ? *result : Charge{};
}

TEST(Charge, IsTheSumOfRatesForTheTimeItRan) {
  const Charge result = charge_ok(usage(5'400));
  // (1.2 + 4 x 0.05 + 8 x 0.004 + 2 x 2.5) x 1.5 h
  EXPECT_EQ(result.amount, Micros(9'648'000));
  EXPECT_TRUE(result.priced);
  EXPECT_EQ(result.unit, "USD");
  EXPECT_EQ(result.price_version, 3);
  EXPECT_EQ(result.billed_seconds, 5'400);
}

TEST(Charge, HasAMinimumOnceTheJobStarted) {
  EXPECT_EQ(charge_ok(usage(1)).amount, charge_ok(usage(60)).amount);
  EXPECT_EQ(charge_ok(usage(0)).billed_seconds, 60);
  EXPECT_GT(charge_ok(usage(61)).amount, charge_ok(usage(60)).amount);
  Usage never = usage(0);
  never.started = false;
  EXPECT_TRUE(charge_ok(never).amount.is_zero());
  EXPECT_TRUE(charge_ok(never).priced);
}

TEST(Charge, RoundsHalfEvenOnce) {
  PriceBook prices = book();
  Rate& rate = prices.rates[1];
  rate = Rate{};
  rate.cluster = "onprem";
  rate.partition = "gpu-aws";
  rate.unit = "USD";
  rate.per_core_hour = Micros(1);
  const auto millionths = [&](std::int64_t cores, std::int64_t elapsed) {
    return charge(prices, "onprem", "gpu-aws", {Tres{1, cores, 0, {}}, 1, elapsed, true})
        ->amount.count();
  };
  EXPECT_EQ(millionths(1, 1'800), 0);  // half: to the even 0
  EXPECT_EQ(millionths(3, 1'800), 2);  // one and a half: to the even 2
  EXPECT_EQ(millionths(5, 1'800), 2);
  EXPECT_EQ(millionths(1, 1'801), 1);
  EXPECT_EQ(millionths(1, 1'799), 0);
}

TEST(Charge, OfAPartitionWithoutPriceIsNothing) {
  EXPECT_FALSE(charge_ok(usage(5'400), "debug").priced);
  EXPECT_TRUE(charge_ok(usage(5'400), "cpu").amount.is_zero());
}

TEST(Charge, TakesTheNodeCountWhereTheTresHaveNone) {
  Usage of = usage(3'600);
  of.allocated = Tres{0, 0, 0, {}};
  of.node_count = 2;
  EXPECT_EQ(charge_ok(of).amount, Micros(2'400'000));
}

// 1 and 10 an hour, 0.5 for any other type where `others` says so.
PriceBook instance_book(bool others) {
  Rate rate;
  rate.cluster = "cloud";
  rate.partition = "burst";
  rate.unit = "USD";
  rate.basis = Basis::node;
  rate.per_instance_hour = {{"small", Micros(1'000'000)}, {"large", Micros(10'000'000)}};
  if (others) rate.per_instance_hour["*"] = Micros(500'000);
  PriceBook book;
  book.version = 3;
  book.rates = {rate};
  return book;
}

Charge an_hour_on(std::int64_t node_count, std::vector<UsedNode> nodes, bool others = false) {
  Usage of{Tres{node_count, 4, 0, {}}, node_count, 3'600, true, std::move(nodes)};
  const auto result = charge(instance_book(others), "cloud", "burst", of);
  EXPECT_TRUE(result.has_value());
  return result ? *result : Charge{};
}

UsedNode known(const char* name, std::vector<std::string> features) {
  return {name, true, std::move(features), 1};
}

TEST(Charge, IsByTheInstanceTypesOfTheNodesItRanOn) {
  const Charge one = an_hour_on(1, {known("n1", {"dynamic", "small"})});
  EXPECT_EQ(one.amount, Micros(1'000'000));
  EXPECT_TRUE(one.unknown_nodes.empty());
  EXPECT_EQ(one.lines.front(), "an hour: 1 node small x 1.00 USD");
  const Charge three = an_hour_on(
      3, {known("n1", {"small"}), known("n2", {"large"}), known("n3", {"small", "efa"})});
  EXPECT_EQ(three.amount, Micros(12'000'000));
  EXPECT_EQ(three.lines.front(), "an hour: 1 node large x 10.00 + 2 nodes small x 1.00 USD");
}

TEST(Charge, OfANodeThatSlurmHasForgottenIsTheDearestAndSaysSo) {
  for (const bool others : {false, true}) {
    const Charge gone =
        an_hour_on(2, {known("n1", {"small"}), UsedNode{"n2", false, {}, 1}}, others);
    EXPECT_EQ(gone.amount, Micros(11'000'000));
    EXPECT_EQ(gone.unknown_nodes, std::vector<std::string>{"n2"});
    EXPECT_EQ(gone.lines.front(), "nodes of unknown instance type, charged as the dearest: n2");
  }
}

TEST(Charge, OfANodeWithoutAListedTypeIsWhatTheBookSaysOfOthers) {
  const Charge listed = an_hour_on(1, {known("n1", {"arm"})}, true);
  EXPECT_EQ(listed.amount, Micros(500'000));
  EXPECT_TRUE(listed.unknown_nodes.empty());
  const Charge unlisted = an_hour_on(1, {known("n1", {"arm"})}, false);
  EXPECT_EQ(unlisted.amount, Micros(10'000'000));
  EXPECT_EQ(unlisted.unknown_nodes, std::vector<std::string>{"n1"});
}

TEST(Charge, OfNodesAndNamesThatDoNotAgreeIsNeverTooLittle) {
  const Charge nameless = an_hour_on(3, {known("n1", {"small"})});
  EXPECT_EQ(nameless.amount, Micros(21'000'000));
  EXPECT_EQ(nameless.unknown_nodes, std::vector<std::string>{"2 without a name"});
  EXPECT_EQ(an_hour_on(2, {}).amount, Micros(20'000'000));
  // Of more names than nodes the dearest count.
  const Charge fewer = an_hour_on(1, {known("n1", {"small"}), known("n2", {"large"})});
  EXPECT_EQ(fewer.amount, Micros(10'000'000));
  EXPECT_TRUE(fewer.unknown_nodes.empty());
}

TEST(Charge, RefusesWhatCannotBe) {
  EXPECT_FALSE(charge(book(), "onprem", "gpu-aws", usage(-1)).has_value());
  EXPECT_FALSE(charge(book(), "onprem", "gpu-aws", usage(INT64_MAX)).has_value());
  Usage of = usage(60);
  of.allocated.cores = -1;
  EXPECT_FALSE(charge(book(), "onprem", "gpu-aws", of).has_value());
  PriceBook prices = book();
  prices.rates[1].per_core_hour = max_rate;
  of = usage(100'000'000'000);
  of.allocated.cores = max_count;
  EXPECT_FALSE(charge(prices, "onprem", "gpu-aws", of).has_value());
}

}  // namespace
}  // namespace asbb::pricing
