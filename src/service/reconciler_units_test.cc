// Jobs of a federation whose clusters are priced in different units.
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"

namespace asbb::service {
namespace {

constexpr std::int64_t federated_id = 67'108'871;

// An hour of one core: 1 core-hour on onprem, 2 USD on cloud; 1.2 and 2.4 held.
class Units : public testing::JobChanges {
 protected:
  Units() : JobChanges({"onprem", "cloud"}) {
    set_prices(R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-02-01
)");
    add_hours("proj001", "10");
    look();
  }

  void add_hours(const std::string& account, const char* limit) {
    ledger::NewBudget hours{"core-hours", testing::at("2025-01-01T00:00:00Z"),
                            testing::at("2026-01-01T00:00:00Z"), testing::money(limit), Micros()};
    ASSERT_TRUE(run(ledger::AddBudget{account, hours}).accepted());
  }
  void look() {
    refresh_view();
    auto federated = associations();
    federated.add(slurm::ClusterEntry{"onprem", "hybrid", {}});
    federated.add(slurm::ClusterEntry{"cloud", "hybrid", {"cloud"}});
    federated.add(slurm::Association{"cloud", "proj001", "", "", "lab", "", false});
    federated.add(slurm::Association{"cloud", "proj001", "alice", "", "", "", false});
    for (const char* name : {"onprem", "cloud"}) {
      view_.put(name, federated);
      view_.put(cluster(name));
    }
  }

  slurm::QueueJob federated_job() {
    slurm::QueueJob row = job();
    row.job_id = federated_id;
    row.federation_origin = "onprem";
    row.federation_siblings = {"onprem", "cloud"};
    return row;
  }
  static slurm::QueueJob on(const char* cluster, slurm::QueueJob row, const char* state) {
    row.cluster = cluster;
    row.status = slurm::parse_job_status(state);
    if (std::string_view(state) == "RUNNING") run_job(row);
    return row;
  }
  void show_both(const slurm::QueueJob& onprem, const slurm::QueueJob& cloud) {
    pass_time(seconds(1));
    look();
    source_.set_queue("onprem", {onprem});
    source_.set_queue("cloud", {cloud});
  }
  void waits(const slurm::QueueJob& row) {
    show_both(on("onprem", row, "PENDING"), on("cloud", row, "PENDING"));
  }
  void runs_on_cloud(const slurm::QueueJob& row) {
    show_both(on("onprem", row, "REVOKED"), on("cloud", row, "RUNNING"));
  }
  // Seen to wait, and then to run there.
  slurm::QueueJob job_on_cloud() {
    const auto row = federated_job();
    waits(row);
    (void)pass();
    runs_on_cloud(row);
    (void)pass();
    return row;
  }
  void ended_on_cloud(const slurm::QueueJob& row, const char* state, std::int64_t index) {
    auto record = ended(federated_id, 1800, row.submit, index);
    record.cluster = "cloud";
    record.status = slurm::parse_job_status(state);
    source_.add_record(record);
  }

  [[nodiscard]] std::string held(const std::string& unit) const {
    return committer_->read([&](const ledger::Book& book) {
      for (const ledger::Budget* budget : book.budgets_of(book.account("proj001")->id)) {
        if (budget->unit == unit) return to_decimal(budget->held);
      }
      return std::string("no such budget");
    });
  }
};

TEST_F(Units, TheLosersMoneyGoesBackWhenOneClusterWins) {
  const auto row = federated_job();
  waits(row);
  (void)pass();
  (void)pass();
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "1.2");
  runs_on_cloud(row);
  EXPECT_EQ(pass().followed, 1);
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "0");
  EXPECT_EQ(pass().followed, 0);
  show_both(on("onprem", row, "REVOKED"), on("cloud", row, "COMPLETED"));
  ended_on_cloud(row, "COMPLETED", 1);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
  EXPECT_TRUE(alarms_.list().empty());
}

