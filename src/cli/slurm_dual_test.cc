// `asbb slurm configure --clusters`, on recorded clusters and a slurmdbd that is scripted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/slurm_dual_files.h"
#include "cli/slurm_dual_plan.h"
#include "cli/testing/run.h"
#include "slurm/scripted_client.h"
#include "slurm/test_files.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;
using testing::CannedService;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* prices = R"(
effective_from: 2025-01-01
prices:
  - {cluster: onprem, partition: cpu, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: aws-cpu, unit: USD, basis: tres, per_core_hour: 0.085}
  - {cluster: cloud, partition: aws-gpu, unit: USD, basis: node, per_node_hour: 32.77}
)";

ConfEditor editor_of(const std::string& text) {
  return ConfEditor({{"/etc/slurm.conf", text, true}});
}

std::string text_of(const ConfEditor& editor) {
  return editor.changes().empty() ? "" : editor.changes().back().text;
}

TEST(ConfEditor, AddsWhatIsMissingAndLeavesTheRest) {
  ConfEditor editor = editor_of("# ours\nAccountingStorageEnforce=limits # why\nPort=1\n");
  ASSERT_TRUE(editor.add_words("AccountingStorageEnforce", {"associations", "limits", "safe"}));
  ASSERT_TRUE(editor.add_words("AccountingStoreFlags", {"job_comment"}));
  editor.set_missing("Port", "2");
  EXPECT_EQ(text_of(editor),
            "# ours\nAccountingStorageEnforce=limits,associations,safe # why\nPort=1\n"
            "AccountingStoreFlags=job_comment\n");
  EXPECT_THAT(editor.changes().at(0).lines,
              ElementsAre("AccountingStorageEnforce=limits,associations,safe # why",
                          "AccountingStoreFlags=job_comment"));
  ConfEditor again = editor_of(text_of(editor));
  ASSERT_TRUE(again.add_words("AccountingStorageEnforce", {"associations", "limits", "safe"}));
  ASSERT_TRUE(again.add_words("AccountingStoreFlags", {"job_comment"}));
  EXPECT_THAT(again.changes(), IsEmpty());
}

TEST(ConfEditor, WeightsStandOnTheLineOfTheirPartition) {
  const std::string text =
      "PartitionName=DEFAULT State=UP\nPartitionName=cpu Nodes=a # TRESBillingWeights=x\n"
      "partitionname=big \\\n  Nodes=b TRESBillingWeights=CPU=1,Mem=1G State=UP\n";
  ConfEditor editor = editor_of(text);
  EXPECT_THAT(editor.partitions(), ElementsAre("cpu", "big"));
  EXPECT_EQ(editor.set_weights("cpu", "CPU=4"), "");
  EXPECT_EQ(editor.set_weights("big", "CPU=6,GRES/gpu=110"), "CPU=1,Mem=1G");
  EXPECT_EQ(text_of(editor),
            "PartitionName=DEFAULT State=UP\n"
            "PartitionName=cpu TRESBillingWeights=\"CPU=4\" Nodes=a # TRESBillingWeights=x\n"
            "partitionname=big \\\n  Nodes=b TRESBillingWeights=\"CPU=6,GRES/gpu=110\" State=UP\n");
  ConfEditor again = editor_of(text_of(editor));
  EXPECT_EQ(again.set_weights("cpu", "CPU=4"), "CPU=4");
  EXPECT_EQ(again.set_weights("big", "CPU=6,GRES/gpu=110"), "CPU=6,GRES/gpu=110");
  EXPECT_THAT(again.changes(), IsEmpty());
}

TEST(ConfEditor, KeysThatGuidesNameAndSlurmRefusesAreNamed) {
  for (const char* line : {"Federation=hybrid", "FederationName=hybrid",
                           "FederationAuthType=auth/munge", "AccountingStorageLoc=slurm_acct_db",
                           "AccountingStoreJobComment=YES", "TRESBillingWeights=\"CPU=1.0\""}) {
    EXPECT_THAT(editor_of("ClusterName=a\n" + std::string(line) + "\n").wrong_keys(),
                ElementsAre(HasSubstr("/etc/slurm.conf:2: ")))
        << line;
  }
  EXPECT_THAT(editor_of("FederationParameters=fed_display\n#Federation=x\n"
                        "PartitionName=a TRESBillingWeights=\"CPU=1\"\n")
                  .wrong_keys(),
              IsEmpty());
}

