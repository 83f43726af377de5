// Settings of the file that change what the service does, each as it shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "service/log.h"
#include "service/metrics.h"
#include "service/testing/operations_fixture.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::money;
using ::testing::Not;
using ::testing::StartsWith;

class BudgetSettingsTest : public testing::OperationsFixture {
 protected:
  void use(const BudgetBounds& bounds) {
    bounds_ = bounds;
    rebuild();
  }
  Reply<api::Account> create(const std::string& name, const char* limit, const char* credit = "0") {
    api::AccountCreate request;
    request.slurm_account = name;
    api::NewBudget budget;
    budget.unit = "USD";
    budget.limit = money(limit);
    budget.credit_limit = money(credit);
    budget.start_date = Day{2025, 1, 1};
    budget.end_date = Day{2025, 12, 31};
    request.budgets.push_back(budget);
    return wait<api::Account>(
        [&](const auto& promise) { operations_->create_account(admin(), request, promise); });
  }
  Reply<api::Account> deposit(const char* amount) {
    return wait<api::Account>([&](const auto& promise) {
      operations_->deposit(admin(), "lab001", {money(amount), "USD", "the grant's second part", ""},
                           promise);
    });
  }
  void expect_refused(const Reply<api::Account>& reply, const std::string& field,
                      const std::string& value, const std::string& bound) {
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().status, 400);
    EXPECT_EQ(reply.error().field, field);
    EXPECT_THAT(reply.error().message, HasSubstr(field + ": " + value + " is "));
    EXPECT_THAT(reply.error().message, HasSubstr(bound));
    EXPECT_THAT(reply.error().message, HasSubstr("allowed is 10.00 to 1000.00"));
  }
};

TEST_F(BudgetSettingsTest, LimitsAndDepositsOutOfTheBoundsAreRefused) {
  use({money("10"), money("1000"), false});
  expect_refused(create("lab001", "9.99"), "limit", "9.99", "budget.min_budget_amount");
  expect_refused(create("lab001", "1000.01"), "limit", "1000.01", "budget.max_budget_amount");
  ASSERT_TRUE(create("lab001", "900"));
  expect_refused(deposit("5"), "amount", "5.00", "budget.min_budget_amount");
  expect_refused(deposit("101"), "amount", "the budget's limit of 1001.00",
                 "budget.max_budget_amount");
  EXPECT_TRUE(deposit("100"));
  EXPECT_EQ(budget("lab001").limit, money("1000"));
  ASSERT_TRUE(create("lab002", "900"));
  const auto transfer = [&](const char* amount) {
    return wait<api::Account>([&](const auto& promise) {
      operations_->transfer(admin(), "lab001", {"lab002", money(amount), "USD", "r", ""}, promise);
    });
  };
  expect_refused(transfer("101"), "amount", "the budget's limit of 1001.00",
                 "budget.max_budget_amount");
  EXPECT_TRUE(transfer("5"));
  api::AccountUpdate change;
  change.budget_limit = money("1");
  expect_refused(update("lab001", change), "budget_limit", "1.00", "budget.min_budget_amount");
  change.budget_limit = money("10");
  EXPECT_TRUE(update("lab001", change));
}

TEST_F(BudgetSettingsTest, ANegativeBalanceIsCreditForRunningJobsAndNeverForHolds) {
  ASSERT_TRUE(create("lab001", "100"));
  EXPECT_EQ(budget("lab001").credit_limit, Micros());
  use({Micros(), max_amount, true});
  ASSERT_TRUE(create("lab002", "100"));
  ASSERT_TRUE(create("lab003", "100", "7"));
  EXPECT_EQ(budget("lab002").credit_limit, money("100"));
  EXPECT_EQ(budget("lab003").credit_limit, money("7"));
  ledger::PlaceHold place;
  place.kind = ledger::HoldKind::external;
  place.account = "lab002";
  place.parts.push_back({"USD", money("101"), money("101"), 0});
  EXPECT_EQ(run(place, "more-than-all").refusal, ledger::Refusal::insufficient_budget);
}

class RecoverySettingsTest : public testing::ReconcilerFixture {
 protected:
  ReconcilerOptions options(bool recovers, Span interval) {
    ReconcilerOptions made;
    made.recovers = recovers;
    made.recovery_interval = interval;
    return made;
  }
};

