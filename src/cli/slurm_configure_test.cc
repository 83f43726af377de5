#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/slurm_configure_files.h"
#include "cli/slurm_configure_object.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;
using testing::CannedService;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ran;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A site with two nodes, a plugin and a sacctmgr that remembers what it was told.
class SlurmConfigure : public ::testing::Test {
 protected:
  SlurmConfigure() {
    fs::create_directories(folder_ + "/etc");
    fs::create_directories(folder_ + "/plugins");
    fs::create_directories(folder_ + "/bin");
    fs::copy_file(ASBB_PLUGIN_OBJECT, object_);
    fs::copy_file(ASBB_PLUGIN_OBJECT, folder_ + "/plugins/auth_munge.so");
    write("etc/slurm.conf",
          "ClusterName=OnPrem\nPluginDir=" + folder_ + "/plugins\ninclude more.conf # and here\n");
    write("etc/more.conf",
          "NodeName=cpu-[1-2] CPUs=2\nNodeName=aws-[1-9] State=CLOUD\n"
          "jobsubmitplugins=lua # ours");
    write("asbb.yaml", "service: {listen_addr: \"127.0.0.1:9090\"}\nslurm:\n  clusters:\n" +
                           cluster("onprem", "slurm.conf"));
    program("bin/sacctmgr",
            "case \"$*\" in\n"
            "  *show*adminlevel*) cat " +
                folder_ +
                "/level 2>/dev/null ;;\n"
                "  *AdminLevel=Operator*) echo 'nobody|Operator' >" +
                folder_ +
                "/level ;;\n"
                "esac\necho \"$*\" >>" +
                folder_ + "/asked\n");
  }

  std::string cluster(const std::string& name, const std::string& conf) const {
    return "    - {name: " + name + ", conf: " + folder_ + "/etc/" + conf +
           ", bin_dir: " + folder_ + "/bin}\n";
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  void program(const std::string& name, const std::string& text) const {
    write(name, "#!/bin/sh\n" + text);
    fs::permissions(folder_ + "/" + name, fs::perms(0755));
  }
  Ran configure(const std::vector<std::string>& flags) const {
    std::vector<std::string> words{"slurm", "configure", "--service-user=nobody",
                                   "--config=" + folder_ + "/asbb.yaml"};
    words.insert(words.end(), flags.begin(), flags.end());
    return testing::run(words);
  }
  std::string etc(const std::string& name) const { return text_of(folder_ + "/etc/" + name); }
  // Every file of the site, with what is in it.
  std::string everything() const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/etc")) {
      all += entry.path().string() + ":" + text_of(entry.path()) + "\n";
    }
    return all;
  }

  CannedService service_;  // for its folder
  std::string folder_ = service_.folder();
  std::string object_ = folder_ + "/plugins/job_submit_budget.so";
};

TEST_F(SlurmConfigure, ShowsTheLinesAndChangesNothing) {
  const std::string before = everything();
  const Ran ran = configure({});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("In " + folder_ +
                                 "/etc/more.conf:\n    jobsubmitplugins=lua,"
                                 "budget # ours\n"));
  EXPECT_THAT(ran.out, HasSubstr("New file " + folder_ +
                                 "/etc/plugstack.conf:\n    required "
                                 "job_submit_budget.so budget_service_url=http://localhost:9090 "
                                 "service_user=nobody\n"));
  EXPECT_THAT(ran.out, HasSubstr("    EpilogSlurmctld=" + folder_ + "/etc/asbb-epilog\n"));
  EXPECT_THAT(ran.out, HasSubstr("slurm notify --quiet --config='" + folder_ + "/asbb.yaml'"));
  EXPECT_THAT(ran.out, HasSubstr("    sacctmgr -i modify user nobody set AdminLevel=Operator\n"));
  EXPECT_THAT(ran.out, HasSubstr("Not looked at: aws-[1-9], cpu-[1-2]."));
  EXPECT_EQ(everything(), before);
}

