// Rows of slurmdbd that say something else than what was charged, and what is asked of a controller
// in a pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using testing::at;
using ::testing::HasSubstr;
using ::testing::Not;

class CorrectedTest : public testing::ChangedRecordsFixture {
 protected:
  // A job that ran 90 seconds and was charged 0.09.
  slurm::AccountingRecord charged(const std::string& token) {
    const Instant began = now();
    source_.add_job(queued(token, 7, "COMPLETED"));
    auto row = record(7, "COMPLETED", 90);
    pass_time(seconds(90));
    row.start = row.submit = began;
    row.end = now();
    source_.add_record(row);
    (void)pass();
    expect_balance("0", "0.09");
    return row;
  }
  slurm::AccountingRecord without_run(slurm::AccountingRecord row) const {
    row.status = slurm::parse_job_status("CANCELLED by 0");
    row.start.reset();
    row.end = now();
    row.nodes.clear();
    row.allocated_tres.clear();
    return row;
  }
  void adjust(const char* amount, const std::string& reason) {
    ledger::Command command;
    command.context.actor = "root";
    command.context.reason = reason;
    command.action = ledger::Adjust{"proj001", "USD", testing::money(amount)};
    const auto outcome = committer_->run(command);
    ASSERT_TRUE(outcome.has_value() && outcome->accepted());
  }
};

TEST_F(CorrectedTest, TheAlarmNamesJobBothFiguresAndTheCommandAndGoesWithIt) {
  const std::string token = hold("1.2");
  auto row = charged(token);
  later();
  EXPECT_EQ(alarm(), "");
  says(row, 80);
  expect_balance("0", "0.09");
  EXPECT_EQ(
      alarm(),
      "onprem job 7, record 1 (COMPLETED after 80 s), was charged $0.09 to account proj001, but "
      "slurmdbd now says that it cost $0.08: look at it with sacct -D -j 7 -M onprem, and "
      "correct it with asbb refund proj001 --job=7 --cluster=onprem --amount=0.01 --unit=USD "
      "--reason='corrects onprem job 7, record 1', or keep it with asbb reconcile 7 "
      "--cluster=onprem --actual-cost=0.09 --unit=USD --reason=TEXT");
  adjust("-0.01", "something else");
  later();
  EXPECT_NE(alarm(), "") << "a refund for another reason corrects nothing";
  adjust("0.01", "and back");
  ledger::Command command;
  command.context.actor = "root";
  command.context.reason = "corrects onprem job 7, record 1";
  command.action = ledger::Refund{find(token).id, std::nullopt, "USD", testing::money("0.01"), {}};
  ASSERT_TRUE(committer_->run(command)->accepted());
  later();
  EXPECT_EQ(alarm(), "");
  expect_balance("0", "0.08");
  says(row, 95);
  EXPECT_THAT(alarm(), HasSubstr("asbb adjust proj001 --amount=0.015 --unit=USD "
                                 "--reason='corrects onprem job 7, record 1'"));
  adjust("0.015", "corrects onprem job 7, record 1");
  later();
  EXPECT_EQ(alarm(), "");
}

// It was looked at once and never again, also when another run of the job had been written into it.
TEST_F(CorrectedTest, ARunThatTookThePlaceOfAnotherIsChargedBesides) {
  auto row = charged(hold("1.2"));
  later();
  pass_time(hours(5));
  row.start = now();
  row.end = now() + seconds(30);
  says(row, 30);
  EXPECT_THAT(alarm(), HasSubstr("began again after that in the same record, and cost $0.03"));
  EXPECT_THAT(alarm(), HasSubstr("asbb adjust proj001 --amount=0.03 "));
  pass_time(hours(5));
  (void)pass();
  EXPECT_NE(alarm(), "") << "until it is corrected, however long ago it was";
  adjust("0.03", "corrects onprem job 7, record 1");
  later();
  EXPECT_EQ(alarm(), "");
}

TEST_F(CorrectedTest, SoIsAJobThatWasChargedWithoutAHold) {
  auto row = record(7, "COMPLETED", 90);
  row.end = now();
  row.start = row.submit = now() - seconds(90);
  source_.add_record(row);
  EXPECT_EQ(pass().charged_without_hold, 1);
  expect_balance("0", "0.09");
  says(row, 100);
  EXPECT_THAT(alarm(), HasSubstr("asbb adjust proj001 --amount=0.01 "));
  adjust("0.01", "corrects onprem job 7, record 1");
  later();
  EXPECT_EQ(alarm(), "");
  expect_balance("0", "0.1");
}

