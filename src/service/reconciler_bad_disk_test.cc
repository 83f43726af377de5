// A reconciler whose ledger is on a disk that can be made to fail: each run is charged once all the
// same.
#include <gmock/gmock.h>

#include <memory>

#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::IsEmpty;
using testing::money;
using ::testing::SizeIs;

class BadDiskTest : public testing::ReconcilerFixture {
 protected:
  BadDiskTest() {
    committer_->stop();
    CommitterOptions options;
    options.has_thread = false;
    committer_ = std::make_unique<Committer>(
        store_, store::ChainKey{1, 2, 3}, [this] { return now(); }, options);
    EXPECT_TRUE(committer_->start().has_value());
    reconciler_on_disk_ = std::make_unique<Reconciler>(*committer_, source_, view_, prices_,
                                                       alarms_, ReconcilerOptions{});
  }
  PassReport pass() {
    pass_time(seconds(301));
    return reconciler_on_disk_->run_pass();
  }

  std::unique_ptr<Reconciler> reconciler_on_disk_;
};

// What cannot be looked up is not missing: the job used to be charged as one without a hold.
TEST_F(BadDiskTest, AHoldThatCannotBeLookedUpIsNoMissingHold) {
  const std::string token = hold("1");
  const ledger::HoldId id = find(token).id;
  ASSERT_TRUE(run(ledger::BindHold{id, {"onprem", 7, now()}}).accepted());
  auto row = ran("onprem", 7, token);
  ASSERT_TRUE(run(ledger::SettleShare{
                      id, {"onprem", 7, -1, 0, ""}, "USD", money("0.1"), false, "COMPLETED"})
                  .accepted());
  source_.add_record(row);
  for (std::int64_t search = 1; search <= 4; ++search) {
    store_.fail_find(store_.finds() + search, store::Fault::before);
  }
  pass_time(hours(2));  // out of the committer's memory
  (void)pass();
  store_.heal();
  EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("0", "0.1");
}

// The move into the period in which the run began failed, and the period before was charged.
TEST_F(BadDiskTest, ARunThatNobodySawIsChargedToItsPeriodWhenTheLedgerIsBack) {
  const Instant end = now() + hours(1);
  end_period(end);
  add_period(end, "100");
  const std::string token = hold("1.2");
  source_.set_queue("onprem", {queued(token, 7, "PENDING")});
  (void)pass();
  set_now(end + seconds(5));
  auto row = ran("onprem", 7, token);
  row.submit = end - seconds(3600);
  source_.set_queue("onprem", {});
  source_.add_record(row);
  store_.fail_commit(store_.commits() + 1, store::Fault::before);
  (void)pass();
  store_.heal();
  for (int i = 0; i < 3; ++i) (void)pass();
  ASSERT_THAT(periods(), SizeIs(2));
  EXPECT_EQ(to_decimal(periods()[0].used), "0");
  EXPECT_EQ(to_decimal(periods()[1].used), "0.1");
}

// A charge that was begun is ended, however long it takes, and the alarm goes.
TEST_F(BadDiskTest, AChargeThatWasBegunIsEndedHoursLater) {
  source_.add_record(ran("onprem", 7, ""));
  pass_time(seconds(200));
  for (std::int64_t commit = 3; commit <= 40; ++commit) {  // after the hold and its bind
    store_.fail_commit(store_.commits() + commit, store::Fault::before);
  }
  for (int i = 0; i < 24; ++i) EXPECT_EQ(pass().charged_without_hold, 0);
  ASSERT_THAT(alarms_.list(), SizeIs(2));
  EXPECT_EQ(alarms_.list().front().key, "ledger");
  store_.heal();
  EXPECT_EQ(pass().charged_without_hold, 1);
  EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("0", "0.1");
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

// The charge is on the disk, but its answer was lost.
TEST_F(BadDiskTest, TheAlarmOfAChargeWhoseAnswerWasLostGoes) {
  source_.add_record(ran("onprem", 7, ""));
  pass_time(seconds(200));
  store_.fail_commit(store_.commits() + 3, store::Fault::after);
  EXPECT_EQ(pass().charged_without_hold, 0);
  EXPECT_THAT(alarms_.list(), SizeIs(1));
  (void)pass();
  expect_balance("0", "0.1");
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

// A charge that was begun for one task of an array used to be taken for the hold of all of them.
TEST_F(BadDiskTest, AChargeThatWasBegunPaysForItsOwnTaskAlone) {
  for (const std::int64_t task : {1, 2}) {
    auto row = ran("onprem", 7 + task, "");
    row.array_job_id = 7;
    row.array_task_id = task;
    source_.add_record(row);
  }
  pass_time(seconds(200));
  store_.fail_commit(store_.commits() + 3, store::Fault::before);
  (void)pass();
  store_.heal();
  (void)pass();
  (void)pass();
  expect_balance("0", "0.2");
}

}  // namespace
}  // namespace asbb::service
