// `asbb account create --slurm`, with a service of fixed answers and a sacctmgr that remembers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/account.h"
#include "api/json.h"
#include "cli/account_slurm.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;
using testing::CannedService;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ran;

// sacctmgr adds what it is told to the rows that it shows, unless told to refuse.
constexpr const char* sacctmgr_text = R"sh(#!/bin/sh
cd "$(dirname "$0")" || exit 1
cluster=$(basename "$PWD")
[ ! -e away ] || { echo 'sacctmgr: error: Connection refused' >&2; exit 1; }
value() { for word in $args; do case $word in "$1="*) echo "${word#*=}" ;; esac; done; }
args=$*
case $args in
  *'show cluster'*) echo "$cluster|" ;;
  *onlydefaults*) sed -n 's/^default //p' rows ;;
  *'show assoc'*) sed -n 's/^assoc //p' rows ;;
  *'show account'*) sed -n 's/^text //p' rows ;;
  *)
    echo "$args" >>asked
    [ ! -e refuses ] || { echo ' Error with request' >&2; exit 1; }
    case $args in
      *'add account'*)
        echo "assoc $cluster|$(value name)|||$(value parent)||||||||||||" >>rows
        echo "text $(value name)||${args##*description=}" >>rows ;;
      *'add user'*)
        for name in $(value name | tr , ' '); do
          echo "assoc $cluster|$(value account)|$name||||||||||||||" >>rows
          echo "default $(value account)|$name" >>rows
        done ;;
      *MaxJobs*)
        sed -i "s/^\(assoc $cluster|$(value name)|||[^|]*|\)[^|]*/\1$(value MaxJobs)/" rows ;;
    esac ;;
esac
)sh";

class AccountSlurm : public ::testing::Test {
 protected:
  AccountSlurm() {
    for (const std::string cluster : {"onprem", "cloud"}) {
      fs::create_directories(folder_ + "/" + cluster);
      write(cluster + "/sacctmgr", sacctmgr_text);
      fs::permissions(folder_ + "/" + cluster + "/sacctmgr", fs::perms(0755));
      write(cluster + "/rows", "assoc " + cluster + "|root||||" + std::string(12, '|') + "\n");
    }
    write("asbb.yaml", "slurm:\n  clusters:\n    - {name: onprem, bin_dir: " + folder_ +
                           "/onprem}\n    - {name: cloud, bin_dir: " + folder_ + "/cloud}\n");
    account_.slurm_account = account_.name = "proj002";
    account_.status = "active";
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void will_create() {
    service_.answer("POST /api/v1/accounts", 201, api::to_json(account_)).start();
  }
  void has_it_already() {
    const std::string error =
        R"({"error":{"code":"DUPLICATE_ACCOUNT","message":"Account 'proj002' )"
        R"(exists already."},"request_id":"r","timestamp":"2025-01-01T00:00:00Z"})";
    service_.answer("POST /api/v1/accounts", 409, error);
    service_.answer("GET /api/v1/accounts/proj002", 200, api::to_json(account_)).start();
  }
  Ran create(const std::vector<std::string>& flags) const {
    std::vector<std::string> words{"account", "create", "--name=proj002",
                                   "--config=" + folder_ + "/asbb.yaml"};
    words.insert(words.end(), flags.begin(), flags.end());
    return testing::run(service_, words);
  }
  std::size_t asked_of_service() const { return service_.received().size(); }

  CannedService service_;
  std::string folder_ = service_.folder();
  api::Account account_;
};

