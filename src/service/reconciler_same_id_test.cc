// Ids that Slurm gives out again, and rows of a federation that have no token: of which job a row
// is.
#include <gtest/gtest.h>

#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using SameIdTest = testing::ReconcilerFixture;

// A sibling's row has a token that nobody knows; only the origin's tells that the id came back.
TEST_F(SameIdTest, ASiblingOfALaterJobWithTheSameIdIsNoRunOfIt) {
  const std::int64_t id = 67'108'872;
  const std::string first = hold("1");
  source_.set_queue("onprem", {queued(first, id, "RUNNING")});
  (void)pass();
  auto ended = record(id, "COMPLETED", 50);
  ended.admin_comment = "asbb=" + first;
  source_.fail_accounting("onprem", Error{ErrorKind::unavailable, "away", ""});
  pass_time(seconds(300));
  source_.set_queue("onprem", {queued(token(), id, "REVOKED")});
  source_.set_queue("cloud", {queued("cloud", token(), id, "RUNNING")});
  (void)pass();
  expect_balance("1", "0");
  source_.set_queue("cloud", {});
  auto sibling = record("cloud", id, "COMPLETED", 90);
  sibling.admin_comment = "asbb=" + token();
  source_.add_record(sibling);
  (void)pass();
  expect_balance("1", "0");
  source_.fail_accounting("onprem", std::nullopt);
  source_.add_record(ended);
  pass_time(seconds(301));
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("0", "0.14");
  EXPECT_EQ(find(first).status, ledger::HoldStatus::closed);
}

// The sibling on the other cluster has no token. It was taken for a run of the first job, under
// another account than that one's, and charged once more.
TEST_F(SameIdTest, ASiblingWithoutATokenIsARunOfTheLatestJobWithItsId) {
  constexpr std::int64_t id = 67'108'872;
  account("other001", "", "50");
  const std::string first = hold("1");
  source_.set_queue("onprem", {queued(first, id, "RUNNING")});
  (void)pass();
  source_.set_queue("onprem", {});
  auto ended = record(id, "COMPLETED", 50);
  ended.admin_comment = "asbb=" + first;
  source_.add_record(ended);
  (void)pass();
  expect_balance("0", "0.05");
  pass_time(seconds(46));
  ledger::PlaceHold place = submission("1");
  place.account = "other001";
  const std::string second = token();
  ASSERT_TRUE(run(place, second).accepted());
  source_.set_queue("onprem", {queued(second, id, "REVOKED")});
  source_.set_queue("cloud", {queued("cloud", "", id, "RUNNING")});
  (void)pass();
  source_.set_queue("cloud", {});
  auto sibling = record("cloud", id, "COMPLETED", 90);
  sibling.account = "other001";
  source_.add_record(sibling);
  EXPECT_EQ(pass().settled, 1);
  pass_time(seconds(301));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("0", "0.05");
  EXPECT_EQ(to_decimal(budget("other001").held), "0");
  EXPECT_EQ(to_decimal(budget("other001").used), "0.09");
  EXPECT_EQ(alarms_.list().size(), 0u);
}

// Its run was charged as another one of the job that had the id before.
TEST_F(SameIdTest, ASiblingWithoutATokenOfAJobWithoutAHoldIsNoRunOfAnEarlierJobWithItsId) {
  constexpr std::int64_t id = 67'108'872;
  const std::string first = hold("1");
  source_.set_queue("onprem", {queued(first, id, "RUNNING")});
  (void)pass();
  source_.set_queue("onprem", {});
  auto ended = record(id, "COMPLETED", 50);
  ended.admin_comment = "asbb=" + first;
  source_.add_record(ended);
  (void)pass();
  pass_time(hours(8));
  auto origin = record("onprem", id, "REVOKED", 0);
  origin.admin_comment = "asbb=" + token();
  source_.add_record(origin);
  source_.add_record(record("cloud", id, "COMPLETED", 90));
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("0", "0.14");
}

// The job that had the id before says nothing of a run that came after.
TEST_F(SameIdTest, ANextRunWithoutATokenIsOfTheLatestJobWithItsId) {
  constexpr std::int64_t id = 67'108'872;
  const std::string first = hold("1");
  source_.set_queue("onprem", {queued(first, id, "RUNNING")});
  (void)pass();
  source_.set_queue("onprem", {});
  auto earlier = record("onprem", id, "COMPLETED", 50);
  earlier.admin_comment = "asbb=" + first;
  source_.add_record(earlier);
  (void)pass();
  pass_time(seconds(400));
  const std::string second = hold("1");
  auto job = queued(second, id, "PENDING");
  job.submit = now();
  source_.set_queue("onprem", {job});
  (void)pass();
  auto failed = record("onprem", id, "BOOT_FAIL", 60);
  failed.admin_comment = "asbb=" + second;
  pass_time(seconds(300));
  auto revoked = record("onprem", id, "REVOKED", 0);
  revoked.admin_comment = "asbb=" + second;
  revoked.run = 2;
  auto next = record("cloud", id, "COMPLETED", 90);
  next.run = 2;
  source_.set_queue("onprem", {});
  for (const auto& row : {failed, revoked, next}) source_.add_record(row);
  pass_time(seconds(400));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pass().charged_without_hold, 0);
  expect_balance("0", "0.2");
  EXPECT_EQ(find(second).status, ledger::HoldStatus::closed);
}