// The default partitions have different names, and a report showed one that the cluster has not.
TEST_F(Units, TheHoldIsOfThePartitionOnWhichItRuns) {
  set_prices(R"(
prices:
  - {cluster: onprem, partition: cpu, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: cloud, partition: aws-cpu, unit: USD, basis: tres, per_core_hour: 2}
effective_from: 2025-02-01
)");
  auto there = cluster("cloud");
  there.partitions.front().name = "aws-cpu";
  for (auto& node : there.nodes) node.partitions = {"aws-cpu"};
  view_.put(there);
  api::Submission asked = submission();
  asked.partition.clear();
  token_ = token();
  const auto answer = submit(asked, token_);
  ASSERT_EQ(answer.decision, "allow") << answer.message;
  const auto open = [&] {
    return committer_->read([](const ledger::Book& book) { return *book.open_holds().front(); });
  };
  ASSERT_EQ(open().parts.size(), 2U);
  ASSERT_EQ(open().partition, "aws-cpu");
  slurm::QueueJob row = federated_job();
  row.admin_comment = "asbb=" + open().request_id;
  row.partition = "cpu";
  auto elsewhere = on("cloud", row, "PENDING");
  elsewhere.partition = "aws-cpu";
  show_both(on("onprem", row, "PENDING"), elsewhere);
  (void)pass();
  elsewhere.status = slurm::parse_job_status("REVOKED");
  show_both(on("onprem", row, "RUNNING"), elsewhere);
  EXPECT_EQ(pass().followed, 1);
  EXPECT_EQ(open().parts.size(), 1U);
  EXPECT_EQ(open().partition, "cpu");
  EXPECT_EQ(pass().followed, 0);
}

TEST_F(Units, ARequeuedJobMayNeedThemAgain) {
  auto row = job_on_cloud();
  EXPECT_EQ(held("core-hours"), "0");
  ended_on_cloud(row, "REQUEUED", 1);
  row.restart_count = 1;
  waits(row);
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "1.2");
  show_both(on("onprem", row, "RUNNING"), on("cloud", row, "REVOKED"));
  (void)pass();
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(held("core-hours"), "1.2");
  EXPECT_TRUE(alarms_.list().empty());
}

TEST_F(Units, ARunThatBeginsElsewhereIsHeldThere) {
  auto row = job_on_cloud();
  ended_on_cloud(row, "REQUEUED", 1);
  row.restart_count = 1;
  show_both(on("onprem", row, "RUNNING"), on("cloud", row, "REVOKED"));
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(held("core-hours"), "1.2");
}

// What the run before cost is not known yet: its money used to be given away.
TEST_F(Units, NothingIsDroppedBeforeTheRunBeforeIsCharged) {
  auto row = job_on_cloud();
  row.restart_count = 1;
  show_both(on("onprem", row, "RUNNING"), on("cloud", row, "REVOKED"));
  (void)pass();
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "1.2");
  ended_on_cloud(row, "REQUEUED", 1);
  (void)pass();
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(held("core-hours"), "1.2");
}

// The disk was full when the run was to be charged, and its money was given away.
TEST_F(Units, NothingIsDroppedBeforeTheLedgerHasTheChargeOfTheRunBefore) {
  auto row = job_on_cloud();
  ended_on_cloud(row, "REQUEUED", 1);
  row.restart_count = 1;
  show_both(on("onprem", row, "RUNNING"), on("cloud", row, "REVOKED"));
  store_.fail_commit(store_.commits() + 1, store::Fault::before);
  (void)pass();
  store_.heal();
  EXPECT_EQ(held("USD"), "2.4");
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(held("core-hours"), "1.2");
}

// Its cluster had it revoked twice before it ran there: those rows were taken for runs after it,
// and the hold waited for another one for ever.
TEST_F(Units, RowsOfBeforeAreNoNextRun) {
  auto row = federated_job();
  waits(row);
  (void)pass();
  for (std::int64_t run = 1; run <= 2; ++run) {
    auto revoked = ended(federated_id, 0, row.submit, run);
    revoked.status = slurm::parse_job_status("REVOKED");
    revoked.run = run;
    source_.add_record(revoked);
  }
  show_both(on("onprem", row, "COMPLETED"), on("cloud", row, "REVOKED"));
  source_.add_record(ended(federated_id, 1800, row.submit, 3));
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(held("core-hours"), "0");
}

