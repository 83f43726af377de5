// What an advisor's word does to submissions and quotes, with a real HTTP server of the test.
#include "service/advice_seam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <optional>

#include "advisor/testing/http_server.h"
#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using advisor::testing::HttpReply;
using ::testing::HasSubstr;
using testing::money;
using ::testing::Not;
using Steady = std::chrono::steady_clock;

constexpr int enough_ms = 60'000;  // for whoever wants the advisor's answer

// A job of one core for an hour: 3.60 USD by the price book, 4.32 held.
class AdviceTest : public testing::OperationsFixture {
 protected:
  ~AdviceTest() override {
    if (advisor_) advisor_->stop();
  }
  void start(config::AdvisorTrust trust = config::AdvisorTrust::raise, Span timeout = seconds(30)) {
    advisor::AdvisorSettings settings;
    settings.url = server_.url();
    settings.unit = "USD";
    settings.timeout = timeout;
    advisor_.emplace(settings);
    advisor_->start();
    seam_.emplace(*advisor_, AdviceOptions{"USD", trust});
    hooks_.advice = &*seam_;
    rebuild();
  }
  void reply(HttpReply with) {
    const std::lock_guard lock(mutex_);
    reply_ = std::move(with);
  }
  static api::Submission patient(int time_budget_ms = enough_ms) {
    api::Submission asked = submission();
    asked.time_budget_ms = time_budget_ms;
    return asked;
  }
  // Of the hold that a submission got.
  ledger::HoldPart part_of(const std::string& id) { return find(id).parts.at(0); }
  std::string reason_of(const std::string& id) {
    const auto told = operations_->transaction(admin(), id);
    EXPECT_TRUE(told);
    return told ? told->entries.at(0).reason : "";
  }
  void expect_by_book(const std::string& why) {
    const std::string id = token();
    const auto answer = submit(patient(), id);
    EXPECT_EQ(answer.decision, "allow") << answer.message;
    EXPECT_EQ(part_of(id).granted, money("4.32"));
    EXPECT_THAT(reason_of(id), HasSubstr("priced by the price book, $3.60 at most; the advisor: "));
    EXPECT_THAT(reason_of(id), HasSubstr(why));
    EXPECT_THAT(answer.message, Not(HasSubstr("advisor")));
  }

  std::mutex mutex_;
  HttpReply reply_{.body = R"({"estimated_cost":5})"};
  std::string body_;
  advisor::testing::HttpServer server_{
      [this](const std::string&, const std::string&, const std::string& body) {
        const std::lock_guard lock(mutex_);
        body_ = body;
        return reply_;
      }};
  std::optional<advisor::Advisor> advisor_;
  std::optional<AdviceSeam> seam_;
};

TEST_F(AdviceTest, ADearerAdviceIsHeldAndRecorded) {
  start();
  const std::string id = token();
  const auto answer = submit(patient(), id);
  EXPECT_EQ(answer.decision, "allow");
  EXPECT_EQ(answer.estimated_cost, money("5"));
  EXPECT_EQ(answer.hold_amount, money("6"));
  EXPECT_EQ(part_of(id).estimate, money("5"));
  EXPECT_EQ(part_of(id).granted, money("6"));
  const std::string said = "priced by the advisor, $5.00; the price book says $3.60 at most";
  EXPECT_EQ(reason_of(id), said);
  EXPECT_THAT(answer.message, HasSubstr(said + "\n"));
  EXPECT_THAT(body_, HasSubstr(R"("account":"proj001","partition":"gpu-aws","nodes":1,"cpus":1)"));
  EXPECT_THAT(body_, HasSubstr(R"("wall_time":"01:00:00")"));
}

TEST_F(AdviceTest, ACheaperAdviceChangesNothingUnlessItReplaces) {
  reply({.body = R"({"estimated_cost":1})"});
  start();
  expect_by_book("no more than that");
  start(config::AdvisorTrust::replace);
  const std::string id = token();
  EXPECT_EQ(submit(patient(), id).hold_amount, money("1.2"));
  EXPECT_EQ(part_of(id).estimate, money("1"));
}

TEST_F(AdviceTest, NoBufferComesOnTopOfOne) {
  reply({.body = R"({"execution_plan":{"cost_constraints":{"max_total_cost":6}}})"});
  start();
  const std::string id = token();
  EXPECT_EQ(submit(patient(), id).hold_amount, money("6"));
  EXPECT_THAT(reason_of(id), HasSubstr("$6.00 with its buffer"));
}

TEST_F(AdviceTest, WhatIsNotBelievedLeavesThePriceBook) {
  const std::pair<HttpReply, const char*> bad[] = {
      {{.body = "<html>"}, "not JSON"},
      {{.body = R"({"estimated_cost":-5})"}, "estimated_cost"},
      {{.body = R"({"estimated_cost":1000})"}, "more than 100 times"},
      {{.body = R"({"estimated_cost":5,"unit":"core-hours"})"}, "counted in 'core-hours'"},
      {{.body = R"({"estimated_cost":5})", .is_half = true}, "cannot be asked"},
      {{.status = 503, .body = "busy"}, "status 503"}};
  for (const auto& [with, why] : bad) {
    reply(with);
    start();
    expect_by_book(why);
  }
}

