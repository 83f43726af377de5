// The adapters on a scripted Slurm: what they ask, and what they make of answers that are missing,
// empty or for somebody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slurm/cluster_view_commands.h"
#include "slurm/job_source_commands.h"
#include "slurm/scripted_client.h"
#include "slurm/test_files.h"

namespace asbb::slurm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Instant now = Instant::from_unix_seconds(1'795'300'000);

// What follows "--delimiter=" or the first column's colon: what this call is to end its fields
// with.
std::string separator_of(const std::vector<std::string>& argv) {
  for (const std::string& argument : argv) {
    if (argument.starts_with("--delimiter=")) {
      return argument.substr(12);
    }
    if (argument.starts_with("--Format=")) {
      const std::size_t colon = argument.find(':');
      return argument.substr(colon + 1, argument.find(',') - colon - 1);
    }
  }
  return {};
}

// A recorded output with the separator of this very call.
ScriptedClient::Answer replay(const std::string& file) {
  return [file](const std::vector<std::string>& argv) -> Result<std::string> {
    std::string text = recorded(file);
    for (std::size_t at = text.find(recorded_separator); at != std::string::npos;
         at = text.find(recorded_separator, at)) {
      text.replace(at, recorded_separator.size(), separator_of(argv));
    }
    return text;
  };
}

struct Slurm {
  ScriptedClient client;
  std::vector<SlurmCluster> clusters{{"onprem", "/etc/onprem/slurm.conf", ""},
                                     {"cloud", "/etc/cloud/slurm.conf", ""}};
  std::function<Instant()> clock = [] { return now; };

  JobSourceCommands source(Reader reader = {0, "root"}) {
    return {client, clusters, clock, std::move(reader)};
  }
};

TEST(JobSourceCommands, AClusterThatIsNotConfiguredIsNotFound) {
  Slurm slurm;
  auto source = slurm.source();
  EXPECT_EQ(source.list_queue("x").error().kind, ErrorKind::not_found);
  EXPECT_EQ(source.list_accounting("x", {{1}, {}, {}}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(source.accounting_queue_length("x").error().kind, ErrorKind::not_found);
  EXPECT_THAT(slurm.client.asked, IsEmpty());
}

TEST(JobSourceCommands, RootsListIsEvidence) {
  Slurm slurm;
  slurm.client.answer({"squeue"}, replay("running/onprem.reader-squeue.txt"));
  const auto list = slurm.source().list_queue("onprem");
  ASSERT_TRUE(list.has_value());
  EXPECT_TRUE(list->is_evidence());
  EXPECT_EQ(list->read_at, now);
  EXPECT_GT(list->jobs.size(), 20u);
}

TEST(JobSourceCommands, AnOperatorsListIsEvidence) {
  Slurm slurm;
  slurm.client.answer({"squeue"}, "");
  slurm.client.answer({"sacctmgr", "name=asbb"}, "asbb|Operator\n");
  const auto list = slurm.source({990, "asbb"}).list_queue("onprem");
  ASSERT_TRUE(list.has_value());
  EXPECT_TRUE(list->is_evidence());
  EXPECT_EQ(list->operator_proof, "User asbb has AdminLevel Operator.");
}

TEST(JobSourceCommands, AnOrdinaryUsersEmptyListIsNoEvidence) {
  for (const std::string level : {"asbb|None\n", "", "asbb2|Operator\n", "asbb|Operator|x\n"}) {
    Slurm slurm;
    slurm.client.answer({"squeue"}, "");
    slurm.client.answer({"sacctmgr"}, level);
    slurm.client.answer({"scontrol"}, "SlurmUser   = slurm(64030)\n");
    const auto list = slurm.source({990, "asbb"}).list_queue("onprem");
    ASSERT_TRUE(list.has_value());
    EXPECT_FALSE(list->is_evidence()) << level;
    EXPECT_THAT(list->operator_proof, HasSubstr("adminlevel=operator"));
  }
}

TEST(JobSourceCommands, SlurmUserIsProvenToSlurmctldAlone) {
  Slurm slurm;
  slurm.client.answer({"squeue"}, "");
  slurm.client.answer({"sacctmgr", "cluster"}, "onprem\n");
  slurm.client.answer({"sacctmgr", "user"}, "");
  slurm.client.answer({"sacct"}, "");
  slurm.client.answer({"scontrol"}, "SlurmUser               = slurm(64030)\n");
  auto source = slurm.source({64'030, "slurm"});
  EXPECT_TRUE(source.list_queue("onprem")->is_evidence());
  EXPECT_FALSE(source.list_accounting("onprem", {{1}, {}, {}})->is_evidence());
}

TEST(JobSourceCommands, NothingIsProvenWhenTheLevelCannotBeRead) {
  Slurm slurm;
  slurm.client.answer({"squeue"}, "");
  slurm.client.refuse({"sacctmgr"}, "slurmdbd is away");
  slurm.client.refuse({"scontrol"}, "slurmctld is away");
  const auto list = slurm.source({990, "asbb"}).list_queue("onprem");
  ASSERT_TRUE(list.has_value());
  EXPECT_FALSE(list->is_evidence());
  EXPECT_THAT(list->operator_proof, HasSubstr("slurmdbd is away"));
}

TEST(JobSourceCommands, AControllerThatIsAwayIsAnError) {
  Slurm slurm;
  slurm.client.refuse({"squeue"}, "connect failure");
  const auto list = slurm.source().list_queue("onprem");
  ASSERT_FALSE(list.has_value());
  EXPECT_EQ(list.error().kind, ErrorKind::unavailable);
}

TEST(JobSourceCommands, AClusterThatSlurmdbdDoesNotKnowIsNotAnEmptyList) {
  Slurm slurm;
  slurm.client.answer({"sacctmgr", "cluster"}, "\n");
  slurm.client.answer({"sacct"}, "");
  const auto list = slurm.source().list_accounting("onprem", {{1}, {}, {}});
  ASSERT_FALSE(list.has_value());
  EXPECT_EQ(list.error().kind, ErrorKind::broken);
}

TEST(JobSourceCommands, AWindowIsAskedForInTwoWays) {
  Slurm slurm;
  slurm.client.answer({"sacctmgr", "cluster"}, "onprem\n");
  slurm.client.answer({"sacct", "--state"}, replay("ended/onprem.reader-sacct-ended.txt"));
  slurm.client.answer({"sacct"}, replay("ended/onprem.reader-sacct.txt"));
  const auto list =
      slurm.source().list_accounting("onprem", {{}, Instant::from_unix_seconds(1'700'000'000), {}});
  ASSERT_TRUE(list.has_value());
  EXPECT_TRUE(list->is_evidence());
  EXPECT_THAT(slurm.client.asked, SizeIs(3)) << "no row is older than the window";
  for (std::size_t i = 1; i < list->records.size(); ++i) {
    EXPECT_LT(list->records[i - 1].db_index, list->records[i].db_index);
  }
}

TEST(JobSourceCommands, RowsSubmittedBeforeTheWindowBringTheirEarlierRuns) {
  Slurm slurm;
  slurm.client.answer({"sacctmgr", "cluster"}, "onprem\n");
  slurm.client.answer({"sacct", "--jobs"}, replay("ended/onprem.reader-sacct.txt"));
  slurm.client.answer({"sacct"}, replay("ended/onprem.reader-sacct-ended.txt"));
  const auto list =
      slurm.source().list_accounting("onprem", {{}, Instant::from_unix_seconds(4'000'000'000), {}});
  ASSERT_TRUE(list.has_value());
  ASSERT_THAT(slurm.client.asked, SizeIs(4));
  EXPECT_THAT(slurm.client.asked.back().back(), HasSubstr("--jobs="));
}

TEST(JobSourceCommands, LongIdListsAreAskedForInPieces) {
  Slurm slurm;
  slurm.client.answer({"sacctmgr", "cluster"}, "onprem\n");
  slurm.client.answer({"sacct"}, "");
  AccountingQuery query;
  for (std::int64_t id = 1; id <= 2500; ++id) {
    query.job_ids.push_back(id);
  }
  ASSERT_TRUE(slurm.source().list_accounting("onprem", query).has_value());
  ASSERT_THAT(slurm.client.asked, SizeIs(4));
  EXPECT_THAT(slurm.client.asked[1].back(), AllOf(HasSubstr("=1,2,"), Not(HasSubstr(",1001"))));
  EXPECT_THAT(slurm.client.asked[3].back(), HasSubstr("=2001,"));
}

TEST(JobSourceCommands, AQueryOfNothingIsRefused) {
  Slurm slurm;
  EXPECT_EQ(slurm.source().list_accounting("onprem", {}).error().kind, ErrorKind::invalid);
}

TEST(JobSourceCommands, OnePieceThatFailsFailsTheWhole) {
  Slurm slurm;
  slurm.client.answer({"sacctmgr", "cluster"}, "onprem\n");
  slurm.client.refuse({"sacct", "--state"}, "slurmdbd went away");
  slurm.client.answer({"sacct"}, replay("ended/onprem.reader-sacct.txt"));
  const auto list = slurm.source().list_accounting("onprem", {{}, Instant{}, {}});
  ASSERT_FALSE(list.has_value());
  EXPECT_TRUE(list.error().retry_helps());
}

TEST(JobSourceCommands, TellsHowMuchSlurmctldHasNotSent) {
  Slurm slurm;
  slurm.client.answer({"sdiag"}, recorded("ended/onprem.sdiag.txt"));
  EXPECT_EQ(slurm.source().accounting_queue_length("onprem"), 0);
  for (const std::string text :
       {"", "DBD Agent queue size:", "DBD Agent queue size: many", "Agent queue size:     0\n"}) {
    Slurm other;
    other.client.answer({"sdiag"}, text);
    EXPECT_EQ(other.source().accounting_queue_length("onprem").error().kind, ErrorKind::broken);
  }
  Slurm busy;
  busy.client.answer({"sdiag"}, "x\nDBD Agent queue size: 17\ny\n");
  EXPECT_EQ(busy.source().accounting_queue_length("onprem"), 17);
}

TEST(ClusterViewCommands, ReadsAClusterAndItsAssociations) {
  Slurm slurm;
  slurm.client.answer({"scontrol", "config"}, recorded("cluster/onprem.config.txt"));
  slurm.client.answer({"scontrol", "partition"}, recorded("cluster/onprem.partitions.txt"));
  slurm.client.answer({"scontrol", "node"}, recorded("cluster/onprem.nodes.txt"));
  slurm.client.answer({"sacctmgr", "withassoc"}, recorded("cluster/user-withassoc.txt"));
  slurm.client.answer({"sacctmgr", "ControlHost"}, recorded("cluster/cluster.txt"));
  slurm.client.answer({"sacctmgr", "ParentName"}, recorded("cluster/assoc.txt"));
  ClusterViewCommands view(slurm.client, slurm.clusters, slurm.clock);
  const auto snapshot = view.read_cluster("onprem");
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_THAT(snapshot->problems, IsEmpty());
  EXPECT_EQ(snapshot->read_at, now);
  EXPECT_NE(snapshot->partition("quiet"), nullptr);
  const auto associations = view.read_associations("onprem");
  ASSERT_TRUE(associations.has_value());
  EXPECT_TRUE(associations->may_use("onprem", "games", "proj002"));
  EXPECT_EQ(view.read_cluster("x").error().kind, ErrorKind::not_found);
}

TEST(ClusterViewCommands, ADaemonThatIsAwayIsAnError) {
  Slurm slurm;
  slurm.client.answer({"scontrol", "config"}, recorded("cluster/onprem.config.txt"));
  slurm.client.refuse({"scontrol", "partition"}, "connect failure");
  slurm.client.refuse({"sacctmgr"}, "connection refused");
  ClusterViewCommands view(slurm.client, slurm.clusters, slurm.clock);
  EXPECT_EQ(view.read_cluster("onprem").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(view.read_associations("onprem").error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace asbb::slurm
