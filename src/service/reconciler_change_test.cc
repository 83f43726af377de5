// Jobs that are changed, from the question to what their holds then are.
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"

namespace asbb::service {
namespace {

using testing::JobChanges;
using testing::money;

TEST_F(JobChanges, ARaiseIsHeldAtOnceAndBecomesTheJobsHoldWhenSeen) {
  auto row = job();
  show({row});
  (void)pass();
  expect_held("4.32");
  const auto answer = ask(minutes(120));
  EXPECT_EQ(answer.decision, "allow") << answer.message;
  EXPECT_EQ(answer.hold_amount, money("4.32"));
  expect_held("8.64");
  row.time_limit_minutes = 120;
  show({row});
  EXPECT_EQ(pass().followed, 1);
  expect_held("8.64");
  EXPECT_EQ(pass().followed, 0);
  pass_time(hours(1));
  (void)pass();
  expect_held("8.64");
  source_.set_queue("onprem", {});
  source_.add_record(ended(7, 6000, row.submit, 1));
  EXPECT_EQ(pass().settled, 1);
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "6");
  pass_time(seconds(301));
  const PassReport later = pass();
  EXPECT_EQ(later.settled + later.charged_without_hold, 0);
  EXPECT_EQ(to_decimal(budget("proj001").used), "6");
  EXPECT_TRUE(alarms_.list().empty());
}

// The hold used to be given back with the run that was over and not charged yet.
TEST_F(JobChanges, ARunThatIsOverIsChargedBeforeItsHoldFollowsTheNext) {
  auto row = job();
  show({row});
  (void)pass();
  auto over = ended(7, 600, row.submit, 1);
  over.status = slurm::parse_job_status("REQUEUED");
  row.restart_count = 1;
  row.partition = "cpu";  // which costs nothing
  row.submit = now();
  source_.fail_accounting("onprem", Error{ErrorKind::unavailable, "away", ""});
  for (int i = 0; i < 3; ++i) {
    show({row});
    (void)pass();
    expect_held("4.32");
    pass_time(hours(1));
  }
  source_.fail_accounting("onprem", std::nullopt);
  source_.add_record(over);
  for (int i = 0; i < 3; ++i) {
    show({row});
    (void)pass();
  }
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.6");
}

class FederatedJobChanges : public testing::JobChanges {
 protected:
  FederatedJobChanges() : JobChanges({"onprem", "cloud"}) {}
};

// Each cluster counts its own runs: those on the first used to be charged once more, as if they had
// had no hold.
TEST_F(FederatedJobChanges, WhatWasChargedStaysSoWhenTheJobRunsForNothingElsewhere) {
  constexpr std::int64_t federated = (std::int64_t{1} << 26) + 7;
  auto row = job();
  row.job_id = federated;
  show({row});
  (void)pass();
  auto over = ended(federated, 600, row.submit, 1);
  over.status = slurm::parse_job_status("REQUEUED");
  over.admin_comment = row.admin_comment;
  source_.add_record(over);
  row.cluster = "cloud";
  row.restart_count = 1;
  row.submit = now();
  row.partition = "cpu";  // which costs nothing
  run_job(row);
  show({});
  source_.set_queue("cloud", {row});
  EXPECT_EQ(pass().settled, 1);
  (void)pass();
  expect_held("0");
  Reconciler started_again{*committer_, source_, view_, prices_, alarms_, {}};
  for (int i = 0; i < 2; ++i) {
    pass_time(seconds(301));
    EXPECT_EQ(started_again.run_pass().charged_without_hold, 0);
  }
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.6");
}

// By this an administrator who ends the new hold names the run that is open (asbb reconcile).
TEST_F(JobChanges, TheHoldOfARequeuedJobThatIsChangedKnowsWhatRanBefore) {
  auto row = job();
  show({row});
  (void)pass();
  auto first = ended(7, 600, row.submit, 1);
  first.status = slurm::parse_job_status("REQUEUED");
  first.admin_comment = row.admin_comment;
  source_.add_record(first);
  row.restart_count = 1;
  row.submit = now();
  show({row});
  EXPECT_EQ(pass().settled, 1);
  row.time_limit_minutes = 120;
  show({row});
  EXPECT_EQ(pass().followed, 1);
  const auto group =
      committer_->read([](const ledger::Book& book) { return book.open_holds().front()->group; });
  EXPECT_EQ(group, "first_run=1");
}

// The first hold is closed, and of the requeued job the token alone tells when it was submitted.
TEST_F(JobChanges, ARequeuedJobThatGetsAnotherHoldIsChargedForTheNewRunAlone) {
  auto row = job();
  const Instant submitted = row.submit = now() + seconds(1);
  show({row});
  (void)pass();
  auto first = ended(7, 600, submitted, 1);
  first.admin_comment = row.admin_comment;
  source_.set_queue("onprem", {});
  source_.add_record(first);
  EXPECT_EQ(pass().settled, 1);
  expect_held("0");
  pass_time(hours(1));
  row.restart_count = 1;
  row.submit = now();
  row.partition = "cpu";  // which costs nothing
  show({row});
  (void)pass();
  api::JobChange moved = change();
  moved.asked.partition = "gpu-aws";
  EXPECT_EQ(ask(moved).decision, "allow");
  row.partition = "gpu-aws";
  show({row});
  (void)pass();
  expect_held("4.32");
  auto second = ended(7, 300, row.submit, 2);
  second.admin_comment = row.admin_comment;
  second.run = 2;
  source_.set_queue("onprem", {});
  source_.add_record(second);
  for (int i = 0; i < 3; ++i) {
    (void)pass();
    pass_time(seconds(301));
  }
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "0.9");
}

