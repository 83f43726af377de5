// The gate in front of sbatch, without HTTP.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SubmissionTest : public testing::OperationsFixture {};

TEST_F(SubmissionTest, HoldsTheEstimateAndSaysSo) {
  const std::string id = token();
  const auto answer = submit(submission(), id);
  EXPECT_EQ(answer.decision, "allow");
  EXPECT_EQ(answer.message, "held $4.32 of account proj001 (estimate $3.60)\n");
  EXPECT_EQ(answer.transaction_id, id);
  EXPECT_EQ(to_decimal(answer.estimated_cost), "3.6");
  EXPECT_EQ(to_decimal(answer.hold_amount), "4.32");
  expect_balance("4.32", "0");
  const ledger::Hold hold = find(id);
  EXPECT_EQ(hold.user, "alice");
  EXPECT_EQ(hold.cluster, "onprem");
  EXPECT_EQ(hold.partition, "gpu-aws");
  EXPECT_EQ(hold.kind, ledger::HoldKind::slurm);
}

TEST_F(SubmissionTest, GivesOneTokenOneAnswer) {
  const std::string id = token();
  auto asked = submission();
  const auto first = submit(asked, id);
  asked.time_budget_ms = 7;  // what is left of the plugin's time is not part of the request
  EXPECT_EQ(submit(asked, id), first);
  expect_balance("4.32", "0");
  asked.time_limit_minutes = 30;
  const auto other = submit(asked, id);
  EXPECT_EQ(other.decision, "deny");
  EXPECT_EQ(other.code, "request_id_conflict");
  expect_balance("4.32", "0");
}

TEST_F(SubmissionTest, RemembersRefusals) {
  const std::string id = token();
  auto asked = submission();
  asked.cpus_per_task = asked.min_cpus = 16;
  EXPECT_EQ(submit(asked, id).code, "insufficient_budget");
  ledger::UpdateAccount more;
  more.name = "proj001";
  more.limit = testing::money("500");
  ASSERT_TRUE(run(more).accepted());
  EXPECT_EQ(submit(asked, id).code, "insufficient_budget");
  EXPECT_EQ(submit(asked, token()).decision, "allow");
}

// The gate's refusals used to be forgotten: the same token could be allowed a moment later.
TEST_F(SubmissionTest, RemembersWhatItRefusedBeforeItAskedTheLedger) {
  const std::string id = token();
  auto asked = submission();
  asked.account = "made-just-now";
  const auto refused = submit(asked, id);
  EXPECT_EQ(refused.code, "account_not_usable");
  auto known = associations();
  known.add(slurm::Association{"onprem", "made-just-now", "", "", "lab", "", false});
  known.add(slurm::Association{"onprem", "made-just-now", "alice", "", "", "", false});
  view_.put("onprem", known);
  EXPECT_EQ(submit(asked, id), refused);
  restart(store_);
  EXPECT_EQ(submit(asked, id), refused);
  EXPECT_EQ(submit(asked, token()).decision, "allow");
  asked.time_limit_minutes = 30;
  EXPECT_EQ(submit(asked, id).code, "request_id_conflict");
}

TEST_F(SubmissionTest, DoesNotHoldWantOfAViewAgainstAJob) {
  const std::string id = token();
  pass_time(seconds(301));
  EXPECT_EQ(submit(submission(), id).code, "cluster_unknown");
  refresh_view();
  EXPECT_EQ(submit(submission(), id).decision, "allow");
}

TEST_F(SubmissionTest, TakesJobsOfScrontabUnlessItIsToldNotTo) {
  auto asked = submission();
  asked.cron = true;
  EXPECT_EQ(submit(asked).decision, "allow");
  refuses_scrontab_ = true;
  rebuild();
  const auto refused = submit(asked);
  EXPECT_EQ(refused.code, "scrontab_refused");
  EXPECT_THAT(refused.message, HasSubstr("partition 'gpu-aws', which costs money"));
  asked.partition = "cpu";
  EXPECT_EQ(submit(asked).decision, "allow");
  asked = submission();
  EXPECT_EQ(submit(asked).decision, "allow");
}

TEST_F(SubmissionTest, HoldsNothingWhereNothingCosts) {
  auto asked = submission();
  asked.partition = "cpu";
  EXPECT_EQ(submit(asked).decision, "allow");
  asked.partition.clear();  // cpu is the default
  EXPECT_EQ(submit(asked).decision, "allow");
  asked.user_id = 4711;  // nobody asks who it is, either
  EXPECT_EQ(submit(asked).decision, "allow");
  expect_balance("0", "0");
}