class SlurmDual : public ::testing::Test {
 protected:
  SlurmDual() {
    for (const std::string name : {"onprem", "cloud"}) {
      clusters_.push_back({name, folder_ + "/" + name + ".conf", ""});
      config_[name] = slurm::recorded("cluster/" + name + ".config.txt");
    }
    write("onprem.conf", "ClusterName=onprem\nPartitionName=cpu Nodes=cpu-[1-2]\n");
    write("cloud.conf",
          "ClusterName=cloud\nPartitionName=aws-cpu Nodes=ALL\nPartitionName=aws-gpu Nodes=ALL\n"
          "PartitionName=spare Nodes=ALL\n");
    book_ = *pricing::parse_price_book(prices, "prices", {});
    flags_.federation = "hybrid";
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }

  DualPlan plan(const std::string& shown_clusters, const std::string& federations = "") {
    class PerCluster final : public slurm::SlurmClient {
     public:
      Result<std::string> run(const slurm::SlurmCluster& cluster,
                              const std::vector<std::string>& argv) override {
        if (argv.front() == "sacctmgr") {
          return argv.at(4) == "cluster" ? shown_clusters : federations;
        }
        if (cluster.name == away) return fail(ErrorKind::unavailable, "cloud does not answer");
        const std::string& last = argv.back();
        const std::string name = "cluster/" + cluster.name;
        if (last == "config") return config[cluster.name];
        return slurm::recorded(name + (last == "node" ? ".nodes.txt" : ".partitions.txt"));
      }
      std::string shown_clusters;
      std::string federations;
      std::string away;
      std::map<std::string, std::string> config;
    } client;
    client.shown_clusters = shown_clusters;
    client.federations = federations;
    client.away = away_;
    client.config = config_;
    return plan_dual(client, clusters_, flags_, &book_);
  }

  std::string lines_of(const DualPlan& plan, const std::string& name) const {
    std::string text;
    for (const Change& change : plan.changes) {
      if (change.path != folder_ + "/" + name) continue;
      for (const std::string& line : change.lines) text += line + "\n";
    }
    return text;
  }

  CannedService service_;  // for its folder
  std::string folder_ = service_.folder();
  std::vector<slurm::SlurmCluster> clusters_;
  std::map<std::string, std::string> config_;
  std::string away_;
  pricing::PriceBook book_;
  DualFlags flags_;
};

TEST_F(SlurmDual, SaysTheLinesAndTheCallsOfANewFederation) {
  const DualPlan found = plan("onprem|\ncloud|\n");
  EXPECT_THAT(found.refusals, IsEmpty());
  EXPECT_EQ(lines_of(found, "onprem.conf"),
            "AccountingStorageType=accounting_storage/slurmdbd\n"
            "AccountingStoreFlags=job_comment\n"
            "AccountingStorageEnforce=associations,limits,qos,safe\n"
            "FederationParameters=fed_display\n"
            "PartitionName=cpu TRESBillingWeights=\"CPU=1\" Nodes=cpu-[1-2]\n");
  EXPECT_THAT(lines_of(found, "cloud.conf"),
              HasSubstr("PartitionName=aws-cpu TRESBillingWeights=\"CPU=85\" Nodes=ALL\n"
                        "PartitionName=aws-gpu TRESBillingWeights=\"Node=32770\" Nodes=ALL\n"));
  EXPECT_THAT(found.commands, ElementsAre(ElementsAre("sacctmgr", "-i", "add", "federation",
                                                      "hybrid", "clusters=onprem,cloud")));
  EXPECT_THAT(weight_notes(found.weights, found.snapshots),
              Contains(HasSubstr("Partition spare of cloud has no price")));
  EXPECT_FALSE(difference_table(found.weights, found.snapshots).is_empty());
}

TEST_F(SlurmDual, ANewClusterIsAddedAndAKnownOneNever) {
  EXPECT_THAT(plan("onprem|\n").commands,
              ElementsAre(ElementsAre("sacctmgr", "-i", "add", "cluster", "cloud"),
                          ElementsAre("sacctmgr", "-i", "add", "federation", "hybrid",
                                      "clusters=onprem,cloud")));
  EXPECT_THAT(plan("onprem|hybrid\ncloud|\n", "hybrid\n").commands,
              ElementsAre(ElementsAre("sacctmgr", "-i", "modify", "federation", "hybrid", "set",
                                      "clusters+=cloud")));
  EXPECT_THAT(plan("onprem|hybrid\ncloud|hybrid\n", "hybrid\n").commands, IsEmpty());
}

TEST_F(SlurmDual, AClusterIsNeverTakenOutOfItsFederation) {
  const DualPlan found = plan("onprem|hybrid\ncloud|other\n", "hybrid\nother\n");
  EXPECT_THAT(found.refusals, ElementsAre(HasSubstr("Cluster cloud is in federation 'other'")));
}

