#include "advisor/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::advisor {
namespace {

using config::AdvisorTrust;
using testing::HasSubstr;

Micros usd(const char* text) {
  return *parse_micros(text);
}

std::string refusal_of(std::string_view body) {
  const auto advice = read_advice(body, "USD");
  return advice ? "" : advice.error().message;
}

TEST(Advice, AQuestionIsWrittenAsTheAdvisorReadsIt) {
  const Question question{"proj001", "gpu-aws", 2, 16, 4, 64'000, 5'400};
  EXPECT_EQ(to_json(question, Instant{1'700'000'000'000'000}),
            R"({"account":"proj001","partition":"gpu-aws","nodes":2,"cpus":16,"gpus":4,)"
            R"("memory":"64000MB","wall_time":"01:30:00","timestamp":1700000000})");
  EXPECT_EQ(to_json({"a", "b", 1, 1, 0, 0, 360'000}),
            R"({"account":"a","partition":"b","nodes":1,"cpus":1,"wall_time":"100:00:00"})");
}

TEST(Advice, BothFormsOfAnAnswerAreRead) {
  EXPECT_EQ(
      *read_advice(R"({"estimated_cost":12.5,"recommendation":"AWS","confidence":0.9})", "USD"),
      (Advice{usd("12.5"), false}));
  EXPECT_EQ(*read_advice(R"({"estimated_cost":1e1,"currency":"usd"})", "USD"),
            (Advice{usd("10"), false}));
  EXPECT_EQ(*read_advice(R"({"estimated_cost":0.0000001})", "USD"),
            (Advice{usd("0.000001"), false}));
  EXPECT_EQ(*read_advice(R"({"analysis_id":"7","execution_plan":{"cost_constraints":)"
                         R"({"max_total_cost":24}}})",
                         "USD"),
            (Advice{usd("24"), true}));
  EXPECT_EQ(*read_advice(R"({"estimated_cost":3,"includes_buffer":true})", "USD"),
            (Advice{usd("3"), true}));
}

TEST(Advice, WhatCannotBeBelievedIsRefusedWithTheReason) {
  EXPECT_THAT(refusal_of("<html>busy</html>"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(""), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":NaN})"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":12.)"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of("[12.5]"), HasSubstr("not an object"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("no estimated_cost"));
  EXPECT_THAT(refusal_of(R"({"execution_plan":null})"), HasSubstr("no estimated_cost"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":-1})"), HasSubstr("estimated_cost"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":"NaN"})"), HasSubstr("estimated_cost"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":1e300})"), HasSubstr("estimated_cost"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":1,"unit":"core-hours"})"),
              HasSubstr("counted in 'core-hours', not in USD"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":1,"currency":"EUR"})"), HasSubstr("'EUR'"));
  EXPECT_THAT(refusal_of(R"({"estimated_cost":1,"error":"no prices"})"),
              HasSubstr("it says 'no prices'"));
}

class WeighTest : public testing::Test {
 protected:
  // The price book: 10 at most, 12 held.
  Result<Priced> weigh_it(const char* cost, bool has_buffer, AdvisorTrust trust,
                          std::int64_t tasks = 1) {
    return weigh({usd(cost), has_buffer}, tasks, usd("10"), usd("12"), usd("1.2"), trust);
  }
  void expect(const Result<Priced>& priced, const char* estimate, const char* hold,
              bool by_advisor) {
    ASSERT_TRUE(priced) << priced.error().message;
    EXPECT_EQ(priced->estimate, usd(estimate));
    EXPECT_EQ(priced->hold, usd(hold));
    EXPECT_EQ(priced->by_advisor, by_advisor);
  }
};

TEST_F(WeighTest, RaiseNeverGoesBelowThePriceBook) {
  expect(weigh_it("15", false, AdvisorTrust::raise), "15", "18", true);
  expect(weigh_it("4", false, AdvisorTrust::raise), "10", "12", false);
  expect(weigh_it("10", false, AdvisorTrust::raise), "10", "12", false);
}

TEST_F(WeighTest, ReplaceTakesTheAdvisorsWord) {
  expect(weigh_it("15", false, AdvisorTrust::replace), "15", "18", true);
  expect(weigh_it("4", false, AdvisorTrust::replace), "4", "4.8", true);
}

TEST_F(WeighTest, NoBufferComesOnTopOfOne) {
  expect(weigh_it("24", true, AdvisorTrust::raise), "24", "24", true);
  expect(weigh_it("24", true, AdvisorTrust::replace), "24", "24", true);
  expect(weigh_it("11", true, AdvisorTrust::raise), "11", "12", true);
  expect(weigh_it("4", true, AdvisorTrust::raise), "10", "12", false);
}

TEST_F(WeighTest, AnAdviceIsForOneTaskOfAnArray) {
  expect(weigh_it("3", false, AdvisorTrust::raise, 5), "15", "18", true);
}

TEST_F(WeighTest, TheAbsurdIsNotBelieved) {
  for (const auto trust : {AdvisorTrust::raise, AdvisorTrust::replace}) {
    EXPECT_TRUE(weigh_it("1000", false, trust));
    EXPECT_THAT(weigh_it("1000.01", false, trust).error().message,
                HasSubstr("more than 100 times"));
    EXPECT_THAT(weigh_it("0", false, trust).error().message, HasSubstr("costs nothing"));
    EXPECT_FALSE(weigh({max_amount, false}, 1'000'000, usd("10"), usd("12"), usd("1.2"), trust));
    EXPECT_FALSE(weigh({max_amount, false}, 1, max_amount, max_amount, usd("1.2"), trust));
  }
}

}  // namespace
}  // namespace asbb::advisor