TEST_F(JobChanges, WhatSlurmRefusesLeavesNoTrace) {
  const auto row = job();
  show({row});
  (void)pass();
  EXPECT_EQ(ask(minutes(120)).decision, "allow");
  show({row});
  (void)pass();
  expect_held("8.64");  // the list may be from before the change
  pass_time(seconds(15));
  (void)pass();
  expect_held("4.32");
  EXPECT_EQ(ask(minutes(120)).hold_amount, money("4.32")) << "asked for again later";
  expect_held("8.64");
}

TEST_F(JobChanges, WithoutAListNothingGoesBack) {
  show({job()});
  (void)pass();
  EXPECT_EQ(ask(minutes(120)).decision, "allow");
  pass_time(hours(1));
  source_.set_operator("onprem", false);
  (void)pass();
  expect_held("8.64");
  source_.set_operator("onprem", true);
  (void)pass();
  expect_held("4.32");
}

TEST_F(JobChanges, WithoutMoneyItIsRefusedWithTheFigures) {
  show({job()});
  (void)pass();
  const auto answer = ask(minutes(60 * 12));
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "insufficient_budget");
  EXPECT_EQ(answer.message,
            "account proj001: with this change the job may cost $43.20, and $47.52 more must be "
            "held\nonly $45.68 is available in the budget of account proj001\n");
  expect_held("4.32");
}

TEST_F(JobChanges, TheSameChangeTwiceIsHeldOnce) {
  show({job()});
  (void)pass();
  EXPECT_EQ(ask(minutes(120)).decision, "allow");
  EXPECT_EQ(ask(minutes(120)).decision, "allow");
  expect_held("8.64");
}

TEST_F(JobChanges, TheLastOfTwoChangesIsTheOneThatCounts) {
  auto row = job();
  show({row});
  (void)pass();
  EXPECT_EQ(ask(minutes(120)).decision, "allow");
  EXPECT_EQ(ask(minutes(180)).decision, "allow");
  row.time_limit_minutes = 180;
  show({row});
  (void)pass();
  pass_time(seconds(20));
  (void)pass();
  expect_held("12.96");
}

TEST_F(JobChanges, ACutIsFollowedWhenItIsSeenAndNotBefore) {
  auto row = job();
  show({row});
  (void)pass();
  EXPECT_EQ(ask(minutes(30)).decision, "allow");
  expect_held("4.32");
  row.time_limit_minutes = 30;
  show({row});
  EXPECT_EQ(pass().followed, 1);
  expect_held("2.16");
  EXPECT_EQ(ask(minutes(60)).hold_amount, money("2.16"));
  expect_held("4.32");
}

TEST_F(JobChanges, EachWayToMakeAJobLargerIsPriced) {
  const auto row = job();
  show({row});
  (void)pass();
  const auto expect_more = [&](const char* amount, auto touch) {
    api::JobChange asked = change();
    touch(asked.asked);
    const auto answer = ask(asked);
    EXPECT_EQ(answer.decision, "allow") << answer.message;
    EXPECT_EQ(to_decimal(answer.hold_amount), amount);
    pass_time(seconds(20));
    refresh_view();
    (void)pass();
    expect_held("4.32");
  };
  expect_more("4.32", [](auto& asked) { asked.num_tasks = 2; });
  expect_more("12.96", [](auto& asked) { asked.min_cpus = 4; });
  expect_more("4.32", [](auto& asked) { asked.cpus_per_task = 2; });
  api::JobChange whole = change();
  whole.asked.shared = 0;
  EXPECT_EQ(ask(whole).code, "insufficient_budget") << "16 cores for an hour are $57.60";
}