TEST_F(AccountSlurm, MakesAccountUsersAndLimitsOnEachCluster) {
  will_create();
  const Ran ran = create({"--slurm", "--user=root,daemon", "--slurm-limit=MaxJobs=100",
                          "--slurm-limit=cloud:maxjobs=10"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Account proj002 created.\nMade in Slurm:\n"));
  EXPECT_EQ(read("onprem/asked"),
            "-i add account name=proj002 cluster=onprem parent=root description=proj002\n"
            "-i add user name=daemon,root account=proj002 cluster=onprem\n"
            "-i modify account where name=proj002 cluster=onprem set MaxJobs=100\n");
  EXPECT_THAT(read("cloud/asked"), HasSubstr("cluster=cloud set MaxJobs=10\n"));
}

TEST_F(AccountSlurm, ALimitForOneClusterComesBeforeThatForAll) {
  will_create();
  const Ran ran = create({"--slurm", "--slurm-limit=cloud:MaxJobs=5", "--slurm-limit=MaxJobs=10"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(read("onprem/asked"), HasSubstr("cluster=onprem set MaxJobs=10\n"));
  EXPECT_THAT(read("cloud/asked"), HasSubstr("cluster=cloud set MaxJobs=5\n"));
}

TEST_F(AccountSlurm, OnlyOnTheClusterThatIsNamed) {
  will_create();
  const Ran ran = create({"--slurm", "--slurm-cluster=cloud", "--output=json"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(R"("slurm":[{"cluster":"cloud","change":"add account",)"));
  EXPECT_EQ(read("onprem/asked"), "");
}

TEST_F(AccountSlurm, WhatIsWrongIsSaidBeforeAnythingIsMade) {
  will_create();
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"--slurm", "--user=a b"}, "--user: 'a b' is not a user name"},
      {{"--slurm", "--user=-x"}, "--user: '-x'"},
      {{"--slurm", "--slurm-limit=MaxJobs"}, "expected is NAME=VALUE or CLUSTER:NAME=VALUE"},
      {{"--slurm", "--slurm-limit=MaxJob=3"}, "did you mean 'MaxJobs'?"},
      {{"--slurm", "--slurm-limit=MaxJobs=many"}, "'many' is not allowed"},
      {{"--slurm", "--slurm-limit=clod:MaxJobs=3"}, "did you mean 'cloud'?"},
      {{"--slurm", "--slurm-cluster=cloud", "--slurm-limit=onprem:MaxJobs=5"},
       "--slurm-limit: 'onprem:MaxJobs=5' is for a cluster that --slurm-cluster leaves out"},
      {{"--slurm", "--slurm-limit=GrpTRES=cpu=4", "--slurm-limit=grptres=node=1"},
       "--slurm-limit: GrpTRES is given twice; several TRES are one value, as in "
       "GrpTRES=cpu=4,node=1"},
      {{"--slurm", "--slurm-limit=cloud:MaxJobs=4", "--slurm-limit=cloud:MaxJobs=5"},
       "--slurm-limit: MaxJobs is given twice for cluster cloud"},
      {{"--slurm", "--slurm-cluster=nowhere"}, "the settings have no cluster 'nowhere'"},
      {{"--user=alice"}, "--slurm is missing"},
      {{"--slurm", "--account=a,b"}, "cannot be the name of a Slurm account"},
      {{"--slurm", "--account=root"}, "and not root"}};
  for (const auto& [flags, why] : wrong) {
    const Ran ran = create(flags);
    EXPECT_EQ(ran.code, exit_usage) << why;
    EXPECT_THAT(ran.err, HasSubstr(why));
  }
  const Ran no_parent = create({"--slurm", "--parent=lab"});
  EXPECT_EQ(no_parent.code, exit_failed);
  EXPECT_THAT(no_parent.err, HasSubstr("cluster onprem has no Slurm account 'lab'"));
  write("cloud/away", "");
  EXPECT_THAT(create({"--slurm"}).err, HasSubstr("Cluster cloud: sacctmgr ended with code 1"));
  EXPECT_EQ(asked_of_service(), 0U);
  EXPECT_EQ(read("onprem/asked") + read("cloud/asked"), "");
}

TEST_F(AccountSlurm, AnAccountBelowAnotherParentIsNotMoved) {
  write("cloud/rows",
        "assoc cloud|lab|||root||||||||||||\nassoc cloud|proj002|||lab||||||||||||\n");
  will_create();
  const Ran ran = create({"--slurm"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("cluster cloud has account proj002 already, below lab and not "
                                 "below root"));
  EXPECT_EQ(asked_of_service(), 0U);
}

TEST_F(AccountSlurm, WhatFailedMidwayIsSaidWithTheCommandThatCompletesIt) {
  write("cloud/refuses", "");
  will_create();
  Ran ran = create({"--slurm", "--user=root", "--description=it's mine"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.out, HasSubstr("Account proj002 created."));
  EXPECT_THAT(ran.err, HasSubstr("cluster cloud: "));
  EXPECT_THAT(ran.err, HasSubstr("did not come about: add account proj002"));
  EXPECT_THAT(ran.err, HasSubstr("This completes it:\n  asbb account create --name=proj002 "
                                 "'--description=it'\\''s mine' --slurm --user=root\n"));
  EXPECT_THAT(read("onprem/rows"), HasSubstr("|proj002|root|"));
}

TEST_F(AccountSlurm, TheSameAgainCompletesItAndThenDoesNothing) {
  has_it_already();
  Ran ran = create({"--slurm", "--user=root"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(read("cloud/rows"), HasSubstr("|proj002|root|"));
  const std::string asked = read("cloud/asked");
  ran = create({"--slurm", "--user=root"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("nothing was missing there"));
  EXPECT_EQ(read("cloud/asked"), asked);
}

TEST_F(AccountSlurm, AnotherAccountOfThatNameInTheLedgerIsNotTaken) {
  account_.parent = "lab";
  has_it_already();
  const Ran ran = create({"--slurm"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("exists already. Nothing is changed: it is below lab"));
  EXPECT_EQ(read("onprem/asked"), "");
}

}  // namespace
}  // namespace asbb::cli
