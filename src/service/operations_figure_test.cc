// A charge that an administrator sets, and what the reconciler makes of it afterwards.
#include <gmock/gmock.h>

#include <future>
#include <memory>

#include "service/operations.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using testing::money;
using ::testing::Not;

class FigureTest : public testing::ChangedRecordsFixture {
 protected:
  FigureTest() {
    AuthorityOptions authority;
    authority.admin_ids = {0};
    authority.submit_ids = {64030};
    authority.clusters = {"onprem", "cloud"};
    authority_ = std::make_unique<Authority>(authority, AccessTokens(), names_, view_);
    Hooks hooks;
    hooks.ask_about = [this](const PassQuestion& question, const PassAnswer& done) {
      reconciler_.ask(question, [](const auto&) {});
      done(reconciler_.run_pass());
    };
    OperationsOptions options;
    options.clusters = {"onprem", "cloud"};
    operations_ = std::make_unique<Operations>(
        Collaborators{*committer_, prices_, view_, names_, *authority_, alarms_, work_}, hooks,
        store::ChainKey{1, 2, 3}, options);
  }
  ~FigureTest() override { reconciler_.stop(); }

  Reply<api::JobReconcileAnswer> set(const std::string& job, const char* amount,
                                     const std::string& cluster = "", std::uint32_t user = 0) {
    api::JobReconcile request;
    request.cluster = cluster;
    request.actual_cost = money(amount);
    request.reason = "the invoice says so";
    auto kept = std::make_shared<std::promise<Reply<api::JobReconcileAnswer>>>();
    operations_->reconcile_job(authority_->local(user), job, request,
                               [kept](const std::function<Reply<api::JobReconcileAnswer>()>& make) {
                                 kept->set_value(make());
                               });
    return kept->get_future().get();
  }
  std::string refusal_of(const Reply<api::JobReconcileAnswer>& reply) {
    return reply ? "" : reply.error().details + ": " + reply.error().message;
  }

  // A job that ran so long at 0.001 a second and was charged for it, as slurmdbd has it.
  slurm::AccountingRecord charged(std::int64_t job, std::int64_t elapsed_s) {
    const std::string token = hold("1.2");
    source_.add_job(queued(token, job, "RUNNING"));
    auto row = record(job, "COMPLETED", elapsed_s);
    (void)pass();
    source_.set_queue("onprem", {});
    pass_time(seconds(elapsed_s));
    source_.add_record(row);
    (void)pass();
    return row;
  }
  [[nodiscard]] std::vector<ledger::Entry> entries_of(const std::string& job) {
    store::EntryQuery query;
    query.job_id = job;
    std::vector<ledger::Entry> out;
    const auto found = store_.entries(query);
    for (const auto& one : *found) out.push_back(one.entry);
    return out;
  }

  slurm::FakeUserNames names_;
  WorkQueue work_{1, 16};
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Operations> operations_;
};

TEST_F(FigureTest, LessGoesBackAndMoreIsAdjustedWithActorAndReason) {
  (void)charged(7, 90);
  expect_balance("0", "0.09");
  const auto less = set("7", "0.05");
  ASSERT_TRUE(less) << less.error().message;
  EXPECT_EQ(less->message,
            "Job 7 of cluster onprem is charged $0.05 to account proj001; before it was $0.09.");
  EXPECT_EQ(less->jobs.at(0).action, "set");
  expect_balance("0", "0.05");
  ASSERT_TRUE(set("7", "0.2"));
  expect_balance("0", "0.2");
  ASSERT_TRUE(set("7", "0.1")) << "more than the charge was adjusted: the charge goes back first";
  expect_balance("0", "0.1");
  ASSERT_TRUE(set("7", "0"));
  expect_balance("0", "0");
  const ledger::Entry last = entries_of("7").back();
  EXPECT_EQ(last.type, ledger::EntryType::adjustment);
  EXPECT_EQ(last.actor, "root");
  EXPECT_EQ(last.reason, "sets onprem job 7 to 0 USD: the invoice says so");
  later();
  expect_balance("0", "0");
  EXPECT_EQ(alarm(), "");
}

// Nobody could tell the service that a changed record was looked at and the charge was right.
TEST_F(FigureTest, AChangedRecordThatSomebodyLookedAtIsNoAlarmAnyMore) {
  const auto row = charged(7, 90);
  says(row, 80);
  EXPECT_THAT(alarm(), HasSubstr("or keep it with asbb reconcile 7 --cluster=onprem "
                                 "--actual-cost=0.09 --unit=USD --reason=TEXT"));
  ASSERT_TRUE(set("7", "0.09"));
  expect_balance("0", "0.09");
  EXPECT_EQ(entries_of("7").back().reason,
            "sets onprem job 7 to 0.09 USD where record 1 says 0.08 USD: the invoice says so");
  later();
  EXPECT_EQ(alarm(), "");
  Reconciler restarted(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
  (void)restarted.run_pass();
  EXPECT_EQ(alarm(), "") << "the ledger knows";
  says(row, 70);
  EXPECT_THAT(alarm(),
              HasSubstr("slurmdbd now says that this run cost $0.07, which was not known"));
  EXPECT_THAT(alarm(), HasSubstr("asbb reconcile 7 --cluster=onprem --actual-cost=0.09 "));
  ASSERT_TRUE(set("7", "0.07"));
  expect_balance("0", "0.07");
  later();
  EXPECT_EQ(alarm(), "");
}

TEST_F(FigureTest, AJobThatSlurmLostEndsAndIsNotChargedAgain) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "RUNNING"));
  EXPECT_EQ(pass().bound, 1);
  EXPECT_THAT(refusal_of(set("7", "0.5")),
              HasSubstr("job_is_not_over: Job 7 is RUNNING on cluster onprem"));
  source_.set_queue("onprem", {});
  const auto ended = set("7", "0.5", "ONPREM");
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->message, "Job 7 of cluster onprem is charged $0.50 to account proj001.");
  EXPECT_EQ(ended->jobs.at(0).action, "settled");
  EXPECT_EQ(ended->jobs.at(0).released, money("0.7"));
  expect_balance("0", "0.5");
  auto row = record(7, "COMPLETED", 90);
  row.submit = find(token).job->submit_time;
  source_.add_record(row);
  pass_time(seconds(91));
  later();
  expect_balance("0", "0.5");
  EXPECT_THAT(alarm(), HasSubstr("this run cost $0.09, which was not known then"));
  ASSERT_TRUE(set("7", "0.5"));
  later();
  EXPECT_EQ(alarm(), "");
  expect_balance("0", "0.5");
}

