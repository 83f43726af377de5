#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/slurm_accounts.h"
#include "cli/testing/run.h"
#include "config/limit_rules.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;
using testing::CannedService;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ran;

// Two clusters whose sacctmgr shows what stands in files, and writes down what it is to change.
class SyncAccounts : public ::testing::Test {
 protected:
  SyncAccounts() {
    for (const std::string cluster : {"onprem", "cloud"}) {
      fs::create_directories(folder_ + "/" + cluster);
      write(cluster + "/sacctmgr",
            "#!/bin/sh\ncd '" + folder_ + "/" + cluster +
                "'\n[ ! -e away ] || { echo 'sacctmgr: error: Connection refused' >&2; exit 1; }\n"
                "case \"$*\" in\n"
                "  *'show cluster'*) cat cluster ;;\n"
                "  *onlydefaults*) cat defaults ;;\n"
                "  *'show assoc'*) cat assoc ;;\n"
                "  *'show account'*) cat accounts ;;\n"
                "  *) echo \"$*\" >>asked; [ ! -e dies ] || touch away; [ ! -e refuses ] || exit 1 "
                ";;\n"
                "esac\n");
      fs::permissions(folder_ + "/" + cluster + "/sacctmgr", fs::perms(0755));
      write(cluster + "/cluster", cluster + "|\n");
      write(cluster + "/assoc", row(cluster, "root", "", ""));
      write(cluster + "/accounts", "");
      write(cluster + "/defaults", "");
    }
    write("onprem/assoc", row("onprem", "root", "", "") + row("onprem", "lab", "", "root", "7") +
                              row("onprem", "lab", "root", ""));
    write("onprem/accounts", "lab|science|the lab\n");
    write("onprem/defaults", "lab|root\n");
    write("asbb.yaml", "slurm:\n  clusters:\n    - {name: onprem, bin_dir: " + folder_ +
                           "/onprem}\n    - {name: cloud, bin_dir: " + folder_ +
                           "/cloud, limits: {MaxJobs: copy}}\n");
  }

  static std::string row(const std::string& cluster, const std::string& account,
                         const std::string& user, const std::string& parent,
                         const std::string& max_jobs = "") {
    return cluster + "|" + account + "|" + user + "||" + parent + "|" + max_jobs +
           std::string(11, '|') + "\n";
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Ran sync(std::vector<std::string> flags) const {
    std::vector<std::string> words{"slurm", "sync-accounts", "--config=" + folder_ + "/asbb.yaml"};
    words.insert(words.end(), flags.begin(), flags.end());
    return testing::run(words);
  }
  Ran sync() const { return sync({"--from=onprem", "--to=cloud"}); }

  CannedService service_;  // for its folder
  std::string folder_ = service_.folder();
};

TEST_F(SyncAccounts, ADryRunShowsWhatDiffersAndChangesNothing) {
  const Ran ran = sync({"--from=onprem", "--to=cloud", "--dry-run"});
  EXPECT_EQ(ran.code, exit_differs) << ran.err;
  EXPECT_EQ(ran.out,
            "CLUSTER  CHANGE             ACCOUNT  USER  NOW  THEN\n"
            "cloud    add account        lab      -     -    root\n"
            "cloud    add user, default  lab      root  -    -\n"
            "cloud    MaxJobs            lab      -     -    7\n"
            "\nNothing is changed: without --dry-run it is.\n");
  EXPECT_EQ(read("cloud/asked"), "");
  const Ran json = sync({"--from=onprem", "--to=cloud", "--dry-run", "--output=json"});
  EXPECT_EQ(json.code, exit_differs);
  EXPECT_THAT(json.out, HasSubstr(R"([{"cluster":"cloud","change":"add account","account":"lab",)"
                                  R"("user":"","field":"parent","now":"","then":"root",)"
                                  R"("state":"to do","why":""})"));
  const Ran csv = sync({"--from=onprem", "--to=cloud", "--dry-run", "--output=csv"});
  EXPECT_THAT(csv.out, HasSubstr("cloud,set limit,lab,,MaxJobs,,7,to do,\r\n"));
}

TEST_F(SyncAccounts, WhatDidNotComeAboutIsNotDone) {
  const Ran ran = sync();
  EXPECT_EQ(ran.code, exit_failed) << ran.out;
  EXPECT_THAT(ran.out, Not(HasSubstr("Done")));
  EXPECT_THAT(ran.err, HasSubstr("cluster cloud: "));
  EXPECT_THAT(ran.err, HasSubstr("did not come about: add account lab"));
  EXPECT_THAT(read("cloud/asked"),
              HasSubstr("-i add account name=lab cluster=cloud parent=root description=the lab "
                        "organization=science\n"));
  EXPECT_EQ(read("onprem/asked"), "");
}

TEST_F(SyncAccounts, WhenThereIsNothingToDoItSaysSo) {
  write("cloud/assoc", row("cloud", "root", "", "") + row("cloud", "lab", "", "root", "7") +
                           row("cloud", "lab", "root", "") + row("cloud", "old", "", "root"));
  write("cloud/accounts", "lab|science|the lab\n");
  write("cloud/defaults", "lab|root\n");
  const Ran ran = sync();
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "Left as it is:\n  remove account old: only cluster cloud has it; --prune removes it\n"
            "Nothing to do: the accounts of cloud are those of onprem, but for what is left.\n");
  EXPECT_EQ(read("cloud/asked"), "");
  EXPECT_EQ(sync({"--from=onprem", "--to=cloud", "--prune", "--dry-run"}).code, exit_differs);
}