TEST_F(JobChanges, MoreProcessorsAreSeenByTheSize) {
  auto row = job();
  show({row});
  (void)pass();
  api::JobChange asked = change();
  asked.asked.min_cpus = asked.asked.num_tasks = 2;
  EXPECT_EQ(ask(asked).decision, "allow");
  row.cpus = 2;
  row.requested_tres = "cpu=2,mem=62.50G,node=1,billing=2";
  show({row});
  EXPECT_EQ(pass().followed, 1);
  expect_held("8.64");
}

// Its account has got a budget of its own since the hold was placed above it.
TEST_F(JobChanges, WhatTheJobHasAlreadyMovesNothing) {
  auto tree = associations();
  tree.add(slurm::Association{"onprem", "sub001", "", "", "proj001", "", false});
  tree.add(slurm::Association{"onprem", "sub001", "alice", "", "", "", false});
  view_.put("onprem", tree);
  api::Submission asked = submission();
  asked.account = "sub001";
  asked.time_limit_minutes = 60;
  auto row = job();
  token_ = token();
  ASSERT_EQ(submit(asked, token_).decision, "allow");
  row.account = "sub001";
  row.admin_comment = "asbb=" + token_;
  source_.set_queue("onprem", {row});
  (void)pass();
  account("sub001", "", "50");
  const std::string held = to_decimal(budget("proj001").held);
  EXPECT_EQ(ask(minutes(60)).decision, "allow");
  EXPECT_EQ(to_decimal(budget("sub001").held), "0");
  expect_held(held.c_str());
}

TEST_F(JobChanges, AMoveToAFreePartitionGivesTheHoldBackWhenSeen) {
  auto row = job();
  show({row});
  (void)pass();
  api::JobChange asked = change();
  asked.asked.partition = "cpu";
  EXPECT_EQ(ask(asked).decision, "allow");
  expect_held("4.32");
  row.partition = "cpu";
  show({row});
  EXPECT_EQ(pass().followed, 1);
  expect_held("0");
}

TEST_F(JobChanges, AnotherAccountPaysAndTheOldHoldGoesBackAfterwards) {
  account("other001", "", "50");
  auto associations = this->associations();
  associations.add(slurm::Association{"onprem", "other001", "alice", "", "", "", false});
  auto row = job();
  show({row});
  (void)pass();
  view_.put("onprem", associations);
  api::JobChange asked = change();
  asked.asked.account = "other001";
  EXPECT_EQ(ask(asked).decision, "allow");
  expect_held("4.32");
  EXPECT_EQ(to_decimal(budget("other001").held), "4.32");
  row.account = "other001";
  source_.set_queue("onprem", {row});
  pass_time(seconds(1));
  EXPECT_EQ(pass().followed, 1);
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("other001").held), "4.32");
  asked.asked.account = "nobody";
  EXPECT_EQ(ask(asked).code, "account_not_usable");
}

TEST_F(JobChanges, AThousandTasksAreOneHoldAndSomeOfThemAnother) {
  set_limit("1000000");
  auto row = job("0-999");
  show({row});
  (void)pass();
  expect_held("4320");
  EXPECT_EQ(ask(minutes(120)).hold_amount, money("4320"));
  row.time_limit_minutes = 120;
  show({row});
  EXPECT_EQ(pass().followed, 1);
  expect_held("8640");
  api::JobChange some = minutes(180);
  some.job = "7_[0-9]";
  EXPECT_EQ(ask(some).hold_amount, money("43.2"));
  auto ten = row;
  ten.array_tasks = "0-9";
  ten.job_id = 8;
  ten.time_limit_minutes = 180;
  row.array_tasks = "10-999";
  show({row, ten});
  EXPECT_EQ(pass().followed, 1);
  expect_held("8683.2");
  // Every task ends: each is charged once, on its own hold.
  source_.set_queue("onprem", {});
  for (int task = 0; task < 1000; ++task) {
    auto record = ended(1000 + task, 10, row.submit, task + 1);
    record.array_job_id = 7;
    record.array_task_id = task;
    source_.add_record(record);
  }
  EXPECT_EQ(pass().settled, 1000);
  expect_held("0");
  EXPECT_EQ(to_decimal(budget("proj001").used), "10");
  pass_time(seconds(301));
  (void)pass();
  EXPECT_EQ(to_decimal(budget("proj001").used), "10");
}

