// What the watch finds in a ledger, and that each channel hears of it once.
#include "service/alert_watch.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "service/testing/fixture.h"

namespace asbb::service::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class AlertWatchTest : public Fixture {
 public:
  AlertWatchTest() : folder_(::testing::TempDir() + "watch." + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const std::string program = folder_ + "/page";
    std::ofstream(program) << "#!/bin/sh\n[ ! -e " + folder_ + "/refuse ] || exit 1\ncat >>" +
                                  folder_ + "/said\n";
    ::chmod(program.c_str(), 0700);
    options_.alerts.digest_at = "";
    options_.alerts.state_file = folder_ + "/alerts.json";
    config::AlertChannel& channel = options_.alerts.channels.emplace_back();
    channel.name = "page";
    channel.kind = config::AlertChannel::Kind::command;
    channel.program = program;
    account("nih-r01", "", "100");
    account("nih-r01-a", "nih-r01", "100");
  }
  ~AlertWatchTest() override { std::filesystem::remove_all(folder_); }

  // A watch as after a restart, without its thread, which looks once.
  std::unique_ptr<AlertWatch> look() {
    AlertWatchOptions options = options_;
    options.alerts.enabled = false;
    auto watch = std::make_unique<AlertWatch>(
        *committer_, store_, alarms_, [this] { return now(); }, options);
    EXPECT_TRUE(watch->start());
    watch->look_once();
    return watch;
  }
  static std::vector<std::string> titles(AlertWatch& watch) {
    std::vector<std::string> out;
    for (const auto& alert : watch.book().list()) {
      if (!alert.ended_at) out.push_back(alert.finding.title);
    }
    return out;
  }
  // A line each, in order.
  [[nodiscard]] std::vector<std::string> said() const {
    std::ifstream file(folder_ + "/said");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  void spend(const char* amount) { run(ledger::Adjust{"nih-r01", "USD", money(amount)}); }

  const std::string folder_;
  Alarms alarms_;
  AlertWatchOptions options_;
};

TEST_F(AlertWatchTest, AThresholdThatIsPassedIsToldOnce) {
  spend("49.999999");
  auto watch = look();
  EXPECT_THAT(titles(*watch), IsEmpty());
  spend("0.000001");
  watch->look_once();
  EXPECT_THAT(titles(*watch), ElementsAre("nih-r01 has spent 50 % of its USD budget"));
  pass_time(seconds(60));
  watch->look_once();
  auto after_restart = look();
  EXPECT_THAT(titles(*after_restart), SizeIs(1));
  ASSERT_THAT(said(), SizeIs(1));
  EXPECT_THAT(said()[0], HasSubstr("\"account\":\"nih-r01\""));
}

TEST_F(AlertWatchTest, EachUnitPassesItsOwnThresholds) {
  const ledger::NewBudget hours_of_cores{"core-hours", at("2025-01-01T00:00:00Z"),
                                         at("2026-01-01T00:00:00Z"), money("1000"), Micros()};
  ASSERT_TRUE(run(ledger::AddBudget{"nih-r01", hours_of_cores}).accepted());
  run(ledger::Adjust{"nih-r01", "core-hours", money("750")});
  auto watch = look();
  EXPECT_THAT(titles(*watch), ElementsAre("nih-r01 has spent 75 % of its core-hours budget"));
  spend("50");
  watch->look_once();
  EXPECT_THAT(titles(*watch),
              UnorderedElementsAre("nih-r01 has spent 75 % of its core-hours budget",
                                   "nih-r01 has spent 50 % of its USD budget"));
}

TEST_F(AlertWatchTest, WhatIsRefusedIsTriedAgainAndThenOnlyOnce) {
  std::ofstream(folder_ + "/refuse") << "";
  spend("80");
  auto watch = look();
  EXPECT_THAT(said(), IsEmpty());
  std::filesystem::remove(folder_ + "/refuse");
  watch->look_once();
  EXPECT_THAT(said(), IsEmpty());  // not yet
  pass_time(alerts::first_wait);
  watch->look_once();
  pass_time(hours(2));
  watch->look_once();
  EXPECT_THAT(said(), SizeIs(1));
}

TEST_F(AlertWatchTest, AnAlarmOfTheServiceIsToldAsWell) {
  alarms_.raise("unheld onprem 7", "onprem job 7 ran without a hold", now());
  auto watch = look();
  EXPECT_THAT(titles(*watch), ElementsAre("onprem job 7 ran without a hold"));
  alarms_.clear("unheld onprem 7");
  pass_time(seconds(601));
  watch->look_once();
  EXPECT_THAT(titles(*watch), IsEmpty());
}

TEST_F(AlertWatchTest, LesserAlertsDoNotGoWhereOnlyGraveOnesShould) {
  options_.alerts.channels[0].least = config::AlertSeverity::critical;
  spend("60");
  auto watch = look();
  EXPECT_THAT(said(), IsEmpty());
  spend("40");
  watch->look_once();
  ASSERT_THAT(said(), SizeIs(1));
  EXPECT_THAT(said()[0], HasSubstr("\"severity\":\"critical\""));
}

TEST_F(AlertWatchTest, SpendingOfTheLastDaysTellsOfHaste) {
  // 20 in four days: 5 a day for 80 more is 16 days. What is above the account is told as well.
  for (int day = 0; day < 4; ++day) {
    pass_time(hours(24));
    ledger::PlaceHold place;
    place.account = "nih-r01-a";
    place.user = "alice";
    place.cluster = "onprem";
    place.partition = "gpu-aws";
    place.parts = {{"USD", money("5"), money("6"), 1}};
    ledger::SettleShare settle;
    settle.hold = run(place, token()).hold;
    settle.key = {"onprem", 7 + day, -1, 0, ""};
    settle.unit = "USD";
    settle.actual = money("5");
    EXPECT_TRUE(run(settle).accepted());
  }
  auto watch = look();
  EXPECT_THAT(
      titles(*watch),
      UnorderedElementsAre(HasSubstr("nih-r01-a will have spent its USD budget in 16 days, "),
                           HasSubstr("nih-r01 will have spent its USD budget in 16 "),
                           HasSubstr("nih-r01-a spends its USD budget 18.25 times faster"),
                           HasSubstr("nih-r01 spends its USD budget 18.25 times")));
  options_.alerts.burn_rate = money("19");
  options_.alerts.state_file = folder_ + "/other.json";
  EXPECT_THAT(titles(*look()), SizeIs(2));
}

TEST_F(AlertWatchTest, TheDigestComesOnceADayWhenThereIsSomethingToSay) {
  options_.alerts.digest_at = "13:30";
  spend("60");
  auto watch = look();
  ASSERT_THAT(said(), SizeIs(1));  // it is noon
  pass_time(hours(2));
  watch->look_once();
  watch->look_once();
  (void)look();
  ASSERT_THAT(said(), SizeIs(2));
  EXPECT_THAT(said()[1], HasSubstr("Budgets on 2025-06-01: 1 alert lasts"));
  pass_time(hours(24));
  watch = look();
  EXPECT_THAT(said(), SizeIs(3));
}

TEST_F(AlertWatchTest, AChannelThatCannotBeUsedStopsTheStart) {
  options_.alerts.channels[0].secret_file = folder_ + "/nothing";
  AlertWatch watch(*committer_, store_, alarms_, [this] { return now(); }, options_);
  const auto started = watch.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("alerts.channels: page: cannot read the secret"));
}

TEST_F(AlertWatchTest, AStateFileThatCannotBeWrittenIsAnAlarm) {
  spend("60");
  options_.alerts.state_file = folder_ + "/away/alerts.json";
  auto watch = look();
  ASSERT_THAT(alarms_.list(), SizeIs(1));
  EXPECT_THAT(alarms_.list()[0].message, HasSubstr("away/alerts.json"));
}

TEST_F(AlertWatchTest, ItsThreadLooksByItselfAndStopsAtOnce) {
  spend("60");
  options_.alerts.interval = milliseconds(5);
  AlertWatch watch(*committer_, store_, alarms_, [this] { return now(); }, options_);
  ASSERT_TRUE(watch.start());
  while (said().empty()) std::this_thread::yield();
  watch.stop();
  EXPECT_THAT(said(), SizeIs(1));
}

}  // namespace
}  // namespace asbb::service::testing
