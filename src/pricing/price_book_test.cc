#include "pricing/price_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::pricing {
namespace {

using ::testing::HasSubstr;

const PriceBookDefaults defaults{Instant::from_unix_seconds(1'000), "UTC"};

PriceBook parse_ok(const std::string& text) {
  auto book = parse_price_book(text, "prices.yaml", defaults);
  EXPECT_TRUE(book.has_value()) << (book ? "" : book.error().message);
  return book ? *book : PriceBook{};
}

std::string problems_of(const std::string& text) {
  const auto book = parse_price_book(text, "prices.yaml", defaults);
  return book ? "" : book.error().message;
}

const std::string gpu_aws = R"(
prices:
  - cluster: OnPrem
    partition: gpu-aws
    unit: USD
    basis: tres
    per_node_hour: 1.20
    per_core_hour: "0.05"
    per_gpu_hour: {A100: 2.50, "*": 2.00}
    per_gb_hour: 0.004
    minimum_seconds: 60
  - cluster: onprem
    partition: debug
    free: true
)";

TEST(PriceBookText, ReadsRatesExactly) {
  const PriceBook book = parse_ok(gpu_aws);
  EXPECT_EQ(book.version, 0);
  EXPECT_EQ(book.effective_from, defaults.effective_from);
  const Rate* rate = book.find_priced("onprem", "gpu-aws");
  ASSERT_NE(rate, nullptr);
  EXPECT_EQ(rate->per_node_hour, Micros(1'200'000));
  EXPECT_EQ(rate->per_core_hour, Micros(50'000));
  EXPECT_EQ(rate->per_gb_hour, Micros(4'000));
  EXPECT_EQ(rate->minimum_seconds, 60);
  EXPECT_EQ(rate->gpu_hour("a100"), Micros(2'500'000));
  EXPECT_EQ(rate->gpu_hour("v100"), Micros(2'000'000));
  EXPECT_EQ(rate->gpu_hour(""), Micros(2'000'000));
}

TEST(PriceBookText, TellsFreeAndUnlistedPartitionsFromPricedOnes) {
  const PriceBook book = parse_ok(gpu_aws);
  ASSERT_NE(book.find("onprem", "debug"), nullptr);
  EXPECT_EQ(book.find_priced("onprem", "debug"), nullptr);
  EXPECT_EQ(book.find("onprem", "cpu"), nullptr);
  EXPECT_EQ(book.find("cloud", "gpu-aws"), nullptr);
}

TEST(PriceBookText, TakesADayInAZoneOrAMoment) {
  const std::string rest = "\nprices: []\n";
  EXPECT_EQ(to_rfc3339(parse_ok("effective_from: 2025-01-01" + rest).effective_from),
            "2025-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(parse_ok("effective_from: 2025-01-01T12:00:00+01:00" + rest).effective_from),
            "2025-01-01T11:00:00Z");
  const auto paris = parse_price_book("effective_from: 2025-01-01" + rest, "p",
                                      PriceBookDefaults{{}, "Europe/Paris"});
  EXPECT_EQ(to_rfc3339(paris->effective_from), "2024-12-31T23:00:00Z");
}

TEST(PriceBookText, AGpuTypeThatIsNotListedIsNeverTooCheap) {
  const PriceBook book = parse_ok(
      "prices: [{cluster: c, partition: p, unit: USD, per_gpu_hour: {a100: 2.5, v100: 1}}]");
  EXPECT_EQ(book.rates.front().gpu_hour("h100"), Micros(2'500'000));
  EXPECT_EQ(book.rates.front().gpu_hour(""), Micros(2'500'000));
}

TEST(PriceBookText, ReadsRatesPerInstanceType) {
  const PriceBook book = parse_ok(R"(
prices:
  - cluster: cloud
    partition: burst
    unit: USD
    basis: node
    per_node_hour: {c5.xlarge: 0.17, c5.18xlarge: "3.06", "*": 0.50}
  - cluster: cloud
    partition: fast
    unit: USD
    per_node_hour: {c5.xlarge: 0.17, C5.XLARGE: 0.20, c5.18xlarge: 3.06}
    per_core_hour: 0.01
)");
  const Rate& burst = *book.find_priced("cloud", "burst");
  ASSERT_TRUE(burst.tells_instances());
  EXPECT_EQ(burst.node_hour("c5.xlarge"), Micros(170'000));
  EXPECT_EQ(burst.node_hour("c5.18xlarge"), Micros(3'060'000));
  EXPECT_EQ(burst.node_hour("m5.large"), Micros(500'000));
  EXPECT_EQ(burst.node_hour(""), Micros(500'000));
  EXPECT_EQ(burst.dearest_instance(), "c5.18xlarge");
  EXPECT_EQ(burst.instance_type({"dynamic", "c5.xlarge", "efa"}), "c5.xlarge");
  EXPECT_EQ(burst.instance_type({"c5.xlarge", "c5.18xlarge"}), "c5.18xlarge");
  EXPECT_EQ(burst.instance_type({"C5.xlarge", "*"}), "");  // features are as they are written
  EXPECT_EQ(burst.instance_type({}), "");
  const Rate& fast = *book.find_priced("cloud", "fast");
  EXPECT_EQ(fast.node_hour("m5.large"), Micros(3'060'000));  // never too little
  EXPECT_EQ(fast.node_hour("C5.XLARGE"), Micros(200'000));
  EXPECT_EQ(fast.dearest_instance(), "");  // no "*", so no type is dearer than one unknown
  EXPECT_FALSE(parse_ok(gpu_aws).rates.back().tells_instances());
}

TEST(PriceBookText, RefusesBadRatesPerInstanceType) {
  const auto with = [](const std::string& rest) {
    return problems_of("prices:\n- {cluster: c, partition: p, unit: USD,\n" + rest + "}");
  };
  EXPECT_THAT(with("per_node_hour: {}"),
              HasSubstr(":3: per_node_hour: a number, or a map of inst"));
  EXPECT_THAT(with("per_node_hour: {c5.xlarge: -1}"),
              HasSubstr(":3: per_node_hour '-1': a decimal number from 0"));
  EXPECT_THAT(with("per_node_hour: {'c5 xlarge': 1}"),
              HasSubstr(":3: per_node_hour type 'c5 xlarge': a name of letters"));
  EXPECT_THAT(with("per_node_hour: {'': 1}"), HasSubstr("per_node_hour type ''"));
  EXPECT_THAT(with("per_node_hour: {[a]: 1}"), HasSubstr("per_node_hour type ''"));
  EXPECT_THAT(with("per_node_hour: {a: 1, b: {c: 2}}"), HasSubstr("decimal number"));
  EXPECT_THAT(with("per_node_hour: {a: 1, a: 2}"), HasSubstr("the type 'a' twice"));
  EXPECT_THAT(with("per_node_hour: {a: 0, '*': 0}"), HasSubstr("a rate above 0"));
  EXPECT_THAT(with("per_node_hour: [1, 2]"), HasSubstr("decimal number"));
  EXPECT_THAT(with("basis: share, node: {cores: 4}, per_node_hour: {a: 1}"),
              HasSubstr("basis share takes one per_node_hour"));
  EXPECT_THAT(with("basis: node, per_node_hour: {a: 1}, per_core_hour: 1"),
              HasSubstr("per_node_hour alone"));
  EXPECT_EQ(with("basis: node, per_node_hour: {a: 1}"), "");
}

TEST(PriceBookText, PrefersTheMostSpecificPrice) {
  const PriceBook book = parse_ok(R"(
prices:
  - {cluster: "*", partition: "*", unit: USD, per_node_hour: 1}
  - {cluster: cloud, partition: "*", unit: USD, per_node_hour: 2}
  - {cluster: "*", partition: gpu, unit: USD, per_node_hour: 3}
  - {cluster: cloud, partition: gpu, unit: USD, per_node_hour: 4}
)");
  const auto price = [&](const char* cluster, const char* partition) {
    return book.find(cluster, partition)->per_node_hour.count() / 1'000'000;
  };
  EXPECT_EQ(price("onprem", "cpu"), 1);
  EXPECT_EQ(price("cloud", "cpu"), 2);
  EXPECT_EQ(price("onprem", "gpu"), 3);
  EXPECT_EQ(price("Cloud", "gpu"), 4);
}

TEST(PriceBookText, ListsEveryProblemWithItsLine) {
  const std::string problems = problems_of(R"(
effective_from: yesterday
owner: me
prices:
  - cluster: onprem
    partition: "gpu aws"
    unit: 1USD
    per_core_hour: -0.05
    per_node_hour: nan
    per_gb_hour: 1e300
    colour: red
  - cluster: onprem
    partition: cpu
    basis: cores
    minimum_seconds: 1.5
    free: maybe
)");
  for (const char* each :
       {"prices.yaml:2: effective_from 'yesterday'",
        "prices.yaml:3: the price book has an unknown key 'owner'",
        "prices.yaml:6: partition 'gpu aws'", "prices.yaml:7: unit '1USD'",
        "prices.yaml:8: per_core_hour '-0.05'", "prices.yaml:9: per_node_hour 'nan'",
        "prices.yaml:10: per_gb_hour '1e300'",
        "prices.yaml:11: a price has an unknown key 'colour'", "prices.yaml:14: basis 'cores'",
        "prices.yaml:15: minimum_seconds '1.5'", "prices.yaml:16: free 'maybe'"}) {
    EXPECT_THAT(problems, HasSubstr(each));
  }
}

TEST(PriceBookText, RefusesRepeatedKeysAndPrices) {
  EXPECT_THAT(problems_of("prices: []\nprices: []\n"), HasSubstr("'prices' twice"));
  EXPECT_THAT(problems_of(gpu_aws + "    free: true\n"),
              HasSubstr(":15: a price has the key 'free' twice"));
  EXPECT_THAT(problems_of(gpu_aws + "  - {cluster: ONPREM, partition: debug, free: true}\n"),
              HasSubstr("already has a price in line 12"));
  EXPECT_THAT(
      problems_of("prices: [{cluster: c, partition: p, unit: USD, per_gpu_hour: {a: 1, A: 2}}]"),
      HasSubstr("the type 'a' twice"));
}

TEST(PriceBookText, RefusesWhatDoesNotBelongTogether) {
  const auto with = [](const std::string& rest) {
    return problems_of("prices: [{cluster: c, partition: p, " + rest + "}]");
  };
  EXPECT_THAT(with("per_core_hour: 1"), HasSubstr("needs a unit"));
  EXPECT_THAT(with("unit: USD"), HasSubstr("needs a rate above 0"));
  EXPECT_THAT(with("unit: USD, per_core_hour: 0"), HasSubstr("free: true"));
  EXPECT_THAT(with("free: true, per_core_hour: 1"), HasSubstr("must not have per_core_hour"));
  EXPECT_THAT(with("unit: USD, basis: node, per_node_hour: 1, per_core_hour: 1"),
              HasSubstr("per_node_hour alone"));
  EXPECT_THAT(with("unit: USD, basis: node, per_core_hour: 1"), HasSubstr("per_node_hour alone"));
  EXPECT_THAT(with("unit: USD, basis: share, per_node_hour: 1"), HasSubstr("with node"));
  EXPECT_THAT(with("unit: USD, per_node_hour: 1, node: {cores: 4}"), HasSubstr("basis share"));
  EXPECT_THAT(with("unit: USD, basis: share, per_node_hour: 1, node: {}"), HasSubstr("above 0"));
  EXPECT_THAT(with("unit: USD, per_core_hour: 1, minimum_seconds: 86401"), HasSubstr("86400"));
  EXPECT_THAT(with("unit: USD, per_core_hour: 1000000000.000001"), HasSubstr("1000000000"));
  EXPECT_THAT(with("unit: USD, per_core_hour: 0.0000001"), HasSubstr("six decimals"));
  EXPECT_THAT(with("unit: USD, per_core_hour: [1]"), HasSubstr("decimal number"));
  EXPECT_THAT(with("unit: USD, per_gpu_hour: {}"), HasSubstr("GPU types"));
  EXPECT_THAT(problems_of("prices: [{partition: p, free: true}]"), HasSubstr("the key cluster"));
}

TEST(PriceBookText, RefusesWhatIsNoBook) {
  for (const char* text : {"", "42", "[]", "prices: 1", "prices: {}", "{", "prices: [", "a: b: c",
                           "prices: []\n---\nprices: []\n", "prices: [1]", ",", ",x: 1", "%\n",
                           "\t- x", "effective_from: 2025-01-01"}) {
    EXPECT_FALSE(parse_price_book(text, "p", defaults).has_value()) << text;
  }
  EXPECT_FALSE(parse_price_book(std::string(2'000'000, '['), "p", defaults).has_value());
  EXPECT_FALSE(parse_price_book(std::string(100'000, '['), "p", defaults).has_value());
}

TEST(PriceBookText, ReadsWhatANodeHas) {
  const PriceBook book = parse_ok(R"(
prices:
  - {cluster: cloud, partition: shared, unit: USD, basis: share, per_node_hour: 3.2,
     node: {cores: 48, memory: 192G, gpus: 4}}
)");
  EXPECT_EQ(book.rates.front().node, (NodeCapacity{48, 196'608, 4}));
}

TEST(CanonicalText, IsStable) {
  EXPECT_EQ(to_canonical_text(parse_ok(gpu_aws)), R"(effective_from: "1970-01-01T00:16:40Z"
prices:
  - cluster: "onprem"
    partition: "debug"
    free: true
  - cluster: "onprem"
    partition: "gpu-aws"
    unit: "USD"
    basis: tres
    per_node_hour: "1.2"
    per_core_hour: "0.05"
    per_gpu_hour: {"*": "2", "a100": "2.5"}
    per_gb_hour: "0.004"
    minimum_seconds: 60
)");
}

TEST(CanonicalText, OfAnEmptyBookReadsBack) {
  const PriceBook book = parse_ok("prices: []");
  EXPECT_EQ(parse_ok(to_canonical_text(book)), book);
}

PriceBook book_of(std::int64_t version, std::int64_t from) {
  PriceBook book;
  book.version = version;
  book.effective_from = Instant::from_unix_seconds(from);
  return book;
}

TEST(PriceHistory, FindsTheBookInForce) {
  PriceHistory history;
  ASSERT_TRUE(history.add(book_of(2, 200)).has_value());
  ASSERT_TRUE(history.add(book_of(1, 100)).has_value());
  ASSERT_TRUE(history.add(book_of(3, 200)).has_value());
  const auto version_at = [&](std::int64_t second) {
    const PriceBook* book = history.in_force(Instant::from_unix_seconds(second));
    return book == nullptr ? 0 : book->version;
  };
  EXPECT_EQ(version_at(99), 0);
  EXPECT_EQ(version_at(100), 1);
  EXPECT_EQ(version_at(199), 1);
  EXPECT_EQ(version_at(200), 3);
  EXPECT_EQ(version_at(9999), 3);
  EXPECT_EQ(history.by_version(2)->effective_from, Instant::from_unix_seconds(200));
  EXPECT_EQ(history.by_version(4), nullptr);
}

TEST(PriceHistory, TakesAVersionOnce) {
  PriceHistory history;
  ASSERT_TRUE(history.add(book_of(1, 100)).has_value());
  EXPECT_EQ(history.add(book_of(1, 300)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(history.add(book_of(0, 300)).error().kind, ErrorKind::invalid);
  EXPECT_EQ(history.books().size(), 1U);
}

}  // namespace
}  // namespace asbb::pricing
