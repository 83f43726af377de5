// Refunds and write-offs of a job with several runs, holds, accounts or units, without HTTP.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using testing::money;

class RunsTest : public testing::OperationsFixture {
 protected:
  RunsTest() { account("overhead", "", "100"); }

  ledger::HoldId bound(const char* amount, std::int64_t job, Instant submitted,
                       std::int64_t tasks = 1, const std::string& user = "alice") {
    const ledger::HoldId id = find(hold(amount, tasks, user)).id;
    EXPECT_TRUE(run(ledger::BindHold{id, {"onprem", job, submitted}}).accepted());
    return id;
  }

  // A hold of 10 for job 123 that another account, or another unit, pays.
  ledger::HoldId bound_elsewhere(const char* account, const char* unit, Instant submitted) {
    ledger::PlaceHold place;
    place.account = account;
    place.user = "alice";
    place.cluster = "onprem";
    place.partition = "gpu-aws";
    place.parts.push_back({unit, money("10"), money("10"), 1});
    const auto placed = run(place, token());
    EXPECT_TRUE(placed.accepted());
    EXPECT_TRUE(run(ledger::BindHold{placed.hold, {"onprem", 123, submitted}}).accepted());
    return placed.hold;
  }

  void settle(ledger::HoldId hold, const ledger::ShareKey& key, const char* cost,
              bool requeued = false, const std::string& unit = "USD") {
    ASSERT_TRUE(
        run(ledger::SettleShare{hold, key, unit, money(cost), requeued, "COMPLETED"}).accepted());
    pass_time(seconds(60));
  }

  static ledger::ShareKey key(std::int64_t job, std::int64_t run, std::int64_t task = -1) {
    return {"onprem", job, task, run, ""};
  }

  // Job 123 ran, was requeued, and ran again: 5 and 3.
  ledger::HoldId two_runs() {
    const ledger::HoldId id = bound("10", 123, now());
    settle(id, key(123, 0), "5", true);
    settle(id, key(123, 1), "3");
    return id;
  }

  Reply<api::Account> refund(const std::string& job, const char* amount,
                             const std::string& unit = "", const std::string& account = "proj001") {
    api::MoneyRefund request;
    request.job_id = job;
    request.amount = money(amount);
    request.unit = unit;
    request.reason = "node failed";
    return wait<api::Account>(
        [&](const auto& promise) { operations_->refund(admin(), account, request, promise); });
  }

  Reply<api::Account> write_off(const std::string& job) {
    api::MoneyWriteOff request;
    request.job_id = job;
    request.reason = "node failed";
    return wait<api::Account>(
        [&](const auto& promise) { operations_->write_off(admin(), "proj001", request, promise); });
  }

  [[nodiscard]] std::string used(const std::string& account = "proj001") const {
    return to_decimal(budget(account).used);
  }

  void expect_audit() {
    const auto report = operations_->verify_audit(admin());
    ASSERT_TRUE(report);
    EXPECT_THAT(report->problems, ::testing::ElementsAre());
  }
};

// Only the latest run was seen: "At most $3.00".
TEST_F(RunsTest, ARequeuedJobIsRefundedAsAWholeTheFirstRunFirst) {
  two_runs();
  const auto too_much = refund("123", "8.5");
  ASSERT_EQ(status_of(too_much), 409);
  EXPECT_EQ(too_much.error().details, "exceeds_charge");
  EXPECT_THAT(too_much.error().message, HasSubstr("At most $8.00"));
  ASSERT_TRUE(refund("123", "6"));
  EXPECT_EQ(transactions("proj001").front().description,
            "$1.00 given back after the charge for job 123.");
  const auto rest = refund("123", "3");
  EXPECT_THAT(rest.error().message, HasSubstr("At most $2.00"));
  EXPECT_THAT(rest.error().message, HasSubstr("$8.00 was charged"));
  EXPECT_THAT(rest.error().message, HasSubstr("$6.00"));
  ASSERT_TRUE(refund("123", "2"));
  EXPECT_EQ(used(), "0");
  EXPECT_EQ(refund("123", "1").error().details, "exceeds_charge");
  expect_audit();
}

TEST_F(RunsTest, APercentIsOfAllThatWasChargedForTheJob) {
  two_runs();
  const auto refund_percent = [&](const char* percent) {
    api::MoneyRefund request;
    request.job_id = "123";
    request.percent = money(percent);
    request.reason = "the node was slow";
    return wait<api::Account>(
        [&](const auto& promise) { operations_->refund(admin(), "proj001", request, promise); });
  };
  ASSERT_TRUE(refund_percent("25"));
  EXPECT_EQ(used(), "6");
  ASSERT_TRUE(refund_percent("25"));
  EXPECT_EQ(used(), "4");
  const auto too_much = refund_percent("50.1");
  EXPECT_EQ(too_much.error().details, "exceeds_charge");
  EXPECT_THAT(too_much.error().message, HasSubstr("At most $4.00"));
  ASSERT_TRUE(refund_percent("50"));
  EXPECT_EQ(used(), "0");
  expect_audit();
}

