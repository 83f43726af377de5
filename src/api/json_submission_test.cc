#include <gtest/gtest.h>

#include "api/json.h"

namespace asbb::api {
namespace {

// The example of docs/reference/plugin-protocol.md.
constexpr const char* example =
    R"({"cluster":"onprem","slurm_version":"22.05.8","time_budget_ms":49,"on_silence":"deny",)"
    R"("submit_uid":1000,"user_id":1000,"group_id":1000,"name":"train","account":"proj001",)"
    R"("partition":"gpu-aws","min_nodes":1,"min_cpus":4,"num_tasks":1,"cpus_per_task":4,)"
    R"("time_limit":30,"memory_per_node_mb":8000,"tres_per_node":"gres:gpu:2"})";

TEST(JsonSubmission, ReadsTheExampleOfTheProtocol) {
  const auto read = from_json<Submission>(example);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->cluster, "onprem");
  EXPECT_EQ(read->time_budget_ms, 49);
  EXPECT_EQ(read->on_silence, OnSilence::deny);
  EXPECT_EQ(read->user_id, 1000);
  EXPECT_EQ(read->time_limit_minutes, 30);
  EXPECT_EQ(read->memory_per_node_mb, 8000);
  EXPECT_EQ(read->tres_per_node, "gres:gpu:2");
  EXPECT_FALSE(read->max_nodes.has_value());
  EXPECT_FALSE(read->cron.has_value());
  EXPECT_EQ(from_json<Submission>(to_json(*read)), *read);
}

TEST(JsonSubmission, ReadsEveryField) {
  Submission all = *from_json<Submission>(example);
  all.on_silence = OnSilence::allow;
  all.qos = "normal";
  all.array = "1-10%2";
  all.max_nodes = 0;
  all.time_min_minutes = unlimited;
  all.memory_per_node_mb = 0;
  all.shared = 0;
  all.contiguous = false;
  all.cron = true;
  all.begin_time = 1'800'000'000;
  all.het_job_offset = 0;
  all.het_group = "0197a1b2c3d4e5f60718293a4b5c6d7e8f9001122334";
  all.job_id = 4'294'967'295;
  all.fed_siblings_viable = std::numeric_limits<std::int64_t>::max();
  all.spank = SpankOptions{true, "proj002"};
  all.name = "line\nquote\" \xC3\xA9";
  const std::string text = to_json(all);
  EXPECT_NE(text.find("\"time_min\":\"UNLIMITED\""), std::string::npos);
  EXPECT_EQ(from_json<Submission>(text), all);
}

TEST(JsonSubmission, RefusesWhatItCannotRead) {
  const auto field_of = [](const std::string& text) {
    const auto read = from_json<Submission>(text);
    return read ? std::string("accepted") : read.error().field;
  };
  const auto with = [](const std::string& member) {
    std::string text = example;
    return text.replace(text.size() - 1, 1, "," + member + "}");
  };
  EXPECT_EQ(field_of(with("\"newer_field\":[{}]")), "accepted");
  EXPECT_EQ(field_of(with("\"account\":\"other\"")), "account");
  EXPECT_EQ(field_of(with("\"time_min\":\"unlimited\"")), "time_min");
  EXPECT_EQ(field_of(with("\"time_min\":-1")), "time_min");
  EXPECT_EQ(field_of(with("\"qos\":\"a\\u0000b\"")), "qos");
  EXPECT_EQ(field_of(with("\"spank\":{\"cloud\":1}")), "spank.cloud");
  EXPECT_EQ(field_of(with("\"spank\":\"cloud\"")), "spank");
  EXPECT_EQ(field_of(with("\"shared\":9223372036854775808")), "shared");
  EXPECT_EQ(field_of("{}"), "cluster");
}

TEST(JsonSubmission, ANotifyTakesNumbersAndDigits) {
  EXPECT_EQ(from_json<Notify>(R"({"cluster":"onprem","job_id":77})")->job_id, 77);
  EXPECT_EQ(from_json<Notify>(R"({"cluster":"onprem","job_id":"77"})")->job_id, 77);
  for (const std::string id : {"0", "-1", "\"77_1\"", "\"0077\"", "\"\"", "4294967296", "null"}) {
    const auto read = from_json<Notify>("{\"cluster\":\"onprem\",\"job_id\":" + id + "}");
    ASSERT_FALSE(read) << id;
    EXPECT_EQ(read.error().field, "job_id");
  }
  EXPECT_EQ(to_json(Notify{"onprem", 77}), R"({"cluster":"onprem","job_id":77})");
}

TEST(JsonSubmission, AnswersAreWrittenForPeopleAndPrograms) {
  SubmissionAnswer answer;
  answer.decision = "deny";
  answer.code = "insufficient_budget";
  answer.message = "Account proj001: 3.00 USD are missing.\n";
  answer.unit = "USD";
  answer.estimated_cost = Micros(23'000'000);
  EXPECT_EQ(to_json(answer), R"({"decision":"deny","code":"insufficient_budget",)"
                             R"("message":"Account proj001: 3.00 USD are missing.\n","unit":"USD",)"
                             R"("estimated_cost":23,"hold_amount":0})");
}

}  // namespace
}  // namespace asbb::api
