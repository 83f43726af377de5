// Transactions, usage, prices, refusals and what is logged of charges, without HTTP.
#include <gmock/gmock.h>

#include <algorithm>

#include "service/log.h"
#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::money;
using ::testing::SizeIs;

using AnswersTest = testing::OperationsFixture;

TEST_F(AnswersTest, ListsTransactionsNewestFirst) {
  const std::string first = hold("1");
  const std::string second = hold("2");
  ASSERT_TRUE(run(ledger::BindHold{find(first).id, {"onprem", 17, now()}}).accepted());
  ASSERT_TRUE(
      run(ledger::SettleShare{
              find(first).id, {"onprem", 17, -1, 0, ""}, "USD", money("0.4"), false, "COMPLETED"})
          .accepted());
  const auto all = transactions("proj001");
  ASSERT_GE(all.size(), 5u);
  EXPECT_EQ(all[0].type, "release");
  EXPECT_EQ(all[1].type, "charge");
  EXPECT_EQ(all[1].job_id, "17");
  EXPECT_EQ(all[1].transaction_id, first);
  EXPECT_EQ(to_decimal(all[1].amount), "0.4");
  EXPECT_EQ(all[2].type, "bind");
  EXPECT_EQ(all[3].type, "hold");
  EXPECT_EQ(all[3].status, "pending");
  EXPECT_EQ(all[3].transaction_id, second);
  EXPECT_EQ(all[4].status, "completed");
  EXPECT_TRUE(std::is_sorted(all.rbegin(), all.rend(),
                             [](const auto& a, const auto& b) { return a.id < b.id; }));

  api::TransactionQuery query;
  query.types = {"hold"};
  EXPECT_THAT(*operations_->transactions(alice(), query), SizeIs(2));
  query.status = "pending";
  EXPECT_THAT(*operations_->transactions(alice(), query), SizeIs(1));
  query = {};
  query.job_id = "17";
  query.limit = 1;
  query.offset = 1;
  const auto page = operations_->transactions(admin(), query);
  ASSERT_THAT(*page, SizeIs(1));
  EXPECT_EQ(page->front().type, "charge");
  query = {};
  query.start_date = Day{2030, 1, 1};
  EXPECT_THAT(*operations_->transactions(admin(), query), SizeIs(0));
}

TEST_F(AnswersTest, SumsUsageOfAnAccountAndThoseBelowIt) {
  const auto spend = [&](std::int64_t job, const char* cost, const char* user) {
    const std::string id = hold("5", 1, user);
    ASSERT_TRUE(run(ledger::BindHold{find(id).id, {"onprem", job, now()}}).accepted());
    ASSERT_TRUE(
        run(ledger::SettleShare{
                find(id).id, {"onprem", job, -1, 0, ""}, "USD", money(cost), false, "COMPLETED"})
            .accepted());
  };
  spend(1, "1", "alice");
  spend(2, "2.5", "carol");
  spend(3, "6", "alice");  // 1 beyond its hold
  hold("4");
  for (const char* account : {"proj001", "lab"}) {
    const auto usage = operations_->usage(admin(), account, {});
    ASSERT_TRUE(usage) << usage.error().message;
    ASSERT_THAT(usage->units, SizeIs(1));
    const api::UnitUsage& unit = usage->units[0];
    EXPECT_EQ(to_decimal(unit.charged), "9.5") << account;
    EXPECT_EQ(to_decimal(unit.used), "9.5");
    EXPECT_EQ(to_decimal(unit.held), "4");
    EXPECT_EQ(unit.jobs, 3);
    ASSERT_THAT(unit.by_user, SizeIs(2));
    EXPECT_EQ(unit.by_user[0].name, "alice");
    EXPECT_EQ(to_decimal(unit.by_user[0].charged), "7");
    EXPECT_EQ(unit.by_user[0].jobs, 2);
    EXPECT_EQ(unit.by_partition[0].name, "gpu-aws");
    EXPECT_EQ(unit.by_cluster[0].name, "onprem");
  }
  api::UsageQuery later;
  later.start_date = Day{2025, 7, 1};
  EXPECT_EQ(to_decimal(operations_->usage(admin(), "proj001", later)->units[0].charged), "0");
  later.end_date = Day{2025, 6, 1};
  EXPECT_EQ(status_of(operations_->usage(admin(), "proj001", later)), 400);
}

TEST_F(AnswersTest, ImportsPrices) {
  int woken = 0;
  hooks_.prices_changed = [&] { ++woken; };
  rebuild();
  api::PriceImport request;
  request.text =
      "prices:\n  - {cluster: onprem, partition: gpu-aws, unit: USD, basis: tres, per_core_hour: "
      "7.2}\n";
  const auto ask = [&](const Caller& caller) {
    return wait<api::PriceBook>(
        [&](const auto& promise) { operations_->import_prices(caller, request, promise); });
  };
  EXPECT_EQ(status_of(ask(slurm_user())), 403);
  pass_time(seconds(5));
  const auto imported = ask(admin());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->version, 2);
  EXPECT_TRUE(imported->in_force);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(to_decimal(submit(submission()).estimated_cost), "7.2");
  EXPECT_THAT(*operations_->price_books(alice()), SizeIs(2));
  EXPECT_THAT(operations_->price_book(alice(), 0)->text, HasSubstr("7.2"));
  EXPECT_EQ(operations_->price_book(alice(), 1)->in_force, false);
  EXPECT_EQ(status_of(operations_->price_book(alice(), 3)), 404);
  request.effective_from = now() + hours(1);
  EXPECT_FALSE(ask(admin())->in_force);
  request.text = "prices: 7";
  EXPECT_EQ(status_of(ask(admin())), 400);
}

