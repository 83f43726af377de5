// People and accounts that are gone when their jobs are charged: what they used is charged all the
// same (PKUHPC/OpenSCOW#978 lost it).
#include <gtest/gtest.h>

#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

class GoneTest : public testing::ReconcilerFixture {
 protected:
  // Slurm still has the account, and nobody in it.
  void remove_everybody() {
    slurm::Associations associations;
    associations.add(slurm::Association{"onprem", "lab", "", "", "", "", false});
    associations.add(slurm::Association{"onprem", "proj001", "", "", "lab", "", false});
    view_.put("onprem", associations);
  }
  // Not even that.
  void remove_all() { view_.put("onprem", slurm::Associations()); }
};

TEST_F(GoneTest, AUserWhoWasRemovedBeforeHisJobEndedIsCharged) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  remove_everybody();
  source_.set_queue("onprem", {});
  source_.add_record(record(7, "CANCELLED", 100));
  EXPECT_EQ(pass().settled, 1);
  expect_balance("0", "0.1");
}

TEST_F(GoneTest, SoIsHisJobThatRanWithoutAHold) {
  remove_everybody();
  source_.add_record(record(7, "COMPLETED", 100));
  EXPECT_EQ(pass().charged_without_hold, 1);
  EXPECT_TRUE(alarms_.list().empty());
  expect_balance("0", "0.1");
}

TEST_F(GoneTest, AnAccountThatSlurmHasNoMorePays) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  remove_all();
  source_.set_queue("onprem", {});
  source_.add_record(record(7, "COMPLETED", 100));
  source_.add_record(record(8, "COMPLETED", 200));
  pass_time(seconds(301));
  const PassReport report = pass();
  EXPECT_EQ(report.settled, 1);
  EXPECT_EQ(report.charged_without_hold, 1);
  expect_balance("0", "0.3");
}

// Deleting an account closes it; its jobs that are under way, or were not seen, are charged.
TEST_F(GoneTest, AClosedAccountPaysForWhatRan) {
  const std::string token = hold("1");
  source_.set_queue("onprem", {queued(token, 7, "RUNNING")});
  (void)pass();
  ASSERT_TRUE(run(ledger::CloseAccount{"proj001"}).accepted());
  source_.set_queue("onprem", {});
  source_.add_record(record(7, "COMPLETED", 100));
  source_.add_record(record(8, "COMPLETED", 200));
  pass_time(seconds(301));
  const PassReport report = pass();
  EXPECT_EQ(report.settled, 1);
  EXPECT_EQ(report.charged_without_hold, 1);
  EXPECT_TRUE(alarms_.list().empty());
  expect_balance("0", "0.3");
}

}  // namespace
}  // namespace asbb::service
