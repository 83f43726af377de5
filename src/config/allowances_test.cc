#include "config/allowances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::config {
namespace {

using ::testing::ElementsAre;

Problems problems_of(const std::string& allowances) {
  const auto loaded = parse_config(
      "slurm:\n  clusters:\n    - {name: cloud}\n  on_unavailable:\n    allowances:" + allowances,
      "test.yaml", {});
  return loaded ? Problems{} : loaded.error();
}

TEST(Allowances, AreByClusterAndAccount) {
  EXPECT_THAT(problems_of(" {}\n"), ElementsAre());
  EXPECT_THAT(problems_of(" {cloud: {proj001: {amount: 0.000001, unit: core-hours}}}\n"),
              ElementsAre());
}

TEST(Allowances, SayWhatIsWrongWithThem) {
  EXPECT_THAT(
      problems_of("\n"
                  "      cloud:\n"
                  "        proj001: 500\n"
                  "        proj002: {amount: -1}\n"
                  "        proj003: {amount: 0}\n"
                  "        proj004: {unit: USD}\n"
                  "        proj005: {amount: 5, unti: USD}\n"
                  "        proj006: {amount: 5, unit: 'a b'}\n"
                  "        'a b': {amount: 5}\n"
                  "      onprem: {proj001: {amount: 5}}\n"
                  "      Cloud: {proj001: {amount: 5}}\n"),
      ElementsAre(
          "test.yaml:5: slurm.on_unavailable.allowances.onprem: slurm.clusters has no such cluster",
          "test.yaml:7: slurm.on_unavailable.allowances.cloud.proj001: {amount, unit} is expected, "
          "such as {amount: 500, unit: USD}",
          "test.yaml:8: slurm.on_unavailable.allowances.cloud.proj002.amount: '-1' is not allowed; "
          "expected is a number above 0, at most 10^12",
          "test.yaml:9: slurm.on_unavailable.allowances.cloud.proj003.amount: '0' is not allowed; "
          "expected is a number above 0, at most 10^12",
          "test.yaml:10: slurm.on_unavailable.allowances.cloud.proj004.amount: this setting is "
          "missing",
          "test.yaml:11: slurm.on_unavailable.allowances.cloud.proj005.unti: there is no such "
          "setting; an allowance has amount, unit",
          "test.yaml:12: slurm.on_unavailable.allowances.cloud.proj006.unit: 'a b' is not the name "
          "of a unit",
          "test.yaml:13: slurm.on_unavailable.allowances.cloud.a b: this is not the name of an "
          "account",
          "test.yaml:15: slurm.on_unavailable.allowances.Cloud: this is not a ClusterName in lower "
          "case"));
}

TEST(Allowances, AreAtMostAsManyAsThePluginHolds) {
  std::string text = "\n      cloud:\n";
  for (int at = 0; at < 257; ++at) text += "        p" + std::to_string(at) + ": {amount: 1}\n";
  EXPECT_THAT(problems_of(text), ElementsAre("test.yaml:263: slurm.on_unavailable.allowances.cloud."
                                             "p256: a cluster has at most 256 allowances"));
}

}  // namespace
}  // namespace asbb::config
