#include "plugins/slurm_config.h"

#include <gtest/gtest.h>

#include <string>

#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Folder;

std::string cluster_of(const std::string& text) {
  const Folder folder;
  SlurmConf conf;
  const bool is_read = read_slurm_conf(folder.write("slurm.conf", text).c_str(), &conf);
  EXPECT_EQ(is_read, !conf.cluster.empty());
  return std::string(conf.cluster.view());
}

TEST(SlurmConfig, FindsTheClusterHoweverItIsSpelt) {
  EXPECT_EQ(cluster_of("ClusterName=onprem\n"), "onprem");
  EXPECT_EQ(cluster_of("# ClusterName=no\nSlurmctldPort=1 clustername = \"OnPrem\"  # yes"),
            "onprem");
  EXPECT_EQ(cluster_of("SlurmctldHost=a(127.0.0.1)\r\n\tCLUSTERNAME=Cloud\r\n"), "cloud");
  EXPECT_EQ(cluster_of("NoClusterName=x\n"), "");
  EXPECT_EQ(cluster_of("ClusterName\n"), "");
  EXPECT_EQ(cluster_of("ClusterName=a/../b\n"), "");
  EXPECT_EQ(cluster_of("ClusterName=" + std::string(300, 'x')), "");
}

TEST(SlurmConfig, FollowsIncludes) {
  const Folder folder;
  folder.write("inner.conf", "ClusterName=onprem\nPlugStackConfig=/srv/plug.conf\n");
  folder.write("middle.conf", "include inner.conf\n");
  SlurmConf conf;
  ASSERT_TRUE(read_slurm_conf(
      folder.write("slurm.conf", "Include " + folder.path("middle.conf") + "\n").c_str(), &conf));
  EXPECT_EQ(conf.cluster.view(), "onprem");
  EXPECT_EQ(conf.plugstack.view(), "/srv/plug.conf");
}

TEST(SlurmConfig, SurvivesAFileThatIncludesItself) {
  const Folder folder;
  SlurmConf conf;
  EXPECT_TRUE(read_slurm_conf(
      folder.write("slurm.conf", "ClusterName=a\ninclude slurm.conf\n").c_str(), &conf));
}

TEST(SlurmConfig, LooksForPlugstackBesideSlurmConf) {
  const Folder folder;
  SlurmConf conf;
  ASSERT_TRUE(read_slurm_conf(folder.write("slurm.conf", "ClusterName=a\n").c_str(), &conf));
  EXPECT_EQ(conf.plugstack.view(), folder.path("plugstack.conf"));
  SlurmConf missing;
  EXPECT_FALSE(read_slurm_conf(folder.path("nothing").c_str(), &missing));
  EXPECT_EQ(missing.plugstack.view(), folder.path("plugstack.conf"));
}

struct Line {
  PluginLine result;
  std::string arguments;
};

Line line_of(const Folder& folder, const std::string& text) {
  FixedText<kPluginLineBytes> arguments;
  const PluginLine result =
      read_plugin_line(folder.write("plugstack.conf", text).c_str(), &arguments);
  return {result, std::string(arguments.view())};
}

TEST(PluginLine, IsFoundByTheNameOfTheObject) {
  const Folder folder;
  const Line line = line_of(folder,
                            "# required job_submit_budget.so no=1\n"
                            "required other.so a=b\n"
                            "optional /usr/lib/slurm/job_submit_budget.so a=1 b=2 # c=3\n"
                            "required job_submit_budget.so second=1\n");
  EXPECT_EQ(line.result, PluginLine::found);
  EXPECT_EQ(line.arguments, " a=1 b=2 ");
}

TEST(PluginLine, IsFoundInIncludedFiles) {
  const Folder folder;
  folder.write("10-other.plug", "required other.so\n");
  folder.write("20-budget.plug", "required job_submit_budget.so timeout_ms=20\n");
  EXPECT_EQ(line_of(folder, "include *.plug\n").arguments, " timeout_ms=20");
  EXPECT_EQ(line_of(folder, "include " + folder.path("*.plug") + "\n").arguments, " timeout_ms=20");
}

TEST(PluginLine, MayBeAbsentOrUnreadable) {
  const Folder folder;
  EXPECT_EQ(line_of(folder, "required my_job_submit_budget.so\n").result, PluginLine::absent);
  EXPECT_EQ(line_of(folder, "").result, PluginLine::absent);
  EXPECT_EQ(line_of(folder, "include nothing-*.conf\n").result, PluginLine::absent);
  EXPECT_EQ(line_of(folder, "include plugstack.conf\n").result, PluginLine::absent);
  EXPECT_EQ(line_of(folder, "required job_submit_budget.so " + std::string(5'000, 'x')).result,
            PluginLine::unreadable);
  FixedText<kPluginLineBytes> arguments;
  EXPECT_EQ(read_plugin_line(folder.path("missing").c_str(), &arguments), PluginLine::unreadable);
}

}  // namespace
}  // namespace asbb::plugins
