// Holds that no job explains: what is said of them, what would be done and what is done.
#include "service/recovery.h"

#include <gmock/gmock.h>

#include <future>

#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;

class RecoveryTest : public testing::ReconcilerFixture {
 protected:
  std::map<std::string, api::RecoveryHold> answer(const api::RecoveryRequest& request) {
    const OpenHolds before = open_holds_of(*committer_);
    const auto written =
        committer_->read([](const ledger::Book& book) { return book.counters().entry; });
    api::RecoveryAnswer told;
    if (request.dry_run) {
      const auto plan = plan_recovery(*committer_, source_, view_, prices_, ReconcilerOptions{});
      EXPECT_EQ(committer_->read([](const ledger::Book& book) { return book.counters().entry; }),
                written)
          << "nothing is written";
      told = tell_recovery(request, before, plan->entries, plan->findings, plan->problems);
    } else {
      PassQuestion question;
      question.explains = question.recovers = true;
      const PassReport report = reconciler_.run_pass(question);
      const auto entries = entries_after(store_, written);
      told = tell_recovery(request, before, *entries, report.findings, report.problems);
    }
    std::map<std::string, api::RecoveryHold> holds;
    for (const api::RecoveryHold& hold : told.holds) holds.emplace(hold.transaction_id, hold);
    return holds;
  }
  std::map<std::string, api::RecoveryHold> dry() { return answer({true}); }
  std::map<std::string, api::RecoveryHold> wet() { return answer({false}); }
  std::string why(const std::string& token) { return dry()[token].why; }
};

TEST_F(RecoveryTest, WhatWouldBeDoneIsDone) {
  const std::string ended = hold("1.2");
  const std::string never = hold("2");
  const std::string runs = hold("3");
  const std::string seen = hold("4");
  const std::string asks = hold("5");
  source_.add_job(queued(ended, 7, "RUNNING"));
  source_.add_job(queued(runs, 8, "RUNNING"));
  auto row = record(7, "COMPLETED", 90);
  (void)pass();
  source_.set_queue("onprem", {});
  source_.add_job(queued(runs, 8, "RUNNING"));
  source_.add_job(queued(seen, 9, "PENDING"));
  source_.add_record(row);
  pass_time(hours(1));
  const std::string young = hold("6");
  const auto planned = dry();
  EXPECT_FALSE(planned.contains(runs));
  EXPECT_EQ(planned.at(ended).action, "settle");
  EXPECT_EQ(planned.at(ended).job_id, "7");
  EXPECT_EQ(planned.at(ended).held.at(0).amount, testing::money("1.2"));
  EXPECT_THAT(planned.at(ended).why, HasSubstr("charges $0.09, gives back $1.11: COMPLETED after"));
  EXPECT_EQ(planned.at(never).action, "release");
  EXPECT_THAT(planned.at(never).why, HasSubstr("gives back $2.00: its job never came to be"));
  EXPECT_EQ(planned.at(seen).action, "bind");
  EXPECT_THAT(planned.at(seen).why, HasSubstr("ties it to job 9: seen on onprem as job 9"));
  EXPECT_EQ(planned.at(young).action, "none");
  EXPECT_THAT(planned.at(young).why, HasSubstr("it was placed 0 s ago"));
  expect_balance("21.2", "0");
  EXPECT_TRUE(alarms_.list().empty());
  const auto done = wet();
  for (const auto& [token, hold] : planned) {
    EXPECT_EQ(done.at(token).action, hold.action);
    EXPECT_EQ(done.at(token).why, hold.why);
  }
  expect_balance("13", "0.09");
  EXPECT_TRUE(dry().size() == 1 && dry().contains(young));
}

TEST_F(RecoveryTest, SaysWhyAHoldStaysOpen) {
  const std::string bound = hold("1");
  const std::string unbound = hold("2");
  source_.add_job(queued(bound, 7, "RUNNING"));
  (void)pass();
  pass_time(hours(1));
  const Error away{ErrorKind::unavailable, "it is away", ""};
  source_.fail_queue("onprem", away);
  EXPECT_THAT(why(bound), HasSubstr("slurmctld of cluster onprem does not answer"));
  EXPECT_THAT(why(unbound), HasSubstr("slurmctld of cluster onprem does not answer"));
  source_.fail_queue("onprem", std::nullopt);
  source_.set_queue("onprem", {});
  EXPECT_THAT(why(bound), HasSubstr("slurmctld does not know the job"));
  EXPECT_THAT(why(bound), HasSubstr("asbb reconcile 7 --cluster=onprem --actual-cost=AMOUNT"));
  source_.fail_accounting("onprem", away);
  EXPECT_THAT(why(bound), HasSubstr("slurmdbd of cluster onprem does not answer"));
  source_.fail_accounting("onprem", std::nullopt);
  auto untold = record(7, "COMPLETED", 90);
  untold.nodes.clear();
  source_.add_record(untold);
  EXPECT_THAT(why(bound), HasSubstr("slurmdbd only says: COMPLETED on onprem"));
  source_.set_operator("cloud", false);
  EXPECT_THAT(why(unbound), HasSubstr("list of jobs of cluster cloud is not complete"));
  source_.set_operator("cloud", true);
  source_.set_accounting_queue_length("cloud", 3);
  EXPECT_THAT(why(unbound), HasSubstr("slurmctld of cluster cloud still has something to tell"));
  source_.set_accounting_queue_length("cloud", 0);
  auto alike = record(70, "COMPLETED", 90);
  alike.submit = find(unbound).placed_at;
  source_.add_record(alike);
  EXPECT_THAT(why(unbound), HasSubstr("may belong to onprem job 70"));
}

TEST_F(RecoveryTest, ShowsOfOneAccountOrJobAlone) {
  const std::string first = hold("1");
  source_.add_job(queued(first, 7, "RUNNING"));
  (void)pass();
  (void)hold("2");
  source_.set_queue("onprem", {});
  EXPECT_EQ(dry().size(), 2u);
  EXPECT_EQ(answer({true, "proj001", ""}).size(), 2u);
  EXPECT_EQ(answer({true, "other001", ""}).size(), 0u);
  EXPECT_EQ(answer({true, "", "7"}).size(), 1u);
}

// Where the settings say that holds are only reported, who asks for it gets them back.
TEST_F(RecoveryTest, DoesAtOnceWhatIsOnlyReportedOtherwise) {
  ReconcilerOptions options;
  options.recovers = false;
  Reconciler reports(*committer_, source_, view_, prices_, alarms_, options);
  const std::string never = hold("2");
  pass_time(hours(1));
  (void)reports.run_pass();
  expect_balance("2", "0");
  std::promise<std::size_t> planned;
  reports.start();
  PassQuestion question;
  question.plans = true;
  reports.ask(question, [&](const Result<PassReport>& report) {
    planned.set_value(report->plan->entries.size());
  });
  EXPECT_EQ(planned.get_future().get(), 1u);
  expect_balance("2", "0");
  question.plans = false;
  question.recovers = true;
  std::promise<std::int64_t> voided;
  reports.ask(question,
              [&](const Result<PassReport>& report) { voided.set_value(report->voided); });
  EXPECT_EQ(voided.get_future().get(), 1);
  reports.stop();
  expect_balance("0", "0");
}

}  // namespace
}  // namespace asbb::service