// What tells jobs with one id apart asked itself, without an end.
TEST_F(SameIdTest, AHoldOfOneClusterWhoseJobIsOnAnotherIsToldFromALaterJob) {
  constexpr std::int64_t id = 67'108'872;
  ledger::PlaceHold place = submission("1");
  place.cluster = "cloud";
  const std::string own = token();
  ASSERT_TRUE(run(place, own).accepted());
  source_.set_queue("onprem", {queued(own, id, "PENDING")});
  EXPECT_EQ(pass().bound, 1);
  source_.set_queue("onprem", {});
  pass_time(seconds(100));
  auto later = record(id, "COMPLETED", 50);
  later.admin_comment = "asbb=" + token();
  source_.add_record(later);
  pass_time(seconds(301));
  for (int i = 0; i < 3; ++i) (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.05");
  EXPECT_EQ(find(own).status, ledger::HoldStatus::open) << "nobody knows what became of its job";
}

TEST_F(SameIdTest, ALaterJobWithTheSameIdIsNoRunOfIt) {
  const std::string first = hold("1");
  auto gone = record("onprem", 7, "CANCELLED by 0", 0);
  gone.admin_comment = "asbb=" + first;
  source_.add_record(gone);
  pass_time(seconds(30));
  const std::string second = hold("2");
  source_.set_queue("onprem", {queued("onprem", second, 7, "RUNNING")});
  auto running = record("onprem", 7, "RUNNING", 90);
  running.run = 2;
  running.end = std::nullopt;
  source_.add_record(running);
  pass_time(seconds(301));
  for (int i = 0; i < 3; ++i) (void)pass();
  EXPECT_EQ(find(first).status, ledger::HoldStatus::closed);
  expect_balance("2", "0");
  auto ended = record("onprem", 7, "COMPLETED", 90);
  ended.run = 2;
  ended.submit = running.submit;
  ended.admin_comment = "asbb=" + second;
  source_.set_records("onprem", {gone, ended});
  source_.set_queue("onprem", {});
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("0", "0.09");
  EXPECT_EQ(find(second).status, ledger::HoldStatus::closed);
  EXPECT_EQ(alarms_.list().size(), 0u);
}

// The first one's hold is bound, the second's not yet: it was charged from both.
TEST_F(SameIdTest, ALaterJobThatIsOverBeforeItIsSeenIsChargedOnce) {
  const std::string first = hold("1");
  source_.set_queue("onprem", {queued("onprem", first, 7, "PENDING")});
  (void)pass();
  pass_time(seconds(60));
  const std::string second = hold("2");
  auto two = record("onprem", 7, "COMPLETED", 90);
  two.admin_comment = "asbb=" + second;
  source_.set_queue("onprem", {});
  source_.add_record(two);
  pass_time(seconds(301));
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("1", "0.09");
  EXPECT_EQ(find(first).status, ledger::HoldStatus::open);
  EXPECT_EQ(find(second).status, ledger::HoldStatus::closed);
}

// One that was let through without a hold is not the earlier one's either.
TEST_F(SameIdTest, AJobWithoutAHoldAndWithAnotherTokenIsChargedByItself) {
  const std::string first = hold("1");
  source_.set_queue("onprem", {queued("onprem", first, 7, "PENDING")});
  (void)pass();
  pass_time(seconds(60));
  auto two = record("onprem", 7, "COMPLETED", 90);
  two.admin_comment = "asbb=" + token();
  source_.set_queue("onprem", {});
  source_.add_record(two);
  pass_time(seconds(301));
  EXPECT_EQ(pass().charged_without_hold, 1);
  (void)pass();
  expect_balance("1", "0.09");
  EXPECT_EQ(find(first).status, ledger::HoldStatus::open);
}

// Both are over when the service looks again.
TEST_F(SameIdTest, TwoJobsWithOneIdAreChargedEachFromItsOwnHold) {
  const std::string first = hold("1");
  auto one = record("onprem", 7, "COMPLETED", 40);
  one.admin_comment = "asbb=" + first;
  pass_time(seconds(60));
  const std::string second = hold("2");
  auto two = record("onprem", 7, "COMPLETED", 90);
  two.run = 2;
  two.admin_comment = "asbb=" + second;
  source_.add_record(one);
  source_.add_record(two);
  pass_time(seconds(301));
  for (int i = 0; i < 3; ++i) (void)pass();
  expect_balance("0", "0.13");
  EXPECT_EQ(find(first).status, ledger::HoldStatus::closed);
  EXPECT_EQ(find(second).status, ledger::HoldStatus::closed);
}

}  // namespace
}  // namespace asbb::service
