#include "config/limit_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Loaded<Config> with(const std::string& limits) {
  return parse_config("slurm:\n  clusters:\n    - {name: cloud, limits: " + limits + "}\n",
                      "t.yaml", {});
}

TEST(LimitRules, AreReadAndWrittenAsTheyWere) {
  const auto config = with(
      "{maxjobs: copy, GrpTRES: scale 0.5, MaxSubmitJobs: 200, MaxWall: keep, "
      "GrpTRESMins: \"cpu=600,gres/gpu=60\", GrpWall: 1-00:00:00}");
  ASSERT_TRUE(config) << config.error().front();
  const auto& rules = config->slurm.clusters.at(0).limits;
  EXPECT_EQ(rules.size(), 6U);
  EXPECT_EQ(rules.at("MaxJobs").kind, LimitRule::Kind::copy);
  EXPECT_EQ(rules.at("GrpTRES").factor, Micros(500'000));
  EXPECT_EQ(rules.at("MaxSubmitJobs").value, "200");
  EXPECT_EQ(rules.at("MaxWall"), LimitRule{});
  const auto again = parse_config(show_config(*config), "again", {});
  ASSERT_TRUE(again) << again.error().front();
  EXPECT_EQ(again->slurm.clusters, config->slurm.clusters);
}

TEST(LimitRules, WhatIsWrongIsNamed) {
  EXPECT_THAT(with("{MaxJob: copy}").error(),
              ElementsAre(HasSubstr("t.yaml:3: slurm.clusters[0].limits.MaxJob: there is no such "
                                    "limit; there are MaxJobs, ")));
  for (const char* rule : {"half", "scale 0", "scale -1", "scale", "-1", "\"\"", "\"1; rm\"", "[1]",
                           "cpu=", "\"10 MaxJobs=5\""}) {
    const auto config = with(std::string("{MaxJobs: ") + rule + "}");
    ASSERT_FALSE(config) << rule;
    EXPECT_THAT(config.error().front(), HasSubstr("expected is keep, copy, scale FACTOR")) << rule;
  }
  EXPECT_THAT(with("copy").error(), ElementsAre(HasSubstr("a map of limits to keep, copy")));
}

}  // namespace
}  // namespace asbb::config