// slurmctld came back with what it knew before the run, and wrote that into the run's record.
TEST_F(CorrectedTest, ARunThatItsRecordHasNotAnyMoreIsAlarmed) {
  auto row = charged(hold("1.2"));
  later();
  pass_time(hours(5));
  says(without_run(row), 0);
  EXPECT_THAT(alarm(), HasSubstr("was charged $0.09 to account proj001, but slurmdbd now says that "
                                 "it cost $0.00: look at it"));
  later();
  EXPECT_NE(alarm(), "");
  adjust("-0.09", "corrects onprem job 7, record 1");
  later();
  EXPECT_EQ(alarm(), "");
}

TEST_F(CorrectedTest, SoIsARunThatWasChargedWithoutAHold) {
  auto row = record(7, "COMPLETED", 90);
  row.end = now();
  row.start = row.submit = now() - seconds(90);
  source_.add_record(row);
  EXPECT_EQ(pass().charged_without_hold, 1);
  pass_time(hours(5));
  says(without_run(row), 0);
  EXPECT_THAT(alarm(), HasSubstr("slurmdbd now says that it cost $0.00"));
  adjust("-0.09", "corrects onprem job 7, record 1");
  later();
  EXPECT_EQ(alarm(), "");
}

// What a record says that is none of the charge's changes nothing.
TEST_F(CorrectedTest, OtherChangesOfARecordAreNone) {
  auto row = charged(hold("1.2"));
  row.qos = "high";
  row.exit_code = 3;
  says(row, 90);
  EXPECT_EQ(alarm(), "");
  row.end = now();
  says(row, 90);
  EXPECT_EQ(alarm(), "");
}

// A controller, as the reconciler asks it: counts what it is asked, and tells slurmdbd the rest of
// a record between two questions.
class AskedSource final : public slurm::JobSource {
 public:
  explicit AskedSource(slurm::FakeJobSource& inner) : inner_(inner) {}

  std::vector<std::string> clusters() const override { return inner_.clusters(); }
  Result<slurm::QueueList> list_queue(const std::string& cluster) override {
    EXPECT_EQ(asked_[cluster], 0) << "what is told before the list was read proves nothing";
    return inner_.list_queue(cluster);
  }
  Result<slurm::AccountingList> list_accounting(const std::string& cluster,
                                                const slurm::AccountingQuery& query) override {
    auto list = inner_.list_accounting(cluster, query);
    if (after_accounting) after_accounting();
    return list;
  }
  Result<std::int64_t> accounting_queue_length(const std::string& cluster) override {
    ++asked_[cluster];
    return inner_.accounting_queue_length(cluster);
  }
  // How often since the last time; at most once for each cluster.
  int asked() {
    int sum = 0;
    for (auto& [cluster, times] : asked_) {
      EXPECT_LE(times, 1) << cluster;
      sum += times;
      times = 0;
    }
    return sum;
  }

  std::function<void()> after_accounting;

 private:
  slurm::FakeJobSource& inner_;
  std::map<std::string, int> asked_;
};

class AskedTest : public testing::ReconcilerFixture {
 protected:
  AskedSource asked_{source_};
  Reconciler asking_{*committer_, asked_, view_, prices_, alarms_, ReconcilerOptions{}};
};

TEST_F(AskedTest, AControllerIsAskedOnceInAPassWhatItStillHasToTell) {
  (void)hold("1");
  (void)hold("0.5", 3);
  pass_time(hours(1));
  EXPECT_EQ(asking_.run_pass().voided, 2);  // a rescan and a sweep
  EXPECT_EQ(asked_.asked(), 2);
  (void)asking_.run_pass();
  EXPECT_EQ(asked_.asked(), 0) << "nobody wants to know";
}

// The rest of a record came after sacct had read it and before sdiag said that all was told: it was
// taken at its word, and the job that ran was charged nothing.
TEST_F(AskedTest, ARecordIsNotJudgedByWhatWasToldAfterItWasRead) {
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)asking_.run_pass();
  (void)asked_.asked();
  source_.set_queue("onprem", {});
  auto told = record(7, "COMPLETED", 0);
  source_.add_record(told);
  source_.set_accounting_queue_length("onprem", 3);
  pass_time(seconds(700));
  asked_.after_accounting = [&] {
    auto whole = record(7, "COMPLETED", 100);
    whole.db_index = told.db_index;
    whole.submit = told.submit;
    source_.set_records("onprem", {whole});
    source_.set_accounting_queue_length("onprem", 0);
  };
  (void)asking_.run_pass();
  (void)asked_.asked();
  asked_.after_accounting = nullptr;
  (void)asking_.run_pass();
  (void)asked_.asked();
  expect_balance("0", "0.1");
}

}  // namespace
}  // namespace asbb::service
