// `asbb slurm fence`: what is left in the ledger as minutes of Slurm, on a recorded cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "api/account.h"
#include "api/json.h"
#include "api/system.h"
#include "cli/testing/run.h"
#include "slurm/account_limits.h"
#include "slurm/test_files.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;
using testing::CannedService;
using ::testing::HasSubstr;
using testing::Ran;

class SlurmFence : public ::testing::Test {
 protected:
  SlurmFence() {
    const std::string commands = folder_ + "/bin";
    fs::create_directories(commands);
    script(
        "scontrol",
        "case \"$*\" in *config) cat config ;; *partition) cat partitions ;; *node) cat nodes ;; "
        "*) cat usage ;; esac\n");
    script("sacctmgr",
           "case \"$*\" in *'show cluster'*) echo 'cloud|' ;; *onlydefaults*) : ;;\n"
           "*'show assoc'*) cat assoc ;; *'show account'*) : ;; *) echo \"$*\" >>asked ;; esac\n");
    write("bin/config", slurm::recorded("cluster/cloud.config.txt"));
    write("bin/nodes", slurm::recorded("cluster/cloud.nodes.txt"));
    weights("TRESBillingWeights=CPU=85,Mem=2G", "TRESBillingWeights=Node=32770");
    usage("12");
    write("bin/assoc", row("proj001", "root", "billing=1") + row("lab", "root", ""));
    write("asbb.yaml", "slurm: {clusters: [{name: cloud, bin_dir: " + commands + "}]}\n");
    api::Budget budget;
    budget.unit = "USD";
    budget.in_force = true;
    budget.limit = Micros(50'000'000);
    budget.used = Micros(20'000'000);
    budget.held = Micros(5'000'000);
    account_.slurm_account = "proj001";
    account_.budgets = {budget};
    book_.version = 1;
    book_.text =
        "effective_from: 2025-01-01\nprices:\n"
        "  - {cluster: cloud, partition: aws-cpu, unit: USD, per_core_hour: 0.085, "
        "per_gb_hour: 0.002}\n"
        "  - {cluster: cloud, partition: aws-gpu, unit: USD, basis: node, per_node_hour: 32.77}\n";
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  void script(const std::string& name, const std::string& text) const {
    write("bin/" + name, "#!/bin/sh\ncd '" + folder_ + "/bin'\n" + text);
    fs::permissions(folder_ + "/bin/" + name, fs::perms(0755));
  }
  static std::string row(const std::string& account, const std::string& parent,
                         const std::string& minutes) {
    return "cloud|" + account + "|||" + parent + std::string(11, '|') + minutes + "|\n";
  }
  void weights(const std::string& cpu, const std::string& gpu) const {
    std::string text = slurm::recorded("cluster/cloud.partitions.txt");
    text = std::regex_replace(text, std::regex(" TRESBillingWeights=[^ \n]*"), "");
    text = std::regex_replace(text, std::regex("(PartitionName=aws-cpu )"), "$1" + cpu + " ");
    write("bin/partitions",
          std::regex_replace(text, std::regex("(PartitionName=aws-gpu )"), "$1" + gpu + " "));
  }
  void usage(const std::string& billing) const {
    write("bin/usage",
          "Association Records\nClusterName=cloud Account=proj001 UserName= Partition= "
          "GrpTRESMins=cpu=N(7),billing=1(" +
              billing +
              ") GrpTRESRunMins=cpu=N(0)\nClusterName=cloud Account=proj001 UserName=root(0) "
              "GrpTRESMins=cpu=N(3),billing=N(999)\n");
  }
  Ran fence(const std::vector<std::string>& flags) {
    if (!is_started_) {
      accounts_.push_back(account_);
      service_.answer("GET /api/v1/accounts", 200, api::to_json(accounts_));
      service_.answer("GET /api/v1/prices/current", 200, api::to_json(book_)).start();
    }
    is_started_ = true;
    std::vector<std::string> words{"slurm", "fence", "--cluster=cloud",
                                   "--config=" + folder_ + "/asbb.yaml"};
    words.insert(words.end(), flags.begin(), flags.end());
    return testing::run(service_, words);
  }

  CannedService service_;
  std::string folder_ = service_.folder();
  api::Account account_;
  std::vector<api::Account> accounts_;  // beside it
  api::PriceBook book_;
  bool is_started_ = false;
};

TEST_F(SlurmFence, IsWhatIsUsedThereAndWhatIsNotChargedHere) {
  const Ran ran = fence({"--dry-run"});
  EXPECT_EQ(ran.code, exit_differs) << ran.err;
  // 12 minutes used, and 30 USD x 1000 x 60
  EXPECT_THAT(ran.out, HasSubstr("billing=1800012"));
  EXPECT_THAT(ran.out, HasSubstr("This fence is coarse. 60000 billing-minutes stand for 1 USD"));
  EXPECT_FALSE(fs::exists(folder_ + "/bin/asked"));
}

TEST_F(SlurmFence, OfABudgetThatIsOverdrawnNothingIsLeft) {
  account_.budgets[0].used = Micros(60'000'000);
  EXPECT_THAT(fence({"--dry-run", "--output=csv"}).out,
              HasSubstr("GrpTRESMins,billing=1,billing=12,"));
}

TEST_F(SlurmFence, AfterTheEndOfABudgetNothingIsLeft) {
  account_.budgets[0].in_force = false;
  EXPECT_THAT(fence({"--dry-run", "--output=csv"}).out,
              HasSubstr("GrpTRESMins,billing=1,billing=12,"));
}

TEST_F(SlurmFence, WhereAnAccountAbovePaysAfterTheEndItIsTakenAway) {
  api::Account lab = account_;
  lab.slurm_account = "lab";
  account_.parent = "lab";
  account_.budgets[0].in_force = false;
  accounts_ = {lab};
  const Ran ran = fence({"--dry-run", "--output=csv"});
  EXPECT_THAT(ran.out, HasSubstr("proj001,,GrpTRESMins,billing=1,,"));
  EXPECT_THAT(ran.out, HasSubstr("lab,,GrpTRESMins,,billing=1800000,"));
}

TEST_F(SlurmFence, OfAnotherUnitItIsLeftAsItIs) {
  account_.budgets[0].unit = "core-hours";
  EXPECT_EQ(fence({"--dry-run"}).code, exit_done);
}

TEST_F(SlurmFence, IsTakenAwayAgain) {
  const Ran ran = fence({"--remove"});
  EXPECT_EQ(ran.code, exit_failed) << "this sacctmgr does nothing";
  std::ifstream asked(folder_ + "/bin/asked");
  std::string line;
  std::getline(asked, line);
  EXPECT_EQ(line, "-i modify account where name=proj001 cluster=cloud set GrpTRESMins=billing=-1");
}

TEST_F(SlurmFence, WhereACoreHourIsAllThatIsPaidItCountsCpuMinutes) {
  book_.text =
      "prices:\n  - {cluster: cloud, partition: aws-cpu, unit: core-hours, per_core_hour: 1}\n"
      "effective_from: 2025-01-01\n";
  account_.budgets[0].unit = "core-hours";
  weights("State=UP", "State=UP");
  const Ran ran = fence({"--dry-run", "--output=json"});
  EXPECT_EQ(ran.code, exit_differs) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("billing=1,cpu=1807"));
}