TEST_F(SyncAccounts, AClusterIsNamedAsTheSettingsHaveIt) {
  Ran ran = sync({"--from=onprem", "--to=clod"});
  EXPECT_EQ(ran.code, exit_usage);
  EXPECT_THAT(ran.err, HasSubstr("--to: the settings have no cluster 'clod'; did you mean "
                                 "'cloud'?"));
  ran = sync({"--from=elsewhere", "--to=cloud"});
  EXPECT_EQ(ran.code, exit_usage);
  EXPECT_THAT(ran.err, HasSubstr("they have onprem, cloud"));
  ran = sync({"--from=cloud", "--to=cloud"});
  EXPECT_EQ(ran.code, exit_usage);
  EXPECT_THAT(ran.err, HasSubstr("--from and --to are both 'cloud'"));
  EXPECT_EQ(sync({"--from=onprem"}).code, exit_usage);
  EXPECT_EQ(sync({"--from=onprem", "--to=cloud", "--limits=all"}).code, exit_usage);
}

TEST_F(SyncAccounts, ASlurmdbdThatIsAwayOrHasNoSuchClusterChangesNothing) {
  write("cloud/away", "");
  Ran ran = sync();
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("Cluster cloud: sacctmgr ended with code 1: sacctmgr: error: "
                                 "Connection refused"));
  fs::remove(folder_ + "/cloud/away");
  write("cloud/cluster", "");
  ran = sync();
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("slurmdbd of cluster 'cloud' knows no such cluster"));
  EXPECT_EQ(read("cloud/asked"), "");
}

TEST_F(SyncAccounts, ASlurmdbdThatStopsInTheMiddleIsSaidWithWhatWasDone) {
  write("cloud/dies", "");
  const Ran ran = sync();
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("slurmdbd of cluster cloud stopped answering"));
  EXPECT_THAT(ran.err, HasSubstr("goes on from here"));
  EXPECT_THAT(ran.err, HasSubstr("had been made by then, the last: organization lab"));
}

TEST_F(SyncAccounts, PruneNeedsAWholeListOfTheOtherCluster) {
  write("onprem/assoc", row("onprem", "root", "", ""));
  write("cloud/assoc", row("cloud", "old", "", "root"));
  Ran ran = sync({"--from=onprem", "--to=cloud", "--prune"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("cluster onprem has no account but root"));
  write("onprem/assoc", row("onprem", "lab", "", "root") + "onprem|cut\n");
  ran = sync({"--from=onprem", "--to=cloud", "--prune"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("'onprem|cut'; while that is so nothing is removed"));
  EXPECT_EQ(read("cloud/asked"), "");
}

TEST_F(SyncAccounts, AUserWithoutAUidHereIsNamed) {
  write("onprem/assoc", row("onprem", "lab", "", "root") + row("onprem", "lab", "no-such-one", ""));
  const Ran ran = sync({"--from=onprem", "--to=cloud", "--dry-run"});
  EXPECT_EQ(ran.code, exit_differs);
  EXPECT_THAT(ran.err, HasSubstr("this machine knows no uid of no-such-one"));
}

TEST_F(SyncAccounts, ARuleWhoseValueTheLimitCannotHaveIsNamed) {
  write("asbb.yaml",
        "slurm:\n  clusters:\n    - {name: onprem}\n    - {name: cloud, limits: "
        "{MaxJobs: \"cpu=4\"}}\n");
  const Ran ran = sync();
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("cluster cloud: limits.MaxJobs: 'cpu=4' is not allowed"));
}

TEST(SyncLimits, TheSettingsAndSlurmNameTheSameOnes) {
  std::vector<std::string> names;
  for (const slurm::LimitName& limit : slurm::limit_names()) names.emplace_back(limit.name);
  EXPECT_THAT(config::limit_rule_names(), ::testing::UnorderedElementsAreArray(names));
}

}  // namespace
}  // namespace asbb::cli