TEST_F(SubmissionTest, FillsInTheDefaultAccountAndTime) {
  auto asked = submission();
  asked.account.clear();
  asked.time_limit_minutes.reset();
  const auto answer = submit(asked);
  EXPECT_EQ(answer.decision, "allow");
  EXPECT_EQ(answer.account, "proj001");
  expect_balance("4.32", "0");
}

TEST_F(SubmissionTest, TellsUnknownAndForeignAccountsAlike) {
  auto asked = submission();
  asked.user_id = 1001;
  const auto foreign = submit(asked);
  EXPECT_EQ(foreign.decision, "deny");
  asked.account = "nih-r01";
  const auto unknown = submit(asked);
  EXPECT_EQ(unknown.code, foreign.code);
  EXPECT_EQ(
      foreign.message,
      "You may not use account 'proj001' on cluster 'onprem', or there is no such account.\n");
  EXPECT_EQ(
      unknown.message,
      "You may not use account 'nih-r01' on cluster 'onprem', or there is no such account.\n");
  asked.user_id = 4711;  // no user at all
  EXPECT_EQ(submit(asked).message, unknown.message);
  expect_balance("0", "0");
}

TEST_F(SubmissionTest, AsksForAViewWhenItMeetsSomethingNewButNotAllTheTime) {
  int wanted = 0;
  hooks_.view_wanted = [&] { ++wanted; };
  rebuild();
  auto asked = submission();
  EXPECT_EQ(submit(asked).decision, "allow");
  EXPECT_EQ(wanted, 0);
  asked.account = "made-just-now";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(submit(asked).decision, "deny");
  EXPECT_EQ(wanted, 1);
  pass_time(seconds(6));
  EXPECT_EQ(submit(asked).decision, "deny");
  EXPECT_EQ(wanted, 2);
}

TEST_F(SubmissionTest, SaysWhatIsMissingAndWhatWouldFit) {
  auto asked = submission();
  asked.cpus_per_task = asked.min_cpus = 16;
  asked.time_limit_minutes = 120;
  const auto answer = submit(asked);
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "insufficient_budget");
  EXPECT_EQ(answer.message,
            "account proj001: this job may cost $115.20, and $138.24 must be held for it\n"
            "only $50.00 is available in the budget of account proj001\n"
            "The longest time limit that fits is --time=00:43:00\n");
  asked.time_limit_minutes = 43;
  EXPECT_EQ(submit(asked).decision, "allow");
}

TEST_F(SubmissionTest, NamesThePartitionLimitThatDecides) {
  ASSERT_TRUE(
      run(ledger::SetPartitionLimit{"proj001", "USD", "gpu-aws", testing::money("4")}).accepted());
  const auto answer = submit(submission());
  EXPECT_EQ(answer.code, "partition_limit_exceeded");
  EXPECT_THAT(answer.message, HasSubstr("only $4.00 is available in the limit of account proj001 "
                                        "for partition gpu-aws\n"));
}

TEST_F(SubmissionTest, NamesTheAccountAboveWithoutItsFigures) {
  ledger::UpdateAccount less;
  less.name = "lab";
  less.limit = testing::money("2.5");
  ASSERT_TRUE(run(less).accepted());
  const auto answer = submit(submission());
  EXPECT_EQ(answer.code, "insufficient_budget");
  EXPECT_EQ(answer.message,
            "account proj001: this job may cost $3.60, and $4.32 must be held for it\n"
            "the budget of account lab, above account proj001, has less than that left: ask who "
            "manages it\n");
}

TEST_F(SubmissionTest, SaysWhenNoTimeFits) {
  ledger::UpdateAccount less;
  less.name = "proj001";
  less.limit = testing::money("0.01");
  ASSERT_TRUE(run(less).accepted());
  EXPECT_THAT(submit(submission()).message, HasSubstr("No time limit fits"));
}

TEST_F(SubmissionTest, DrawsOnTheNearestAccountAbove) {
  auto asked = submission();
  asked.account = "child";
  const auto answer = submit(asked);
  EXPECT_EQ(answer.decision, "allow") << answer.message;
  EXPECT_EQ(answer.account, "proj001");
  asked.account = "other001";
  asked.user_id = 1001;
  const auto poor = submit(asked);
  EXPECT_EQ(poor.code, "no_budget");
  EXPECT_THAT(poor.message, HasSubstr("costs money"));
}

TEST_F(SubmissionTest, RefusesWhereTheViewIsOldOrMissing) {
  pass_time(seconds(301));
  auto asked = submission();
  EXPECT_EQ(submit(asked).code, "cluster_unknown");
  asked.partition = "cpu";
  EXPECT_EQ(submit(asked).decision, "allow");
  asked = submission();
  view_.put(cluster("onprem"));
  EXPECT_EQ(submit(asked).code, "associations_unknown");
  asked.cluster = "cloud";
  EXPECT_EQ(submit(asked).code, "cluster_unknown");
  asked.partition.clear();
  EXPECT_EQ(submit(asked).code, "no_partition");  // its default one may have a price
  refresh_view();
  EXPECT_EQ(submit(submission()).decision, "allow");
}

