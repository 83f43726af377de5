#include <gtest/gtest.h>

#include "api/json.h"

namespace asbb::api {
namespace {

std::string create_field(const std::string& members) {
  const auto read = from_json<AccountCreate>("{\"slurm_account\":\"proj001\"" + members + "}");
  return read ? "accepted" : read.error().field;
}

TEST(JsonAccount, CreatesWithTheFlatFieldsOfExistingClients) {
  const auto read = from_json<AccountCreate>(
      R"({"slurm_account":"proj001","name":"ML project","description":"d","budget_limit":50000,)"
      R"("start_date":"2025-01-01T00:00:00Z","end_date":"2025-12-31",)"
      R"("has_incremental_budget":false,"allocation_schedule":null})");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->budgets.size(), 1U);
  EXPECT_EQ(read->budgets[0].limit, Micros(50'000'000'000));
  EXPECT_EQ(read->budgets[0].unit, "");
  EXPECT_EQ(to_string(read->budgets[0].start_date), "2025-01-01T00:00:00Z");
  EXPECT_EQ(to_string(read->budgets[0].end_date), "2025-12-31");
  EXPECT_EQ(*from_json<AccountCreate>(to_json(*read)), *read);
}

TEST(JsonAccount, CreatesWithSeveralBudgetsOrNone) {
  const auto read = from_json<AccountCreate>(
      R"({"slurm_account":"proj001","hold_percentage":1.5,"parent":"physics","budgets":[)"
      R"({"unit":"USD","limit":"0.000001","start_date":"2025-01-01","end_date":"2025-12-31"},)"
      R"({"unit":"core-hours","limit":1000,"start_date":"2025-01-01","end_date":"2025-12-31",)"
      R"("credit_limit":2}]})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->budgets[0].limit, Micros(1));
  EXPECT_EQ(read->budgets[1].credit_limit, Micros(2'000'000));
  EXPECT_EQ(read->hold_percentage, Micros(1'500'000));
  EXPECT_EQ(create_field(""), "accepted");
}

TEST(JsonAccount, RefusesHalfAndDoubleBudgets) {
  const std::string dates = R"(,"start_date":"2025-01-01","end_date":"2025-12-31")";
  EXPECT_EQ(create_field(R"(,"budget_limit":1)" + dates), "accepted");
  EXPECT_EQ(create_field(R"(,"budget_limit":1)"), "start_date");
  EXPECT_EQ(create_field(dates), "budget_limit");
  EXPECT_EQ(create_field(R"(,"budget_limit":-1)" + dates), "budget_limit");
  EXPECT_EQ(create_field(R"(,"budget_limit":0.0000001)" + dates), "budget_limit");
  EXPECT_EQ(create_field(R"(,"has_incremental_budget":true)"), "has_incremental_budget");
  EXPECT_EQ(create_field(R"(,"allocation_schedule":{})"), "allocation_schedule");
  EXPECT_EQ(create_field(R"(,"hold_percentage":0.5)"), "hold_percentage");
  EXPECT_EQ(create_field(R"(,"budgets":[{"limit":1,"start_date":"soon"}])"),
            "budgets[0].start_date");
  EXPECT_EQ(create_field(R"(,"budgets":[7])"), "budgets[0]");
  EXPECT_EQ(
      create_field(R"(,"budget_limit":1)" + dates +
                   R"(,"budgets":[{"limit":1,"start_date":"2025-01-01","end_date":"2025-12-31"}])"),
      "budgets");
}

TEST(JsonAccount, UpdatesOnlyWhatIsGiven) {
  const auto read = from_json<AccountUpdate>(R"({"parent":"","budget_limit":75.5,"name":null})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->parent, "");
  EXPECT_EQ(read->budget_limit, Micros(75'500'000));
  EXPECT_FALSE(read->name || read->status || read->start_date);
  EXPECT_EQ(*from_json<AccountUpdate>(to_json(*read)), *read);
  EXPECT_EQ(from_json<AccountUpdate>(R"({"status":"closed"})").error().field, "status");
}

TEST(JsonAccount, RoundTripsTheWholeAccount) {
  Account account;
  account.id = 7;
  account.slurm_account = "proj001";
  account.name = "ML \xE2\x82\xAC";
  account.status = "active";
  account.unit = "USD";
  account.budget_limit = Micros(50'000'000);
  account.budget_available = Micros(-1);
  account.start_date = Instant::from_unix_seconds(1'735'689'600);
  account.hold_percentage = Micros(1'200'000);
  Budget budget;
  budget.id = 3;
  budget.unit = "USD";
  budget.first_day = Day{2025, 1, 1};
  budget.last_day = Day{2025, 12, 31};
  budget.partition_limits.push_back(
      PartitionLimit{"gpu-aws", "USD", Micros(20'000'000), {}, {}, Micros(20'000'000)});
  account.budgets = {budget};
  EXPECT_EQ(*from_json<Account>(to_json(account)), account);
  const std::vector<Account> several = {account, account};
  EXPECT_EQ(*from_json<std::vector<Account>>(to_json(several)), several);
  EXPECT_EQ(to_json(std::vector<Account>{}), "[]");
  EXPECT_NE(to_json(account).find(R"("start_date":"2025-01-01T00:00:00Z")"), std::string::npos);
}

TEST(JsonAccount, AnAdjustmentNeedsAnAmountAndAReason) {
  const auto field_of = [](const std::string& text) {
    const auto read = from_json<Adjustment>(text);
    return read ? std::string("accepted") : read.error().field;
  };
  EXPECT_EQ(field_of(R"({"amount":-2.5,"reason":"late invoice"})"), "accepted");
  EXPECT_EQ(field_of(R"({"amount":0,"reason":"r"})"), "amount");
  EXPECT_EQ(field_of(R"({"amount":0.1234567,"reason":"r"})"), "amount");
  EXPECT_EQ(field_of(R"({"amount":1,"reason":""})"), "reason");
  EXPECT_EQ(field_of(R"({"amount":1})"), "reason");
}

TEST(JsonAccount, ARefundNamesTheJobOfAnyProgram) {
  const auto read = [](const std::string& job) {
    return from_json<MoneyRefund>(R"({"amount":1,"reason":"node failed","job_id":)" + job + "}");
  };
  EXPECT_EQ(read(R"("cluster/node-1")")->job_id, "cluster/node-1");
  EXPECT_EQ(read("4711")->job_id, "4711");
  EXPECT_EQ(read(R"("")").error().field, "job_id");
}

TEST(JsonAccount, ARefundIsOfAnAmountOrOfAPart) {
  const auto field_of = [](const std::string& members) {
    const auto read = from_json<MoneyRefund>(R"({"job_id":"7","reason":"r")" + members + "}");
    return read ? std::string("accepted") : read.error().field;
  };
  EXPECT_EQ(field_of(R"(,"amount":1)"), "accepted");
  EXPECT_EQ(field_of(R"(,"percent":12.5)"), "accepted");
  EXPECT_EQ(field_of(R"(,"percent":100)"), "accepted");
  EXPECT_EQ(field_of(R"(,"percent":100.000001)"), "percent");
  EXPECT_EQ(field_of(R"(,"percent":0)"), "percent");
  EXPECT_EQ(field_of(R"(,"amount":0)"), "amount");
  EXPECT_EQ(field_of(R"(,"amount":1,"percent":1)"), "amount");
  EXPECT_EQ(field_of(""), "amount");
}

TEST(JsonSystem, ErrorsHaveTheShapeClientsKnow) {
  const ErrorBody body{Problem{404, "NOT_FOUND", "no account 'x'", "", "account"}, "r1",
                       Instant::from_unix_seconds(0)};
  EXPECT_EQ(to_json(body),
            R"({"error":{"code":"NOT_FOUND","message":"no account 'x'","field":"account"},)"
            R"("request_id":"r1","timestamp":"1970-01-01T00:00:00Z"})");
}

TEST(JsonSystem, StatusRoundTrips) {
  Status status;
  status.version = "0.3.0";
  status.clusters.push_back(ClusterStatus{"onprem", true, Instant{1}, 3, {}, "slow"});
  status.alarms.push_back(Alarm{"job_without_hold", "job 7 ran", "onprem", "7", "", Instant{5}});
  EXPECT_EQ(*from_json<Status>(to_json(status)), status);
}

}  // namespace
}  // namespace asbb::api
