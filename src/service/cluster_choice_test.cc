#include "service/cluster_choice.h"

#include <gtest/gtest.h>

namespace asbb::service {
namespace {

const std::set<std::string> dollars{"USD"};
const std::set<std::string> hours{"core-hours"};

std::vector<ClusterChoice> hybrid() {
  return {{"onprem", {}, true, {"core-hours"}}, {"cloud", {"cloud", "aws"}, true, {"USD"}}};
}

TEST(ClusterChoice, TheClustersThatCanBePaidAreNamedByTheirFeatures) {
  EXPECT_EQ(constraint_for(hybrid(), dollars), "aws,cloud");
  EXPECT_EQ(constraint_for(hybrid(), hours), "!aws,cloud");
  EXPECT_EQ(constraint_for(hybrid(), {"USD", "core-hours"}), "");
}

// The plugin would take such an answer for silence.
TEST(ClusterChoice, AFeatureOfOtherCharactersIsNotUsed) {
  auto clusters = hybrid();
  clusters[1].features = {"a b", "c!"};
  EXPECT_EQ(constraint_for(clusters, dollars), std::nullopt);
  clusters[1].features = {"a b", "aws-2.x_y"};
  EXPECT_EQ(constraint_for(clusters, dollars), "aws-2.x_y");
}

TEST(ClusterChoice, AFeatureThatBothHaveTellsNothing) {
  auto clusters = hybrid();
  clusters[0].features = {"cloud"};
  EXPECT_EQ(constraint_for(clusters, dollars), "aws");
  clusters[1].features = {"cloud"};
  EXPECT_EQ(constraint_for(clusters, dollars), std::nullopt);
  EXPECT_EQ(constraint_for(clusters, hours), std::nullopt);
}

// The job's own constraint gives way to the new one, which must keep what it left out.
TEST(ClusterChoice, WhatTheJobItselfLeavesOutStaysOut) {
  auto clusters = hybrid();
  clusters.push_back({"spare", {"old"}, false, {"core-hours"}});
  EXPECT_EQ(constraint_for(clusters, hours), "!aws,cloud,old");
  clusters[2].features = {"cloud"};
  EXPECT_EQ(constraint_for(clusters, hours), "!aws,cloud");
  EXPECT_EQ(constraint_for(clusters, dollars), "aws");
}

TEST(ClusterChoice, AClusterWithoutAPriceNeedsNoMoney) {
  auto clusters = hybrid();
  clusters.push_back({"free", {"old"}, true, {}});
  EXPECT_EQ(constraint_for(clusters, dollars), "aws,cloud,old");
}

TEST(ClusterChoice, OneThatNeedsBothUnitsIsOutWithEither) {
  auto clusters = hybrid();
  clusters[1].units = {"USD", "core-hours"};
  EXPECT_EQ(constraint_for(clusters, hours), "!aws,cloud");
  EXPECT_EQ(constraint_for(clusters, dollars), std::nullopt);
  EXPECT_FALSE(can_be_restricted(clusters, {"USD", "core-hours"}));
}

TEST(ClusterChoice, ARestrictionMustBePossibleWhicheverUnitIsLacking) {
  EXPECT_TRUE(can_be_restricted(hybrid(), {"USD", "core-hours"}));
  EXPECT_FALSE(can_be_restricted(hybrid(), {"USD"}));
  auto clusters = hybrid();
  clusters[1].features.clear();
  EXPECT_FALSE(can_be_restricted(clusters, {"USD", "core-hours"}));
  clusters = hybrid();
  clusters.push_back({"gpus", {}, true, {"gpu-hours"}});
  EXPECT_FALSE(can_be_restricted(clusters, {"USD", "core-hours", "gpu-hours"}));
  clusters[2].features = {"gpu"};
  EXPECT_TRUE(can_be_restricted(clusters, {"USD", "core-hours", "gpu-hours"}));
}

}  // namespace
}  // namespace asbb::service