// It was accepted, and everything was free of charge from then on.
TEST_F(AnswersTest, RefusesAPriceBookWithoutPrices) {
  api::PriceImport request;
  request.text = "prices: []\n";
  const auto reply = wait<api::PriceBook>(
      [&](const auto& promise) { operations_->import_prices(admin(), request, promise); });
  ASSERT_EQ(status_of(reply), 400);
  EXPECT_EQ(reply.error().field, "prices");
  EXPECT_THAT(reply.error().message, HasSubstr("the list is empty"));
  EXPECT_THAT(*operations_->price_books(admin()), SizeIs(1));
}

TEST_F(AnswersTest, NamesClustersThatAreNotWatched) {
  int woken = 0;
  hooks_.notify = [&] { ++woken; };
  hooks_.ask_for_pass = [](const auto& done) { done(PassReport{}); };
  rebuild();
  const auto told = operations_->notify(slurm_user(), {"zz", 3});
  ASSERT_EQ(status_of(told), 400);
  EXPECT_EQ(told.error().field, "cluster");
  EXPECT_THAT(told.error().message, HasSubstr("'zz' is not watched by this service; there are: "
                                              "onprem, cloud"));
  EXPECT_EQ(woken, 0);
  EXPECT_TRUE(operations_->notify(slurm_user(), {"Cloud", 3})->accepted);
  EXPECT_EQ(woken, 1);
  const auto ask = [&](const char* cluster) {
    return wait<api::JobReconcileAnswer>([&](const auto& promise) {
      operations_->reconcile_job(admin(), "3", api::JobReconcile{cluster}, promise);
    });
  };
  EXPECT_EQ(status_of(ask("zz")), 400);
  EXPECT_EQ(status_of(ask("cloud")), 200);
}

TEST_F(AnswersTest, RefusalsNameTheFieldAndItsValue) {
  const auto create = [&](const api::AccountCreate& request) {
    const auto reply = wait<api::Account>(
        [&](const auto& promise) { operations_->create_account(admin(), request, promise); });
    EXPECT_EQ(status_of(reply), 400);
    return reply ? "" : reply.error().message;
  };
  api::AccountCreate request;
  request.slurm_account = "fresh";
  request.parent = "nope";
  EXPECT_THAT(create(request), HasSubstr("parent 'nope': There is no account of this name"));
  request.parent.clear();
  request.budgets.push_back({"USD", money("5"), Day{2025, 2, 1}, Day{2025, 1, 1}, {}});
  EXPECT_THAT(create(request), HasSubstr("end_date '2025-01-01': The period must end after"));
  const auto limited = wait<api::Account>([&](const auto& promise) {
    operations_->set_partition_limit(admin(), "proj001", "a b", {money("5"), ""}, promise);
  });
  ASSERT_EQ(status_of(limited), 400);
  EXPECT_THAT(limited.error().message, HasSubstr("partition 'a b': The name is not allowed"));
  api::AccountUpdate move;
  move.parent = "nope";
  EXPECT_THAT(update("proj001", move).error().message, HasSubstr("parent 'nope'"));
  api::UsageQuery window;
  window.start_date = Day{2025, 2, 1};
  window.end_date = Day{2025, 1, 1};
  EXPECT_THAT(operations_->usage(admin(), "proj001", window).error().message,
              HasSubstr("from 2025-02-01T00:00:00Z to 2025-01-02T00:00:00Z"));
}

TEST_F(AnswersTest, WarnsOfAUnitThatNothingIsPricedIn) {
  api::AccountCreate request;
  request.slurm_account = "typo";
  request.budgets.push_back({"EURO", money("5"), Day{2025, 1, 1}, Day{2025, 12, 31}, {}});
  request.budgets.push_back({"USD", money("5"), Day{2025, 1, 1}, Day{2025, 12, 31}, {}});
  const auto made = wait<api::Account>(
      [&](const auto& promise) { operations_->create_account(admin(), request, promise); });
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_THAT(made->warnings, SizeIs(1));
  EXPECT_THAT(made->warnings.front(), HasSubstr("no price is counted in EURO"));
  EXPECT_THAT(operations_->account(admin(), "proj001")->warnings, SizeIs(0));
}

TEST_F(AnswersTest, LogsEachReportedChargeOnce) {
  const auto checked = check(two_cpus());
  ASSERT_TRUE(start_log({.level = config::LogLevel::info}));
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(reconcile(settlement(checked->transaction_id, "5"), slurm_user()));
  ASSERT_TRUE(reconcile(settlement(checked->transaction_id, "5"), slurm_user()));
  const std::string lines = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, HasSubstr("info: charged $5.00 to account proj001 for job 'cloud/node-1' "
                               "(reported by slurm)"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
}

}  // namespace
}  // namespace asbb::service