TEST_F(AdviceTest, AnAdviceThatTheBudgetCannotPayIsRefusedWithItsFigures) {
  reply({.body = R"({"estimated_cost":300})"});
  start();
  const auto answer = submit(patient());
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "insufficient_budget");
  EXPECT_EQ(answer.estimated_cost, money("300"));
  EXPECT_THAT(answer.message, HasSubstr("priced by the advisor, $300.00"));
}

TEST_F(AdviceTest, UnderAHungAdvisorSubmissionsAreAnsweredInTime) {
  reply({.is_silent = true});
  start();
  for (int i = 0; i < 6; ++i) {
    const auto before = Steady::now();
    const std::string id = token();
    const auto answer = submit(patient(800), id);
    // Half of what it has; the rest is the ledger's.
    EXPECT_LT(Steady::now() - before, std::chrono::milliseconds(780)) << i;
    EXPECT_EQ(answer.decision, "allow") << answer.message;
    EXPECT_EQ(part_of(id).granted, money("4.32"));
  }
  EXPECT_EQ(server_.requests(), 1);  // it is the same question
  EXPECT_EQ(advisor_->figures().late, 6);
}

TEST_F(AdviceTest, OthersDoNotWaitForSomeonesAdvice) {
  reply({.body = R"({"estimated_cost":5})", .delay_ms = 1'500});
  start();
  std::promise<Reply<api::SubmissionAnswer>> slow;
  operations_->submit_job(slurm_user(), token(), api::to_json(patient()),
                          [&](const auto& make) { slow.set_value(make()); });
  const auto before = Steady::now();
  EXPECT_TRUE(check(two_cpus())->available);
  api::Submission free = submission();
  free.partition = "cpu";
  EXPECT_EQ(submit(free).decision, "allow");
  EXPECT_LT(Steady::now() - before, std::chrono::milliseconds(1'000));
  EXPECT_EQ(slow.get_future().get()->hold_amount, money("6"));
}

TEST_F(AdviceTest, TheSameSubmissionAgainGetsTheSameAnswer) {
  start();
  const std::string id = token();
  EXPECT_EQ(submit(patient(), id).hold_amount, money("6"));
  reply({.body = R"({"estimated_cost":9})"});
  EXPECT_EQ(submit(patient(), id).hold_amount, money("6"));
  EXPECT_EQ(server_.requests(), 1);
}

TEST_F(AdviceTest, AQuoteSaysWhichOfTheTwoPricedIt) {
  start();
  api::QuoteRequest request{submission(), "alice"};
  auto quote = operations_->quote(admin(), request);
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(quote->parts.at(0).priced_by, "advisor");
  EXPECT_EQ(quote->parts.at(0).estimated_cost, money("5"));
  EXPECT_EQ(quote->parts.at(0).hold_amount, money("6"));
  EXPECT_THAT(quote->parts.at(0).lines.back(), HasSubstr("priced by the advisor, $5.00"));
  reply({.body = "?"});
  request.job.time_limit_minutes = 30;
  quote = operations_->quote(admin(), request);
  EXPECT_EQ(quote->parts.at(0).priced_by, "price_book");
  EXPECT_THAT(quote->parts.at(0).lines.back(), HasSubstr("not JSON"));
}

TEST_F(AdviceTest, WithoutAnAdvisorNothingIsSaidOfOne) {
  const std::string id = token();
  EXPECT_EQ(submit(patient(), id).hold_amount, money("4.32"));
  EXPECT_EQ(reason_of(id), "");
  const auto quote = operations_->quote(admin(), {submission(), "alice"});
  EXPECT_EQ(quote->parts.at(0).priced_by, "");
}

TEST_F(AdviceTest, MoneyInAnotherUnitIsNotAskedAbout) {
  start();
  seam_.emplace(*advisor_, AdviceOptions{"core-hours", config::AdvisorTrust::raise});
  EXPECT_EQ(submit(patient()).hold_amount, money("4.32"));
  EXPECT_EQ(server_.requests(), 0);
}

TEST(AdviceSeam, ASubmissionSparesHalfOfItsTimeAndNeverTheLast) {
  EXPECT_EQ(AdviceSeam::wait_of(milliseconds(50)), milliseconds(25));
  EXPECT_EQ(AdviceSeam::wait_of(milliseconds(30)), milliseconds(10));
  EXPECT_LE(AdviceSeam::wait_of(milliseconds(20)), Span{});
  EXPECT_LE(AdviceSeam::wait_of(milliseconds(5)), Span{});
}

TEST(AdviceSeam, FiguresHaveNames) {
  advisor::Figures figures;
  figures.asked = 7;
  figures.is_left_alone = true;
  const std::string text = metrics_text(figures, "asbb_");
  EXPECT_THAT(text, HasSubstr("\nasbb_advisor_asked_total 7\n"));
  EXPECT_THAT(text, HasSubstr("\nasbb_advisor_left_alone 1\n"));
}

}  // namespace
}  // namespace asbb::service