TEST_F(FigureTest, TheRunsOfAJobAreOneFigure) {
  const std::string token = hold("1.2");
  auto first = record(7, "REQUEUED", 90);
  auto second = record(7, "COMPLETED", 50);
  second.run = 2;
  auto waiting = queued(token, 7, "PENDING");
  waiting.restart_count = 1;
  source_.add_job(waiting);
  source_.add_record(first);
  pass_time(seconds(90));
  (void)pass();
  expect_balance("1.2", "0.09");
  source_.set_queue("onprem", {});
  ASSERT_TRUE(set("7", "0.1")) << "the second run is lost";
  expect_balance("0", "0.1");
  source_.add_record(second);
  pass_time(seconds(60));
  later();
  expect_balance("0", "0.1");
  EXPECT_THAT(alarm(), HasSubstr("record 2 (COMPLETED after 50 s)"));
  ASSERT_TRUE(set("7", "0.05"));
  expect_balance("0", "0.05");
  later();
  EXPECT_EQ(alarm(), "");
}

TEST_F(FigureTest, OfAnArrayOneTaskIsMeant) {
  const std::string token = hold("3", 3);
  for (int task = 1; task <= 3; ++task) {
    auto job = queued(token, 20 + task, "RUNNING");
    job.array_job_id = 20;
    job.array_task_id = task;
    source_.add_job(job);
  }
  (void)pass();
  source_.set_queue("onprem", {});
  EXPECT_THAT(refusal_of(set("20", "1")), HasSubstr("several_tasks: Job 20 is an array"));
  ASSERT_TRUE(set("20_2", "0.4"));
  expect_balance("2", "0.4");
  ASSERT_TRUE(set("20_2", "0.3"));
  ASSERT_TRUE(set("20_3", "0"));
  expect_balance("1", "0.3");
  (void)charged(7, 90);
  EXPECT_THAT(refusal_of(set("7_1", "1")), HasSubstr("no_such_task"));
}

TEST_F(FigureTest, SoIsAJobThatWasChargedWithoutAHold) {
  auto row = record(7, "COMPLETED", 90);
  row.end = now();
  row.start = row.submit = now() - seconds(90);
  source_.add_record(row);
  EXPECT_EQ(pass().charged_without_hold, 1);
  ASSERT_TRUE(set("7", "0.02"));
  expect_balance("0", "0.02");
  says(row, 100);
  EXPECT_THAT(alarm(), HasSubstr("this run cost $0.10, which"));
  ASSERT_TRUE(set("7", "0.1"));
  expect_balance("0", "0.1");
  later();
  EXPECT_EQ(alarm(), "");
}

TEST_F(FigureTest, RefusesWhoMayNotAndWhatIsNotThere) {
  (void)charged(7, 90);
  const auto others = set("7", "0.05", "", 64030);
  EXPECT_EQ(others.error().status, 403);
  EXPECT_EQ(set("8", "1").error().status, 404);
  EXPECT_EQ(set("7", "1", "cloud").error().status, 404);
  EXPECT_EQ(set("7", "1", "nowhere").error().status, 400);
  api::JobReconcile request;
  request.actual_cost = money("1");
  request.unit = "core-hours";
  request.reason = "x";
  auto kept = std::make_shared<std::promise<Reply<api::JobReconcileAnswer>>>();
  operations_->reconcile_job(authority_->local(0), "7", request,
                             [kept](const auto& make) { kept->set_value(make()); });
  EXPECT_FALSE(kept->get_future().get()) << "it has no budget in that unit";
  expect_balance("0", "0.09");
}

// A controller that does not answer may have lost the job for good.
TEST_F(FigureTest, AClusterThatIsAwayDoesNotHinderIt) {
  const std::string token = hold("1.2");
  source_.add_job(queued(token, 7, "RUNNING"));
  EXPECT_EQ(pass().bound, 1);
  source_.fail_queue("onprem", Error{ErrorKind::unavailable, "it is away", ""});
  const auto ended = set("7", "0.5");
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_THAT(ended->message, HasSubstr("Slurm could not be asked on onprem."));
  expect_balance("0", "0.5");
}

}  // namespace
}  // namespace asbb::service
