// Who was told of what: once each, over restarts and failures.
#include "alerts/alert_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace asbb::alerts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Instant start = Instant::from_unix_seconds(1'767'225'600);

Finding finding(const std::string& key, Severity severity = Severity::warning) {
  return {key, severity, "proj001", "USD", "title of " + key, "what to do", {"alice"}};
}

class AlertBookTest : public testing::Test {
 protected:
  AlertBookTest() : folder_(testing::TempDir() + "alerts." + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~AlertBookTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ + "/alerts.json"; }
  // A book that has read the file, as after a restart.
  [[nodiscard]] std::unique_ptr<AlertBook> book() const {
    auto made = std::make_unique<AlertBook>(path());
    EXPECT_TRUE(made->open());
    return made;
  }
  static void look(AlertBook& book, const std::vector<Finding>& findings, Instant at) {
    ASSERT_TRUE(book.update(findings, [](const Finding&) { return Channels{"mail", "hook"}; }, at));
  }
  using Channels = std::vector<std::string>;

  static std::vector<std::string> due(const AlertBook& book, Instant at) {
    std::vector<std::string> out;
    for (const auto& task : book.tasks(at)) {
      out.push_back(std::to_string(task.alert.id) + " " + task.channel);
    }
    return out;
  }

  const std::string folder_;
};

TEST_F(AlertBookTest, EachChannelIsToldOnceAlsoAfterARestart) {
  auto first = book();
  look(*first, {finding("a")}, start);
  EXPECT_THAT(due(*first, start), ElementsAre("1 mail", "1 hook"));
  ASSERT_TRUE(first->delivered(1, "mail", "", start));
  look(*first, {finding("a")}, start + seconds(60));
  auto second = book();
  EXPECT_EQ(second->list(), first->list());
  look(*second, {finding("a")}, start + seconds(120));
  EXPECT_THAT(due(*second, start + seconds(120)), ElementsAre("1 hook"));
  ASSERT_TRUE(second->delivered(1, "hook", "", start + seconds(120)));
  EXPECT_THAT(due(*book(), start + hours(1000)), IsEmpty());
}

TEST_F(AlertBookTest, ACauseThatIsAwayForAMomentIsTheSame) {
  auto alerts = book();
  look(*alerts, {finding("a")}, start);
  look(*alerts, {}, start + alert_settles_after);
  look(*alerts, {finding("a")}, start + alert_settles_after + seconds(1));
  ASSERT_THAT(alerts->list(), SizeIs(1));
  look(*alerts, {}, start + alert_settles_after + alert_settles_after + seconds(2));
  EXPECT_TRUE(alerts->list()[0].ended_at);
  look(*alerts, {finding("a")}, start + hours(1));
  EXPECT_THAT(alerts->list(), SizeIs(2));
  EXPECT_EQ(alerts->list()[1].id, 2);
}

TEST_F(AlertBookTest, ACauseThatLastsDoesNotEndBetweenTwoLooks) {
  auto alerts = book();
  for (int minute = 0; minute < 120; ++minute)
    look(*alerts, {finding("a")}, start + seconds(60 * minute));
  ASSERT_THAT(alerts->list(), SizeIs(1));
  EXPECT_FALSE(alerts->list()[0].ended_at);
}

TEST_F(AlertBookTest, WhatFailedIsTriedAgainLessAndLessOftenAndGivenUp) {
  auto alerts = book();
  look(*alerts, {finding("a")}, start);
  ASSERT_TRUE(alerts->delivered(1, "hook", "", start));
  ASSERT_TRUE(alerts->delivered(1, "mail", "no route", start));
  EXPECT_THAT(due(*alerts, start + seconds(29)), IsEmpty());
  EXPECT_THAT(due(*alerts, start + seconds(30)), ElementsAre("1 mail"));
  ASSERT_TRUE(alerts->delivered(1, "mail", "no route", start + seconds(30)));
  EXPECT_THAT(due(*alerts, start + seconds(89)), IsEmpty());
  EXPECT_THAT(due(*alerts, start + seconds(90)), ElementsAre("1 mail"));
  Instant at = start + seconds(90);
  int attempts = 2;
  for (; !due(*alerts, at + longest_wait).empty(); at = at + longest_wait) {
    ASSERT_TRUE(alerts->delivered(1, "mail", "no route", at));
    ++attempts;
  }
  EXPECT_GT(at, start + given_up_after - longest_wait);
  EXPECT_LT(attempts, 80);
  EXPECT_EQ(alerts->list()[0].deliveries[0].error, "no route");
}

TEST_F(AlertBookTest, WhoAcknowledgesIsWrittenDownAndNobodyElseIsTold) {
  auto alerts = book();
  look(*alerts, {finding("a")}, start);
  const auto done = alerts->acknowledge(1, "alice", "more money comes", start + seconds(5));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(book()->list()[0].acknowledged_by, "alice");
  EXPECT_THAT(due(*alerts, start + hours(1)), IsEmpty());
  const auto again = alerts->acknowledge(1, "bob", "", start + seconds(6));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(again.error().message, "alert 1 was acknowledged by alice at 2026-01-01T00:00:05Z");
  EXPECT_EQ(alerts->acknowledge(2, "bob", "", start).error().kind, ErrorKind::not_found);
}

TEST_F(AlertBookTest, WhatCannotBeWrittenDownIsNotSo) {
  auto alerts = book();
  look(*alerts, {finding("a")}, start);
  std::filesystem::create_directory(path() + ".new");
  const auto done = alerts->acknowledge(1, "alice", "", start);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("alerts.json.new"));
  EXPECT_FALSE(alerts->list()[0].acknowledged_at);
}

TEST_F(AlertBookTest, AFileThatIsNotOursIsMovedAside) {
  std::ofstream(path()) << "{\"version\": 1, \"alerts\": 5}";
  AlertBook alerts(path());
  const auto opened = alerts.open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is now " + path() + ".bad"));
  look(alerts, {finding("a")}, start);
  EXPECT_THAT(book()->list(), SizeIs(1));
  EXPECT_TRUE(std::filesystem::exists(path() + ".bad"));
}

TEST_F(AlertBookTest, TheFileIsForTheServiceAlone) {
  auto alerts = book();
  look(*alerts, {finding("a")}, start);
  struct stat facts{};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(AlertBookTest, WhatEndedLongAgoIsForgottenAndItsNumberIsNotUsedAgain) {
  auto alerts = book();
  look(*alerts, {finding("a")}, start);
  look(*alerts, {}, start + hours(1));
  look(*alerts, {}, start + hours(2) + ended_alerts_kept);
  EXPECT_THAT(alerts->list(), IsEmpty());
  look(*alerts, {finding("b")}, start + hours(3) + ended_alerts_kept);
  EXPECT_EQ(alerts->list()[0].id, 2);
}

TEST_F(AlertBookTest, ADigestIsToldOnceAndIsNoAlert) {
  auto alerts = book();
  EXPECT_FALSE(alerts->has_digest("2026-01-31"));
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(alerts->add_digest("2026-01-31", "two alerts last", "which", {"mail"}, start));
  }
  EXPECT_TRUE(book()->has_digest("2026-01-31"));
  EXPECT_THAT(alerts->list(), IsEmpty());
  EXPECT_THAT(due(*book(), start), ElementsAre("1 mail"));
  EXPECT_EQ(alerts->acknowledge(1, "alice", "", start).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(alerts->delivered(1, "mail", "", start));
  EXPECT_THAT(due(*book(), start + hours(9)), IsEmpty());
}

}  // namespace
}  // namespace asbb::alerts
