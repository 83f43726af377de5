#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using testing::run;

TEST(MoneyCommands, SendWhatTheyAreGivenWithAnId) {
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  api::Budget& budget = account.budgets.emplace_back();
  budget.unit = "USD";
  budget.in_force = true;
  budget.used = Micros(7'500'000);
  budget.available = Micros(42'500'000);
  const std::vector<std::pair<std::string, std::string>> verbs{
      {"deposits", "deposit proj001 --amount=5 --reason=r"},
      {"withdrawals", "withdraw proj001 --amount=5 --reason=r"},
      {"transfers", "transfer proj001 proj002 --amount=5 --reason=r"},
      {"refunds", "refund proj001 --job=47_1 --amount=5 --reason=r"},
      {"write-offs", "write-off proj001 --job=47_1 --amount=5 --reason=r"},
      {"conversions", "convert proj001 --amount=5 --to=core-hours --reason=r"}};
  const std::string figures = ": 7.50 used, 42.50 available.\n";
  const std::vector<std::string> said{
      "Put 5.00 USD into account proj001" + figures,
      "Took 5.00 USD out of account proj001" + figures,
      "Moved 5.00 USD from account proj001 to account proj002" + figures,
      "Gave 5.00 back to account proj001.\n",
      "Wrote 5.00 of account proj001 off.\n",
      "Converted 5.00 USD of account proj001 to core-hours" + figures};
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    const auto& [route, line] = verbs[i];
    CannedService service;
    service.answer("POST /api/v1/accounts/proj001/" + route, 200, api::to_json(account)).start();
    const auto ran = run(service, testing::split(line));
    EXPECT_EQ(ran.code, exit_done) << ran.err;
    EXPECT_EQ(ran.out, said[i]);
    service.stop();
    EXPECT_THAT(service.last_body(), HasSubstr(R"("amount":5)"));
    EXPECT_THAT(service.last_body(), HasSubstr(R"("request_id":")"));
    for (const char* amount : {"0", "-1", "nan", "1e99", "5 USD"}) {
      auto arguments = testing::split(line);
      *std::find(arguments.begin(), arguments.end(), "--amount=5") =
          std::string("--amount=") + amount;
      const auto refused = run(arguments);
      EXPECT_EQ(refused.code, exit_usage) << amount;
      EXPECT_THAT(refused.err, HasSubstr("--amount"));
    }
  }
  CannedService empty;
  empty
      .answer("GET /api/v1/transactions?job_id=proj001&type=charge%2Coverrun&limit=1000", 200, "[]")
      .start();
  const auto nothing = run(empty, testing::split("refund proj001 --amount=1 --reason=r"));
  EXPECT_EQ(nothing.code, exit_usage);
  EXPECT_THAT(nothing.err, HasSubstr("--job"));
}

// The service took the only unit that has not ended.
TEST(MoneyCommands, NameTheUnitThatWasMoved) {
  api::Account account;
  account.slurm_account = "proj001";
  api::Budget& old = account.budgets.emplace_back();
  old.unit = "USD";
  old.end_date = Instant{1};
  api::Budget& budget = account.budgets.emplace_back();
  budget.unit = "core-hours";
  budget.end_date = Instant{2};
  budget.in_force = true;
  budget.used = Micros(2'000'000);
  budget.available = Micros(98'000'000);
  CannedService service;
  service.answer("POST /api/v1/accounts/proj001/deposits", 200, api::to_json(account)).start();
  EXPECT_EQ(run(service, testing::split("deposit proj001 --amount=5 --reason=r")).out,
            "Put 5.00 core-hours into account proj001: 2.00 used, 98.00 available.\n");
}

api::Transaction refund_of(const char* unit, std::int64_t amount, std::int64_t at_s) {
  api::Transaction refund;
  refund.type = "refund";
  refund.unit = unit;
  refund.amount = Micros(amount * 1'000'000);
  refund.created_at = Instant() + seconds(at_s);
  return refund;
}

TEST(RefundCommand, FindsTheAccountThatWasChargedForTheJob) {
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  api::Transaction charge;
  charge.account = "proj001";
  charge.cluster = "onprem";
  charge.type = "charge";
  const std::string wanted = "GET /api/v1/transactions?job_id=47&type=charge%2Coverrun&limit=1000";
  CannedService service;
  service.answer(wanted, 200, api::to_json(std::vector{charge, charge}))
      .answer("POST /api/v1/accounts/proj001/refunds", 200, api::to_json(account))
      .answer("GET /api/v1/transactions?account=proj001&type=refund", 200,
              api::to_json(std::vector{refund_of("USD", 2, 1), refund_of("core-hours", 3, 1),
                                       refund_of("USD", 5, 0)}))
      .start();
  const auto ran = run(service, testing::split("refund 47_1 --percent=12.5 --reason=r"));
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out,
            "Gave 12.5 % of what was charged back to account proj001: $2.00 and 3.00 "
            "core-hours.\n");
  service.stop();
  EXPECT_THAT(service.last_body(), HasSubstr(R"("job_id":"47_1")"));
  EXPECT_THAT(service.last_body(), HasSubstr(R"("percent":12.5)"));
  EXPECT_EQ(service.last_body().find("amount"), std::string::npos);

  api::Transaction other = charge;
  other.account = "nih-r01";
  other.cluster = "cloud";
  CannedService two;
  two.answer(wanted, 200, api::to_json(std::vector{charge, other}))
      .answer("POST /api/v1/accounts/nih-r01/refunds", 200, api::to_json(account))
      .start();
  const auto unclear = run(two, testing::split("refund 47 --amount=1 --reason=r"));
  EXPECT_EQ(unclear.code, exit_usage);
  EXPECT_THAT(unclear.err, HasSubstr("proj001, nih-r01: say which with --account"));
  EXPECT_EQ(run(two, testing::split("refund 47 --cluster=cloud --amount=1 --reason=r")).code,
            exit_done);
  EXPECT_EQ(run(two, testing::split("refund 47 --account=nih-r01 --amount=1 --reason=r")).code,
            exit_done);

  CannedService none;
  none.answer(wanted, 200, "[]").start();
  EXPECT_THAT(run(none, testing::split("refund 47 --amount=1 --reason=r")).err,
              HasSubstr("No charge of a job '47' is known"));
  for (const char* percent : {"0", "-1", "100.1", "nan", "5%"}) {
    const auto refused = run({"refund", "47", std::string("--percent=") + percent, "--reason=r"});
    EXPECT_EQ(refused.code, exit_usage) << percent;
    EXPECT_THAT(refused.err, HasSubstr("--percent"));
  }
  EXPECT_THAT(run(testing::split("refund 47 --percent=5 --amount=1 --reason=r")).err,
              HasSubstr("either --amount"));
}