TEST_F(RecoverySettingsTest, WhenItIsOffAHoldWithoutAJobIsReportedAndKept) {
  Reconciler reconciler{*committer_, source_, view_, prices_, alarms_, options(false, {})};
  const std::string token = hold("1");
  pass_time(seconds(400));
  EXPECT_EQ(reconciler.run_pass().voided, 0);
  expect_balance("1", "0");
  const auto alarms = alarms_.list();
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms.front().key, "hold " + token);
  EXPECT_THAT(alarms.front().message, HasSubstr("never came to be"));
  EXPECT_THAT(alarms.front().message, HasSubstr("asbb recover"));
  EXPECT_EQ(pass().voided, 1);
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

TEST_F(RecoverySettingsTest, WhatEndedIsChargedNevertheless) {
  Reconciler reconciler{*committer_, source_, view_, prices_, alarms_, options(false, {})};
  const std::string token = hold("1");
  source_.add_job(queued(token, 7, "RUNNING"));
  (void)reconciler.run_pass();
  source_.set_queue("onprem", {});
  auto ended = record(7, "COMPLETED", 100);
  ended.admin_comment = token;
  source_.add_record(ended);
  EXPECT_EQ(reconciler.run_pass().settled, 1);
  expect_balance("0", "0.1");
}

TEST_F(RecoverySettingsTest, HoldsWithoutAJobAreSoughtAsOftenAsAsked) {
  Reconciler reconciler{*committer_, source_, view_, prices_, alarms_, options(true, hours(1))};
  EXPECT_EQ(reconciler.run_pass().voided, 0);
  (void)hold("1");
  pass_time(seconds(3'000));
  EXPECT_EQ(reconciler.run_pass().voided, 0);
  expect_balance("1", "0");
  pass_time(seconds(601));
  EXPECT_EQ(reconciler.run_pass().voided, 1);
  expect_balance("0", "0");
}

class LogSettingsTest : public ::testing::Test {
 protected:
  LogSettingsTest() {
    std::string pattern = ::testing::TempDir() + "asbb-log-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~LogSettingsTest() override {
    EXPECT_TRUE(start_log({}));  // nobody else writes there
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::string folder_;
};

TEST_F(LogSettingsTest, AFileIsWrittenInTheFormAndAtTheLevelThatIsAsked) {
  config::Logging settings;
  settings.output = folder_ + "/asbb.log";
  settings.level = config::LogLevel::warning;
  settings.format = config::LogFormat::json;
  ASSERT_TRUE(start_log(settings));
  log_info("not this");
  log_warning("but \"this\"");
  EXPECT_THAT(content(settings.output), HasSubstr(R"("message":"but \"this\"")"));
  EXPECT_THAT(content(settings.output), Not(HasSubstr("not this")));
}

TEST_F(LogSettingsTest, AFileThatHasGrownIsPutAside) {
  config::Logging settings;
  settings.output = folder_ + "/asbb.log";
  settings.max_size_bytes = 4'096;
  settings.max_backups = 2;
  ASSERT_TRUE(start_log(settings));
  for (int i = 0; i < 200; ++i) log_info(std::string(100, 'x'));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    names.push_back(entry.path().filename());
    EXPECT_LE(entry.file_size(), 4'096U);
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("asbb.log", "asbb.1.log", "asbb.2.log"));
}

TEST_F(LogSettingsTest, AFileThatCannotBeWrittenIsSaid) {
  config::Logging settings;
  settings.output = "/proc/asbb.log";
  const auto started = start_log(settings);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("logging.output: /proc/asbb.log"));
}

class MetricsSettingsTest : public testing::Fixture {};

TEST_F(MetricsSettingsTest, EveryNameBeginsAsAsked) {
  Metrics metrics("centre");
  metrics.observe_request("/health", 200, std::chrono::milliseconds(1));
  const std::string text = metrics.render(*committer_, {}, 0, true);
  EXPECT_THAT(text, HasSubstr("centre_http_requests_total"));
  EXPECT_THAT(text, HasSubstr("\ncentre_budget_accounts_total "));
  EXPECT_THAT(text, Not(HasSubstr("asbb_")));
}

}  // namespace
}  // namespace asbb::service
