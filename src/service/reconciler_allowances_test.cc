// What accounts spent while the service was away: the money is set aside before, becomes the holds
// of the jobs that were let through, and comes back when none is left.
#include <gtest/gtest.h>

#include "service/allowances.h"
#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

AllowanceSettings settings(const char* amount, const char* unit = "USD") {
  AllowanceSettings out;
  out.by_cluster["cloud"]["proj001"] = {testing::money(amount), unit};
  return out;
}

// proj001 has 100; 40 of it may be spent on cloud while the service is away.
class AllowancesTest : public testing::ReconcilerFixture {
 protected:
  AllowancesTest() : allowances_(settings("40")) {
    ledger::UpdateAccount update;
    update.name = "proj001";
    update.limit = testing::money("100");
    EXPECT_TRUE(run(update).accepted());
    for (const char* cluster : {"onprem", "cloud"}) {
      slurm::Associations associations;
      associations.read_at = now();
      associations.add({cluster, "proj001", "", "", "", "", false});
      associations.add({cluster, "proj001", "alice", "", "", "", true});
      view_.put(cluster, associations);
    }
    start(allowances_);
  }

  void start(Allowances& allowances) {
    ReconcilerOptions options;
    options.allowances = &allowances;
    service_ = std::make_unique<Reconciler>(*committer_, source_, view_, prices_, alarms_, options);
    used_ = &allowances;
  }
  // A pass, and the file that is written after it.
  PassReport pass() {
    pass_time(seconds(1));
    PassReport report = service_->run_pass();
    used_->written("cloud", published(), now());
    return report;
  }
  // Long enough for what is withdrawn to be proven spent by nobody.
  void pass_grace() {
    pass_time(seconds(301));
    (void)pass();
    pass_time(seconds(301));
    (void)pass();
  }
  // The account's period ends then, and one with 30 USD begins: when.
  Instant end_in_ten_hours() {
    ledger::UpdateAccount update;
    update.name = "proj001";
    update.end = now() + hours(10);
    EXPECT_TRUE(run(update).accepted());
    ledger::NewBudget next;
    next.start = now() + hours(10);
    next.end = now() + hours(1000);
    next.limit = testing::money("30");
    EXPECT_TRUE(run(ledger::AddBudget{"proj001", next}).accepted());
    return next.start;
  }
  // Money that is of no use to anybody.
  void block(const char* amount) {
    ledger::PlaceHold place;
    place.kind = ledger::HoldKind::external;
    place.account = "proj001";
    place.transaction_id = "block";
    place.parts = {{"USD", testing::money(amount), testing::money(amount), 0}};
    EXPECT_TRUE(run(place).accepted());
  }
  ClusterAllowances published() { return used_->published("cloud").value_or(ClusterAllowances{}); }
  PublishedAllowance allowance() {
    const ClusterAllowances all = published();
    EXPECT_EQ(all.allowances.size(), 1U);
    return all.allowances.empty() ? PublishedAllowance{} : all.allowances.front();
  }
  static std::string tag(ledger::HoldId hold, const char* amount, int tasks = 1) {
    return " asbb-allowance=" + std::to_string(hold.value) + ":" +
           std::to_string(testing::money(amount).count()) + ":" + std::to_string(tasks);
  }
  slurm::QueueJob let_through(ledger::HoldId hold, std::int64_t id, const char* state,
                              const char* amount, int tasks = 1) {
    slurm::QueueJob row = queued("cloud", token(), id, state);
    row.admin_comment += tag(hold, amount, tasks);
    if (row.status.base != slurm::JobState::pending) row.start = now();
    return row;
  }
  std::size_t allowance_holds() {
    return committer_->read([](const ledger::Book& book) {
      std::size_t count = 0;
      for (const ledger::Hold* hold : book.open_holds()) count += is_allowance(*hold) ? 1 : 0;
      return count;
    });
  }
  [[nodiscard]] bool has_alarm(const std::string& key) const {
    for (const Alarm& alarm : alarms_.list()) {
      if (alarm.key == key) return true;
    }
    return false;
  }

