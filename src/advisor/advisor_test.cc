// An advisor that answers well, badly, late and never, over real HTTP.
#include "advisor/advisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <optional>
#include <vector>

#include "advisor/testing/http_server.h"

namespace asbb::advisor {
namespace {

using ::testing::HasSubstr;
using Steady = std::chrono::steady_clock;
using Told = testing::HttpReply;

const Question question{"proj001", "gpu-aws", 2, 16, 0, 0, 3'600};

class AdvisorTest : public ::testing::Test {
 protected:
  ~AdvisorTest() override {
    if (advisor_) advisor_->stop();
  }
  // The server answers with what `reply_` is at that moment.
  Told answer(const std::string& path, const std::string& head, const std::string& body) {
    const std::lock_guard lock(mutex_);
    paths_.push_back(path);
    head_ = head;
    body_ = body;
    return path == only_path_ || only_path_.empty() ? reply_ : Told{.status = 404};
  }
  void reply(Told with) {
    const std::lock_guard lock(mutex_);
    reply_ = std::move(with);
  }
  Advisor& start(AdvisorSettings settings = {}) {
    if (settings.url.empty()) settings.url = server_.url();
    settings.unit = "USD";
    advisor_.emplace(std::move(settings));
    advisor_->start();
    return *advisor_;
  }
  Result<Advice> ask(Span wait = seconds(5), const Question& asked = question) {
    auto told = std::make_shared<std::promise<Result<Advice>>>();
    auto future = told->get_future();
    advisor_->ask(asked, wait, [told](const Result<Advice>& advice) { told->set_value(advice); });
    return future.get();
  }
  std::string refusal(Span wait = seconds(5)) {
    const auto advice = ask(wait);
    return advice ? "" : advice.error().message;
  }
  // Another question each time, so that none is known.
  static Question another() {
    static std::int64_t number = 10;
    Question out = question;
    out.nodes = ++number;
    return out;
  }
  static AdvisorSettings settings(Span timeout, bool caches = true) {
    AdvisorSettings out;
    out.timeout = timeout;
    out.caches = caches;
    return out;
  }
  void wait_until(const std::function<bool(const Figures&)>& is_so) {
    for (int i = 0; i < 500 && !is_so(advisor_->figures()); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(is_so(advisor_->figures()));
  }

  std::mutex mutex_;
  std::vector<std::string> paths_;
  std::string head_;
  std::string body_;
  std::string only_path_;
  Told reply_{.body = R"({"estimated_cost":12.5})"};
  testing::HttpServer server_{[this](const std::string& path, const std::string& head,
                                     const std::string& body) { return answer(path, head, body); }};
  std::optional<Advisor> advisor_;
};

TEST_F(AdvisorTest, AGoodAnswerIsRead) {
  AdvisorSettings with_key;
  with_key.api_key = "open sesame";
  start(std::move(with_key));
  EXPECT_EQ(ask()->cost, Micros(12'500'000));
  EXPECT_THAT(body_, HasSubstr(R"("wall_time":"01:00:00","timestamp":)"));
  EXPECT_THAT(head_, HasSubstr("Authorization: Bearer open sesame"));
  EXPECT_EQ(advisor_->figures().answered, 1);
}

TEST_F(AdvisorTest, TheSameQuestionIsNotAskedAgainForAWhile) {
  AdvisorSettings brief;
  brief.cache_ttl = milliseconds(300);
  start(std::move(brief));
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask(Span{}));
  EXPECT_EQ(server_.requests(), 1);
  EXPECT_EQ(advisor_->figures().cached, 2);
  EXPECT_TRUE(ask(seconds(5), another()));
  EXPECT_EQ(server_.requests(), 2);
  std::this_thread::sleep_for(std::chrono::milliseconds(310));
  EXPECT_TRUE(ask());
  EXPECT_EQ(server_.requests(), 3);
}

TEST_F(AdvisorTest, WithoutACacheEachIsAsked) {
  start(settings(seconds(5), false));
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  EXPECT_EQ(server_.requests(), 2);
}

TEST_F(AdvisorTest, EitherPathOfTheProtocolIsFoundAndKept) {
  only_path_ = "/api/v1/analyze";
  start(settings(seconds(5), false));
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  EXPECT_EQ(paths_, (std::vector<std::string>{"/analyze", "/api/v1/analyze", "/api/v1/analyze"}));
}

TEST_F(AdvisorTest, AUrlWithItsPathIsTakenAsItIs) {
  only_path_ = "/v2/analyze";
  AdvisorSettings whole;
  whole.url = server_.url() + "/v2/analyze";
  start(std::move(whole));
  EXPECT_TRUE(ask());
}

TEST_F(AdvisorTest, WhatIsWrongWithAnAnswerIsSaid) {
  start(settings(seconds(5)));
  reply({.status = 500, .body = "ouch"});
  EXPECT_THAT(refusal(), HasSubstr("status 500 'ouch'"));
  reply({.body = R"({"estimated_cost":12.5})", .is_half = true});
  EXPECT_THAT(refusal(), HasSubstr("it cannot be asked"));
}

TEST_F(AdvisorTest, AnAnswerWithoutAnEndIsGivenUp) {
  start(settings(seconds(5)));
  reply({.body = std::string(1'000'000, ' ')});
  EXPECT_THAT(refusal(), HasSubstr("too long"));
}

TEST_F(AdvisorTest, WhoCannotWaitIsAnsweredInTimeAndTheNextHasTheAnswer) {
  reply({.body = R"({"estimated_cost":7})", .delay_ms = 1'000});
  start(settings(seconds(5)));
  const auto before = Steady::now();
  EXPECT_THAT(refusal(milliseconds(50)), HasSubstr("did not answer in time"));
  EXPECT_LT(Steady::now() - before, std::chrono::milliseconds(800));
  EXPECT_EQ(advisor_->figures().late, 1);
  EXPECT_EQ(ask()->cost, Micros(7'000'000));
  EXPECT_EQ(server_.requests(), 1);
}

TEST_F(AdvisorTest, AQuestionThatIsUnderWayIsNotAskedTwice) {
  reply({.body = R"({"estimated_cost":7})", .delay_ms = 200});
  start(settings(seconds(5)));
  std::vector<std::future<Result<Advice>>> told;
  for (int i = 0; i < 20; ++i) {
    auto promise = std::make_shared<std::promise<Result<Advice>>>();
    told.push_back(promise->get_future());
    advisor_->ask(question, seconds(5),
                  [promise](const Result<Advice>& advice) { promise->set_value(advice); });
  }
  for (auto& one : told) EXPECT_TRUE(one.get());
  EXPECT_EQ(server_.requests(), 1);
}

TEST_F(AdvisorTest, AnAdvisorThatIsAlwaysLateIsNotWaitedFor) {
  reply({.body = R"({"estimated_cost":7})", .delay_ms = 150});
  start(settings(seconds(5)));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(ask(milliseconds(20), another()));
  const Question last = another();
  const auto told = ask(milliseconds(20), last);
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error().message, HasSubstr("no time to wait"));
  wait_until([](const Figures& figures) { return figures.answered == 4; });
  EXPECT_TRUE(ask(milliseconds(20), last)) << "it was asked nevertheless";
  reply({.body = R"({"estimated_cost":7})"});
  EXPECT_FALSE(ask(milliseconds(100), another()));  // finds out that it is quick again
  wait_until([](const Figures& figures) { return figures.answered == 5; });
  EXPECT_TRUE(ask(milliseconds(500), another()));
}

TEST_F(AdvisorTest, AfterThreeFailuresItIsLeftAlone) {
  reply({.is_silent = true});
  start(settings(milliseconds(100)));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(ask(seconds(5), another()));
  EXPECT_TRUE(advisor_->figures().is_left_alone);
  EXPECT_THAT(refusal(), HasSubstr("left alone"));
  EXPECT_EQ(server_.requests(), 3);
  EXPECT_EQ(advisor_->figures().left_alone, 1);
}

TEST_F(AdvisorTest, NobodyThereIsAFailure) {
  AdvisorSettings away;
  away.url = "http://127.0.0.1:1";
  start(std::move(away));
  EXPECT_THAT(refusal(), HasSubstr("it cannot be asked"));
}

TEST_F(AdvisorTest, OnlySoManyQuestionsAreUnderWay) {
  reply({.is_silent = true});
  AdvisorSettings few;
  few.in_flight_max = 4;
  start(std::move(few));
  for (int i = 0; i < 4; ++i) {
    advisor_->ask(another(), seconds(20), [](const Result<Advice>&) {});
  }
  EXPECT_THAT(refusal(), HasSubstr("too many questions"));
}

TEST_F(AdvisorTest, AStopAnswersWhoWaits) {
  reply({.is_silent = true});
  start(settings(seconds(60)));
  std::promise<std::string> told;
  advisor_->ask(question, seconds(60),
                [&](const Result<Advice>& advice) { told.set_value(advice.error().message); });
  wait_until([](const Figures& figures) { return figures.asked == 1; });
  advisor_->stop();
  EXPECT_EQ(told.get_future().get(), "the service stops");
  EXPECT_EQ(refusal(), "the service stops");
}

}  // namespace
}  // namespace asbb::advisor