TEST_F(SlurmFence, IsRefusedWhereItWouldNotHold) {
  weights("TRESBillingWeights=CPU=85", "TRESBillingWeights=Node=32770");
  Ran ran = fence({});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("partition aws-cpu of cluster cloud has TRESBillingWeights="
                                 "'CPU=85', which are not those of its price"));
  weights("TRESBillingWeights=CPU=850,Mem=20G", "TRESBillingWeights=Node=32770");
  EXPECT_THAT(fence({}).err, HasSubstr("which are not those of its price")) << "two scales";
  std::string config = slurm::recorded("cluster/cloud.config.txt");
  config = std::regex_replace(config, std::regex(",safe"), "");
  write("bin/config", config);
  ran = fence({});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.err, HasSubstr("without 'safe'"));
  EXPECT_FALSE(fs::exists(folder_ + "/bin/asked"));
}

TEST_F(SlurmFence, WhatIsNotThereIsNamed) {
  EXPECT_THAT(fence({"--unit=EUR"}).err, HasSubstr("are priced in USD, not in 'EUR'"));
  const Ran ran = fence({"--account=proj009"});
  EXPECT_EQ(ran.code, exit_usage);
  EXPECT_THAT(ran.err, HasSubstr("the ledger has no account 'proj009'"));
}

}  // namespace
}  // namespace asbb::cli
