// Usage, forecasts, single transactions, pages by cursor and the context of a job, without HTTP.
#include <gmock/gmock.h>

#include <algorithm>

#include "service/entry_pages.h"
#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::money;
using ::testing::SizeIs;

class ReadingTest : public testing::OperationsFixture {
 public:
  // A hold of 5 whose job cost so much.
  std::string spend(std::int64_t job, const char* cost, const std::string& user = "alice") {
    const std::string id = hold("5", 1, user);
    EXPECT_TRUE(run(ledger::BindHold{find(id).id, {"onprem", job, now()}}).accepted());
    EXPECT_TRUE(
        run(ledger::SettleShare{
                find(id).id, {"onprem", job, -1, 0, ""}, "USD", money(cost), false, "COMPLETED"})
            .accepted());
    return id;
  }
};

TEST_F(ReadingTest, UsageIsSplitByPeriodAccountAndJobAndShowsWhatIdles) {
  spend(1, "1");
  pass_time(hours(24 * 30));
  spend(2, "2.5", "carol");
  spend(3, "3");
  pass_time(hours(48));
  const std::string waiting = hold("4");
  const std::string running = hold("2");
  ASSERT_TRUE(run(ledger::BindHold{find(running).id, {"onprem", 9, now()}}).accepted());
  ASSERT_TRUE(run(ledger::OpenShare{find(running).id, {"onprem", 9, -1, 0, ""}}).accepted());
  const auto usage = operations_->usage(admin(), "lab", {});
  ASSERT_TRUE(usage) << usage.error().message;
  const api::UnitUsage& unit = usage->units.front();
  ASSERT_THAT(unit.by_period, SizeIs(2));
  EXPECT_EQ(unit.by_period[0].name, "2025-06");
  EXPECT_EQ(to_decimal(unit.by_period[0].charged), "1");
  EXPECT_EQ(unit.by_period[1].name, "2025-07");
  EXPECT_EQ(unit.by_period[1].jobs, 2);
  ASSERT_THAT(unit.by_account, SizeIs(1));
  EXPECT_EQ(unit.by_account[0].name, "proj001");
  ASSERT_THAT(unit.largest_jobs, SizeIs(3));
  EXPECT_EQ(unit.largest_jobs[0].job_id, "3");
  EXPECT_EQ(unit.largest_jobs[1].user, "carol");
  EXPECT_EQ(to_decimal(unit.held_running), "2");
  EXPECT_EQ(to_decimal(unit.held_waiting), "4");
  ASSERT_THAT(unit.idle_holds, SizeIs(1));
  EXPECT_EQ(unit.idle_holds[0].transaction_id, waiting);
  api::UsageQuery by_day;
  by_day.period = "day";
  EXPECT_EQ(operations_->usage(admin(), "lab", by_day)->units[0].by_period[0].name, "2025-06-01");
}

TEST_F(ReadingTest, TheSummaryAddsABudgetInsideAnotherOneOnce) {
  spend(1, "1");
  const auto all = operations_->usage_summary(admin(), {});
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_FALSE(all->units.empty());
  Micros top;
  for (const api::AccountUsage& row : all->accounts) {
    if (row.has_budget && row.parent.empty()) top += row.limit;
    if (row.account == "proj001") EXPECT_EQ(to_decimal(row.charged), "1");
    if (row.account == "lab") EXPECT_EQ(to_decimal(row.charged), "0");
  }
  EXPECT_EQ(all->units[0].limit, top);
  EXPECT_EQ(to_decimal(all->units[0].charged), "1");
  // A user's own accounts alone, and what is above them is not told.
  const auto own = operations_->usage_summary(alice(), {});
  ASSERT_TRUE(own);
  ASSERT_THAT(own->accounts, SizeIs(1));
  EXPECT_EQ(own->accounts[0].account, "proj001");
  EXPECT_EQ(to_decimal(own->units[0].charged), "1");
  EXPECT_EQ(operations_->usage_summary(bob(), {})->units.empty()
                ? "0"
                : to_decimal(operations_->usage_summary(bob(), {})->units[0].charged),
            "0");
  EXPECT_EQ(status_of(operations_->usage_summary(anonymous(), {})), 401);
}