TEST_F(JobChanges, AnAdministratorsRaiseOfARunningJobIsFollowedOnCredit) {
  auto row = job("", 10 * 60);
  expect_held("43.2");
  run_job(row);
  show({row});
  (void)pass();
  api::JobChange raise = minutes(12 * 60);
  EXPECT_EQ(ask(raise).code, "insufficient_budget");
  raise.submit_uid = 0;
  EXPECT_EQ(ask(raise).decision, "allow");
  row.time_limit_minutes = 12 * 60;
  show({row});
  (void)pass();
  expect_held("43.2");
  ASSERT_EQ(alarms_.list().size(), 1u) << "nobody can pay for it";
  api::AccountUpdate credit;
  credit.credit_limit = money("10");
  EXPECT_TRUE(update("proj001", credit).has_value());
  EXPECT_EQ(pass().followed, 1);
  expect_held("51.84");
  EXPECT_TRUE(alarms_.list().empty());
}

TEST_F(JobChanges, TheAlarmGoesWithItsCause) {
  auto row = job("", 10 * 60);
  run_job(row);
  const auto raised = [&](std::int64_t minutes) {
    row.time_limit_minutes = minutes;
    show({row});
    (void)pass();
    return alarms_of_changes();
  };
  EXPECT_EQ(raised(10 * 60), 0);
  EXPECT_EQ(raised(12 * 60), 1);
  EXPECT_EQ(raised(10 * 60), 0) << "the change was taken back";
  EXPECT_EQ(raised(12 * 60), 1);
  source_.set_operator("onprem", false);
  EXPECT_EQ(raised(12 * 60), 1);
  source_.set_operator("onprem", true);
  pass_time(hours(12));
  source_.set_queue("onprem", {});
  (void)pass();
  EXPECT_EQ(alarms_of_changes(), 0) << "the job is over";
  source_.add_record(ended(7, 60, row.submit, 1));
  EXPECT_EQ(pass().settled, 1);
  EXPECT_TRUE(alarms_.list().empty());
}

TEST_F(JobChanges, WhatCannotBePaidWhenFirstSeenIsTriedAgain) {
  auto row = job("", 10 * 60);
  run_job(row);
  row.time_limit_minutes = 12 * 60;
  for (int time = 0; time < 2; ++time) {
    show({row});
    (void)pass();
    EXPECT_EQ(alarms_.list().size(), 1u);
  }
  set_limit("1000");
  EXPECT_EQ(pass().followed, 1);
  expect_held("51.84");
  EXPECT_TRUE(alarms_.list().empty());
}

TEST_F(JobChanges, ForgedTokensAndNamesHelpNobody) {
  auto row = job();
  show({row});
  (void)pass();
  api::JobChange asked = minutes(60 * 20);
  asked.token = std::string(44, '0');
  EXPECT_EQ(ask(asked).decision, "deny") << "the job is still found by its number";
  asked.token = "nonsense";
  EXPECT_EQ(ask(asked).decision, "deny");
  asked.job = "999999";
  EXPECT_EQ(ask(asked).code, "job_unknown");
  asked.job = "7_[1-99999999999]";
  EXPECT_EQ(ask(asked).code, "job_unknown");
  expect_held("4.32");
}

TEST_F(JobChanges, AfterARestartTheProportionOfWhatSlurmShowsCounts) {
  auto row = job();
  show({row});
  (void)pass();
  KnownJobs fresh;
  hooks_.known = &fresh;
  rebuild();
  EXPECT_EQ(ask(minutes(120)).decision, "deny") << "not seen yet";
  fresh.see("onprem", {row});
  EXPECT_EQ(ask(minutes(120)).hold_amount, money("4.32"));
  operations_.reset();
}

TEST_F(JobChanges, AChangeThatNobodyWasAskedAboutIsFollowedAfterARestart) {
  auto row = job();
  row.time_limit_minutes = 120;  // an administrator's, while the service was away
  show({row});
  EXPECT_EQ(pass().followed, 1);
  expect_held("8.64");
  EXPECT_EQ(pass().followed, 0);
}

TEST_F(JobChanges, OnlySlurmctldMayAsk) {
  const auto reply = wait<api::SubmissionAnswer>([&](const auto& promise) {
    operations_->change_job(alice(), api::to_json(minutes(5)), promise);
  });
  EXPECT_EQ(status_of(reply), 403);
  const auto unreadable = wait<api::SubmissionAnswer>(
      [&](const auto& promise) { operations_->change_job(slurm_user(), "{", promise); });
  EXPECT_EQ(unreadable->code, "bad_request");
}

}  // namespace
}  // namespace asbb::service