  Allowances allowances_;
  Allowances* used_ = nullptr;
  std::unique_ptr<Reconciler> service_;
};

TEST_F(AllowancesTest, IsSetAsideAndPublishedWithWhoMaySpendIt) {
  (void)pass();
  expect_balance("40", "0");
  const PublishedAllowance first = allowance();
  EXPECT_TRUE(first.hold.is_set());
  EXPECT_EQ(first.amount, testing::money("40"));
  EXPECT_EQ(first.factor, Micros(1'200'000));
  ASSERT_EQ(published().spenders.size(), 1U);
  EXPECT_EQ(published().spenders[0], (AllowanceSpender{"alice", "proj001", "proj001", true}));
  // It stays, over passes and a restart.
  (void)pass();
  start(allowances_);
  (void)pass();
  EXPECT_EQ(allowance(), first);
  expect_balance("40", "0");
  pass_grace();
  expect_balance("40", "0");
  EXPECT_EQ(allowance_holds(), 1U);
  pass_time(hours(48));
  (void)pass();
  EXPECT_TRUE(alarms_.list().empty());
}

// The whole way: two jobs were let through, one has ended, one runs; all is charged exactly, and
// then it is as before.
TEST_F(AllowancesTest, PaysForTheJobsThatWereLetThrough) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  block("60");  // nothing else is free
  expect_balance("100", "0");

  slurm::QueueJob runs = let_through(before, 8, "RUNNING", "15");
  source_.add_job(runs);
  slurm::AccountingRecord ended = record("cloud", 7, "COMPLETED", 3'000);
  ended.admin_comment = "asbb=" + token() + tag(before, "12");
  source_.add_record(ended);
  pass_time(hours(1));
  (void)pass();
  const ledger::Hold covered = find(runs.admin_comment.substr(5, 44));
  EXPECT_EQ(covered.parts.front().granted, testing::money("15"));
  ASSERT_TRUE(covered.job.has_value());
  EXPECT_EQ(covered.job->job_id, 8);
  // 60, 15 for the job that runs, and 13 that are left of the allowance; the 9 that job 7 did not
  // use are free.
  expect_balance("88", "3");
  EXPECT_FALSE(allowance().hold.is_set()) << "less than half is left";

  source_.set_queue("cloud", {});
  slurm::AccountingRecord over = record("cloud", 8, "COMPLETED", 10'000);
  over.submit = runs.submit;
  over.admin_comment = runs.admin_comment;
  source_.add_record(over);
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "13");
  for (int i = 0; i < 4; ++i) pass_grace();
  // Nobody is left: the money of the first is back, and the allowance as large as there is money.
  expect_balance("87", "13");
  EXPECT_EQ(allowance().amount, testing::money("27"));
  EXPECT_NE(allowance().hold, before);
  EXPECT_EQ(allowance_holds(), 1U);
  EXPECT_TRUE(has_alarm("allowance cloud proj001"));
}

TEST_F(AllowancesTest, ANewOneIsPublishedBesideWhatIsLeftOfTheLast) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  source_.add_job(let_through(before, 8, "PENDING", "15"));
  (void)pass();
  // 15 for the job, 25 that are left of the first, 40 anew.
  expect_balance("80", "0");
  EXPECT_NE(allowance().hold, before);
  EXPECT_EQ(allowance().amount, testing::money("40"));
  pass_grace();
  expect_balance("55", "0");
  EXPECT_EQ(allowance_holds(), 1U);
}

// The plugin may have let a job through a moment before it read the new file, and the list of jobs
// may be older than that.
TEST_F(AllowancesTest, AJobThatIsSeenLateIsStillPaidFromItsOwnGeneration) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  source_.add_job(let_through(before, 8, "PENDING", "15"));
  (void)pass();
  source_.add_job(let_through(before, 9, "PENDING", "25"));
  block("20");
  (void)pass();
  expect_balance("100", "0");
  pass_grace();
  expect_balance("100", "0");
  EXPECT_EQ(allowance().amount, testing::money("40"));
}

