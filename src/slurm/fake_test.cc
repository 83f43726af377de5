// The cache, the user names and the fakes that other tests stand on.
#include "slurm/fake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "slurm/cluster_cache.h"

namespace asbb::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ClusterSnapshot snapshot_of(const std::string& cluster) {
  ClusterSnapshot snapshot;
  snapshot.cluster = cluster;
  return snapshot;
}

Associations associations_of(const std::string& cluster) {
  Associations associations;
  associations.add({cluster, "proj001", "", "", "root", "", false});
  associations.add({cluster, "proj001", "ada", "", "", "", true});
  return associations;
}

TEST(ClusterCache, KeepsTheLastGoodAnswer) {
  FakeClusterView view;
  FakeUserNames users;
  users.add(1000, "ada");
  view.now = [] { return Instant{5}; };
  view.set_cluster(snapshot_of("onprem"));
  view.set_associations("onprem", associations_of("onprem"));
  ClusterCache cache;
  EXPECT_EQ(cache.cluster("onprem"), nullptr);
  EXPECT_EQ(cache.associations("onprem"), nullptr);
  EXPECT_THAT(cache.refresh(view, users), IsEmpty());
  EXPECT_EQ(cache.problem("onprem"), "");
  ASSERT_NE(cache.cluster("onprem"), nullptr);
  EXPECT_EQ(cache.associations("onprem")->default_account("onprem", "ada"), "proj001");
  EXPECT_EQ(users.known_name(1000), "ada");

  view.now = [] { return Instant{9}; };
  view.fail_cluster("onprem", Error{ErrorKind::unavailable, "away", ""});
  view.fail_associations("onprem", Error{ErrorKind::unavailable, "away", ""});
  EXPECT_THAT(cache.refresh(view, users), SizeIs(2));
  EXPECT_EQ(cache.problem("onprem"), "away");
  EXPECT_EQ(cache.cluster("onprem")->read_at, Instant{5});
  view.fail_cluster("onprem", std::nullopt);
  EXPECT_THAT(cache.refresh(view, users), SizeIs(1));
  EXPECT_EQ(cache.cluster("onprem")->read_at, Instant{9});
  EXPECT_EQ(cache.associations("onprem")->read_at, Instant{5});
  EXPECT_EQ(cache.problem("onprem"), "away") << "slurmdbd still";
  view.fail_associations("onprem", std::nullopt);
  EXPECT_THAT(cache.refresh(view, users), IsEmpty());
  EXPECT_EQ(cache.problem("onprem"), "");
}

TEST(SystemUserNames, RemembersOnlyWhatItWasToldToFind) {
  SystemUserNames names;
  EXPECT_EQ(names.known_name(0), std::nullopt);
  EXPECT_EQ(names.resolve(0), "root");
  EXPECT_EQ(names.known_name(0), "root");
  EXPECT_EQ(names.known_id("root"), 0u);
  EXPECT_EQ(names.resolve(4'000'000'000).error().kind, ErrorKind::not_found);
  names.learn({"daemon", "nobody-of-that-name"});
  EXPECT_EQ(names.known_id("daemon"), 1u);
  EXPECT_EQ(names.known_id("nobody-of-that-name"), std::nullopt);
}

TEST(FakeJobSource, SaysWhatTheTestSets) {
  FakeJobSource source({"onprem", "cloud"});
  source.now = [] { return Instant::from_unix_seconds(100); };
  QueueJob job;
  job.cluster = "onprem";
  job.job_id = 7;
  source.add_job(job);
  EXPECT_THAT(source.list_queue("onprem")->jobs, SizeIs(1));
  EXPECT_THAT(source.list_queue("cloud")->jobs, IsEmpty());
  EXPECT_TRUE(source.list_queue("onprem")->is_evidence());
  source.set_operator("onprem", false);
  EXPECT_FALSE(source.list_queue("onprem")->is_evidence());
  source.remove_job("onprem", 7);
  EXPECT_THAT(source.list_queue("onprem")->jobs, IsEmpty());
  source.fail_queue("onprem", Error{ErrorKind::unavailable, "away", ""});
  EXPECT_FALSE(source.list_queue("onprem").has_value());
  EXPECT_EQ(source.list_queue("x").error().kind, ErrorKind::not_found);
  source.set_accounting_queue_length("cloud", 3);
  EXPECT_EQ(source.accounting_queue_length("cloud"), 3);
  source.fail_queue_length("cloud", Error{ErrorKind::unavailable, "away", ""});
  EXPECT_FALSE(source.accounting_queue_length("cloud").has_value());
  EXPECT_EQ(source.calls(), 9);
}

TEST(FakeJobSource, SelectsRecordsAsSacctDoes) {
  FakeJobSource source({"onprem"});
  source.now = [] { return Instant::from_unix_seconds(100); };
  AccountingRecord ended;
  ended.cluster = "onprem";
  ended.job_id = 7;
  ended.array_job_id = 5;
  ended.eligible = Instant::from_unix_seconds(10);
  ended.end = Instant::from_unix_seconds(20);
  AccountingRecord cancelled_early = ended;
  cancelled_early.job_id = 8;
  cancelled_early.array_job_id = 0;
  cancelled_early.eligible.reset();
  AccountingRecord waiting = cancelled_early;
  waiting.job_id = 9;
  waiting.end.reset();
  source.set_records("onprem", {ended, cancelled_early, waiting});
  const auto ids = [&](const AccountingQuery& query) {
    std::vector<std::int64_t> found;
    const auto list = source.list_accounting("onprem", query);
    for (const AccountingRecord& record : list->records) {
      found.push_back(record.job_id);
    }
    return found;
  };
  EXPECT_THAT(ids({{}, Instant{}, {}}), ElementsAre(7, 8));
  EXPECT_THAT(ids({{}, Instant::from_unix_seconds(21), {}}), IsEmpty());
  EXPECT_THAT(ids({{5}, {}, {}}), ElementsAre(7));
  EXPECT_THAT(ids({{8, 9}, {}, {}}), ElementsAre(8, 9));
}

}  // namespace
}  // namespace asbb::slurm