TEST_F(RunsTest, ARequeuedJobIsWrittenOffAsAWhole) {
  two_runs();
  ASSERT_TRUE(write_off("123"));
  EXPECT_EQ(used(), "0");
  EXPECT_EQ(used("overhead"), "8");
  const auto again = write_off("123");
  ASSERT_EQ(status_of(again), 409);
  EXPECT_EQ(again.error().details, "exceeds_charge");
  EXPECT_EQ(again.error().field, "job_id");
  expect_audit();
}

TEST_F(RunsTest, AllHoldsOfAJobAreMeant) {
  const Instant submitted = now();
  settle(bound("10", 123, submitted), key(123, 0), "5");
  settle(bound("10", 123, submitted), key(123, 1), "3");
  EXPECT_THAT(refund("123", "9").error().message, HasSubstr("At most $8.00"));
  ASSERT_TRUE(refund("123", "7"));
  EXPECT_EQ(used(), "1");
  ASSERT_TRUE(write_off("123"));
  EXPECT_EQ(used(), "0");
  EXPECT_EQ(used("overhead"), "1");
  expect_audit();
}

// Of the second hold's money too little is used any more: the first one's stays as well.
TEST_F(RunsTest, AllOfItOrNothing) {
  const Instant submitted = now();
  settle(bound("10", 123, submitted), key(123, 0), "5");
  settle(bound("10", 123, submitted), key(123, 1), "3");
  ASSERT_TRUE(run(ledger::Adjust{"lab", "USD", money("-2")}).accepted());
  const auto refused = refund("123", "7");
  ASSERT_EQ(status_of(refused), 409);
  EXPECT_EQ(refused.error().details, "exceeds_used");
  EXPECT_THAT(refused.error().message, HasSubstr("At most $6.00"));
  EXPECT_EQ(used(), "8");
  ASSERT_TRUE(refund("123", "6"));
  EXPECT_EQ(used("lab"), "0");
}

TEST_F(RunsTest, AnArrayAsAWholeAndATaskWithAllItsRuns) {
  const ledger::HoldId id = bound("30", 50, now(), 3);
  settle(id, key(50, 0, 1), "5", true);
  settle(id, key(50, 0, 2), "4");
  settle(id, key(50, 1, 1), "2");
  EXPECT_THAT(refund("50_1", "8").error().message, HasSubstr("At most $7.00"));
  ASSERT_TRUE(refund("50_1", "7"));
  EXPECT_EQ(used(), "4");
  EXPECT_EQ(refund("50_3", "1").error().details, "exceeds_charge");
  ASSERT_TRUE(refund("50", "4"));
  EXPECT_EQ(used(), "0");
}

// Ids come back after a wrap.
TEST_F(RunsTest, AnOlderJobOfTheSameIdIsAnotherOne) {
  settle(bound("10", 123, now()), key(123, 0), "5");
  pass_time(hours(24));
  settle(bound("10", 123, now()), key(123, 0), "3");
  EXPECT_THAT(refund("123", "4").error().message, HasSubstr("At most $3.00"));
}

// Each run of a job without a hold has a hold of its own, made afterwards.
TEST_F(RunsTest, RunsThatHadNoHoldAreOneJobToo) {
  for (const char* cost : {"5", "3"}) {
    ledger::PlaceHold place;
    place.account = "proj001";
    place.user = "alice";
    place.cluster = "onprem";
    place.partition = "gpu-aws";
    place.parts.push_back({"USD", Micros(), Micros(), 1});
    place.period_at = now();
    place.backfill = true;
    const auto placed = run(place, token());
    ASSERT_TRUE(placed.accepted());
    ASSERT_TRUE(run(ledger::BindHold{placed.hold, {"onprem", 123, now()}}).accepted());
    settle(placed.hold, key(123, 0), cost);
    pass_time(hours(24));
  }
  ASSERT_TRUE(write_off("123"));
  EXPECT_EQ(used("overhead"), "8");
}