TEST_F(AllowancesTest, OfAnArrayEachTaskHasItsPart) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  slurm::QueueJob rest = let_through(before, 8, "PENDING", "40", 4);
  rest.array_job_id = 8;
  rest.array_tasks = "3-4";
  source_.add_job(rest);
  for (int task = 1; task <= 2; ++task) {
    slurm::AccountingRecord ended = record("cloud", 8 + task, "COMPLETED", 1'000);
    ended.array_job_id = 8;
    ended.array_task_id = task;
    ended.admin_comment = rest.admin_comment;
    ended.submit = rest.submit;
    source_.add_record(ended);
  }
  // Prices that came after the submission are not its own.
  pass_time(seconds(10));
  pricing::PriceBook later = *prices_.history()->in_force(now());
  later.effective_from = now();
  run(ledger::RecordPrices{later.effective_from, pricing::to_canonical_text(later)});
  committer_->read(
      [&](const ledger::Book& book) { ASSERT_TRUE(prices_.follow(book).has_value()); });
  (void)pass();
  const ledger::Hold covered = find(rest.admin_comment.substr(5, 44));
  EXPECT_EQ(covered.parts.front().price_version, 1);
  EXPECT_EQ(covered.task_count, 4);
  EXPECT_EQ(to_decimal(budget("proj001").used), "2");
  // 20 for the tasks that wait, nothing of the first, 40 anew.
  EXPECT_EQ(to_decimal(budget("proj001").held), "60");
}

// The counter's file was lost: more was let through than was set aside.
TEST_F(AllowancesTest, WhatWasSpentBeyondItComesFromWhatIsFreeAndIsShown) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  block("50");
  source_.add_job(let_through(before, 8, "RUNNING", "40"));
  source_.add_job(let_through(before, 9, "RUNNING", "40"));
  (void)pass();
  expect_balance("100", "0");
  EXPECT_TRUE(has_alarm("let-through cloud job 9"));
  EXPECT_FALSE(allowance().hold.is_set()) << "nothing can be set aside now";
  source_.set_queue("cloud", {});
  (void)pass();
  EXPECT_FALSE(has_alarm("let-through cloud job 9"));
}

// A test run (--test-only) was counted, and no job ever came of it.
TEST_F(AllowancesTest, WhatThePluginTellsItHasSpentIsSetAsideAnew) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  allowances_.told(std::to_string(before.value) + "=30000000,nonsense,7=,=9");
  (void)pass();
  EXPECT_NE(allowance().hold, before);
  EXPECT_EQ(allowance().amount, testing::money("40"));
  expect_balance("80", "0");
  pass_grace();
  expect_balance("40", "0");
}

// There is no money for a second one beside it: what is left goes on until that is less than half.
TEST_F(AllowancesTest, IsKeptWhileThereIsNoMoneyForAnother) {
  (void)pass();
  const ledger::HoldId before = allowance().hold;
  block("60");
  allowances_.told(std::to_string(before.value) + "=15000000");
  (void)pass();
  EXPECT_EQ(allowance().hold, before);
  EXPECT_TRUE(has_alarm("allowance cloud proj001"));
  allowances_.told(std::to_string(before.value) + "=25000000");
  (void)pass();
  EXPECT_FALSE(allowance().hold.is_set());
  pass_grace();
  EXPECT_TRUE(allowance().hold.is_set());
  EXPECT_EQ(allowance().amount, testing::money("40"));
  expect_balance("100", "0");
  (void)pass();
  EXPECT_FALSE(has_alarm("allowance cloud proj001"));
}