TEST_F(SubmissionTest, RefusesAPartitionThatIsPricedAndNotKnown) {
  set_prices(R"(
prices:
  - cluster: "*"
    partition: "*"
    unit: USD
    basis: tres
    per_core_hour: 1
effective_from: 2025-02-01
)");
  auto asked = submission();
  asked.partition = "gpu-aws,nowhere";
  const auto answer = submit(asked);
  EXPECT_EQ(answer.code, "unknown_partition");
  EXPECT_THAT(answer.message, HasSubstr("'nowhere'"));
}

TEST_F(SubmissionTest, TakesTheDearestOfAList) {
  set_prices(R"(
prices:
  - {cluster: "*", partition: cpu, unit: USD, basis: tres, per_core_hour: 10}
  - {cluster: "*", partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 1}
effective_from: 2025-02-01
)");
  auto asked = submission();
  asked.partition = "gpu-aws,cpu";
  auto answer = submit(asked);
  EXPECT_EQ(to_decimal(answer.estimated_cost), "10");
  EXPECT_EQ(answer.partition, "cpu");
  // A limit on one of the list is drawn on, whichever is dearest.
  ASSERT_TRUE(
      run(ledger::SetPartitionLimit{"lab", "USD", "gpu-aws", testing::money("900")}).accepted());
  EXPECT_EQ(submit(asked).partition, "gpu-aws");
  ASSERT_TRUE(
      run(ledger::SetPartitionLimit{"proj001", "USD", "cpu", testing::money("900")}).accepted());
  EXPECT_EQ(submit(asked).code, "several_limits");
}

TEST_F(SubmissionTest, HoldsForEveryTaskOfAnArray) {
  auto asked = submission();
  asked.array = "1-10%2";
  const std::string id = token();
  EXPECT_EQ(submit(asked, id).decision, "allow");
  expect_balance("43.2", "0");
  EXPECT_EQ(find(id).task_count, 10);
  EXPECT_EQ(submit(asked).decision, "deny");
}

TEST_F(SubmissionTest, RefusesBadTokens) {
  const std::string body = api::to_json(submission());
  const std::string good = token();
  const auto code = [&](const std::string& id) {
    return submit(id, body, slurm_user()).value_or(api::SubmissionAnswer{}).code;
  };
  EXPECT_EQ(code("x"), "bad_token");
  EXPECT_EQ(code(good.substr(1)), "bad_token");
  EXPECT_EQ(code(make_token(now() - hours(25), {})), "request_too_old");
  EXPECT_EQ(code(make_token(now() + seconds(900), {})), "request_too_old");
  EXPECT_EQ(code(make_token(now() + seconds(30), {})), "");
}

TEST_F(SubmissionTest, DecidesWhateverItIsSent) {
  for (const std::string body :
       {"", "{", "[]", "null", "{}", R"({"cluster":"onprem"})", "\xff\xfe", R"({"cluster":1e400})",
        R"({"cluster":"onprem","slurm_version":"22.05.8","time_budget_ms":50,"on_silence":"deny",
            "submit_uid":1000,"user_id":1000,"partition":"gpu-aws","min_nodes":-1})"}) {
    const auto reply = submit(token(), body, slurm_user());
    ASSERT_TRUE(reply.has_value()) << body;
    EXPECT_EQ(reply->decision, "deny") << body;
    EXPECT_FALSE(reply->message.empty()) << body;
  }
  // Each sentence stands alone: the field was written twice, or there was only its colon.
  EXPECT_EQ(submit(token(), "{}", slurm_user())->message,
            "The job's request cannot be read: cluster: this field is missing\n");
  EXPECT_EQ(submit(token(), "{", slurm_user())->message.find(": :"), std::string::npos);
  for (const char* array : {"1-", "0-99999999", "a", "5-1"}) {
    auto asked = submission();
    asked.array = array;
    EXPECT_EQ(submit(asked).decision, "deny") << array;
  }
  auto asked = submission();
  asked.time_limit_minutes = api::unlimited;
  EXPECT_EQ(submit(asked).decision, "deny");
  asked = submission();
  asked.req_nodes = "gpu-[1-";
  EXPECT_EQ(submit(asked).code, "bad_nodelist");
  asked.req_nodes = "gpu-[1-65000]";
  EXPECT_EQ(submit(asked).code, "bad_nodelist");
  expect_balance("0", "0");
}