// A controller that does not answer may have the job as well.
TEST_F(Units, NothingIsDroppedWhileAControllerIsAway) {
  auto row = job_on_cloud();
  ended_on_cloud(row, "REQUEUED", 1);
  row.restart_count = 1;
  waits(row);
  source_.fail_queue("cloud", Error{ErrorKind::unavailable, "away", ""});
  (void)pass();
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "1.2");
}

// The answer that kept it from cloud was late, and the plugin let it in without.
TEST_F(Units, AJobThatRunsInAUnitThatItWasNotHeldInIsHeldThere) {
  ledger::UpdateAccount none;
  none.name = "proj001";
  none.unit = "core-hours";
  none.limit = Micros();
  ASSERT_TRUE(run(none).accepted());
  const auto row = federated_job();
  waits(row);
  (void)pass();
  EXPECT_EQ(held("core-hours"), "0");
  none.limit = testing::money("10");
  ASSERT_TRUE(run(none).accepted());
  show_both(on("onprem", row, "RUNNING"), on("cloud", row, "REVOKED"));
  (void)pass();
  EXPECT_EQ(held("USD"), "0");
  EXPECT_EQ(held("core-hours"), "1.2");
}

// The price that held a part is the one that it is charged by.
TEST_F(Units, EachUnitIsChargedByThePriceItWasHeldAt) {
  auto row = job_on_cloud();
  set_prices(R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: core-hours, basis: tres, per_core_hour: 5}
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 7}
effective_from: 2025-05-01
)");
  row.restart_count = 1;
  waits(row);
  (void)pass();
  EXPECT_EQ(held("core-hours"), "6");
  ended_on_cloud(row, "REQUEUED", 1);
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "1");
}

TEST_F(Units, WithoutTheMoneyTheHoldStaysAndAnAlarmSaysSo) {
  auto row = job_on_cloud();
  ledger::UpdateAccount less;
  less.name = "proj001";
  less.unit = "core-hours";
  less.limit = testing::money("1");
  ASSERT_TRUE(run(less).accepted());
  ended_on_cloud(row, "REQUEUED", 1);
  row.restart_count = 1;
  waits(row);
  (void)pass();
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "0");
  EXPECT_EQ(alarms_of_changes(), 1);
  less.limit = testing::money("10");
  ASSERT_TRUE(run(less).accepted());
  (void)pass();
  EXPECT_EQ(held("core-hours"), "1.2");
  (void)pass();
  EXPECT_EQ(alarms_of_changes(), 0);
}

// slurmdbd has its row on the cluster of its submission, which it was kept from. The settlement was
// refused for want of the unit, and the hold stayed.
TEST_F(Units, AJobThatNeverStartedNeedsNoUnit) {
  ledger::UpdateAccount none;
  none.name = "proj001";
  none.unit = "core-hours";
  none.limit = Micros();
  ASSERT_TRUE(run(none).accepted());
  auto row = federated_job();
  row.federation_siblings = {"cloud"};
  show_both(on("onprem", row, "PENDING"), on("cloud", row, "PENDING"));
  (void)pass();
  EXPECT_EQ(held("USD"), "2.4");
  EXPECT_EQ(held("core-hours"), "0");
  show_both(on("onprem", row, "CANCELLED"), on("cloud", row, "REVOKED"));
  auto record = ended(federated_id, 0, row.submit, 1);
  record.status = slurm::parse_job_status("CANCELLED by 1000");
  record.nodes.clear();
  record.node_count = 0;
  record.allocated_tres.clear();
  source_.add_record(record);
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(held("USD"), "0");
  EXPECT_TRUE(alarms_.list().empty());
}

// The hold lacks a unit, and the job's own request names every cluster.
TEST_F(Units, AChangeOfAJobThatRunsAsksForItsUnitAlone) {
  auto row = job_on_cloud();
  auto longer = row;
  longer.time_limit_minutes = 120;
  runs_on_cloud(longer);
  (void)pass();
  EXPECT_EQ(held("USD"), "4.8");
  EXPECT_EQ(held("core-hours"), "0");
}

}  // namespace
}  // namespace asbb::service