TEST_F(AllowancesTest, NothingIsGivenBackWithoutProof) {
  (void)pass();
  source_.add_job(let_through(allowance().hold, 8, "PENDING", "15"));
  (void)pass();
  source_.set_operator("cloud", false);
  pass_grace();
  expect_balance("80", "0");
  source_.set_operator("cloud", true);
  source_.fail_accounting("cloud", Error{ErrorKind::unavailable, "away", ""});
  pass_grace();
  expect_balance("80", "0");
  source_.fail_accounting("cloud", std::nullopt);
  source_.set_accounting_queue_length("cloud", 3);
  pass_grace();
  expect_balance("80", "0");
  source_.set_accounting_queue_length("cloud", 0);
  pass_grace();
  expect_balance("55", "0");
}

// The file that has it may still be in force: it could not be written since.
TEST_F(AllowancesTest, WhatIsStillPublishedIsNotGivenBack) {
  (void)pass();
  const ClusterAllowances first = published();
  source_.add_job(let_through(allowance().hold, 8, "PENDING", "15"));
  for (int i = 0; i < 4; ++i) {
    pass_time(seconds(301));
    (void)service_->run_pass();
    allowances_.written("cloud", first, now());
  }
  expect_balance("80", "0");
}

TEST_F(AllowancesTest, GoesBackWhenTheSettingIsGone) {
  (void)pass();
  Allowances none;
  start(none);
  (void)pass();
  expect_balance("40", "0");
  pass_grace();
  expect_balance("0", "0");
}

TEST_F(AllowancesTest, FollowsTheSettingUpAndDown) {
  (void)pass();
  Allowances more{settings("70")};
  start(more);
  (void)pass();
  EXPECT_EQ(allowance().amount, testing::money("60")) << "as much as there is";
  for (int i = 0; i < 3; ++i) pass_grace();
  EXPECT_EQ(allowance().amount, testing::money("70")) << "with what the first one had";
  Allowances less{settings("10")};
  start(less);
  (void)pass();
  pass_grace();
  EXPECT_EQ(allowance().amount, testing::money("10"));
  expect_balance("10", "0");
}

TEST_F(AllowancesTest, MovesToTheNextPeriod) {
  const Instant next = end_in_ten_hours();
  (void)pass();
  const PublishedAllowance before = allowance();
  EXPECT_EQ(before.until, next);
  pass_time(hours(10));
  (void)pass();
  EXPECT_NE(allowance().hold, before.hold);
  EXPECT_EQ(allowance().amount, testing::money("30"));
  pass_grace();
  const Micros held = committer_->read([](const ledger::Book& book) {
    return book.budgets_of(book.account("proj001")->id)[0]->held;
  });
  EXPECT_EQ(held, Micros());
}

// The sibling's start, which is all that the row of the job that it took says.
TEST_F(AllowancesTest, AJobThatIsFoundInTheNextPeriodIsHeldInItsOwn) {
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
TEST_F(AllowancesTest, AJobThatHasItsHoldTakesNothing) {
  (void)pass();
  const std::string late = hold("5");
  slurm::QueueJob row = queued("cloud", late, 8, "RUNNING");
  row.admin_comment += tag(allowance().hold, "15");
  source_.add_job(row);
  (void)pass();
  expect_balance("45", "0");
}

// It could not be held for and was charged when it had ended: not twice.
TEST_F(AllowancesTest, AJobThatWasChargedWithoutAHoldIsNotChargedAgain) {
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
TEST_F(AllowancesTest, IsKeptWhileASiblingMayRunTheJobAtAPrice) {
  set_prices(R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
effective_from: 2025-01-02
)");
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
TEST_F(AllowancesTest, GoesBackWhenTheJobEndedBeforeItRan) {
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
TEST_F(AllowancesTest, GoesBackWhenTheJobHasEndedWhereItIsFree) {
  set_prices(R"(
prices:
  - {cluster: onprem, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
effective_from: 2025-01-02
)");
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

}  // namespace
}  // namespace asbb::service
