// Usage, forecast, transactions, job contexts and the tree of accounts, as they are printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "cli/chart.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run;

const Instant now = Instant::from_unix_seconds(1'749'988'800);  // 2025-06-15T12:00:00Z

// No line is wider than a terminal.
void expect_fits(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    EXPECT_LE(end - at, 80u) << text.substr(at, end - at);
    at = end + 1;
  }
}

api::UnitForecast forecast_of_50_usd() {
  api::UnitForecast out;
  out.unit = "USD";
  out.outlook = "runs_out";
  out.first_day = Day{2025, 1, 1};
  out.last_day = Day{2025, 12, 31};
  out.days_left = 199;
  out.limit = Micros(50'000'000);
  out.used = Micros(30'000'000);
  out.held = Micros(12'000'000);
  out.available = Micros(8'000'000);
  out.rates = {{7, Micros(3'000'000), Micros(428'571)},
               {30, Micros(6'000'000), Micros(200'000)},
               {90, Micros(15'000'000), Micros(166'667)}};
  out.expected_per_day = Micros(100'251);
  out.holds_take = Micros(7'200'000);
  out.runs_out_earliest = "2025-07-04";
  out.runs_out = "2025-08-18";
  out.summary = {
      "The money will probably be gone on 2025-08-18, 135 days before the period's end "
      "on 2025-12-31."};
  out.history = {{Day{2025, 2, 1}, Micros(15'000'000), Micros()},
                 {Day{2025, 5, 1}, Micros(15'000'000), Micros()}};
  return out;
}

TEST(ForecastCommand, SaysItInWordsAndDrawsIt) {
  api::Forecast forecast;
  forecast.account = "proj001";
  forecast.as_of = now;
  forecast.budgets = {forecast_of_50_usd()};
  CannedService service;
  service.answer("GET /api/v1/accounts/proj001/forecast", 200, api::to_json(forecast)).start();
  const auto ran = run(service, {"forecast", "proj001"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  expect_fits(ran.out);
  EXPECT_EQ(ran.out,
            "Forecast for account proj001 as of 2025-06-15 12:00:00 UTC\n"
            "\n"
            "Budget in USD, 2025-01-01 to 2025-12-31, 199 days left\n"
            "\n"
            "* The money will probably be gone on 2025-08-18, 135 days before the period's\n"
            "  end on 2025-12-31.\n"
            "\n"
            "OVER              SPENT (USD)     A DAY  OF THE EXPECTED RATE\n"
            "the last 7 days          3.00  0.428571               427.5 %\n"
            "the last 30 days         6.00  0.20                   199.5 %\n"
            "the last 90 days        15.00  0.166667               166.2 %\n"
            "the days left                  0.100251              expected\n"
            "\n" +
                budget_chart(forecast.budgets[0]));
  EXPECT_THAT(run(service, {"forecast", "proj001", "--output=csv"}).out,
              HasSubstr("proj001,USD,runs_out,2025-01-01,2025-12-31,50,30,12,8,0,0,0.428571,0.2,"
                        "0.166667,0.100251,7.2,2025-07-04,2025-08-18,never,0,0,0\r\n"));
}

TEST(ForecastCommand, TheChartIsPlainTextOf80Columns) {
  const std::string chart = budget_chart(forecast_of_50_usd());
  expect_fits(chart);
  EXPECT_EQ(chart,
            "50.00 |--------------------------------++++++++++++++++++++++++++++\n"
            "      |                           +++++\n"
            "      |\n"
            "      |                   ########\n"
            "      |                   ########\n"
            "      |     ######################\n"
            "      |     ######################\n"
            "      |     ######################\n"
            " 0.00 +------------------------------------------------------------\n"
            "       2025-01-01                ^ 2025-06-15            2025-12-31\n"
            "       # spent   + expected at the rate of the last 30 days   - limit\n");
}

TEST(ForecastCommand, ACorrectionStandsInTheChartFromItsDayOn) {
  api::UnitForecast budget = forecast_of_50_usd();
  const std::string spent_alone = budget_chart(budget);
  budget.history[1] = {Day{2025, 5, 1}, Micros(), Micros(15'000'000)};
  EXPECT_EQ(budget_chart(budget), spent_alone);
  budget.history[1].adjusted = Micros(-5'000'000);
  EXPECT_NE(budget_chart(budget), spent_alone);
}

TEST(ForecastCommand, AnAccountThatDrawsOnAnotherSaysOnWhich) {
  api::Forecast forecast;
  forecast.account = "students";
  forecast.draws_on = "proj001";
  CannedService service;
  service.answer("GET /api/v1/accounts/students/forecast", 200, api::to_json(forecast)).start();
  EXPECT_EQ(run(service, {"forecast", "students"}).out,
            "Account students has no budget in force; it draws on account proj001: 'asbb forecast "
            "proj001'.\n");
}

TEST(UsageSummary, ShowsTheAccountsBesideEachOther) {
  api::UsageSummary summary;
  summary.start_date = now - hours(24 * 30);
  summary.end_date = now;
  summary.accounts = {{"lab", "", "USD", true, Micros(100'000'000), Micros(30'500'000),
                       Micros(12'000'000), Micros(57'500'000), Micros(), 0},
                      {"proj001", "lab", "USD", true, Micros(50'000'000), Micros(30'500'000),
                       Micros(12'000'000), Micros(7'500'000), Micros(20'000'001), 3},
                      {"students", "proj001", "USD", false, {}, {}, {}, {}, Micros(500'000), 1}};
  CannedService service;
  service.answer("GET /api/v1/usage", 200, api::to_json(summary)).start();
  const auto ran = run(service, {"usage", "summary"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  expect_fits(ran.out);
  EXPECT_EQ(ran.out,
            "ACCOUNT   LIMIT (USD)   USED   HELD  AVAILABLE  USED OF    CHARGED  JOBS\n"
            "lab            100.00  30.50  12.00      57.50   30.5 %   0.00         0\n"
            "proj001         50.00  30.50  12.00       7.50   61.0 %  20.000001     3\n"
            "students                                                  0.50         1\n"
            "\n"
            "CHARGED and JOBS: from 2025-05-16 12:00:00 to before 2025-06-15 12:00:00 UTC.\n"
            "'asbb usage summary --by=partition,user' shows where it went.\n");
  EXPECT_THAT(run(service, {"usage", "summary", "--output=csv"}).out,
              HasSubstr("students,proj001,USD,,,,,0.5,1\r\n"));
  EXPECT_EQ(run(service, {"usage", "summary", "--by=partitions"}).code, exit_usage);
}

api::TransactionDetails details() {
  api::TransactionDetails out;
  out.transaction_id = "t1";
  out.kind = "slurm";
  out.status = "closed";
  out.account = "students";
  out.user = "alice";
  out.cluster = "onprem";
  out.partition = "gpu-aws";
  out.job_id = "4711";
  out.placed_at = out.submitted_at = now;
  out.parts = {{"USD",
                "proj001",
                Micros(10'000'000),
                Micros(12'000'000),
                {},
                Micros(7'500'000),
                {},
                Micros(4'500'000),
                {},
                3}};
  api::Transaction entry;
  entry.id = 7;
  entry.type = "charge";
  entry.unit = "USD";
  entry.amount = Micros(7'500'000);
  entry.job_id = "4711";
  entry.actor = "root";
  entry.reason = "late";
  entry.created_at = now;
  out.entries = {entry};
  return out;
}

TEST(TransactionsShow, HasTheJobThePricesAndAllEntries) {
  CannedService service;
  service.answer("GET /api/v1/transactions/7", 200, api::to_json(details())).start();
  const auto ran = run(service, {"transactions", "show", "7"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  expect_fits(ran.out);
  EXPECT_EQ(ran.out,
            "Transaction:  t1\n"
            "Status:       closed\n"
            "Account:      students\n"
            "Paid by:      proj001 (USD)\n"
            "User:         alice\n"
            "Cluster:      onprem\n"
            "Partition:    gpu-aws\n"
            "Job:          4711\n"
            "Submitted:    2025-06-15 12:00:00 UTC\n"
            "Held since:   2025-06-15 12:00:00 UTC\n"
            "Prices:       version 3: 'asbb prices show 3'\n"
            "\n"
            "UNIT  ESTIMATE  GRANTED  HELD  CHARGED  OVERRUN  RELEASED  REFUNDED\n"
            "USD      10.00    12.00  0.00     7.50     0.00      4.50      0.00\n"
            "\n"
            "ID  TIME (UTC)           TYPE     JOB  PARTITION  USER  AMOUNT (USD)\n"
            " 7  2025-06-15 12:00:00  charge  4711                           7.50\n"
            "7: root: late\n");
}

// Two pages: a full one, and a rest. What is printed is one list.
TEST(TransactionsList, AllComesPageByPage) {
  std::vector<api::Transaction> full;
  for (std::int64_t id = 1; id <= 1000; ++id) {
    api::Transaction entry;
    entry.id = id;
    entry.type = "charge";
    entry.unit = "USD";
    entry.amount = Micros(id);
    entry.account = "proj001";
    full.push_back(entry);
  }
  std::vector<api::Transaction> rest(full.begin(), full.begin() + 1);
  rest[0].id = 1001;
  CannedService service;
  service
      .answer("GET /api/v1/transactions?account=proj001&limit=1000&after=0", 200,
              api::to_json(full))
      .answer("GET /api/v1/transactions?account=proj001&limit=1000&after=1000", 200,
              api::to_json(rest))
      .start();
  const auto csv =
      run(service, {"transactions", "list", "--account=proj001", "--all", "--output=csv"});
  EXPECT_EQ(csv.code, exit_done) << csv.err;
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 1002);
  const auto json = run(service, {"transactions", "proj001", "--all", "--output=json"});
  const auto read = api::from_json<std::vector<api::Transaction>>(json.out);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 1001u);
  EXPECT_EQ(read->back().id, 1001);
}

api::JobContext job_context(bool can_pay) {
  api::JobContext out;
  out.job_id = "4711";
  out.account = "proj001";
  out.user = "o'neil";
  out.unit = "USD";
  out.should_burst = can_pay;
  out.code = can_pay ? "ok" : "no_hold";
  out.reason = can_pay ? "$12.00 is set aside for job 4711." : "No money is set aside.";
  out.max_total_cost = can_pay ? Micros(12'000'000) : Micros();
  out.as_of = now;
  return out;
}

TEST(JobContextCommand, PrintsAPlanForTheLauncher) {
  CannedService service;
  service
      .answer("GET /api/v1/integration/budget-context/4711", 200, api::to_json(job_context(true)))
      .answer("GET /api/v1/integration/budget-context/5", 200, api::to_json(job_context(false)))
      .start();
  const auto plan = run(service, {"job-context", "--job-id=4711", "--format=execution-plan",
                                  "--subnets=subnet-1", "--instance-types=c5.2xlarge,c5.9xlarge"});
  EXPECT_EQ(plan.code, exit_done) << plan.err;
  EXPECT_EQ(plan.err, "");
  EXPECT_THAT(plan.out, HasSubstr(R"("should_burst":true)"));
  EXPECT_THAT(plan.out, HasSubstr(R"("instance_types":["c5.2xlarge","c5.9xlarge"])"));
  EXPECT_THAT(plan.out, HasSubstr(R"("max_total_cost":12,)"));
  EXPECT_THAT(plan.out, HasSubstr(R"("analysis_timestamp":"2025-06-15T12:00:00Z")"));
  const auto refused = run(service, {"job-context", "--job-id=5", "--format=execution-plan"});
  EXPECT_EQ(refused.code, exit_done);
  EXPECT_THAT(refused.out, HasSubstr(R"("should_burst":false)"));
  EXPECT_THAT(refused.err, HasSubstr("no nodes are to be started: No money is set aside."));
  EXPECT_THAT(run(service, {"job-context", "--job-id=4711", "--format=env"}).out,
              HasSubstr("ASBB_USER='o'\\''neil'\n"));
  EXPECT_EQ(run(service, {"job-context", "--job-id=4711", "--format=json"}).out,
            api::to_json(job_context(true)) + "\n");
  EXPECT_EQ(run(service, {"job-context"}).code, exit_usage);
}

api::Account account(const std::string& name, const std::string& parent, std::int64_t limit) {
  api::Account out;
  out.slurm_account = name;
  out.parent = parent;
  out.status = "active";
  if (limit == 0) return out;
  api::Budget& budget = out.budgets.emplace_back();
  budget.unit = "USD";
  budget.in_force = true;
  budget.last_day = Day{2025, 12, 31};
  budget.limit = budget.available = Micros(limit * 1'000'000);
  return out;
}

TEST(AccountTree, StandsAccountsBelowEachOther) {
  const std::vector<api::Account> accounts = {account("students", "proj001", 0),
                                              account("proj001", "physics", 50),
                                              account("physics", "", 1000)};
  CannedService service;
  service.answer("GET /api/v1/accounts", 200, api::to_json(accounts)).start();
  EXPECT_EQ(run(service, {"account", "tree"}).out,
            "ACCOUNT       LIMIT (USD)  USED  HELD  AVAILABLE  LAST DAY\n"
            "physics           1000.00  0.00  0.00    1000.00  2025-12-31\n"
            "  proj001           50.00  0.00  0.00      50.00  2025-12-31\n"
            "    students                                      draws above\n");
  EXPECT_THAT(run(service, {"account", "tree", "--output=csv"}).out,
              HasSubstr("students,proj001,2,active,,,,,,\r\n"));
}

}  // namespace
}  // namespace asbb::cli
