#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "api/json.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using testing::run;

api::Transaction entry(std::int64_t id, const std::string& type, std::int64_t amount) {
  api::Transaction out;
  out.id = id;
  out.account = "proj001";
  out.job_id = type == "hold" ? "" : "4711";
  out.transaction_id = "t1";
  out.type = type;
  out.unit = "USD";
  out.amount = Micros(amount);
  out.status = "completed";
  out.user = "alice";
  out.cluster = "onprem";
  out.partition = "gpu-aws";
  out.actor = "uid 0";
  out.created_at = Instant::from_unix_seconds(1'749'988'800 + id);
  return out;
}

TEST(TransactionsCommand, ListsTheNewestLast) {
  const std::vector<api::Transaction> newest_first = {
      entry(4, "release", 11'000'000), entry(3, "charge", 1'000'001), entry(2, "bind", 0),
      entry(1, "hold", 12'000'001)};
  CannedService service;
  service
      .answer("GET /api/v1/transactions?account=proj001&start_date=2025-05-16T12%3A00%3A00Z", 200,
              api::to_json(newest_first))
      .answer("GET /api/v1/transactions?type=charge%2Coverrun&job_id=4711&limit=4", 404, "")
      .answer("GET /api/v1/transactions?job_id=4711&type=charge%2Coverrun&limit=4", 200,
              api::to_json(newest_first))
      .start();
  const auto ran = run(service, {"transactions", "proj001", "--last=30d"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "ID  TIME (UTC)           TYPE      JOB  PARTITION  USER   AMOUNT (USD)\n"
            " 1  2025-06-15 12:00:01  hold           gpu-aws    alice     12.000001\n"
            " 2  2025-06-15 12:00:02  bind     4711  gpu-aws    alice\n"
            " 3  2025-06-15 12:00:03  charge   4711  gpu-aws    alice      1.000001\n"
            " 4  2025-06-15 12:00:04  release  4711  gpu-aws    alice     11.00\n");
  const auto all = run(service, {"transactions", "--type=charge,overrun", "--job=4711", "--limit=4",
                                 "--output=csv"});
  EXPECT_EQ(all.code, exit_done) << all.err;
  EXPECT_THAT(all.out, HasSubstr("id,time,type,status,account,job_id,transaction_id,cluster,"));
  EXPECT_THAT(all.out, HasSubstr("3,2025-06-15T12:00:03Z,charge,completed,proj001,4711,t1,onprem,"
                                 "gpu-aws,alice,USD,1.000001,,uid 0,,\r\n"));
  EXPECT_THAT(all.err, HasSubstr("only the newest 4 are listed"));
}

TEST(TransactionsCommand, RefusesWhatItCannotAsk) {
  for (const std::string line :
       {"transactions --from=2025-02-01 --to=2025-01-31",
        "usage summary --start=2025-02-01 --end=2025-01-31", "transactions --last=soon",
        "transactions --type=spend", "transactions --from=yesterday",
        "transactions --last=1d --from=2025-01-01"}) {
    EXPECT_EQ(run(testing::split(line)).code, exit_usage) << line;
  }
  // All accounts' entries were listed.
  for (const std::string line : {"transactions proj001 list", "transactions list proj001",
                                 "transactions --type=deposit list", "transactions show 1 2"}) {
    const auto ran = run(testing::split(line));
    EXPECT_EQ(ran.code, exit_usage) << line;
    EXPECT_THAT(ran.err, HasSubstr("transactions list --account=ACCOUNT")) << line;
  }
}

TEST(UsageCommand, ShowsWhereTheMoneyWent) {
  api::Usage usage;
  usage.account = "proj001";
  usage.start_date = Instant::from_unix_seconds(1'735'689'600);
  usage.end_date = Instant::from_unix_seconds(1'749'988'800);
  api::UnitUsage& unit = usage.units.emplace_back();
  unit.unit = "USD";
  unit.limit = Micros(50'000'000);
  unit.used = Micros(30'000'000);
  unit.available = Micros(20'000'000);
  unit.charged = Micros(30'000'000);
  unit.jobs = 3;
  unit.by_partition = {{"gpu-aws", Micros(20'000'000), 1}, {"aws", Micros(10'000'000), 2}};
  unit.by_user = {{"alice", Micros(30'000'000), 3}};
  CannedService service;
  service
      .answer("GET /api/v1/accounts/proj001/usage?unit=USD&start_date=2025-01-01", 200,
              api::to_json(usage))
      .start();
  const std::vector<std::string> words = {"usage", "show", "proj001", "--unit=USD",
                                          "--start=2025-01-01"};
  auto by_user = words;
  by_user.insert(by_user.end(), {"--by=user", "--output=csv"});
  EXPECT_EQ(run(service, by_user).out,  // all tables came
            "account,unit,by,name,jobs,charged,held\r\n"
            "proj001,USD,user,alice,3,30,\r\n");
  EXPECT_EQ(run(service, words).out,
            "Account proj001 from 2025-01-01 00:00:00 to before 2025-06-15 12:00:00 UTC\n"
            "\n"
            "UNIT  LIMIT   USED  HELD  AVAILABLE  USED OF LIMIT\n"
            "USD   50.00  30.00  0.00      20.00         60.0 %\n"
            "\n"
            "PARTITION  JOBS  CHARGED (USD)   SHARE\n"
            "gpu-aws       1          20.00  66.7 %\n"
            "aws           2          10.00  33.3 %\n"
            "\n"
            "USER   JOBS  CHARGED (USD)    SHARE\n"
            "alice     3          30.00  100.0 %\n");
}

// It said "No budget" of an account that has one, of another time.
TEST(UsageCommand, SaysWhenThereIsABudgetOfAnotherTime) {
  api::Usage usage;
  usage.account = "proj001";
  api::Account account;
  account.slurm_account = "proj001";
  const auto shown = [&] {
    CannedService service;
    service.answer("GET /api/v1/accounts/proj001/usage", 200, api::to_json(usage))
        .answer("GET /api/v1/accounts/proj001", 200, api::to_json(account))
        .start();
    return run(service, {"usage", "show", "proj001"}).out;
  };
  EXPECT_THAT(shown(), HasSubstr("there is no budget: jobs draw on the account above it"));
  api::Budget budget;
  budget.unit = "USD";
  budget.start_date = Instant::from_unix_seconds(1'767'225'600);
  budget.end_date = Instant::from_unix_seconds(1'798'761'600);
  budget.first_day = Day{2026, 1, 1};
  account.budgets = {budget};
  EXPECT_THAT(shown(), HasSubstr("there is no budget in force now; the next one, in USD, begins on "
                                 "2026-01-01."));
  budget.start_date = Instant::from_unix_seconds(1'704'067'200);
  budget.end_date = Instant::from_unix_seconds(1'735'689'600);
  budget.last_day = Day{2024, 12, 31};
  account.budgets = {budget};
  EXPECT_THAT(shown(), HasSubstr("; the last one, in USD, ended on 2024-12-31."));
}

TEST(PricesCommand, ImportsListsAndShows) {
  api::PriceBook book;
  book.version = 3;
  book.effective_from = Instant::from_unix_seconds(1'735'689'600);
  book.imported_at = Instant::from_unix_seconds(1'749'988'800);
  book.in_force = true;
  CannedService service;
  const std::string path = service.folder() + "/prices.yaml";
  std::ofstream(path) << "prices:\n  - partition: gpu-aws\n";
  service.answer("POST /api/v1/prices", 201, api::to_json(book))
      .answer("GET /api/v1/prices", 200, api::to_json(std::vector<api::PriceBook>{book}));
  book.text = "prices:\n  - partition: gpu-aws\n";
  service.answer("GET /api/v1/prices/current", 200, api::to_json(book))
      .answer("GET /api/v1/prices/3", 200, api::to_json(book))
      .start();
  const auto imported = run(service, {"prices", "import", path});
  EXPECT_EQ(imported.out, "Price book version 3 is in force since 2025-01-01T00:00:00Z.\n");
  EXPECT_EQ(run(service, {"prices", "list"}).out,
            "VERSION  EFFECTIVE FROM (UTC)  IMPORTED AT (UTC)    IN FORCE\n"
            "      3  2025-01-01 00:00:00   2025-06-15 12:00:00  yes\n");
  EXPECT_EQ(run(service, {"prices", "show"}).out, book.text);
  EXPECT_EQ(run(service, {"prices", "show", "3"}).out, book.text);
  const auto missing = run(service, {"prices", "import", path + ".missing"});
  EXPECT_EQ(missing.code, exit_failed);
  EXPECT_THAT(missing.err, HasSubstr("cannot be read"));
  service.stop();
  EXPECT_EQ(api::from_json<api::PriceImport>(
                service.received()[0].substr(service.received()[0].find("\r\n\r\n") + 4))
                ->text,
            book.text);
}

// It said "is in force from" of a book that never would be.
TEST(PricesCommand, SaysWhetherWhatWasImportedCounts) {
  api::PriceBook current;
  current.version = 3;
  current.effective_from = Instant::from_unix_seconds(1'749'000'000);
  current.in_force = true;
  api::PriceBook book;
  book.version = 5;
  book.effective_from = Instant::from_unix_seconds(1'735'689'600);
  CannedService service;
  const std::string path = service.folder() + "/prices.yaml";
  std::ofstream(path) << "prices:\n  - partition: gpu-aws\n";
  service.answer("POST /api/v1/prices", 201, api::to_json(book))
      .answer("GET /api/v1/prices", 200, api::to_json(std::vector<api::PriceBook>{book, current}))
      .start();
  EXPECT_THAT(run(service, {"prices", "import", path}).out,
              HasSubstr("Price book version 5 is recorded and NOT in force: it starts at "
                        "2025-01-01T00:00:00Z, and version 3 is in force since "
                        "2025-06-04T01:20:00Z."));
  book.effective_from = Instant::from_unix_seconds(1'767'225'600);
  CannedService later;
  later.answer("POST /api/v1/prices", 201, api::to_json(book)).start();
  EXPECT_EQ(run(later, {"prices", "import", path}).out,
            "Price book version 5 will be in force from 2026-01-01T00:00:00Z.\n");
}

TEST(RatesCommand, RecordsAndListsRates) {
  api::ConversionRate rate{1,
                           "USD",
                           "core-hours",
                           Micros(25'000'000),
                           Instant{1'751'328'000'000'000},
                           Instant{1'751'328'000'000'000},
                           true};
  CannedService service;
  service.answer("POST /api/v1/conversion-rates", 201, api::to_json(rate))
      .answer("GET /api/v1/conversion-rates", 200, api::to_json(std::vector{rate}))
      .start();
  const auto set =
      run(service, testing::split("rates set USD core-hours 25 --effective-from=2025-07-01"));
  EXPECT_EQ(set.code, exit_done) << set.err;
  EXPECT_EQ(set.out, "One USD comes to 25 core-hours from 2025-07-01 00:00:00 UTC on.\n");
  EXPECT_THAT(run(service, {"rates", "list"}).out, HasSubstr("core-hours"));
  service.stop();
  for (const char* wrong : {"0", "-1", "many"}) {
    EXPECT_EQ(run({"rates", "set", "USD", "core-hours", wrong}).code, exit_usage) << wrong;
  }
  EXPECT_EQ(run({"rates", "set", "USD", "core-hours", "2", "--effective-from="}).code, exit_usage);
}

TEST(AdjustCommand, NeedsAnAmountAndAReason) {
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  api::Budget& budget = account.budgets.emplace_back();
  budget.unit = "USD";
  budget.in_force = true;
  budget.used = Micros(7'500'000);
  budget.available = Micros(42'500'000);
  CannedService service;
  service.answer("POST /api/v1/accounts/proj001/adjustments", 201, api::to_json(account)).start();
  const auto ran = run(service, {"adjust", "proj001", "--amount=-2.50", "--reason", "ticket 4711"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "Adjusted what account proj001 has used by -2.50 USD: 7.50 used, 42.50 available.\n");
  EXPECT_EQ(run(service, {"adjust", "proj001", "--amount", "-2.50", "--reason=r"}).code, exit_done);
  service.stop();
  EXPECT_THAT(service.last_body(), HasSubstr(R"("request_id":"adjust-)"));
  const auto lost = run(service, {"adjust", "proj001", "--amount=1", "--reason=r"});
  EXPECT_EQ(lost.code, exit_failed);
  EXPECT_THAT(lost.err, HasSubstr("the same command with --request-id=adjust-"));
  EXPECT_EQ(run({"adjust", "proj001", "--amount=0", "--reason=r"}).code, exit_usage);
  EXPECT_EQ(run({"adjust", "proj001", "--amount=1"}).code, exit_usage);
}

TEST(AuditCommand, FailsWhenTheLedgerDoes) {
  CannedService good;
  good.answer("GET /api/v1/audit/verify", 200, api::to_json(api::AuditReport{true, 12, {}, "ab"}))
      .start();
  const auto fine = run(good, {"audit", "verify"});
  EXPECT_EQ(fine.code, exit_done);
  EXPECT_EQ(fine.out, "The ledger verifies: 12 entries, chain head ab.\n");
  CannedService bad;
  bad.answer("GET /api/v1/audit/verify", 200,
             api::to_json(api::AuditReport{false, 12, {"entry 7 was changed"}, "ab"}))
      .start();
  const auto broken = run(bad, {"audit", "verify"});
  EXPECT_EQ(broken.code, exit_failed);
  EXPECT_EQ(broken.out, "");
  EXPECT_THAT(broken.err, HasSubstr("asbb: entry 7 was changed\n"));
  EXPECT_EQ(run(bad, {"audit", "verify", "--output=json"}).code, exit_failed);
  EXPECT_EQ(run(bad, {"audit", "verify", "--offline", "--archive=a"}).code, exit_usage);
  // It wanted --key-file, and its help said that the settings' key is used.
  const std::string config = bad.folder() + "/config.yaml";
  std::ofstream(config) << "database: {chain_key_file: " << bad.folder() << "/chain.key}\n";
  const auto no_key = run({"audit", "verify", "--archive=a", "--config=" + config});
  EXPECT_EQ(no_key.code, exit_failed);
  EXPECT_THAT(no_key.err, HasSubstr(bad.folder() + "/chain.key"));
  EXPECT_EQ(run(bad, {"audit", "verify", "--key-file=a"}).code, exit_usage);
  EXPECT_EQ(run(bad, {"audit", "export", "--format=xml"}).code, exit_usage);
}

TEST(ReconcileCommand, TellsWhatBecameOfTheJob) {
  api::JobReconcileAnswer answer;
  answer.success = true;
  answer.message = "Looked at job 4711.";
  api::JobOutcome& job = answer.jobs.emplace_back();
  job.job_id = "4711";
  job.cluster = "onprem";
  job.state = "COMPLETED";
  job.action = "settled";
  job.unit = "USD";
  job.charged = Micros(1'000'000);
  job.released = Micros(11'000'000);
  CannedService service;
  service.answer("POST /api/v1/jobs/4711/reconcile", 200, api::to_json(answer)).start();
  const auto ran = run(service, {"reconcile", "4711", "--cluster=onprem"});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            " JOB  CLUSTER  STATE      ACTION   UNIT  CHARGED  RELEASED  OVERRUN\n"
            "4711  onprem   COMPLETED  settled  USD      1.00     11.00     0.00\n"
            "Looked at job 4711.\n");
  service.stop();
  EXPECT_EQ(service.last_body(), R"({"cluster":"onprem"})");
  service.start();
  EXPECT_EQ(run(service, {"reconcile", "4711", "--actual-cost=2.5", "--reason=invoice"}).code,
            exit_done);
  service.stop();
  EXPECT_EQ(service.last_body(), R"({"actual_cost":2.5,"reason":"invoice"})");
  EXPECT_EQ(run({"reconcile", "4711", "--actual-cost=2.5"}).code, exit_usage);
  EXPECT_EQ(run({"reconcile", "4711", "--actual-cost=-1", "--reason=x"}).code, exit_usage);
  EXPECT_EQ(run({"reconcile", "4711", "--reason=x"}).code, exit_usage);
  for (const std::string bad : {"abc", "", "4_", "_4", "1_2_3", "-1", "0"}) {
    const auto refused = run({"reconcile", "--", bad});
    EXPECT_EQ(refused.code, exit_usage) << bad;
    EXPECT_THAT(refused.err, HasSubstr("'" + bad + "' is not a Slurm job id such as 123")) << bad;
  }
}

TEST(NotifyCommand, NeverHoldsUpOrFailsAnEpilog) {
  CannedService service;
  service.silence("POST /api/v1/slurm/notify").start();
  const std::vector<std::string> words = {"slurm", "notify", "--cluster=onprem", "--job-id=4711"};
  auto quiet = words;
  quiet.emplace_back("--quiet");
  const auto before = std::chrono::steady_clock::now();
  const auto ran = run(service, quiet);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(1'000));
  EXPECT_EQ(ran.code, exit_done);
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_EQ(run(service, words).code, exit_failed);
  const auto wrong = run({"slurm", "notify", "--quiet"});
  EXPECT_EQ(wrong.code, exit_done);
  EXPECT_EQ(wrong.out + wrong.err, "");
  EXPECT_EQ(run({"slurm", "notify", "--quiet", "--job=1", "--socket=/nowhere"}).code, exit_done);
  EXPECT_EQ(run({"slurm", "notify", "--cluster=a", "--job-id=x", "--quiet"}).code, exit_done);
  EXPECT_EQ(run({"slurm", "notify", "--cluster=a", "--job-id=x"}).code, exit_usage);
}

TEST(ServiceCommand, ShowsClustersAndAlarms) {
  api::Status status;
  status.version = "0.3.0";
  status.started_at = Instant::from_unix_seconds(1'749'988'800);
  status.ledger.healthy = true;
  status.clusters.push_back({"onprem", true, status.started_at, 1, {}, "sacct is slow"});
  status.alarms.push_back(
      {"job_without_hold", "Job 7 ran without a hold.", "onprem", "7", "", status.started_at});
  CannedService service;
  service.answer("GET /api/v1/status", 200, api::to_json(status)).start();
  EXPECT_EQ(run(service, {"service", "status"}).out,
            "asbb-service 0.3.0, started 2025-06-15 12:00:00 UTC\n"
            "Ledger: healthy, 0 entries, 0 waiting\n"
            "Holds: 0 open, 0 not bound to a job\n"
            "\n"
            "CLUSTER  REACHABLE  VIEW READ (UTC)      RECONCILED (UTC)\n"
            "onprem   yes        2025-06-15 12:00:00  never\n"
            "onprem: sacct is slow\n"
            "\n"
            "Alarms\n"
            "  since 2025-06-15 12:00:00 job_without_hold: Job 7 ran without a hold.\n");
}

}  // namespace
}  // namespace asbb::cli
