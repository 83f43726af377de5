#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "api/json.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using testing::run;

api::Budget budget_of(const std::string& unit, std::int64_t limit, std::int64_t used,
                      std::int64_t held) {
  api::Budget budget;
  budget.id = 1;
  budget.unit = unit;
  budget.first_day = {2025, 1, 1};
  budget.last_day = {2025, 12, 31};
  budget.in_force = true;
  budget.limit = Micros(limit * 1'000'000);
  budget.used = Micros(used * 1'000'000);
  budget.held = Micros(held * 1'000'000);
  budget.available = budget.limit - budget.used - budget.held;
  return budget;
}

api::Account account_of(const std::string& name, std::vector<api::Budget> budgets) {
  api::Account account;
  account.slurm_account = name;
  account.status = "active";
  account.budgets = std::move(budgets);
  return account;
}

class BudgetsTest : public ::testing::Test {
 protected:
  void serve(const std::vector<api::Account>& accounts) {
    service_.answer("GET /api/v1/accounts", 200, api::to_json(accounts));
    service_.start();
  }
  // Half of its dollars, nearly all of its core-hours; none; a budget that is over.
  void serve_three() {
    api::Budget over = budget_of("USD", 7, 7, 0);
    over.in_force = false;
    serve({account_of("proj001",
                      {budget_of("USD", 100, 40, 10), budget_of("core-hours", 100, 90, 5)}),
           account_of("=proj002", {budget_of("USD", 20, 5, 0), over}),
           account_of("proj003", {budget_of("core-hours", 10, 12, 0)}), account_of("proj004", {})});
  }

  CannedService service_;
};

TEST_F(BudgetsTest, ShowsBothUnitsBesideEachOtherWhatRunsOutFirst) {
  serve_three();
  const auto ran = run(service_, {"budgets"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "ACCOUNT   USED USD   HELD   LEFT   LIMIT  USED core-hours  HELD   LEFT   LIMIT\n"
            "proj003       -      -      -       -               12.00  0.00  -2.00   10.00\n"
            "proj001      40.00  10.00  50.00  100.00            90.00  5.00   5.00  100.00\n"
            "=proj002      5.00   0.00  15.00   20.00             -     -      -       -\n"
            "\n"
            "About to run out:\n"
            "* proj003: -2.00 core-hours left of 10.00 core-hours until 2025-12-31 (none left)\n"
            "* proj001: 5.00 core-hours left of 100.00 core-hours until 2025-12-31 (under 10 %)\n");
}

TEST_F(BudgetsTest, CsvAndJsonHaveALineForEachBudget) {
  serve_three();
  EXPECT_EQ(run(service_, {"budgets", "--sort=name", "--output=csv"}).out,
            "account,parent,unit,first_day,last_day,limit,used,held,left,runs_out\r\n"
            "'=proj002,,USD,2025-01-01,2025-12-31,20,5,0,15,\r\n"
            "proj001,,USD,2025-01-01,2025-12-31,100,40,10,50,\r\n"
            "proj001,,core-hours,2025-01-01,2025-12-31,100,90,5,5,\r\n"
            "proj003,,core-hours,2025-01-01,2025-12-31,10,12,0,-2,\r\n");
  EXPECT_EQ(
      run(service_, {"budgets", "--unit=USD", "--sort=name", "--output=json"}).out,
      "[{\"account\":\"=proj002\",\"parent\":\"\",\"unit\":\"USD\",\"first_day\":\"2025-01-01\","
      "\"last_day\":\"2025-12-31\",\"limit\":20,\"used\":5,\"held\":0,\"left\":15},"
      "{\"account\":\"proj001\",\"parent\":\"\",\"unit\":\"USD\",\"first_day\":\"2025-01-01\","
      "\"last_day\":\"2025-12-31\",\"limit\":100,\"used\":40,\"held\":10,\"left\":50}]\n");
}

TEST_F(BudgetsTest, TheForecastSaysTheDayAndTheOrder) {
  api::Forecast late;
  late.account = "proj001";
  late.budgets.resize(1);
  late.budgets[0].unit = "USD";
  late.budgets[0].runs_out = "2025-11-01";
  api::Forecast soon = late;
  soon.account = "proj002";
  soon.budgets[0].runs_out = "2025-07-01";
  service_.answer("GET /api/v1/accounts/proj001/forecast", 200, api::to_json(late))
      .answer("GET /api/v1/accounts/proj002/forecast", 200, api::to_json(soon));
  serve({account_of("proj001", {budget_of("USD", 100, 80, 0)}),
         account_of("proj002", {budget_of("USD", 100, 10, 0)})});
  const auto ran = run(service_, {"budgets", "--forecast"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_LT(ran.out.find("proj002"), ran.out.find("proj001"));
  EXPECT_THAT(ran.out, HasSubstr("* proj002: $90.00 left of $100.00 until 2025-12-31 (gone on "
                                 "2025-07-01)"));
}

TEST_F(BudgetsTest, AmountsThatDoNotFitBesideEachOtherHaveARowForEachUnit) {
  serve({account_of("proj001",
                    {budget_of("USD", 50000, 1, 0), budget_of("core-hours", 1000000, 1, 0)})});
  EXPECT_EQ(run(service_, {"budgets"}).out,
            "ACCOUNT  UNIT        USED  HELD       LEFT       LIMIT\n"
            "proj001  USD         1.00  0.00   49999.00    50000.00\n"
            "proj001  core-hours  1.00  0.00  999999.00  1000000.00\n");
}

TEST_F(BudgetsTest, OfMoreUnitsThanFitEachHasARow) {
  serve({account_of("proj001", {budget_of("USD", 100, 1, 0), budget_of("core-hours", 10, 1, 0),
                                budget_of("gpu-hours", 10, 1, 0)})});
  EXPECT_EQ(run(service_, {"budgets"}).out,
            "ACCOUNT  UNIT        USED  HELD   LEFT   LIMIT\n"
            "proj001  USD         1.00  0.00  99.00  100.00\n"
            "proj001  core-hours  1.00  0.00   9.00   10.00\n"
            "proj001  gpu-hours   1.00  0.00   9.00   10.00\n");
}

TEST_F(BudgetsTest, SaysWhatToDoWhereThereIsNothingAndWhichUnitWasMeant) {
  serve({account_of("proj001", {budget_of("USD", 100, 1, 0)}), account_of("proj004", {})});
  const auto misspelt = run(service_, {"budgets", "--unit=USB"});
  EXPECT_EQ(misspelt.code, exit_usage);
  EXPECT_THAT(misspelt.err, HasSubstr("did you mean 'USD'"));
}

TEST_F(BudgetsTest, NoBudgetIsNoError) {
  serve({account_of("proj004", {})});
  const auto ran = run(service_, {"budgets"});
  EXPECT_EQ(ran.code, exit_done);
  EXPECT_THAT(ran.out, HasSubstr("asbb account update NAME"));
}

}  // namespace
}  // namespace asbb::cli
