// Jobs that were let in while the service was away: each has its hold or its charge once, and the
// allowance's money goes back when none is left.
#include <gtest/gtest.h>

#include "service/testing/allowances_fixture.h"

namespace asbb::service {
namespace {

using LetThroughTest = testing::AllowancesFixture;

constexpr const char* free_on_cloud = R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
effective_from: 2025-01-02
)";

// The sibling's start, which is all that the row of the job that it took says.
TEST_F(LetThroughTest, AJobThatIsFoundInTheNextPeriodIsHeldInItsOwn) {
  set_prices(R"(
prices:
  - {cluster: cloud, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
  - {cluster: onprem, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
effective_from: 2025-01-02
)");
  (void)end_in_ten_hours();
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  const std::string job = token();
  slurm::AccountingRecord revoked = record("cloud", 67'108'872, "REVOKED", 0);
  revoked.admin_comment = "asbb=" + job + tag(before, "12");
  revoked.start.reset();
  const slurm::AccountingRecord ended = record("onprem", 67'108'872, "COMPLETED", 3'000);
  pass_time(hours(11));
  source_.add_record(revoked);
  source_.add_record(ended);
  for (int i = 0; i < 3; ++i) pass_grace();
  const std::int64_t first = committer_->read([](const ledger::Book& book) {
    return book.budgets_of(book.account("proj001")->id)[0]->id.value;
  });
  EXPECT_EQ(find(job).parts.front().legs.front().id, first);
}

// The late commit of a submission that the plugin had given up on: the job has its hold, and the
// allowance is not asked for the money again.
TEST_F(LetThroughTest, AJobThatHasItsHoldTakesNothing) {
  (void)pass();
  const std::string late = hold("5");
  slurm::QueueJob row = queued("cloud", late, 8, "RUNNING");
  row.admin_comment += tag(allowance().hold, "15");
  source_.add_job(row);
  (void)pass();
  expect_balance("45", "0");
}

// It could not be held for and was charged when it had ended: not twice.
TEST_F(LetThroughTest, AJobThatWasChargedWithoutAHoldIsNotChargedAgain) {
  (void)pass();
  ledger::UpdateAccount update;
  update.name = "proj001";
  update.status = ledger::AccountStatus::suspended;
  ASSERT_TRUE(run(update).accepted());
  slurm::AccountingRecord ended = record("cloud", 7, "COMPLETED", 3'000);
  ended.admin_comment = "asbb=" + token() + tag(allowance().hold, "12");
  source_.add_record(ended);
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  update.status = ledger::AccountStatus::active;
  ASSERT_TRUE(run(update).accepted());
  for (int i = 0; i < 3; ++i) pass_grace();
  expect_balance("40", "3");
}

// Its partition is free on the cluster of its submission and has a price on a sibling: the plugin
// took the money for it, and it stays until the job has ended and what it cost is charged.
TEST_F(LetThroughTest, IsKeptWhileASiblingMayRunTheJobAtAPrice) {
  set_prices(free_on_cloud);
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  const std::int64_t id = 67'108'864 + 8;
  slurm::QueueJob origin = let_through(before, id, "PENDING", "15");
  source_.set_queue("cloud", {origin});
  allowances_.told(std::to_string(before.value) + "=15000000");
  (void)pass();
  EXPECT_NE(allowance().hold, before);
  expect_balance("80", "0");
  pass_grace();
  expect_balance("80", "0");

  // The sibling runs it, whose row has a token that nobody knows.
  origin.status = slurm::parse_job_status("REVOKED");
  source_.set_queue("cloud", {origin});
  const slurm::QueueJob sibling = queued("onprem", token(), id, "RUNNING");
  source_.set_queue("onprem", {sibling});
  pass_grace();
  expect_balance("80", "0");
  source_.set_queue("cloud", {});
  slurm::AccountingRecord revoked = record("cloud", id, "REVOKED", 0);
  revoked.admin_comment = origin.admin_comment;
  source_.add_record(revoked);
  pass_grace();
  expect_balance("80", "0");

  source_.set_queue("onprem", {});
  slurm::AccountingRecord ended = record("onprem", id, "COMPLETED", 3'000);
  source_.add_record(ended);
  for (int i = 0; i < 6; ++i) pass_grace();
  expect_balance("40", "3");
  EXPECT_EQ(allowance_holds(), 1U);
}

// Nothing of its period is free to hold for it, and nothing has to be.
TEST_F(LetThroughTest, GoesBackWhenTheJobEndedBeforeItRan) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  slurm::AccountingRecord gone = record("cloud", 8, "CANCELLED by 0", 0);
  gone.start.reset();
  gone.admin_comment = "asbb=" + token() + tag(before, "15");
  source_.add_record(gone);
  EXPECT_TRUE(run(ledger::Adjust{"proj001", "USD", testing::money("200")}).accepted());
  allowances_.told(std::to_string(before.value) + "=15000000");
  for (int i = 0; i < 6; ++i) pass_grace();
  EXPECT_FALSE(has_alarm("let-through cloud job 8"));
  EXPECT_LE(allowance_holds(), 1U);
}

// No sibling ran it: it ended where it is free.
TEST_F(LetThroughTest, GoesBackWhenTheJobHasEndedWhereItIsFree) {
  set_prices(free_on_cloud);
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  const slurm::QueueJob origin = let_through(before, 67'108'872, "RUNNING", "15");
  source_.set_queue("cloud", {origin});
  allowances_.told(std::to_string(before.value) + "=15000000");
  (void)pass();
  pass_grace();
  expect_balance("80", "0");
  source_.set_queue("cloud", {});
  slurm::AccountingRecord ended = record("cloud", origin.job_id, "COMPLETED", 3'000);
  ended.admin_comment = origin.admin_comment;
  source_.add_record(ended);
  pass_grace();
  expect_balance("40", "0");
}

// A commit that failed made the job one without a hold, and left it the allowance's money.
TEST_F(LetThroughTest, IsHeldWhenTheLedgerIsBack) {
  (void)pass();
  slurm::AccountingRecord ended = record("cloud", 7, "COMPLETED", 3'000);
  const std::string token = Fixture::token();
  ended.admin_comment = "asbb=" + token + tag(allowance().hold, "12");
  source_.add_record(ended);
  pass_time(seconds(301));
  store_.fail_commit(store_.commits() + 1, store::Fault::before);
  EXPECT_EQ(pass().charged_without_hold, 0);
  store_.heal();
  pass_time(seconds(301));
  EXPECT_EQ(pass().settled, 1);
  EXPECT_EQ(find(token).status, ledger::HoldStatus::closed);
}

}  // namespace
}  // namespace asbb::service
