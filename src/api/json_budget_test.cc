#include <gtest/gtest.h>

#include "api/json.h"

namespace asbb::api {
namespace {

std::string check_with(const std::string& field, const std::string& value) {
  std::string text = R"({"account":"proj001","partition":"gpu-aws","nodes":2,"cpus":8,)"
                     R"("wall_time":"04:00:00",)";
  if (!field.empty()) text += "\"" + field + "\":" + value + ",";
  return text + "\"unknown\":{\"deep\":[1,2]}}";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(JsonBudget, ReadsTheCheckOfExistingClients) {
  const auto check = from_json<BudgetCheck>(
      R"({"account":"nih-r01","partition":"gpu-aws","nodes":4,"cpus":16,"gpus":2,"memory":"64GB",)"
      R"("wall_time":"04:00:00","job_script":"\n#!/bin/sh","user_id":"alice",)"
      R"("job_details":{"a":"b"},"request_id":null})");
  ASSERT_TRUE(check) << check.error().message;
  EXPECT_EQ(check->account, "nih-r01");
  EXPECT_EQ(check->nodes, 4);
  EXPECT_EQ(check->gpus, 2);
  EXPECT_EQ(check->memory_mb, 65'536);
  EXPECT_EQ(check->wall_time_s, 14'400);
  EXPECT_EQ(check->user_id, "alice");
  EXPECT_EQ(*from_json<BudgetCheck>(to_json(*check)), *check);
}

TEST(JsonBudget, NamesTheFieldTheValueAndWhatIsAllowed) {
  const auto bad =
      from_json<BudgetCheck>(replaced(check_with("", ""), "\"nodes\":2", "\"nodes\":0"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().field, "nodes");
  EXPECT_EQ(bad.error().message,
            "nodes: '0' is not allowed: a whole number from 1 to 1000000 is expected");
  EXPECT_EQ(bad.error().kind, ErrorKind::invalid);
}

TEST(JsonBudget, RefusesBadChecks) {
  const auto field_of = [](const std::string& text) {
    const auto check = from_json<BudgetCheck>(text);
    return check ? std::string("accepted") : check.error().field;
  };
  const std::string good = check_with("", "");
  EXPECT_EQ(field_of(good), "accepted");
  EXPECT_EQ(field_of(replaced(good, "\"nodes\":2", "\"nodes\":1.5")), "nodes");
  EXPECT_EQ(field_of(replaced(good, "\"nodes\":2", "\"nodes\":\"2\"")), "nodes");
  EXPECT_EQ(field_of(replaced(good, "\"nodes\":2", "\"nodes\":-1")), "nodes");
  EXPECT_EQ(field_of(replaced(good, "\"nodes\":2", "\"nodes\":1e30")), "nodes");
  EXPECT_EQ(field_of(replaced(good, "\"nodes\":2", "\"nodes\":null")), "nodes");
  EXPECT_EQ(field_of(replaced(good, "\"nodes\":2", "\"nodes\":2.0")), "accepted");
  EXPECT_EQ(field_of(replaced(good, "04:00:00", "nan:00")), "wall_time");
  EXPECT_EQ(field_of(replaced(good, "04:00:00", "UNLIMITED")), "wall_time");
  EXPECT_EQ(field_of(replaced(good, "proj001", "")), "account");
  EXPECT_EQ(field_of(replaced(good, "proj001", "proj 001")), "account");
  EXPECT_EQ(field_of(replaced(good, "proj001", "a\\u0000b")), "account");
  EXPECT_EQ(field_of(replaced(good, "proj001", "a/b")), "account");
  EXPECT_EQ(field_of(replaced(good, "proj001", std::string(129, 'a'))), "account");
  EXPECT_EQ(field_of(check_with("memory", "\"lots\"")), "memory");
  EXPECT_EQ(field_of(check_with("memory", "[]")), "memory");
  EXPECT_EQ(field_of(check_with("gpus", "-1")), "gpus");
  EXPECT_EQ(field_of("[]"), "");
}

TEST(JsonBudget, ReadsActualCostsExactly) {
  const auto cost = [](const std::string& text) {
    const auto read =
        from_json<BudgetReconcile>("{\"job_id\":\"fleet/node-1\",\"actual_cost\":" + text + "}");
    return read ? std::to_string(read->actual_cost.count()) : read.error().field;
  };
  EXPECT_EQ(cost("0.1"), "100000");
  EXPECT_EQ(cost("9007199254.740993"), "9007199254740993");  // 2^53 + 1 millionths
  EXPECT_EQ(cost("0.30000000000000004"), "300000");
  EXPECT_EQ(cost("\"45.67\""), "45670000");
  EXPECT_EQ(cost("1.506E2"), "150600000");
  EXPECT_EQ(cost("0"), "0");
  EXPECT_EQ(cost("-40"), "actual_cost");
  EXPECT_EQ(cost("1e13"), "actual_cost");
  EXPECT_EQ(cost("\"NaN\""), "actual_cost");
  EXPECT_EQ(cost("true"), "actual_cost");
  EXPECT_EQ(cost("null"), "actual_cost");
}

TEST(JsonBudget, ReconcileTakesNumberIdsAndAMissingTransaction) {
  const auto read = from_json<BudgetReconcile>(R"({"job_id":1234,"actual_cost":1})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->job_id, "1234");
  EXPECT_EQ(read->transaction_id, "");
  EXPECT_EQ(from_json<BudgetReconcile>(R"({"job_id":"","actual_cost":1})").error().field, "job_id");
  EXPECT_EQ(from_json<BudgetReconcile>(R"({"job_id":1.5,"actual_cost":1})").error().field,
            "job_id");
  const auto number =
      from_json<BudgetReconcile>(R"({"job_id":"1","actual_cost":1,"transaction_id":42})");
  ASSERT_TRUE(number);
  EXPECT_EQ(number->transaction_id, "42");
}

TEST(JsonBudget, WritesPlainDecimals) {
  BudgetCheckAnswer answer;
  answer.available = true;
  answer.unit = "USD";
  answer.estimated_cost = Micros(150'600'000);
  answer.hold_amount = Micros(1);
  answer.transaction_id = "t1";
  answer.budget_remaining = Micros(-500'000);
  answer.details.hold_percentage = Micros(1'200'000);
  answer.details.partition_limit = Micros(0);
  EXPECT_EQ(to_json(answer),
            R"({"available":true,"unit":"USD","estimated_cost":150.6,"hold_amount":0.000001,)"
            R"("transaction_id":"t1","message":"","budget_remaining":-0.5,)"
            R"("details":{"account_balance":0,"current_hold":0,"partition_limit":0,)"
            R"("hold_percentage":1.2}})");
  EXPECT_EQ(*from_json<BudgetCheckAnswer>(to_json(answer)), answer);
}

}  // namespace
}  // namespace asbb::api