TEST_F(SubmissionTest, IsForSlurmAndAdministrators) {
  const std::string body = api::to_json(submission());
  const auto status = [&](const Caller& caller) {
    const auto reply = submit(token(), body, caller);
    return reply ? 200 : reply.error().status;
  };
  EXPECT_EQ(status(alice()), 403);
  EXPECT_EQ(status(anonymous()), 401);
  EXPECT_EQ(status(admin()), 200);
  EXPECT_EQ(status(slurm_user()), 200);
}

TEST_F(SubmissionTest, GoesOnWhenTheClockIsSetBack) {
  EXPECT_EQ(submit(submission()).decision, "allow");
  pass_time(seconds(-30));
  EXPECT_EQ(submit(submission()).decision, "allow");
  expect_balance("8.64", "0");
}

// A store whose commits take time, on the clock that is set by hand.
class SlowStore final : public store::Store {
 public:
  SlowStore(store::Store& inner, std::function<void()> before)
      : inner_(inner), before_(std::move(before)) {}
  Result<void> own(int wait_ms) override { return inner_.own(wait_ms); }
  Result<store::Snapshot> load(Instant since) override { return inner_.load(since); }
  Result<void> commit(const store::Batch& batch) override {
    before_();
    return inner_.commit(batch);
  }
  Result<std::vector<store::HoldRecord>> find_holds(const store::HoldQuery& query) override {
    return inner_.find_holds(query);
  }
  Result<std::vector<store::ChainedEntry>> entries(const store::EntryQuery& query) override {
    return inner_.entries(query);
  }
  Result<void> forget_answers(Instant before) override { return inner_.forget_answers(before); }
  Result<void> rewrite() override { return inner_.rewrite(); }
  Result<void> ping() override { return inner_.ping(); }

 private:
  store::Store& inner_;
  const std::function<void()> before_;
};

class LateTest : public SubmissionTest {
 protected:
  LateTest() { restart(slow_); }
  ~LateTest() override { committer_->stop(); }

  // Commands are decided in order, so this one comes after all that were sent before.
  void wait_for_queue() { (void)run(ledger::CloseAccount{"nobody"}); }

  std::function<void()> before_commit_ = [this] { pass_time(seconds(1)); };
  SlowStore slow_{store_, [this] {
                    if (before_commit_) before_commit_();
                  }};
};

TEST_F(LateTest, PlacesNothingForWhatWaitedTooLong) {
  std::promise<void> begun;
  std::promise<void> go_on;
  bool first = true;
  before_commit_ = [&] {
    if (!std::exchange(first, false)) return;
    begun.set_value();
    go_on.get_future().wait();
    pass_time(seconds(1));
  };
  ledger::UpdateAccount slow;
  slow.name = "lab";
  slow.description = "takes its time";
  ledger::Command command;
  command.action = slow;
  ASSERT_TRUE(committer_->submit(command, [](const Result<ledger::Outcome>&) {}));
  begun.get_future().wait();
  std::promise<api::SubmissionAnswer> kept;
  operations_->submit_job(slurm_user(), token(), api::to_json(submission()), [&](const auto& make) {
    kept.set_value(make().value_or(api::SubmissionAnswer{}));
  });
  go_on.set_value();
  const auto answer = kept.get_future().get();
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "expired");
  expect_balance("0", "0");
}

TEST_F(LateTest, GivesBackWhatWasHeldForAJobThatThePluginRefused) {
  const std::string id = token();
  const auto answer = submit(submission(), id);
  EXPECT_EQ(answer.decision, "deny");
  EXPECT_EQ(answer.code, "expired");
  wait_for_queue();
  expect_balance("0", "0");
  EXPECT_EQ(find(id).status, ledger::HoldStatus::closed);
  EXPECT_EQ(submit(submission(), id).decision, "deny");
}

// It was allowed after a restart, and when its hold had left the memory, with no money set aside.
TEST_F(LateTest, StaysRefusedWhenTheMemoryHasLostItsHold) {
  const std::string id = token();
  const auto first = submit(submission(), id);
  wait_for_queue();
  before_commit_ = {};
  const auto again = submit(submission(), id);
  EXPECT_EQ(again.code, first.code);
  restart(slow_);
  EXPECT_EQ(submit(submission(), id), again);
  expect_balance("0", "0");
}

TEST_F(LateTest, KeepsWhatWasHeldForAJobThatThePluginLetPass) {
  auto asked = submission();
  asked.on_silence = api::OnSilence::allow;
  const std::string id = token();
  EXPECT_EQ(submit(asked, id).decision, "allow");
  wait_for_queue();
  expect_balance("4.32", "0");
  EXPECT_EQ(find(id).status, ledger::HoldStatus::open);
}

}  // namespace
}  // namespace asbb::service