// A job that was moved to another account is that one's from then on.
TEST_F(RunsTest, EachAccountGetsBackWhatItPaid) {
  account("other001", "", "100");
  const Instant submitted = now();
  settle(bound("10", 123, submitted), key(123, 0), "5");
  settle(bound_elsewhere("other001", "USD", submitted), key(123, 1), "3");
  EXPECT_THAT(refund("123", "6").error().message, HasSubstr("At most $5.00"));
  EXPECT_THAT(refund("123", "4", "", "other001").error().message, HasSubstr("At most $3.00"));
  const auto foreign = refund("123", "1", "", "lab");
  ASSERT_EQ(status_of(foreign), 409);
  EXPECT_EQ(foreign.error().details, "other_account");
}

TEST_F(RunsTest, AsksForTheUnitWhenSeveralWereCharged) {
  ledger::UpdateAccount more;
  more.name = "proj001";
  more.unit = "core-hours";
  more.limit = money("100");
  more.start = testing::at("2025-01-01T00:00:00Z");
  more.end = testing::at("2026-01-01T00:00:00Z");
  ASSERT_TRUE(run(more).accepted());
  const Instant submitted = now();
  settle(bound("10", 123, submitted), key(123, 0), "5");
  settle(bound_elsewhere("proj001", "core-hours", submitted), key(123, 1), "3", false,
         "core-hours");
  const auto unclear = refund("123", "1");
  ASSERT_EQ(status_of(unclear), 409);
  EXPECT_EQ(unclear.error().field, "unit");
  EXPECT_EQ(unclear.error().details, "several_units");
  EXPECT_THAT(unclear.error().message, HasSubstr("USD and core-hours"));
  ASSERT_TRUE(refund("123", "3", "core-hours"));
  ASSERT_TRUE(refund("123", "5"));  // only one is left
  EXPECT_EQ(used(), "0");
}

// Slurm lost the run that was awaited: the administrator's word is about that one.
TEST_F(RunsTest, AnAwaitedRunThatSlurmLostIsEndedByHand) {
  const ledger::HoldId id = bound("10", 123, now());
  settle(id, key(123, 0), "5", true);
  auto lost = settlement("", "1", "123");
  lost.cluster = "onprem";
  ASSERT_TRUE(reconcile(lost, admin()).has_value());
  expect_balance("0", "6");
}

// The job was requeued, then changed, then lost: what is set is of the run that its second hold
// waits for. It was entered as the first one's, which the other hold had paid.
TEST_F(RunsTest, TheLostRunOfAJobThatWasChangedIsEndedByHand) {
  const ledger::HoldId id = bound("10", 123, now());
  settle(id, key(123, 0), "5", true);
  ledger::ReplaceHold change;
  change.hold = id;
  ledger::PlaceHold& place = change.place.emplace();
  place.account = "proj001";
  place.transaction_id = token();
  place.user = "alice";
  place.cluster = "onprem";
  place.partition = "gpu-aws";
  place.group = "first_run=1";
  place.parts.push_back({"USD", money("8"), money("8"), 1});
  const auto changed = run(change);
  ASSERT_TRUE(changed.accepted());
  auto word = settlement("", "1", "123");
  word.cluster = "onprem";
  ASSERT_TRUE(reconcile(word, admin()).has_value());
  const auto runs = committer_->read([&](const ledger::Book& book) {
    std::vector<std::int64_t> out;
    for (const ledger::Share* share : book.shares_of(changed.hold)) out.push_back(share->key.run);
    return out;
  });
  EXPECT_THAT(runs, ::testing::ElementsAre(1));
  expect_balance("0", "6");
  expect_audit();
}

// The later job with its id is over; the alarm about the first names cluster and job alone.
TEST_F(RunsTest, AJobThatSlurmLostIsEndedByHandThoughItsIdCameAgain) {
  const ledger::HoldId lost = bound("10", 123, now());
  settle(bound("2", 123, now() + seconds(60)), key(123, 0), "1");
  auto word = settlement("", "0", "123");
  word.cluster = "onprem";
  ASSERT_TRUE(reconcile(word, admin()).has_value());
  EXPECT_EQ(committer_->read([&](const ledger::Book& book) { return book.hold(lost)->status; }),
            ledger::HoldStatus::closed);
  expect_balance("0", "1");
}

// Nobody may ever know which job it was for.
TEST_F(RunsTest, AHoldWhoseJobWasNeverSeenIsGivenBackByHand) {
  const std::string name = hold("10");
  EXPECT_FALSE(reconcile(settlement(name, "1", "123"), admin()).has_value());
  EXPECT_FALSE(reconcile(settlement(name, "0", "123"), slurm_user()).has_value());
  ASSERT_TRUE(reconcile(settlement(name, "0", "123"), admin()).has_value());
  expect_balance("0", "0");
}

}  // namespace
}  // namespace asbb::service
