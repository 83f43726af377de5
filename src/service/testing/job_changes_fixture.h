// Operations and a reconciler that share what they know of jobs, as in the daemon, and jobs of
// alice in a Slurm that is made up: for tests of changes of jobs, from the question to what their
// holds then are.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "service/reconciler.h"
#include "service/testing/operations_fixture.h"

namespace asbb::service::testing {

class JobChanges : public OperationsFixture {
 protected:
  explicit JobChanges(const std::vector<std::string>& clusters = {"onprem"}) : source_(clusters) {
    source_.now = [this] { return now(); };
    hooks_.known = &reconciler_.known_jobs();
    rebuild();
  }
  ~JobChanges() override { operations_.reset(); }

  // A submitted job of one core for an hour, 4.32 held, and its row; `minutes` of its limit.
  slurm::QueueJob job(const std::string& array = {}, std::int64_t minutes = 60) {
    api::Submission asked = submission();
    asked.array = array;
    asked.time_limit_minutes = minutes;
    token_ = token();
    EXPECT_EQ(submit(asked, token_).decision, "allow");
    slurm::QueueJob row;
    row.cluster = "onprem";
    row.job_id = 7;
    row.user = "alice";
    row.user_id = 1000;
    row.account = "proj001";
    row.partition = "gpu-aws";
    row.status = slurm::parse_job_status("PENDING");
    row.submit = now();
    row.time_limit_minutes = minutes;
    row.node_count = row.cpus = 1;
    row.requested_tres = "cpu=1,mem=62.50G,node=1,billing=1";
    row.min_memory_mb = 0;
    row.admin_comment = "asbb=" + token_;
    if (!array.empty()) {
      row.array_job_id = 7;
      row.array_tasks = array;
    }
    return row;
  }
  // As squeue shows it once it runs.
  static void run_job(slurm::QueueJob& row) {
    row.status = slurm::parse_job_status("RUNNING");
    row.nodes = "gpu-1";
    row.allocated_tres = std::exchange(row.requested_tres, "");
  }
  void show(std::vector<slurm::QueueJob> rows) {
    pass_time(seconds(1));
    refresh_view();
    source_.set_queue("onprem", std::move(rows));
  }
  PassReport pass() { return reconciler_.run_pass(); }
  void set_limit(const char* limit) {
    for (const char* name : {"lab", "proj001"}) {
      ledger::UpdateAccount update;
      update.name = name;
      update.limit = money(limit);
      EXPECT_TRUE(run(update).accepted());
    }
  }

  [[nodiscard]] api::JobChange change() const {
    api::JobChange made;
    made.cluster = "onprem";
    made.slurm_version = "22.05.8";
    made.time_budget_ms = 50;
    made.submit_uid = 1000;
    made.job = "7";
    made.token = token_;
    return made;
  }
  [[nodiscard]] api::JobChange minutes(std::int64_t limit) const {
    api::JobChange made = change();
    made.asked.time_limit_minutes = limit;
    return made;
  }
  api::SubmissionAnswer ask(const api::JobChange& asked) {
    const auto reply = wait<api::SubmissionAnswer>([&](const auto& promise) {
      operations_->change_job(slurm_user(), api::to_json(asked), promise);
    });
    EXPECT_TRUE(reply.has_value());
    return reply.value_or(api::SubmissionAnswer{});
  }
  [[nodiscard]] std::int64_t alarms_of_changes() const {
    const auto alarms = alarms_.list();
    return std::count_if(alarms.begin(), alarms.end(),
                         [](const Alarm& alarm) { return alarm.key.starts_with("change "); });
  }
  void expect_held(const char* amount) { EXPECT_EQ(to_decimal(budget("proj001").held), amount); }
  static slurm::AccountingRecord ended(std::int64_t id, std::int64_t elapsed_s, Instant at,
                                       std::int64_t index) {
    slurm::AccountingRecord out;
    out.cluster = "onprem";
    out.db_index = index;
    out.job_id = id;
    out.user = "alice";
    out.account = "proj001";
    out.partition = "gpu-aws";
    out.status = slurm::parse_job_status("COMPLETED");
    out.submit = at;
    out.start = at;
    out.end = at + seconds(elapsed_s);
    out.nodes = "gpu-1";
    out.node_count = 1;
    out.allocated_tres = "billing=1,cpu=1,node=1";
    out.elapsed_seconds = elapsed_s;
    return out;
  }

  // Makes the row that of job 9, of which a submission to a free partition is the token, and asks
  // for its move to a priced one, for which that much is held.
  void ask_in(slurm::QueueJob& row, const std::string& array, const char* held) {
    api::Submission free = submission();
    free.partition = "cpu";
    free.array = array;
    token_ = token();
    EXPECT_EQ(submit(free, token_).decision, "allow");
    row.job_id = 9;
    row.partition = "cpu";
    row.admin_comment = "asbb=" + token_;
    show({row});
    (void)pass();
    api::JobChange asked = change();
    asked.job = "9";
    asked.asked.partition = "gpu-aws";
    EXPECT_EQ(ask(asked).hold_amount, money(held));
    row.partition = "gpu-aws";
  }

  std::string token_;
  slurm::FakeJobSource source_;
  Reconciler reconciler_{*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{}};
};

}  // namespace asbb::service::testing