TEST_F(ReadingTest, ForecastsFromWhatWasSpent) {
  spend(1, "1");
  pass_time(hours(24 * 10));
  spend(2, "2");
  hold("4");
  const auto found = operations_->forecast(alice(), "proj001");
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(found->budgets, SizeIs(1));
  const api::UnitForecast& budget = found->budgets[0];
  ASSERT_THAT(budget.rates, SizeIs(3));
  EXPECT_EQ(to_decimal(budget.rates[0].spent), "0");  // the second one is of this very moment
  EXPECT_EQ(to_decimal(budget.rates[1].spent), "1");
  EXPECT_EQ(to_decimal(budget.rates[1].per_day), "0.1");  // the account is ten days old
  EXPECT_EQ(to_decimal(budget.used), "3");
  EXPECT_EQ(to_decimal(budget.held_waiting), "4");
  EXPECT_EQ(to_decimal(budget.usual_part), "0.3");  // 3 of 10 that were held
  EXPECT_EQ(to_decimal(budget.holds_take), "1.2");
  EXPECT_FALSE(budget.summary.empty());
  ASSERT_THAT(budget.history, SizeIs(2));
  EXPECT_EQ(asbb::to_string(budget.history[1].day), "2025-06-11");
  EXPECT_EQ(status_of(operations_->forecast(bob(), "proj001")), 404);
  EXPECT_EQ(status_of(operations_->forecast(anonymous(), "proj001")), 401);
}

TEST_F(ReadingTest, CorrectionsAreInAForecastsHistoryAndAreNoSpending) {
  spend(1, "1");
  pass_time(hours(24 * 10));
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", testing::money("5")}).accepted());
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", testing::money("-2")}).accepted());
  pass_time(hours(24));
  const auto found = operations_->forecast(alice(), "proj001");
  ASSERT_TRUE(found) << found.error().message;
  const api::UnitForecast& budget = found->budgets[0];
  EXPECT_EQ(to_decimal(budget.used), "4");
  EXPECT_EQ(to_decimal(budget.rates[1].spent), "1");
  Micros sum;
  for (const api::ForecastDay& day : budget.history) sum += day.charged + day.adjusted;
  EXPECT_EQ(sum, budget.used) << "each day's change, and all of them are what is used";
  ASSERT_THAT(budget.history, SizeIs(2));
  EXPECT_EQ(to_decimal(budget.history[1].adjusted), "3");
  EXPECT_EQ(to_decimal(budget.history[1].charged), "0");
}

TEST_F(ReadingTest, ForecastsEachUnitByItself) {
  const ledger::NewBudget hours_of_cores{"core-hours", testing::at("2025-01-01T00:00:00Z"),
                                         testing::at("2026-01-01T00:00:00Z"),
                                         testing::money("1000"), Micros()};
  ASSERT_TRUE(run(ledger::AddBudget{"proj001", hours_of_cores}).accepted());
  spend(1, "1");
  pass_time(hours(24 * 10));
  const auto found = operations_->forecast(alice(), "proj001");
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(found->budgets, SizeIs(2));
  for (const api::UnitForecast& budget : found->budgets) {
    const bool is_money = budget.unit == "USD";
    EXPECT_EQ(to_decimal(budget.used), is_money ? "1" : "0");
    EXPECT_EQ(to_decimal(budget.rates[1].per_day), is_money ? "0.1" : "0");
    EXPECT_EQ(budget.outlook == "no_spending", !is_money) << budget.outlook;
  }
}

TEST_F(ReadingTest, AnAccountWithoutABudgetNamesTheOneThatPays) {
  ASSERT_TRUE(run(ledger::CreateAccount{"students", "", "", "proj001", {}, {}}).accepted());
  const auto found = operations_->forecast(admin(), "students");
  ASSERT_TRUE(found);
  EXPECT_THAT(found->budgets, SizeIs(0));
  EXPECT_EQ(found->draws_on, "proj001");
}

TEST_F(ReadingTest, ShowsATransactionWhole) {
  const std::string id = spend(17, "1.25");
  const auto shown = operations_->transaction(alice(), id);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->status, "closed");
  EXPECT_EQ(shown->job_id, "17");
  EXPECT_EQ(shown->account, "proj001");
  ASSERT_THAT(shown->parts, SizeIs(1));
  EXPECT_EQ(to_decimal(shown->parts[0].granted), "5");
  EXPECT_EQ(to_decimal(shown->parts[0].charged), "1.25");
  EXPECT_EQ(to_decimal(shown->parts[0].released), "3.75");
  EXPECT_EQ(shown->parts[0].price_version, 1);
  std::vector<std::string> types;
  for (const api::Transaction& entry : shown->entries) types.push_back(entry.type);
  EXPECT_THAT(types, ElementsAre("hold", "bind", "charge", "release"));
  // By the number of any of its entries.
  const auto by_number = operations_->transaction(alice(), std::to_string(shown->entries[2].id));
  ASSERT_TRUE(by_number);
  EXPECT_EQ(*by_number, *shown);
  EXPECT_EQ(status_of(operations_->transaction(bob(), id)), 404);
  EXPECT_EQ(operations_->transaction(bob(), id).error(), [&] {
    auto other = operations_->transaction(bob(), "none").error();
    other.message.replace(other.message.find("none"), 4, id);
    return other;
  }());
  EXPECT_EQ(status_of(operations_->transaction(alice(), "999999")), 404);
  EXPECT_TRUE(operations_->transaction(admin(), "1"));  // of no hold
  api::TransactionQuery query;
  query.transaction_id = id;
  EXPECT_THAT(*operations_->transactions(alice(), query), SizeIs(4));
}

