// Jobs as squeue really prints them: their holds stay as they are until somebody changes them.
#include <gtest/gtest.h>

#include "service/testing/job_changes_fixture.h"
#include "slurm/queue_reader.h"
#include "slurm/test_files.h"

namespace asbb::service {
namespace {

using testing::JobChanges;
using testing::money;

// Rows that squeue printed of real jobs, against the requests that they were submitted with.
class RecordedJobs : public JobChanges {
 protected:
  struct Form {
    std::string name;
    std::int64_t tasks;
    std::optional<std::int64_t> per_node_mb;
    std::optional<std::int64_t> per_cpu_mb;
    std::string array;
    std::optional<std::int64_t> nodes = {};
  };
  RecordedJobs() {
    recorded_.cluster = "onprem";
    slurm::read_queue(slurm::recorded("memory/onprem.reader-squeue.txt"), slurm::recorded_separator,
                      recorded_);
    set_limit("1000000");
    set_prices(R"(
prices:
- cluster: "*"
  partition: gpu-aws
  unit: USD
  basis: tres
  per_core_hour: 3.6
  per_gb_hour: 0.36
effective_from: 2025-01-02
)");
  }

  void submit_form(const Form& form) {
    refresh();
    api::Submission asked = submission();
    asked.num_tasks = asked.min_cpus = form.tasks;
    asked.memory_per_node_mb = form.per_node_mb;
    asked.memory_per_cpu_mb = form.per_cpu_mb;
    asked.array = form.array;
    asked.min_nodes = asked.max_nodes = form.nodes;
    token_ = token();
    ++job_id_;
    submitted_at_ = now();
    ASSERT_EQ(submit(asked, token_).decision, "allow") << form.name;
  }
  // As recorded; only whose job it is, is said anew.
  [[nodiscard]] std::vector<slurm::QueueJob> rows(const std::string& state,
                                                  const Form& form) const {
    std::vector<slurm::QueueJob> found;
    for (slurm::QueueJob row : recorded_.jobs) {
      if (row.admin_comment != "asbb:0192f0c0ffee-" + state + "-" + form.name) continue;
      row.job_id = row.job_id == row.array_job_id || row.array_job_id == 0 ? job_id_
                                                                           : 1'000'000 + row.job_id;
      if (row.array_job_id != 0) row.array_job_id = job_id_;
      row.user = "alice";
      row.user_id = 1000;
      row.account = "proj001";
      row.partition = "gpu-aws";
      row.submit = submitted_at_;
      row.admin_comment = "asbb=" + token_;
      found.push_back(row);
    }
    EXPECT_FALSE(found.empty()) << state << " " << form.name;
    return found;
  }
  void show_rows(const std::vector<slurm::QueueJob>& rows) {
    pass_time(seconds(1));
    refresh();
    source_.set_queue("onprem", rows);
  }
  void refresh() {
    refresh_view();
    auto snapshot = cluster("onprem");
    snapshot.memory.default_per_cpu_mb = 1'000;
    view_.put(snapshot);
  }
  std::size_t entries() { return transactions("proj001").size(); }

  const std::vector<Form> forms_{{"mem=0", 2, 0, {}, ""},
                                 {"mem=1000", 2, 1'000, {}, ""},
                                 {"mem=1536", 2, 1'536, {}, ""},
                                 {"mem-per-cpu=1500", 2, {}, 1'500, ""},
                                 {"many-mem=1000", 6, 1'000, {}, ""},
                                 {"default", 2, {}, {}, ""},
                                 {"array", 1, 2'000, {}, "0-1"}};
  slurm::QueueList recorded_;
  std::int64_t job_id_ = 100;
  Instant submitted_at_;
};

TEST_F(RecordedJobs, AJobThatNobodyChangedKeepsItsHold) {
  for (const Form& form : forms_) {
    for (const char* first : {"waits", "runs"}) {
      submit_form(form);
      const std::string held = to_decimal(budget("proj001").held);
      std::size_t count = entries();
      for (const char* state : {first, "runs", "runs"}) {
        show_rows(rows(state, form));
        const PassReport report = pass();
        count += static_cast<std::size_t>(report.bound);
        EXPECT_EQ(report.followed, 0) << form.name << " " << state;
      }
      expect_held(held.c_str());
      EXPECT_EQ(entries(), count) << form.name << ": the hold was bound and nothing else";
    }
  }
  EXPECT_TRUE(alarms_.list().empty());
}

TEST_F(RecordedJobs, NorDoesAServiceThatKnowsNoRequestTakeThemForChanged) {
  for (const Form& form : forms_) {
    for (const char* state : {"waits", "runs"}) {
      submit_form(form);
      const std::string held = to_decimal(budget("proj001").held);
      Reconciler fresh(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
      hooks_.known = &fresh.known_jobs();
      rebuild();
      auto shown = rows(state, form);
      show_rows(shown);
      EXPECT_EQ(fresh.run_pass().followed, 0) << form.name << " " << state;
      expect_held(held.c_str());
      // What was changed meanwhile is followed all the same.
      for (slurm::QueueJob& row : shown) row.time_limit_minutes = 180;
      Reconciler later(*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{});
      hooks_.known = &later.known_jobs();
      rebuild();
      show_rows(shown);
      EXPECT_EQ(later.run_pass().followed, 1) << form.name << " " << state;
      EXPECT_GT(budget("proj001").held, money(held.c_str()));
      hooks_.known = &reconciler_.known_jobs();
      rebuild();
    }
  }
}

TEST_F(RecordedJobs, ARealChangeOfMemoryIsFollowed) {
  Form form = forms_[2];
  form.nodes = 1;
  submit_form(form);
  auto shown = rows("waits", form);
  show_rows(shown);
  (void)pass();
  expect_held("9.288");  // 2 x 3.60 and 1.5 x 0.36, x 1.2
  shown[0].min_memory_mb = 1'537;
  shown[0].requested_tres = "cpu=2,mem=1537M,node=1,billing=2";
  show_rows(shown);
  EXPECT_EQ(pass().followed, 1);
  expect_held("9.288423");
  shown[0].min_memory_mb = 3'072;
  shown[0].requested_tres = "cpu=2,mem=3G,node=1,billing=2";
  show_rows(shown);
  EXPECT_EQ(pass().followed, 1);
  expect_held("9.936");
}

TEST_F(RecordedJobs, MoreMemoryThanWasAskedForIsFollowedWhenFirstSeen) {
  submit_form(forms_[1]);
  auto shown = rows("waits", forms_[1]);
  shown[0].min_memory_mb = 4'096;
  shown[0].requested_tres = "cpu=2,mem=4G,node=1,billing=2";
  show_rows(shown);
  EXPECT_EQ(pass().followed, 1);
  expect_held("10.368");
}

}  // namespace
}  // namespace asbb::service
