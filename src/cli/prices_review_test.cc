#include "cli/prices_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/json.h"
#include "api/transaction.h"
#include "api/usage.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* book_text =
    "effective_from: 2025-01-01\nprices:\n"
    "  - {cluster: onprem, partition: cpu, unit: USD, per_core_hour: 0.04}\n"
    "  - {cluster: onprem, partition: quiet, free: true}\n";

const Instant since = Instant::from_unix_seconds(1'000);
const Instant until = Instant::from_unix_seconds(2'000);

slurm::ClusterSnapshot onprem() {
  slurm::ClusterSnapshot out;
  out.cluster = "onprem";
  for (const std::string name : {"cpu", "quiet", "open"}) {
    slurm::PartitionInfo partition;
    partition.name = name;
    partition.nodes = {"n1"};
    partition.billing_weights = name == "cpu" ? "CPU=4" : "";
    out.partitions.push_back(partition);
  }
  slurm::NodeInfo node;
  node.name = "n1";
  node.cpus = 16;
  node.memory_mb = 64'000;
  node.partitions = {"cpu", "quiet", "open"};
  out.nodes.push_back(node);
  return out;
}

class PricesReview : public ::testing::Test {
 protected:
  void add(const std::string& rows) {
    add_runs(reviewed_.uses, "onprem", rows, since, until, book_, &cluster_, problems_);
  }
  std::vector<std::string> proposed() { return proposals(reviewed_); }

  Reviewed reviewed_{*pricing::parse_price_book(book_text, "book", {}),
                     {"onprem"},
                     {{"onprem", onprem()}},
                     {"onprem"},
                     {}};
  pricing::PriceBook& book_ = reviewed_.book;
  Snapshots& clusters_ = reviewed_.clusters;
  slurm::ClusterSnapshot& cluster_ = clusters_.at("onprem");
  PartitionUses& uses_ = reviewed_.uses;
  std::vector<std::string> problems_;
};

TEST_F(PricesReview, AddsUpWhatRunsUsedAndWhatTheyCostToday) {
  add("cpu|1500|3600|1|billing=8,cpu=2,mem=1000M,node=1\n"
      "cpu|1999|1800|1|billing=16,cpu=4,mem=1000M,node=1\n"
      "cpu|2000|1800|1|billing=16,cpu=4,mem=1000M,node=1\n"  // of the next day
      "cpu|1200|0|0|\n"                                      // never ran
      "broken\n");
  const PartitionUse& use = uses_.at({"onprem", "cpu"});
  EXPECT_EQ(use.runs, 2);
  EXPECT_EQ(use.core_seconds, 2 * 3600 + 4 * 1800);
  EXPECT_EQ(use.billing_seconds, 8 * 3600 + 16 * 1800);
  EXPECT_EQ(use.today, Micros(160'000));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("a row cannot be read: 'broken'")));
}

TEST_F(PricesReview, APartitionWithoutAPriceIsNamedAndOneThatIsFreeIsNot) {
  add("open|1500|7200|1|cpu=8,mem=8000M,node=1\nquiet|1500|7200|1|cpu=8,mem=8000M,node=1\n");
  EXPECT_THAT(proposed(),
              ElementsAre("Partition open of onprem has no price: 1 runs used 16.00 core-hours "
                          "there for nothing. In the next price book: {cluster: onprem, partition: "
                          "open, unit: USD, per_core_hour: 0.04} as on cpu, or {cluster: onprem, "
                          "partition: open, free: true} when that is meant."));
}

TEST_F(PricesReview, WeightsThatAreNotThoseOfThePriceAreProposed) {
  cluster_.partitions[0].billing_weights = "CPU=1";
  EXPECT_THAT(proposed(),
              Contains(HasSubstr("Partition cpu of onprem has TRESBillingWeights=\"CPU=1\"; those "
                                 "of its price are \"CPU=4\"")));
}

TEST_F(PricesReview, ChargesOfOtherProgramsAskForNothing) {
  uses_[{"", "gpu-aws"}].charged["USD"] = Micros(1'000'000);
  EXPECT_THAT(proposed(), ::testing::Each(::testing::Not(HasSubstr("gpu-aws"))));
}

TEST_F(PricesReview, WeightsAreThoseOfAllClustersTogether) {
  book_.rates.push_back(*book_.find("onprem", "cpu"));
  book_.rates.back().cluster = "cloud";
  book_.rates.back().per_core_hour = Micros(12'345);
  slurm::ClusterSnapshot cloud = onprem();
  cloud.cluster = "cloud";
  cloud.partitions.resize(1);
  clusters_["cloud"] = cloud;
  reviewed_.names = {"cloud", "onprem"};
  const auto expected = weigh(book_, {{"cloud", "cpu"}, {"onprem", "cpu"}});
  EXPECT_NE(expected[1].weights.text(), "CPU=4");
  EXPECT_THAT(proposed(),
              Contains(HasSubstr("those of its price are \"" + expected[1].weights.text() +
                                 "\" ('asbb slurm configure --clusters=cloud,onprem "
                                 "--write')")));
  clusters_["cloud"].partitions[0].billing_weights = expected[0].weights.text();
  cluster_.partitions[0].billing_weights = expected[1].weights.text();
  // that is the scale of all of them, also of one that is there no more
  uses_[{"onprem", "gone"}].runs = 1;
  book_.rates.push_back(*book_.find("onprem", "cpu"));
  book_.rates.back().partition = "gone";
  book_.rates.back().per_core_hour = Micros(1);
  EXPECT_THAT(proposed(), ::testing::Each(::testing::Not(HasSubstr("TRESBillingWeights"))));
  const auto weights = review_weights(reviewed_);
  EXPECT_EQ(weights.back().weights.scale, expected[0].weights.scale);
  // one that was not read may have a finer price
  clusters_["cloud"].partitions[0].billing_weights = "CPU=1";
  clusters_.erase("cloud");
  EXPECT_THAT(proposed(), ::testing::Each(::testing::Not(HasSubstr("TRESBillingWeights"))));
}

TEST_F(PricesReview, ChargesThatAreNotWhatTodaysPricesSayAreShown) {
  add("cpu|1500|3600|1|cpu=10,mem=1000M,node=1\n");
  uses_[{"onprem", "cpu"}].charged["USD"] = Micros(400'000);
  EXPECT_THAT(proposed(), ::testing::Each(::testing::Not(HasSubstr("was charged"))));
  uses_[{"onprem", "cpu"}].charged["USD"] = Micros(300'000);
  uses_[{"onprem", "cpu"}].charged["EUR"] = Micros(100'000);
  EXPECT_THAT(proposed(), Contains(HasSubstr("was charged $0.30, and by the prices of today its "
                                             "runs cost $0.40")));
  EXPECT_THAT(proposed(), Contains(HasSubstr("was charged 0.10 EUR as well")));
}

// A sum of some of its runs is none.
TEST_F(PricesReview, AClusterThatWasNotReadToTheEndIsNotCompared) {
  add("cpu|1500|3600|1|cpu=8,mem=64000M,node=1\nopen|1500|3600|1|cpu=8,mem=64000M,node=1\n");
  uses_[{"onprem", "cpu"}].charged["USD"] = Micros(400'000);
  EXPECT_THAT(proposed(), Contains(HasSubstr("was charged")));
  reviewed_.counted.clear();
  EXPECT_THAT(proposed(), ElementsAre(::testing::StartsWith(
                              "Partition open of onprem has no price. In the next price book")));
}

TEST_F(PricesReview, MemoryThatIsTakenAndNotPaidIsSaid) {
  add("cpu|1500|3600|1|cpu=8,mem=32000M,node=1\n");
  EXPECT_THAT(proposed(), ::testing::Each(::testing::Not(HasSubstr("memory"))));
  add("cpu|1500|3600|1|cpu=1,mem=48000M,node=1\n");
  EXPECT_THAT(proposed(), Contains(HasSubstr("took 62 % of their nodes' memory with 28 % of the "
                                             "CPUs, and pay for CPUs alone")));
}

TEST_F(PricesReview, TheCommandReadsLedgerAndAccountingAndNamesWhatItCannot) {
  CannedService service;
  const std::string folder = service.folder();
  std::ofstream(folder + "/asbb.yaml")
      << "slurm: {clusters: [{name: onprem, bin_dir: " << folder << "/nothing}]}\n";
  api::PriceBook book;
  book.version = 7;
  book.text = book_text;
  api::Charge charge;
  charge.type = "charge";
  charge.cluster = "onprem";
  charge.partition = "cpu";
  charge.unit = "USD";
  charge.amount = Micros(12'500'000);
  api::Charge refund = charge;
  refund.type = "refund";
  refund.amount = Micros(2'500'000);
  service.answer("GET /api/v1/prices/current", 200, api::to_json(book));
  api::ChargeQuery query;
  query.start_date = Instant::from_unix_seconds(1'748'736'000);
  query.end_date = Instant::from_unix_seconds(1'751'328'000);
  query.limit = 5'000;
  api::Charge of_program = charge;
  of_program.cluster.clear();
  of_program.partition = "gpu-aws";
  service.answer("GET /api/v1/usage/charges" + api::to_query_string(query), 200,
                 api::to_json(api::ChargePage{{charge, refund, of_program}, 0}));
  service.start();
  const std::vector<std::string> words{"prices", "review", "--start=2025-06-01", "--end=2025-06-30",
                                       "--config=" + folder + "/asbb.yaml"};
  const auto ran = testing::run(service, words);
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.out, HasSubstr("From 2025-06-01 to 2025-06-30, by price book version 7:"));
  EXPECT_THAT(ran.out, HasSubstr("10.00"));
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("-  +gpu-aws +- +- +12.50 +- +- +USD"));
  EXPECT_THAT(ran.err, HasSubstr("onprem"));
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("onprem +cpu +- +- +10.00 +- +- +USD"));
  EXPECT_THAT(ran.out, HasSubstr("\nThe runs are not known of: onprem.\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nNothing to change of what is known.\n"));
  auto as = words;
  as.emplace_back("--output=csv");
  EXPECT_THAT(testing::run(service, as).out, HasSubstr("onprem,cpu,,,10,,,USD\r\n"));
  as.back() = "--output=json";
  EXPECT_THAT(testing::run(service, as).out,
              HasSubstr(R"("runs":null,"core_seconds":null,"billing_seconds":null,"today":null)"));
  const auto wrong = testing::run(
      service, {"prices", "review", "--start=2025-06-30", "--end=2025-06-01", words.back()});
  EXPECT_EQ(wrong.code, exit_usage);
  EXPECT_THAT(wrong.err, HasSubstr("--end: 2025-06-01 is before --start 2025-06-30"));
  EXPECT_EQ(testing::run(service, {"prices", "review", "--start=June", words.back()}).code,
            exit_usage);
}

}  // namespace
}  // namespace asbb::cli