TEST_F(ReadingTest, PagesByCursorHaveEveryEntryOnce) {
  for (std::int64_t job = 1; job <= 9; ++job) spend(job, "0.1");
  api::TransactionQuery query;
  query.account = "proj001";
  query.limit = 4;
  std::vector<std::int64_t> forwards;
  query.after = 0;
  for (;;) {
    const auto page = operations_->transactions(alice(), query);
    ASSERT_TRUE(page);
    for (const api::Transaction& entry : *page) forwards.push_back(entry.id);
    if (page->size() < 4) break;
    query.after = page->back().id;
  }
  query = {};
  query.account = "proj001";
  query.limit = 1000;
  std::vector<std::int64_t> backwards;
  const auto whole = operations_->transactions(alice(), query);
  for (const auto& entry : *whole) {
    backwards.push_back(entry.id);
  }
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(forwards, backwards);
  EXPECT_GE(forwards.size(), 36u);
}

TEST_F(ReadingTest, AWindowBecomesBoundsOfTheSequence) {
  spend(1, "1");
  pass_time(hours(24));
  const Instant second = now();
  spend(2, "1");
  pass_time(hours(24));
  const std::int64_t last =
      committer_->read([](const ledger::Book& book) { return book.counters().entry; });
  const auto count = [&](std::optional<Instant> from, std::optional<Instant> until) {
    store::EntryQuery query;
    query.from = from;
    query.until = until;
    EXPECT_TRUE(bound_by_sequence(store_, last, query));
    EXPECT_FALSE(query.from || query.until);
    std::int64_t found = 0;
    EXPECT_TRUE(for_each_entry(store_, query, [&](const ledger::Entry&) { ++found; }));
    return found;
  };
  EXPECT_EQ(count({}, {}), last);
  EXPECT_EQ(count(second, {}), 4);
  EXPECT_EQ(count({}, second), last - 4);
  EXPECT_EQ(count(second, second), 0);
  EXPECT_EQ(count(now(), {}), 0);
  EXPECT_EQ(count({}, Instant{}), 0);
}

TEST_F(ReadingTest, WhereTimeWentBackEveryEntryIsLookedAt) {
  store_.let_time_go_back();
  store::EntryQuery query;
  query.from = now();
  EXPECT_TRUE(bound_by_sequence(store_, 1, query));
  EXPECT_EQ(query.from, now());
}

TEST_F(ReadingTest, TellsALauncherWhetherTheAccountCanPay) {
  const std::string id = hold("4");
  ASSERT_TRUE(run(ledger::BindHold{find(id).id, {"onprem", 4711, now()}}).accepted());
  const auto context = [&] { return *operations_->job_context(admin(), "4711", ""); };
  EXPECT_TRUE(context().should_burst);
  EXPECT_EQ(context().code, "ok");
  EXPECT_EQ(to_decimal(context().max_total_cost), "4");
  EXPECT_EQ(context().transaction_id, id);
  EXPECT_EQ(context().paying_account, "proj001");
  ledger::UpdateAccount suspend;
  suspend.name = "proj001";
  suspend.status = ledger::AccountStatus::suspended;
  ASSERT_TRUE(run(suspend).accepted());
  EXPECT_FALSE(context().should_burst);
  EXPECT_EQ(context().code, "account_inactive");
  suspend.status = ledger::AccountStatus::active;
  ASSERT_TRUE(run(suspend).accepted());
  ledger::Command adjust;
  const auto adjusted = wait<api::Account>([&](const auto& promise) {
    operations_->adjust(admin(), "proj001", {money("1000"), "", "bill", ""}, promise);
  });
  ASSERT_TRUE(adjusted) << adjusted.error().message;
  EXPECT_EQ(context().code, "overdrawn");
  EXPECT_THAT(context().reason, HasSubstr("lacks"));
  ASSERT_TRUE(
      run(ledger::SettleShare{
              find(id).id, {"onprem", 4711, -1, 0, ""}, "USD", money("1"), false, "COMPLETED"})
          .accepted());
  EXPECT_EQ(context().code, "settled");
  EXPECT_EQ(operations_->job_context(admin(), "1", "")->code, "no_hold");
  EXPECT_EQ(operations_->job_context(bob(), "4711", "")->code, "no_hold");
  EXPECT_EQ(operations_->job_context(bob(), "4711", "")->account, "");
  EXPECT_EQ(status_of(operations_->job_context(admin(), "x", "")), 400);
  EXPECT_EQ(status_of(operations_->job_context(admin(), "4711", "nowhere")), 400);
}

