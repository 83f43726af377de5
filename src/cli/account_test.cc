#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using testing::run;

api::Budget budget_of(const std::string& unit, std::int64_t limit, std::int64_t used,
                      std::int64_t held) {
  api::Budget out;
  out.unit = unit;
  out.first_day = Day{2025, 1, 1};
  out.last_day = Day{2025, 12, 31};
  out.end_date = Instant::from_unix_seconds(1'767'225'600);
  out.in_force = true;
  out.limit = out.granted = Micros(limit);
  out.used = Micros(used);
  out.held = Micros(held);
  out.available = out.limit - out.used - out.held;
  return out;
}

api::Account proj001() {
  api::Account out;
  out.id = 1;
  out.slurm_account = "proj001";
  out.name = "ML project";
  out.parent = "physics";
  out.status = "active";
  out.budgets = {budget_of("USD", 50'000'000, 3'141'593, 12'000'000)};
  out.budgets[0].partition_limits = {{"gpu-aws", "USD", Micros(20'000'000), Micros(1'500'000),
                                      Micros(12'000'000), Micros(6'500'000)}};
  out.open_holds = 1;
  return out;
}

api::OpenHold hold() {
  api::OpenHold out;
  out.transaction_id = "t";
  out.account = "proj001";
  out.user = "alice";
  out.cluster = "onprem";
  out.partition = "gpu-aws";
  out.job_id = 4711;
  out.kind = "slurm";
  out.unit = "USD";
  out.held = Micros(12'000'000);
  out.placed_at = Instant::from_unix_seconds(1'749'988'800);
  return out;
}

TEST(AccountCreate, TakesSeveralUnitsPeriodsAndOwners) {
  api::Account account = proj001();
  account.budgets.push_back(budget_of("core-hours", 9'000'000'000, 0, 0));
  CannedService service;
  service.answer("POST /api/v1/accounts", 201, api::to_json(account)).start();
  const auto ran =
      run(service, {"account", "create", "--name=proj001", "--budget=50USD",
                    "--budget=9000core-hours", "--start=2025-01-01", "--end=2025-12-31",
                    "--period=2026-01-01..2026-12-31:60USD", "--owner=bob", "--owner=a@b.org"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Account proj001 created:\n  50.00 USD from "));
  const auto sent = api::from_json<api::AccountCreate>(service.last_body());
  ASSERT_TRUE(sent);
  ASSERT_EQ(sent->budgets.size(), 3u);
  EXPECT_EQ(sent->budgets[1].unit, "core-hours");
  EXPECT_EQ(sent->budgets[1].limit, Micros(9'000'000'000));
  EXPECT_EQ(std::get<Day>(sent->budgets[2].start_date), (Day{2026, 1, 1}));
  EXPECT_EQ(sent->budgets[2].limit, Micros(60'000'000));
  EXPECT_EQ(sent->owners, (std::vector<std::string>{"bob", "a@b.org"}));
}

TEST(AccountCreate, SaysWhatIsWrongWithABudget) {
  const std::string days = " --start=2025-01-01 --end=2025-12-31";
  for (const auto& [flags, sentence] :
       {std::pair<std::string, const char*>{"--budget=50k" + days, "write the amount out"},
        {"--budget=1e6" + days, "write the amount out"},
        {"--budget=5USD --unit=EUR" + days, "--unit says EUR"},
        {"--budget=5USD --budget=6USD" + days, "two amounts in USD for the same period"},
        {"--budget=5 --budget=6" + days, "two amounts of one unit"},
        {"--budget=USD" + days, "--budget: 'USD' is not"},
        {"--budget=-5USD" + days, "an amount of 0 or more"},
        {"--period=2025-01-01:5", "FIRST..LAST:AMOUNT is expected"},
        {"--period=2025-13-01..2025-12-31:5", "--period: "},
        {"--budget=5USD --budget=6core-hours --credit-limit=1" + days, "several units"},
        {"--carry-over=all", "a budget needs all of"}}) {
    const auto ran = run(testing::split("account create --name=proj001 " + flags));
    EXPECT_EQ(ran.code, exit_usage) << flags;
    EXPECT_THAT(ran.err, HasSubstr(sentence)) << flags;
  }
}

TEST(AccountUpdate, SetsOwnersAndNone) {
  CannedService service;
  service.answer("PUT /api/v1/accounts/proj001", 200, api::to_json(proj001())).start();
  EXPECT_EQ(run(service, {"account", "update", "proj001", "--owner=bob", "--owner=eve"}).code, 0);
  EXPECT_THAT(service.last_body(), HasSubstr(R"("owners":["bob","eve"])"));
  EXPECT_EQ(run(service, {"account", "update", "proj001", "--owner="}).code, 0);
  EXPECT_THAT(service.last_body(), HasSubstr(R"("owners":[])"));
}

TEST(AccountUpdate, SetsAliasesAndCredit) {
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  account.aliases = {"grant-7", "p1"};
  account.budgets.push_back(budget_of("USD", 50'000'000, 0, 0));
  account.budgets.back().credit_limit = Micros(2'500'000);
  CannedService service;
  service.answer("PUT /api/v1/accounts/proj001", 200, api::to_json(account)).start();
  const auto ran =
      run(service, {"account", "update", "proj001", "--aliases=p1,grant-7", "--credit=2.50"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Aliases:      grant-7, p1\n"));
  EXPECT_THAT(ran.out, HasSubstr("Running jobs may use 2.50 USD more until 2025-12-31.\n"));
  service.stop();
  EXPECT_THAT(service.last_body(), HasSubstr(R"("aliases":["p1","grant-7"])"));
  EXPECT_THAT(service.last_body(), HasSubstr(R"("credit_limit":2.5)"));
}

TEST(AccountCommand, CreatesWithTheFlagsOfTheReadme) {
  CannedService service;
  service.answer("POST /api/v1/accounts", 201, api::to_json(proj001())).start();
  const auto ran = run(service, {"account", "create", "--name=proj001", "--budget=50",
                                 "--start=2025-01-01", "--end=2025-12-31"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out, "Account proj001 created: 50.00 USD from 2025-01-01 to 2025-12-31.\n");
  EXPECT_EQ(ran.err, "");
  service.stop();
  EXPECT_EQ(service.last_body(),
            R"({"slurm_account":"proj001","name":"proj001","budgets":[{"limit":50,)"
            R"("start_date":"2025-01-01","end_date":"2025-12-31"}]})");
}

TEST(AccountCommand, CreatesWithANameForPeopleAndWarnsOfThePast) {
  CannedService service;
  api::Account answer = proj001();
  answer.budgets[0].end_date = Instant::from_unix_seconds(1'700'000'000);
  answer.budgets[0].last_day = Day{2023, 11, 14};
  service.answer("POST /api/v1/accounts", 201, api::to_json(answer)).start();
  const auto ran = run(
      service, {"account", "create", "--name", "ML project", "--account=proj001",
                "--parent=physics", "--unit=core-hours", "--description=d", "--hold-percentage=1.5",
                "--budget=0.000001", "--start=2023-01-01", "--end=2023-11-14"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("warning: the period of this budget is over"));
  service.stop();
  EXPECT_EQ(service.last_body(),
            R"({"slurm_account":"proj001","name":"ML project","description":"d",)"
            R"("parent":"physics","hold_percentage":1.5,"budgets":[{"unit":"core-hours",)"
            R"("limit":0.000001,"start_date":"2023-01-01","end_date":"2023-11-14"}]})");
}

TEST(AccountCommand, RefusesHalfBudgetsAndBadAmounts) {
  const auto complaint = [](const std::string& line) {
    const auto ran = run(testing::split("account create --name=a " + line));
    EXPECT_EQ(ran.code, exit_usage) << line;
    return ran.err;
  };
  EXPECT_THAT(complaint("--budget=5"), HasSubstr("needs all of --budget"));
  EXPECT_THAT(complaint("--start=2025-01-01 --end=2025-12-31"), HasSubstr("needs all of"));
  const std::string dates = " --start=2025-01-01 --end=2025-12-31";
  EXPECT_THAT(complaint("--budget=50,000" + dates), HasSubstr("'50,000' is not an amount"));
  EXPECT_THAT(complaint("--budget=$50" + dates), HasSubstr("without a currency sign"));
  EXPECT_THAT(complaint("--budget=nan" + dates), HasSubstr("is not an amount"));
  // The service's name of it, budgets[0].limit, is none that was typed.
  EXPECT_EQ(complaint("--budget=-5" + dates),
            "asbb: --budget: '-5' is not allowed: an amount of 0 or more is expected\n");
  EXPECT_THAT(complaint("--budget=5 --start=1969-01-01 --end=2025-12-31"),
              HasSubstr("--start: '1969-01-01' is not a date from 1970-01-01 to 9999-12-31"));
  EXPECT_THAT(complaint("--budget=5 --start=1.1.2025 --end=2025-12-31"), HasSubstr("--start"));
}

TEST(AccountCommand, ShowsEverythingInEightyColumns) {
  CannedService service;
  service.answer("GET /api/v1/accounts/proj001", 200, api::to_json(proj001()))
      .answer("GET /api/v1/accounts/proj001/holds", 200,
              api::to_json(std::vector<api::OpenHold>{hold()}))
      .start();
  const auto ran = run(service, {"account", "show", "proj001"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "Account:      proj001\n"
            "Name:         ML project\n"
            "Parent:       physics\n"
            "Status:       active\n"
            "Hold factor:  the service's\n"
            "\n"
            "Budgets\n"
            "UNIT  FIRST DAY   LAST DAY    LIMIT      USED   HELD  AVAILABLE  IN FORCE\n"
            "USD   2025-01-01  2025-12-31  50.00  3.141593  12.00  34.858407  yes\n"
            "\n"
            "Partition limits\n"
            "PARTITION  UNIT  LIMIT  USED   HELD  AVAILABLE\n"
            "gpu-aws    USD   20.00  1.50  12.00       6.50\n"
            "\n"
            "Open holds\n"
            " JOB  CLUSTER  PARTITION  USER   HELD (USD)  SINCE (UTC)\n"
            "4711  onprem   gpu-aws    alice       12.00  2025-06-15 12:00:00\n");
  EXPECT_EQ(run(service, {"account", "show", "proj001", "--output=json"}).out,
            api::to_json(proj001()) + "\n");
  EXPECT_EQ(run(service, {"account", "show", "proj001", "--output", "csv"}).out,
            "account,unit,partition,first_day,last_day,limit,used,held,available,in_force\r\n"
            "proj001,USD,,2025-01-01,2025-12-31,50,3.141593,12,34.858407,yes\r\n"
            "proj001,USD,gpu-aws,2025-01-01,2025-12-31,20,1.5,12,6.5,yes\r\n");
}

TEST(AccountCommand, ShowsWhatWasGrantedAndWhatWasCarried) {
  api::Account account = proj001();
  account.budgets.push_back(budget_of("USD", 60'000'000, 0, 0));
  account.budgets[1].last_day = Day{2026, 12, 31};
  account.budgets[1].granted = Micros(10'000'000);
  account.budgets[1].carried_in = Micros(50'000'000);
  account.budgets[1].partition_limits = account.budgets[0].partition_limits;
  CannedService service;
  service.answer("GET /api/v1/accounts/proj001", 200, api::to_json(account))
      .answer("GET /api/v1/accounts/proj001/holds", 200, api::to_json(std::vector<api::OpenHold>{}))
      .start();
  const auto ran = run(service, {"account", "show", "proj001"});
  EXPECT_THAT(ran.out, HasSubstr("Of USD until 2026-12-31, 10.00 was granted, 50.00 came from the "
                                 "budget before.\n"));
  EXPECT_THAT(ran.out, HasSubstr("PARTITION  UNIT  LAST DAY    LIMIT"));
  EXPECT_THAT(ran.out, HasSubstr("gpu-aws    USD   2026-12-31  20.00"));
}

TEST(AccountCommand, ListsWithTheUnitOnceOrInAColumn) {
  api::Account parent = proj001();
  parent.slurm_account = "physics";
  parent.budgets.clear();
  std::vector<api::Account> accounts = {parent, proj001()};
  CannedService service;
  service.answer("GET /api/v1/accounts", 200, api::to_json(accounts)).start();
  EXPECT_EQ(run(service, {"account", "list"}).out,
            "ACCOUNT  STATUS  LIMIT (USD)      USED   HELD  AVAILABLE  LAST DAY\n"
            "physics  active                                           -\n"
            "proj001  active        50.00  3.141593  12.00  34.858407  2025-12-31\n");
  accounts[1].budgets.push_back(budget_of("core-hours", 1'000'000'000, 0, 0));
  CannedService both;
  both.answer("GET /api/v1/accounts", 200, api::to_json(accounts)).start();
  EXPECT_EQ(run(both, {"account", "list"}).out,
            "ACCOUNT  STATUS    LIMIT      USED   HELD    AVAILABLE  LAST DAY    UNIT\n"
            "physics  active                                         -\n"
            "proj001  active    50.00  3.141593  12.00    34.858407  2025-12-31  USD\n"
            "proj001  active  1000.00  0.00       0.00  1000.00      2025-12-31  core-hours\n");
}

TEST(AccountCommand, EmptyListsSayWhatToDo) {
  CannedService service;
  service.answer("GET /api/v1/accounts", 200, "[]").start();
  EXPECT_THAT(run(service, {"account", "list"}).out,
              HasSubstr("No accounts that you may see. An administrator makes one with 'asbb "
                        "account create"));
  EXPECT_EQ(run(service, {"account", "list", "--output=json"}).out, "[]\n");
}

TEST(AccountCommand, SetsALimit) {
  CannedService service;
  service
      .answer("PUT /api/v1/accounts/proj001/partition-limits/gpu-aws", 200, api::to_json(proj001()))
      .start();
  const auto ran = run(service, {"account", "set-limit", "proj001", "--partition=gpu-aws",
                                 "--limit=20", "--reason=no more there"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "Account proj001 may spend 20.00 USD on partition gpu-aws: 1.50 used, 12.00 held, 6.50 "
            "available.\n");
  service.stop();
  EXPECT_EQ(service.last_body(), R"({"limit":20,"reason":"no more there"})");
}

TEST(AccountCommand, UpdatesOnlyWhatIsGiven) {
  CannedService service;
  service.answer("PUT /api/v1/accounts/proj001", 200, api::to_json(proj001())).start();
  const auto ran = run(service, {"account", "update", "proj001", "--budget=75",
                                 "--parent=", "--reason=supplement of June"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Account proj001 updated."));
  EXPECT_THAT(ran.out, HasSubstr("\n1 open hold: 'asbb account show proj001' lists it.\n"));
  service.stop();
  EXPECT_EQ(service.last_body(),
            R"({"parent":"","budget_limit":75,"reason":"supplement of June"})");
  EXPECT_EQ(run({"account", "update", "proj001"}).code, exit_usage);
  EXPECT_THAT(run({"account", "update", "proj001", "--unit=USD"}).err,
              HasSubstr("account 'proj001' was not said: --budget, --start, --end, --status"));
  EXPECT_EQ(run({"account", "update", "proj001", "--reason=none"}).code, exit_usage);
  EXPECT_THAT(run({"account", "update", "proj001", "--end=1.1.2025"}).err, HasSubstr("--end: "));
}

TEST(AccountCommand, ShowsTheWarningsOfTheService) {
  api::Account typo = proj001();
  typo.warnings = {"no price is counted in EURO"};
  CannedService service;
  service.answer("POST /api/v1/accounts", 201, api::to_json(typo))
      .answer("PUT /api/v1/accounts/proj001", 200, api::to_json(typo))
      .answer("GET /api/v1/accounts/proj001", 200, api::to_json(typo))
      .answer("GET /api/v1/accounts/proj001/holds", 200, "[]")
      .start();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"account", "create", "--name=proj001"},
        {"account", "update", "proj001", "--budget=75"},
        {"account", "show", "proj001"}}) {
    const auto ran = run(service, words);
    EXPECT_EQ(ran.code, exit_done);
    EXPECT_EQ(ran.err, "asbb: warning: no price is counted in EURO\n");
  }
}

TEST(AccountCommand, MarksABudgetThatIsNotInForce) {
  api::Account past = proj001();
  past.budgets[0].in_force = false;
  CannedService service;
  service.answer("GET /api/v1/accounts/proj001", 200, api::to_json(past))
      .answer("GET /api/v1/accounts/proj001/holds", 200, "[]")
      .start();
  EXPECT_THAT(run(service, {"account", "show", "proj001"}).out, HasSubstr("34.858407  no\n"));
}

TEST(AccountCommand, DeletesAndEncodesNames) {
  api::Account account = proj001();
  account.open_holds = 2;
  CannedService service;
  service.answer("GET /api/v1/accounts/a%20b%2F..", 200, api::to_json(account))
      .answer("DELETE /api/v1/accounts/a%20b%2F..", 204, "")
      .start();
  const auto ran = run(service, {"account", "delete", "a b/.."});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("its transactions stay"));
  EXPECT_THAT(ran.out, HasSubstr("Its 2 open holds stay until their jobs end"));
}

TEST(AccountCommand, ErrorsAreSentencesWithTheirExitCode) {
  CannedService service;
  service
      .answer("GET /api/v1/accounts/broke", 402,
              R"({"error":{"code":"INSUFFICIENT_BUDGET","message":"No money.",)"
              R"("details":"20.00 USD are left."},)"
              R"("request_id":"r","timestamp":"2026-01-01T00:00:00Z"})")
      .start();
  const auto missing = run(service, {"account", "show", "nobody"});
  EXPECT_EQ(missing.code, exit_failed);
  EXPECT_EQ(missing.err, "asbb: There is nothing here.\n");
  EXPECT_EQ(missing.out, "");
  const auto refused = run(service, {"account", "show", "broke"});
  EXPECT_EQ(refused.code, exit_refused);
  EXPECT_EQ(refused.err, "asbb: No money.\n20.00 USD are left.\n");
  const auto away = run({"account", "list", "--socket=/tmp/asbb-nobody.sock"});
  EXPECT_EQ(away.code, exit_failed);
  EXPECT_THAT(away.err, HasSubstr("does not answer at /tmp/asbb-nobody.sock"));
  EXPECT_THAT(away.err, HasSubstr("'asbb service start' starts it"));
}

}  // namespace
}  // namespace asbb::cli