TEST_F(SlurmDual, AClusterThatIsDownOrOfAnotherVersionIsRefused) {
  away_ = "cloud";
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals, ElementsAre("cloud does not answer"));
  away_.clear();
  std::string& config = config_["cloud"];
  config.replace(config.find("22.05.8"), 7, "23.02.1");
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals,
              ElementsAre(HasSubstr("Cluster cloud has Slurm 23.02.1, and onprem has 22.05.8")));
}

TEST_F(SlurmDual, ClustersOfAFederationShareTheirSlurmdbd) {
  write("cloud.conf", "ClusterName=cloud\nAccountingStorageHost=elsewhere\n");
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals,
              ElementsAre(HasSubstr("share one slurmdbd, but onprem asks localhost:6819, cloud "
                                    "asks elsewhere:6819")));
  flags_.federation.clear();
  const DualPlan independent = plan("onprem|\ncloud|\n");
  EXPECT_THAT(independent.refusals, IsEmpty());
  EXPECT_THAT(independent.commands, IsEmpty());
  EXPECT_THAT(independent.notes, Contains(HasSubstr("These clusters have a slurmdbd each")));
  EXPECT_EQ(lines_of(independent, "cloud.conf").find("FederationParameters"), std::string::npos);
}

TEST_F(SlurmDual, WhatKeepsSlurmctldFromStartingIsRefused) {
  write("onprem.conf", "ClusterName=onprem\nFederationName=x\n");
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals, Contains(HasSubstr("onprem.conf:2: ")));
  write("onprem.conf", "ClusterName=onprem\nAccountingStorageType=accounting_storage/none\n");
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals,
              Contains(HasSubstr("AccountingStorageType is accounting_storage/none")));
  write("onprem.conf", "ClusterName=other\n");
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals,
              Contains(HasSubstr("is of cluster 'other', not of 'onprem'")));
}

TEST_F(SlurmDual, AKeyForJwtMustBeThereAndNobodyElses) {
  flags_.jwt_key = folder_ + "/jwt.key";
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals, Contains(HasSubstr("--jwt: there is no key")));
  write("jwt.key", "secret");
  chmod(flags_.jwt_key.c_str(), 0644);
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals,
              Contains(HasSubstr("others than its owner may read or write")));
  chmod(flags_.jwt_key.c_str(), 0600);
  for (const std::string name : {"onprem", "cloud"}) {
    write(name + ".conf", "ClusterName=" + name + "\nPluginDir=" + folder_ + "\n");
  }
  EXPECT_THAT(plan("onprem|\ncloud|\n").refusals, Contains(HasSubstr("auth_jwt.so is not in")));
  write("auth_jwt.so", "");
  write("slurmdbd.conf", "DbdHost=a\n");
  flags_.slurmdbd = {folder_ + "/slurmdbd.conf"};
  const DualPlan found = plan("onprem|\ncloud|\n");
  EXPECT_THAT(found.refusals, IsEmpty());
  EXPECT_THAT(lines_of(found, "cloud.conf"),
              HasSubstr("AuthAltTypes=auth/jwt\nAuthAltParameters=jwt_key=" + flags_.jwt_key));
  EXPECT_THAT(found.notes, Contains(HasSubstr("slurmdbd.conf when it starts: restart it first")));
  EXPECT_EQ(lines_of(found, "slurmdbd.conf"),
            "AuthAltTypes=auth/jwt\nAuthAltParameters=jwt_key=" + flags_.jwt_key + "\n");
}

TEST_F(SlurmDual, WrongFlagsAreNamed) {
  write("asbb.yaml", "slurm:\n  clusters:\n    - {name: onprem, conf: /nowhere/slurm.conf}\n");
  const auto configure = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"slurm", "configure", "--config=" + folder_ + "/asbb.yaml"};
    words.insert(words.end(), more.begin(), more.end());
    return testing::run(words);
  };
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"--clusters=onprm"}, "did you mean 'onprem'?"},
      {{"--clusters=onprem,onprem"}, "'onprem' is named twice"},
      {{"--federation=a b"}, "--federation: 'a b' is not a name"},
      {{"--federation=x", "--jwt=key"}, "--jwt: 'key' is not allowed"},
      {{"--jwt=/key"}, "--clusters or --federation is missing"}};
  for (const auto& [flags, why] : wrong) {
    const auto ran = configure(flags);
    EXPECT_EQ(ran.code, exit_usage) << why;
    EXPECT_THAT(ran.err, HasSubstr(why));
  }
}

}  // namespace
}  // namespace asbb::cli