// The fixture's accounts: proj001 below lab. Slurm lets bob use neither.
TEST_F(ReadingTest, AnOwnerReadsHisAccountAndThoseBelowIt) {
  const std::string id = spend(1, "1");
  EXPECT_EQ(status_of(operations_->account(bob(), "lab")), 404);
  const auto own = [&](const char* account, std::vector<std::string> owners) {
    api::AccountUpdate update;
    update.owners = std::move(owners);
    const auto done = wait<api::Account>([&](const auto& promise) {
      operations_->update_account(admin(), account, update, promise);
    });
    ASSERT_TRUE(done) << done.error().message;
  };
  own("proj001", {"bob"});
  EXPECT_THAT(operations_->account(bob(), "proj001")->owners, ElementsAre("bob"));
  EXPECT_EQ(status_of(operations_->account(bob(), "lab")), 404);
  EXPECT_THAT(*operations_->accounts(bob(), {}), SizeIs(1));
  own("proj001", {});
  own("lab", {"bob", "pi@example.org"});
  EXPECT_THAT(*operations_->accounts(bob(), {}), SizeIs(2));
  EXPECT_TRUE(operations_->usage(bob(), "proj001", {}));
  EXPECT_TRUE(operations_->forecast(bob(), "proj001"));
  EXPECT_TRUE(operations_->transaction(bob(), id));
  EXPECT_TRUE(operations_->open_holds(bob(), "proj001"));
  api::TransactionQuery query;
  query.account = "proj001";
  EXPECT_FALSE(operations_->transactions(bob(), query)->empty());
  const auto changed = wait<api::Account>(
      [&](const auto& promise) { operations_->update_account(bob(), "lab", {}, promise); });
  EXPECT_EQ(changed.error().status, 403);
}

TEST_F(ReadingTest, AnAccountNamesTheSlurmAccountsBelowItThatItPaysFor) {
  using Names = std::vector<api::SlurmAccount>;
  EXPECT_EQ(operations_->account(admin(), "proj001")->slurm_accounts, (Names{{"onprem", "child"}}));
  EXPECT_EQ(operations_->account(admin(), "lab")->slurm_accounts, Names{});
  ASSERT_TRUE(run(ledger::CreateAccount{"child", "", "", "proj001", {}, {}}).accepted());
  const auto all = operations_->accounts(admin(), {});
  EXPECT_TRUE(std::all_of(all->begin(), all->end(),
                          [](const api::Account& one) { return one.slurm_accounts.empty(); }));
}

TEST_F(ReadingTest, ImportsAllAccountsOrNone) {
  api::AccountImport request;
  request.accounts.resize(2);
  request.accounts[0].slurm_account = "physics";
  request.accounts[1].slurm_account = "proj007";
  request.accounts[1].parent = "nowhere";
  const auto import = [&](const Caller& caller) {
    return wait<api::AccountImportAnswer>(
        [&](const auto& promise) { operations_->import_accounts(caller, request, promise); });
  };
  EXPECT_EQ(import(bob()).error().status, 403);
  const auto refused = import(admin());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "accounts[1].parent");
  EXPECT_EQ(status_of(operations_->account(admin(), "physics")), 404);
  request.accounts[1].parent = "physics";
  EXPECT_EQ(import(admin())->accounts_created, 2);
  EXPECT_EQ(operations_->account(admin(), "proj007")->parent, "physics");
  EXPECT_THAT(import(admin()).error().message, HasSubstr("'physics' exists already"));
}

TEST_F(ReadingTest, CreatesAnAccountWithItsAliasesOrNotAtAll) {
  api::AccountCreate request;
  request.slurm_account = "aws001";
  request.aliases = {"123456789012"};
  const auto create = [&] {
    return wait<api::Account>(
        [&](const auto& promise) { operations_->create_account(admin(), request, promise); });
  };
  const auto made = create();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->aliases, ElementsAre("123456789012"));
  EXPECT_EQ(create().error().status, 409);
  request.slurm_account = "aws002";
  const auto taken = create();
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("names account 'aws001' already"));
  EXPECT_EQ(status_of(operations_->account(admin(), "aws002")), 404);
}

}  // namespace
}  // namespace asbb::service