// A job of another program has no cluster: its charge is known by its transaction alone.
TEST(RefundCommand, FindsJobsOfOtherPrograms) {
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  api::Transaction charge;
  charge.account = "proj001";
  charge.transaction_id = "check-1";
  charge.type = "charge";
  CannedService service;
  const std::string what = "job_id=render%2F7&type=charge%2Coverrun&limit=1000";
  service.answer("GET /api/v1/transactions?" + what, 200, api::to_json(std::vector{charge, charge}))
      .answer("GET /api/v1/transactions?account=proj001&" + what, 200,
              api::to_json(std::vector{charge}))
      .answer("POST /api/v1/accounts/proj001/refunds", 200, api::to_json(account))
      .start();
  for (const std::string line : {"refund render/7", "refund proj001 --job=render/7"}) {
    const auto ran = run(service, testing::split(line + " --percent=50 --reason=r"));
    EXPECT_EQ(ran.code, exit_done) << line << ran.err;
    EXPECT_THAT(service.last_body(), HasSubstr(R"("transaction_id":"check-1")")) << line;
    EXPECT_THAT(service.last_body(), HasSubstr(R"("job_id":"render/7")")) << line;
  }
}

TEST(Errors, SpeakOfFlagsNotOfFields) {
  CannedService service;
  service
      .answer(
          "POST /api/v1/accounts/proj001/refunds", 404,
          R"({"error":{"code":"NOT_FOUND","message":"No hold is known for job 'job_id': give the )"
          R"(transaction_id of its check.","details":"","field":"transaction_id"},)"
          R"("request_id":"r","timestamp":"2025-06-15T12:00:00Z"})")
      .start();
  const auto ran = run(service, testing::split("refund proj001 --job=4 --percent=50 --reason=r"));
  EXPECT_THAT(ran.err, HasSubstr("job 'job_id': give the --transaction of its check."));
}

TEST(WriteOffCommand, WithoutAnAmountIsAboutAllOfIt) {
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  CannedService service;
  service.answer("POST /api/v1/accounts/proj001/write-offs", 200, api::to_json(account)).start();
  const auto ran = run(service, testing::split("write-off proj001 --job=47 --reason=r"));
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(ran.out, "Wrote all that was charged to account proj001 off.\n");
  service.stop();
  EXPECT_EQ(service.last_body().find("amount"), std::string::npos);
  // An amount that came out empty wrote all of it off.
  EXPECT_EQ(run(testing::split("write-off proj001 --job=47 --amount= --reason=r")).code,
            exit_usage);
}

TEST(TransferCommand, TakesWordsOrFlags) {
  api::Account account;
  account.slurm_account = "proj001";
  CannedService service;
  service.answer("POST /api/v1/accounts/proj001/transfers", 200, api::to_json(account)).start();
  const std::vector<std::string> how = {"--amount=10", "--unit=USD", "--reason=r"};
  const auto transfer = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "transfer");
    words.insert(words.end(), how.begin(), how.end());
    return run(service, words);
  };
  const std::string done = "Moved 10.00 USD from account proj001 to account proj002.\n";
  EXPECT_EQ(transfer({"proj001", "proj002"}).out, done);
  EXPECT_EQ(transfer({"--from=proj001", "--to", "proj002"}).out, done);
  EXPECT_THAT(service.last_body(), HasSubstr(R"("to":"proj002")"));
  for (const std::string line : {"proj001 proj002 --from=proj001", "proj001 --to=proj002"}) {
    const auto both = transfer(testing::split(line));
    EXPECT_EQ(both.code, exit_usage) << line;
    EXPECT_THAT(both.err, HasSubstr("not both")) << line;
  }
  EXPECT_THAT(transfer({"--from=proj001"}).err, HasSubstr("goes to is not said"));
  EXPECT_THAT(transfer({"--to=proj001"}).err, HasSubstr("goes from is not said"));
  EXPECT_EQ(transfer({}).code, exit_usage);
}

}  // namespace
}  // namespace asbb::cli