TEST_F(SlurmConfigure, WritesThemOnceAndKeepsWhatWasThere) {
  fs::permissions(folder_ + "/etc/more.conf", fs::perms(0640));
  const std::string before = etc("more.conf");
  const Ran ran = configure({"--write"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(etc("more.conf"), HasSubstr("\njobsubmitplugins=lua,budget # ours"));
  EXPECT_EQ(etc("more.conf.before-asbb-20250615T120000Z"), before);
  EXPECT_EQ(fs::status(folder_ + "/etc/more.conf").permissions(), fs::perms(0640));
  EXPECT_EQ(fs::status(folder_ + "/etc/asbb-epilog").permissions(), fs::perms(0755));
  EXPECT_THAT(etc("asbb-epilog"), HasSubstr("--job-id=\"$SLURM_JOB_ID\"\n"));
  EXPECT_THAT(etc("slurm.conf"), HasSubstr("EpilogSlurmctld="));
  EXPECT_THAT(ran.out, HasSubstr("User nobody has AdminLevel Operator."));

  const std::string written = everything();
  const Ran again = configure({"--write"});
  EXPECT_EQ(again.code, exit_done) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing to add"));
  EXPECT_EQ(everything(), written) << "not even another copy";
}

TEST_F(SlurmConfigure, APrologIsWrittenWhereItIsAskedForAndNeitherWaitsNorFails) {
  EXPECT_THAT(configure({}).out, Not(HasSubstr("PrologSlurmctld")));
  EXPECT_EQ(configure({"--write", "--prolog"}).code, exit_done);
  EXPECT_THAT(etc("slurm.conf"), HasSubstr("PrologSlurmctld=" + folder_ + "/etc/asbb-prolog\n"));
  EXPECT_EQ(fs::status(folder_ + "/etc/asbb-prolog").permissions(), fs::perms(0755));
  EXPECT_THAT(etc("asbb-prolog"), HasSubstr(" </dev/null >/dev/null 2>&1 &\nexit 0\n"));
  const std::string written = everything();
  EXPECT_THAT(configure({"--write", "--prolog"}).out, HasSubstr("nothing to add"));
  EXPECT_EQ(everything(), written);
}

TEST_F(SlurmConfigure, LeavesAlineAndAHookOfOnesOwnAsTheyAre) {
  write("etc/slurm.conf", etc("slurm.conf") + "EpilogSlurmctld=/opt/hook\nPlugStackConfig=" +
                              folder_ + "/etc/stack\n");
  write("etc/stack", "include stack.d/*\n");
  fs::create_directories(folder_ + "/etc/stack.d");
  write("etc/stack.d/asbb", "optional /opt/job_submit_budget.so timeout_ms=20 # mine\n");
  const Ran ran = configure({"--write"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("has another line for the plugin, which stays as it is: optional "
                                 "/opt/job_submit_budget.so timeout_ms=20"));
  EXPECT_THAT(ran.out, HasSubstr("/opt/hook is EpilogSlurmctld already. Add to it: "));
  EXPECT_FALSE(fs::exists(folder_ + "/etc/asbb-epilog"));
  EXPECT_EQ(etc("stack"), "include stack.d/*\n");
}

TEST_F(SlurmConfigure, WritesASharedFileOnce) {
  write("etc/cloud.conf", "ClusterName=cloud\nPluginDir=" + folder_ + "/plugins\n");
  write("asbb.yaml", text_of(folder_ + "/asbb.yaml") + cluster("cloud", "cloud.conf"));
  EXPECT_EQ(configure({"--write"}).code, exit_done);
  const std::string stack = etc("plugstack.conf");
  EXPECT_EQ(std::count(stack.begin(), stack.end(), '\n'), 1) << stack;
  EXPECT_THAT(etc("cloud.conf"), HasSubstr("JobSubmitPlugins=budget\n"));
  EXPECT_THAT(etc("cloud.conf"), HasSubstr("EpilogSlurmctld=" + folder_ + "/etc/asbb-epilog\n"));
}

TEST_F(SlurmConfigure, RefusesWhatWouldBreakTheController) {
  const std::string before = everything();
  const auto expect_refused = [&](const std::string& why, const std::string& flag = "--write") {
    const Ran ran = configure({flag, "--write"});
    EXPECT_EQ(ran.code, exit_failed);
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_THAT(ran.err, HasSubstr("nothing is changed"));
    EXPECT_EQ(everything(), before);
    EXPECT_FALSE(fs::exists(folder_ + "/level"));
  };
  program("bin/look", "[ \"$1\" != cpu-2 ] && shift && exec \"$@\"; exit 1\n");
  expect_refused("Node cpu-2 has no " + object_ + ".", "--check-nodes=" + folder_ + "/bin/look");
  program("bin/look", "echo no route >&2\nexit 255\n");
  expect_refused("Node cpu-1 cannot be looked at (exit code 255): 'no route",
                 "--check-nodes=" + folder_ + "/bin/look");

  const auto version = plugin_version_of(object_);
  ASSERT_TRUE(version) << version.error().message;
  std::fstream file(object_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(version->file_offset));
  file.put(static_cast<char>((version->number & 0xFFU) + 1));
  file.close();
  expect_refused("slurmctld would not start. Build it against the installed headers.");
  expect_refused("was built for Slurm " + slurm_version_text(version->number + 1) +
                 ", and this is Slurm " + slurm_version_text(version->number) + ":");

  fs::remove(object_);
  expect_refused("job_submit_budget.so is in none of the plugin folders");
  write("plugins/job_submit_budget.so", "no object");
  expect_refused("is not a plugin of Slurm");
  fs::remove(folder_ + "/plugins/auth_munge.so");
  fs::remove(object_);
  fs::copy_file(ASBB_PLUGIN_OBJECT, object_);
  expect_refused("which version of Slurm would load");
}

TEST_F(SlurmConfigure, RefusesAnotherClustersFileAndAContinuedLine) {
  write("etc/more.conf", "JobSubmitPlugins=lua, \\\n  all_partitions\n");
  EXPECT_THAT(configure({"--write"}).err, HasSubstr("by hand"));
  write("etc/more.conf", "include nowhere.conf\n");
  EXPECT_THAT(configure({}).err, HasSubstr("nowhere.conf' cannot be read"));
  write("etc/slurm.conf", "ClusterName=other\n");
  EXPECT_THAT(configure({}).err, HasSubstr("is of cluster 'other', not of 'onprem'"));
  write("etc/slurm.conf", "# nothing\n");
  EXPECT_THAT(configure({}).err, HasSubstr("names no cluster"));
  fs::remove(folder_ + "/etc/slurm.conf");
  EXPECT_THAT(configure({}).err, HasSubstr("slurm.conf' cannot be read"));
  EXPECT_EQ(configure({"--cluster=elsewhere"}).code, exit_usage);
}

TEST_F(SlurmConfigure, SaysWhenTheRightIsNotThereAfterwards) {
  program("bin/sacctmgr", "exit 0\n");
  const Ran ran = configure({"--write"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("AdminLevel"));
}

TEST(PluginVersion, OfWhatIsNoPlugin) {
  EXPECT_FALSE(plugin_version_of("/nowhere/x.so"));
  EXPECT_FALSE(plugin_version_of("/dev/null"));
  EXPECT_FALSE(plugin_version_of("/etc/passwd"));
  const CannedService folder;
  // Cut at any place it is one that cannot be read, never a crash.
  const std::string whole = text_of(ASBB_PLUGIN_OBJECT);
  const std::string path = folder.folder() + "/cut.so";
  for (std::size_t bytes = 0; bytes < whole.size() * 9 / 10; bytes += 9'970) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, bytes);
    EXPECT_FALSE(plugin_version_of(path)) << bytes;
  }
  EXPECT_EQ(slurm_version_text(0x160508), "22.05.8");
}

}  // namespace
}  // namespace asbb::cli
