#include "service/policy_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "service/allowance_file.h"
#include "slurm/fake.h"

namespace asbb::service {
namespace {

std::shared_ptr<const slurm::ClusterSnapshot> cluster(const char* name,
                                                      std::vector<std::string> partitions) {
  auto out = std::make_shared<slurm::ClusterSnapshot>();
  out->cluster = name;
  for (const std::string& partition : partitions) {
    out->partitions.emplace_back().name = partition;
  }
  out->partitions.front().is_default = true;
  return out;
}

pricing::PriceBook book() {
  return pricing::parse_price_book(
             "prices:\n  - {cluster: cloud, partition: aws, unit: USD, per_node_hour: 1}\n", "p",
             {})
      .value();
}

TEST(PolicyText, PricedPartitionsFollowTheChoiceAndOthersAreAllowed) {
  const auto onprem = cluster("onprem", {"cpu", "aws"});
  const auto cloud = cluster("cloud", {"aws"});
  const pricing::PriceBook prices = book();
  EXPECT_EQ(
      policy_text(*onprem, {{onprem, cloud}, {}}, &prices, {}),
      "# written by asbb-service; what the Slurm plugin does when the service does not answer\n"
      "version 1\ndefault_partition cpu\ndefault deny\npartition cpu allow\n"
      "partition aws deny\n");
  const SilencePolicy chosen{false, {{"aws", true}}};
  EXPECT_NE(
      policy_text(*onprem, {{onprem, cloud}, {}}, &prices, chosen).find("partition aws allow"),
      std::string::npos);
}

// A job that is free here may be moved to a cluster that was not read yet, where it is not.
TEST(PolicyText, WhatMayHaveAPriceOnAClusterThatWasNotReadHasOne) {
  const auto onprem = cluster("onprem", {"cpu", "aws"});
  const pricing::PriceBook prices = book();
  const auto says = [&](const std::vector<std::string>& unread) {
    return policy_text(*onprem, {{onprem}, unread}, &prices, {});
  };
  EXPECT_NE(says({}).find("partition aws allow"), std::string::npos);
  EXPECT_NE(says({"cloud"}).find("partition cpu allow\npartition aws deny"), std::string::npos);
}

TEST(PolicyText, RatesAreUnboundedWhileAClusterThatMayPriceThemWasNotRead) {
  const auto onprem = cluster("onprem", {"cpu", "aws", "other"});
  const pricing::PriceBook prices = book();
  AllowanceSettings settings;
  settings.by_cluster["onprem"]["proj001"] = {Micros(1'000'000), "USD"};
  const Allowances allowances(settings);
  const slurm::FakeUserNames names;
  const auto says = [&](const std::vector<std::string>& unread) {
    return allowance_lines(*onprem, {{onprem}, unread}, &prices, allowances, {}, names).text;
  };
  EXPECT_EQ(says({}).find("rate "), std::string::npos);
  const std::string text = says({"cloud"});
  EXPECT_NE(text.find("rate aws unbounded\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("rate other"), std::string::npos) << text;
  EXPECT_EQ(text.find("rate cpu"), std::string::npos) << text;  // free here, and the default
  const auto cloud = cluster("cloud", {"aws"});
  const auto lines = allowance_lines(*cloud, {{cloud}, {"onprem"}}, &prices, allowances, {}, names);
  EXPECT_NE(lines.text.find("rate aws unbounded\n"), std::string::npos) << lines.text;
}

TEST(PolicyText, WithoutPricesEverythingIsAllowed) {
  const auto onprem = cluster("onprem", {"cpu"});
  const std::string text = policy_text(*onprem, {{onprem}, {}}, nullptr, {});
  EXPECT_NE(text.find("default allow"), std::string::npos);
  EXPECT_EQ(text.find("deny"), std::string::npos);
}

TEST(WritePolicyFile, ReplacesTheFileWithTheRightMode) {
  std::string folder = (std::filesystem::temp_directory_path() / "asbb-policy-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ASSERT_TRUE(write_policy_file(folder, "OnPrem", "one\n").has_value());
  ASSERT_TRUE(write_policy_file(folder, "OnPrem", "two\n").has_value());
  std::ifstream in(folder + "/policy.onprem");
  std::stringstream content;
  content << in.rdbuf();
  EXPECT_EQ(content.str(), "two\n");
  struct stat status{};
  ASSERT_EQ(::stat((folder + "/policy.onprem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0644u);
  EXPECT_FALSE(write_policy_file(folder + "/absent", "onprem", "x").has_value());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace asbb::service
