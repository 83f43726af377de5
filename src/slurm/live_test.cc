// The readers against real daemons: run on the bed of tests/slurm, not by itself. BED is the bed's
// folder (`eval "$(tests/slurm/bed env DIR)"` sets it); it must be run by the user who runs the
// bed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "slurm/cluster_cache.h"
#include "slurm/cluster_view_commands.h"
#include "slurm/job_source_commands.h"
#include "slurm/process.h"

namespace asbb::slurm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Instant clock_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

class Live : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bed = std::getenv("BED");
    ASSERT_NE(bed, nullptr) << "BED must name the folder of a bed that is up: tests/slurm/bed.";
    for (const std::string name : {"onprem", "cloud"}) {
      clusters_.push_back({name, std::string(bed) + "/etc/" + name + "/slurm.conf", ""});
    }
    begin_ = clock_now() - seconds(1);
  }

  std::string run(const std::vector<std::string>& argv, std::size_t cluster = 0) {
    const auto said = client_.run(clusters_[cluster], argv);
    EXPECT_TRUE(said.has_value()) << (said ? "" : said.error().message);
    return said.value_or("");
  }

  // Submits to onprem alone; gives the job id.
  std::int64_t submit(std::vector<std::string> options) {
    options.insert(options.begin(), {"sbatch", "--parsable", "-A", "proj001", "-p", "cpu", "-o",
                                     "/dev/null", "--cluster-constraint=onprem"});
    const std::string said = run(options);
    return parse_count(std::string_view(said).substr(0, said.find_first_of(";\n"))).value_or(0);
  }

  JobSourceCommands source(Reader reader = current_reader()) {
    return {client_, clusters_, clock_now, std::move(reader)};
  }

  std::vector<AccountingRecord> rows(const AccountingQuery& query) {
    const auto list = source().list_accounting("onprem", query);
    EXPECT_TRUE(list.has_value()) << (list ? "" : list.error().message);
    if (!list) {
      return {};
    }
    EXPECT_THAT(list->problems, IsEmpty());
    EXPECT_TRUE(list->is_evidence()) << list->operator_proof;
    return list->records;
  }

  // Looks ten times a second, for at most 90 s (a requeued job waits for its begin time).
  template <typename Predicate>
  bool comes_true(Predicate is_true) {
    for (int i = 0; i < 900; ++i) {
      if (is_true()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  const QueueJob* find(const QueueList& list, std::int64_t job_id) {
    const auto found = std::find_if(list.jobs.begin(), list.jobs.end(),
                                    [&](const QueueJob& job) { return job.job_id == job_id; });
    return found == list.jobs.end() ? nullptr : &*found;
  }

  SlurmCommands client_;
  std::vector<SlurmCluster> clusters_;
  Instant begin_;
};

TEST_F(Live, AHeldJobOfHostileNamesIsSeenWhole) {
  std::string tasks = "1";
  for (int id = 2; id < 900; id += id % 7 + 2) {
    tasks += "," + std::to_string(id);
  }
  const std::int64_t job_id = submit({"-H", "-J",
                                      "a|b\n\x1f"
                                      "c",
                                      "--comment=x\n|\x1f"
                                      "y",
                                      "--array=" + tasks, "--wrap", "true"});
  ASSERT_GT(job_id, 0);
  run({"scontrol", "update", "job=" + std::to_string(job_id), "AdminComment=note|\nasbb=1"});
  const auto list = source().list_queue("onprem");
  ASSERT_TRUE(list.has_value());
  EXPECT_THAT(list->problems, IsEmpty());
  EXPECT_TRUE(list->is_evidence()) << list->operator_proof;
  const QueueJob* job = find(*list, job_id);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->status.base, JobState::pending);
  EXPECT_EQ(job->user_id, ::geteuid());
  EXPECT_EQ(job->account, "proj001");
  EXPECT_EQ(job->admin_comment, "note|\nasbb=1");
  EXPECT_EQ(expand_array_tasks(job->array_tasks).value(), expand_array_tasks(tasks).value());
  run({"scancel", std::to_string(job_id)});
}

TEST_F(Live, AJobCancelledBeforeItWasEligibleIsInTheWindow) {
  const std::int64_t job_id = submit({"-H", "--wrap", "true"});
  run({"scancel", std::to_string(job_id)});
  const auto has_it = [&] {
    const auto list = rows({{}, begin_, {}});
    return std::any_of(list.begin(), list.end(), [&](const AccountingRecord& record) {
      return record.job_id == job_id && record.status.base == JobState::cancelled;
    });
  };
  EXPECT_TRUE(comes_true(has_it));
}

TEST_F(Live, EveryRunOfARequeuedJobHasItsRow) {
  const std::int64_t job_id = submit({"--requeue", "--wrap", "sleep 2"});
  const std::string id = std::to_string(job_id);
  ASSERT_TRUE(comes_true([&] {
    const auto list = source().list_queue("onprem");
    const QueueJob* job = list ? find(*list, job_id) : nullptr;
    return job != nullptr && job->status.base == JobState::running;
  }));
  run({"scontrol", "requeue", id});
  std::vector<AccountingRecord> records;
  // The next run begins on the scheduler's own time; its row is what counts here.
  ASSERT_TRUE(comes_true([&] {
    records = rows({{job_id}, {}, {}});
    return records.size() == 2;
  }));
  EXPECT_TRUE(records[0].status.requeued);
  EXPECT_EQ(records[0].run, 1);
  EXPECT_EQ(records[1].run, 2);
  EXPECT_GE(records[1].submit, *records[0].end);
  run({"scancel", id});
}

TEST_F(Live, AnOrdinaryReaderProvesNothing) {
  const auto list = source({5, "games"}).list_queue("onprem");
  ASSERT_TRUE(list.has_value());
  EXPECT_FALSE(list->is_evidence());
  EXPECT_THAT(list->operator_proof, HasSubstr("AdminLevel is 'None'"));
}

TEST_F(Live, AClusterOfAnotherNameIsAnErrorNotAnEmptyList) {
  clusters_[0].name = "elsewhere";
  const auto list = source().list_accounting("elsewhere", {{1}, {}, {}});
  ASSERT_FALSE(list.has_value());
  EXPECT_EQ(list.error().kind, ErrorKind::broken);
  ClusterViewCommands view(client_, clusters_, clock_now);
  EXPECT_EQ(view.read_cluster("elsewhere").error().kind, ErrorKind::broken);
}

TEST_F(Live, TheAccountingQueueRunsEmpty) {
  EXPECT_TRUE(comes_true([&] {
    const auto length = source().accounting_queue_length("onprem");
    return length.has_value() && *length == 0;
  }));
}

TEST_F(Live, TheClusterViewIsReadWhole) {
  ClusterViewCommands view(client_, clusters_, clock_now);
  SystemUserNames names;
  ClusterCache cache;
  const auto errors = cache.refresh(view, names);
  ASSERT_THAT(errors, IsEmpty()) << errors.front().message;
  for (const std::string name : {"onprem", "cloud"}) {
    const auto snapshot = cache.cluster(name);
    ASSERT_NE(snapshot, nullptr);
    EXPECT_THAT(snapshot->problems, IsEmpty());
    ASSERT_NE(snapshot->default_partition(), nullptr);
    for (const PartitionInfo& partition : snapshot->partitions) {
      EXPECT_THAT(snapshot->nodes_of(partition), SizeIs(partition.nodes.size())) << partition.name;
      EXPECT_EQ(partition.total_nodes, static_cast<std::int64_t>(partition.nodes.size()));
    }
  }
  EXPECT_TRUE(cache.cluster("onprem")->partition("quiet")->is_hidden);
  const auto associations = cache.associations("onprem");
  ASSERT_NE(associations, nullptr);
  EXPECT_THAT(associations->problems, IsEmpty());
  EXPECT_TRUE(associations->may_use("cloud", "news", "nih-r01"));
  EXPECT_FALSE(associations->may_use("cloud", "news", "lab"));
  EXPECT_EQ(associations->default_account("onprem", "games"), "proj002");
  EXPECT_EQ(names.known_name(5), "games");
  EXPECT_THAT(associations->users(), Contains("news"));
}

}  // namespace
}  // namespace asbb::slurm
