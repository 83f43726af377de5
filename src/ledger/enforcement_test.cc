// Entries of what was done because an account ran dry: they move nothing, and the auditor sees when
// something is done twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/record.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using ::testing::HasSubstr;
using testing::TestLedger;
using testing::usd;

RecordEnforcement signal_of(std::int64_t job_id, EnforcementState state = EnforcementState::begun) {
  RecordEnforcement out;
  out.account = "proj001";
  out.step = EnforcementStep::signal;
  out.state = state;
  out.unit = "USD";
  out.user = "alice";
  out.partition = "gpu-aws";
  out.job = testing::job(job_id);
  out.submit = testing::epoch;
  out.limit = "b1";
  out.how = "USR1";
  out.missing = usd(2);
  out.gives_back = usd(1);
  return out;
}

RecordEnforcement stop_new(EnforcementState state = EnforcementState::begun) {
  RecordEnforcement out;
  out.account = "proj001";
  out.step = EnforcementStep::stop_new;
  out.state = state;
  out.unit = "USD";
  out.limit = "b1";
  return out;
}

Command command_of(Action action, const std::string& reason) {
  Command command;
  command.context.at = testing::epoch;
  command.context.actor = "reconciler";
  command.context.reason = reason;
  command.action = std::move(action);
  return command;
}

struct EnforcementTest : ::testing::Test {
  EnforcementTest() { ledger.account("proj001", usd(10)); }
  Outcome run(Action action, const std::string& reason = "the account ran dry") {
    return ledger.run(command_of(std::move(action), reason));
  }
  [[nodiscard]] std::string problem() const {
    const AuditReport report = ledger.auditor.finish();
    return report.problems.empty() ? "" : report.problems.front().text;
  }
  TestLedger ledger;
};

TEST_F(EnforcementTest, IsAnEntryThatMovesNothing) {
  const Budget before = ledger.budget("proj001");
  ASSERT_TRUE(run(signal_of(7)).accepted());
  EXPECT_EQ(ledger.budget("proj001"), before);
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  const Entry& entry = ledger.last_entries().front();
  EXPECT_EQ(entry.type, EntryType::enforcement);
  EXPECT_EQ(entry.account_name, "proj001");
  EXPECT_EQ(entry.reason, "the account ran dry");
  EXPECT_EQ(entry.actor, "reconciler");
  EXPECT_EQ(entry.amount, Micros());
  EXPECT_EQ(entry.job, testing::job(7));
  EXPECT_EQ(entry.user, "alice");
  EXPECT_EQ(entry.partition, "gpu-aws");
  auto details = *read_record(entry.details);
  EXPECT_EQ(details["step"], "signal");
  EXPECT_EQ(details["state"], "begun");
  EXPECT_EQ(details["how"], "USR1");
  EXPECT_EQ(details["missing_micros"], "2000000");
  EXPECT_EQ(details["gives_back_micros"], "1000000");
  EXPECT_EQ(details["submit_us"], std::to_string(testing::epoch.microseconds));
}

TEST_F(EnforcementTest, SaysWhatItIsAbout) {
  EXPECT_EQ(run(signal_of(7), " ").refusal, Refusal::reason_missing);
  auto action = signal_of(7);
  action.account = "nobody";
  EXPECT_EQ(run(action).refusal, Refusal::unknown_account);
  EXPECT_EQ(run(signal_of(0)).refusal, Refusal::bad_name);
  action = signal_of(7);
  action.job.cluster.clear();
  EXPECT_EQ(run(action).refusal, Refusal::bad_name);
  action = stop_new();
  action.job = testing::job(7);
  EXPECT_EQ(run(action).refusal, Refusal::bad_name);
  action = signal_of(7);
  action.missing = usd(-1);
  EXPECT_EQ(run(action).refusal, Refusal::bad_amount);
  action = signal_of(7);
  action.unit = "dollars and cents";
  EXPECT_EQ(run(action).refusal, Refusal::bad_name);
  EXPECT_TRUE(ledger.entries_of(EntryType::enforcement).empty());
}

TEST_F(EnforcementTest, TheAuditorAcceptsWhatFollowsEachOther) {
  using enum EnforcementState;
  for (const auto state : {begun, failed, done, ended, begun, ended}) {
    ASSERT_TRUE(run(signal_of(7, state)).accepted());
    ASSERT_TRUE(run(stop_new(state)).accepted());
  }
  ASSERT_TRUE(run(signal_of(7)).accepted());
  ASSERT_TRUE(run(signal_of(8)).accepted());
  auto later = signal_of(7);
  later.submit = testing::epoch + hours(1);
  ASSERT_TRUE(run(later).accepted()) << "another job with the same id";
  EXPECT_EQ(problem(), "");
}

TEST_F(EnforcementTest, TheAuditorSeesWhatIsDoneTwice) {
  const auto problem_after = [&](const std::vector<RecordEnforcement>& actions) {
    TestLedger fresh;
    fresh.account("proj001", usd(10));
    for (const RecordEnforcement& action : actions) {
      Stage stage(fresh.book);
      EXPECT_TRUE(decide(stage, command_of(action, "the account ran dry")).accepted());
      for (const Entry& entry : stage.entries()) fresh.auditor.add(canonical_record(entry));
      fresh.book.adopt(stage);
    }
    const AuditReport report = fresh.auditor.finish();
    return report.problems.empty() ? std::string() : report.problems.front().text;
  };
  using enum EnforcementState;
  EXPECT_THAT(problem_after({signal_of(7), signal_of(7)}), HasSubstr("'signal' was begun twice"));
  EXPECT_THAT(problem_after({signal_of(7), signal_of(7, failed), signal_of(7)}),
              HasSubstr("begun twice"));
  EXPECT_THAT(problem_after({stop_new(), stop_new()}), HasSubstr("'stop_new' was begun twice"));
  EXPECT_THAT(problem_after({signal_of(7, ended)}), HasSubstr("was not begun"));
  EXPECT_THAT(problem_after({signal_of(7), signal_of(8, done)}), HasSubstr("was not begun"));
  EXPECT_EQ(problem_after({signal_of(7), signal_of(8)}), "");
}

}  // namespace
}  // namespace asbb::ledger
