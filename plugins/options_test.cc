#include "plugins/options.h"

#include <gtest/gtest.h>

#include <string>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

TEST(Options, AreReadFromTheSpankEnvironment) {
  testing::Request request;
  request.add_spank_variable("_SLURM_SPANK_OPTION_other_plugin_cloud=(null)");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_cloud=(null)");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_budget=proj001");
  const Options options = read_options(*request);
  EXPECT_TRUE(options.cloud);
  EXPECT_EQ(options.budget, "proj001");
}

TEST(Options, AreOffWhenNothingIsGiven) {
  testing::Request request;
  EXPECT_FALSE(read_options(*request).cloud);
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_clouds=x");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_budget");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_");
  request.add_spank_variable("");
  const Options options = read_options(*request);
  EXPECT_FALSE(options.cloud);
  EXPECT_TRUE(options.budget.empty());
}

TEST(Options, SurviveAnEnvironmentWithHoles) {
  testing::Request request;
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_cloud=1");
  char* variables[] = {nullptr, request->spank_job_env[0], nullptr};
  request->spank_job_env = variables;
  request->spank_job_env_size = 3;
  EXPECT_TRUE(read_options(*request).cloud);
  request->spank_job_env = nullptr;
  EXPECT_FALSE(read_options(*request).cloud);
}

TEST(Options, CloudAsksForTheFeatureWhereTheUserAskedForNone) {
  testing::Request request;
  apply_options({.cloud = true, .budget = {}}, request.get());
  EXPECT_STREQ(request->cluster_features, "cloud");

  testing::Request constrained;
  constrained.set(&job_desc_msg_t::cluster_features, "!cloud");
  apply_options({.cloud = true, .budget = {}}, constrained.get());
  EXPECT_STREQ(constrained->cluster_features, "!cloud");
}

TEST(Options, BudgetIsTheAccountOfTheJob) {
  testing::Request request;
  request.set(&job_desc_msg_t::account, "proj001");
  apply_options({.cloud = false, .budget = "nih-r01"}, request.get());
  EXPECT_STREQ(request->account, "nih-r01");
  EXPECT_EQ(request->cluster_features, nullptr);
}

TEST(Options, AnAccountNameHasNoBlanksCommasOrControlCharacters) {
  EXPECT_TRUE(is_account_name("proj001"));
  EXPECT_TRUE(is_account_name("nih-r01.a_b+c@d:e=f"));
  EXPECT_TRUE(is_account_name("gr\xC3\xBCn"));
  EXPECT_FALSE(is_account_name(""));
  EXPECT_FALSE(is_account_name("a b"));
  EXPECT_FALSE(is_account_name("a,b"));
  EXPECT_FALSE(is_account_name("a\nb"));
  EXPECT_FALSE(is_account_name("a\"b"));
  EXPECT_FALSE(is_account_name("(null)"));
  EXPECT_TRUE(is_account_name(std::string(255, 'a')));
  EXPECT_FALSE(is_account_name(std::string(256, 'a')));
}

}  // namespace
}  // namespace asbb::plugins
