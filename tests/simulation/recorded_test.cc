// The simulated Slurm held against the real one: each job that was recorded (tests/slurm/fixtures)
// is submitted to it and touched when people touched it, and slurmdbd has the same rows of it
// afterwards. What chance would decide - when a job starts, how it ends, who wins it - is said
// here.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ledger/testing/random_commands.h"
#include "service/hold_scope.h"
#include "simulation/slurm_model.h"
#include "slurm/accounting_reader.h"
#include "slurm/queue_reader.h"
#include "slurm/slurm_text.h"
#include "slurm/test_files.h"

namespace asbb::simulation {
namespace {

using slurm::AccountingRecord;
using slurm::JobState;
using Rows = std::vector<AccountingRecord>;

constexpr std::int64_t never = 1'000'000'000;
constexpr std::int64_t first_of_cloud = std::int64_t{2} << 26;

Rows recorded_rows(const std::string& cluster) {
  slurm::AccountingList list;
  list.cluster = cluster;
  for (const char* file : {".reader-sacct.txt", ".reader-sacct-ended.txt"}) {
    slurm::read_accounting(slurm::recorded("ended/" + cluster + file), slurm::recorded_separator,
                           list);
  }
  EXPECT_TRUE(list.problems.empty());
  slurm::arrange_runs(list.records);
  return list.records;
}

std::int64_t group_of(const AccountingRecord& row) {
  if (row.het_job_id != 0) return row.het_job_id;
  return row.array_job_id != 0 ? row.array_job_id : row.job_id;
}

std::string moment(const std::optional<Instant>& at) {
  return at ? std::to_string(at->unix_seconds()) : "-";
}

service::Tasks tasks_in(const AccountingRecord& row) {
  return service::tasks_of_text(row.array_tasks).value_or(service::Tasks{});
}

bool has_nodes(const AccountingRecord& row) {
  return !row.nodes.empty();
}

bool is_federated(const Rows& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.status.revoked; });
}

// What the service goes by, as a line. Of a federated job the real clusters differ in what the
// simulated ones have in common: the default partition, and the moment at which they had the job;
// slurmctld tells of a loser's start, or does not.
std::string as_text(const AccountingRecord& row, bool is_federated) {
  std::string text = std::to_string(row.job_id) + " of " + std::to_string(row.array_job_id) + "_";
  if (row.array_task_id) text += std::to_string(*row.array_task_id);
  text += "[" + service::text_of_tasks(tasks_in(row)) + "]";
  const auto throttle = slurm::array_throttle(row.array_tasks);
  if (throttle) text += "%" + std::to_string(*throttle);
  text += " het " + std::to_string(row.het_job_id) + "+" + std::to_string(row.het_job_offset);
  text += " run " + std::to_string(row.run) + " resizes " + std::to_string(row.resizes);
  text += " state " + std::to_string(static_cast<int>(row.status.base));
  if (row.status.requeued) text += " requeued";
  if (row.status.resizing) text += " resizing";
  if (row.status.revoked) text += " revoked";
  text += " account " + row.account + " user " + row.user;
  if (!is_federated) {
    text += " partition " + row.partition + " submit " + moment(row.submit);
    text += " eligible " + moment(row.eligible);
  }
  if (!row.status.revoked) text += " start " + moment(row.start) + " end " + moment(row.end);
  text += " elapsed " + std::to_string(row.elapsed_seconds);
  text += " suspended " + std::to_string(row.suspended_seconds);
  text += has_nodes(row) ? " on nodes" : " nowhere";
  text += row.allocated_tres.empty() ? " without" : " allocated";
  return text;
}

// What squeue shows of it. slurmctld guesses when one that waits will start, and keeps what was
// allocated to one that has ended.
std::string as_text(const slurm::QueueJob& row) {
  std::string text = std::to_string(row.job_id) + " of " + std::to_string(row.array_job_id) + "_";
  if (row.array_task_id) text += std::to_string(*row.array_task_id);
  text += "[" + service::text_of_tasks(service::tasks_of(row)) + "]";
  text += " het " + std::to_string(row.het_job_id) + "+" + std::to_string(row.het_job_offset);
  text += " state " + std::to_string(static_cast<int>(row.status.base));
  if (row.status.revoked) text += " revoked";
  text += " account " + row.account + " user " + row.user;
  text += " restarts " + std::to_string(row.restart_count);
  const bool runs = row.status.base == JobState::running || row.status.base == JobState::suspended;
  if (runs) text += " start " + moment(row.start);
  text += row.nodes.empty() ? " nowhere" : " on nodes";
  return text;
}

// One recorded job, done again.
class Replay {
 public:
  Replay(Rows rows, std::set<std::int64_t> suspended, std::uint64_t seed)
      : rows_(std::move(rows)), suspended_(std::move(suspended)), chance_(seed) {
    slurm_.service_now = [this] { return slurm_.now(); };
    std::stable_sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.submit, a.array_task_id) < std::tie(b.submit, b.array_task_id);
    });
    origin_ = group_of(rows_.front()) < first_of_cloud ? "onprem" : "cloud";
  }

  // All that was done to it by then.
  void run(Instant until) {
    slurm_.advance(rows_.front().submit);
    submit();
    plan();
    for (const auto& [at, act] : acts_) {
      if (until < at) break;
      slurm_.advance(at);
      act();
    }
    slurm_.advance(until);
  }

  // Whether the cluster that ran it is the one that did: who wins is chance.
  [[nodiscard]] bool is_won_alike() const {
    const auto ran = std::find_if(rows_.begin(), rows_.end(), has_nodes);
    const Task& task = slurm_.jobs().front()->tasks.front();
    return ran == rows_.end() || task.runs.empty() || task.runs.front().cluster == ran->cluster;
  }

  [[nodiscard]] std::multiset<std::string> simulated(const std::string& cluster) {
    std::multiset<std::string> lines;
    const auto list = slurm_.list_accounting(cluster, {{group_of(rows_.front())}, {}, {}});
    for (const AccountingRecord& row : list->records) {
      lines.insert(as_text(row, is_federated(rows_)));
    }
    return lines;
  }
  [[nodiscard]] std::multiset<std::string> simulated_queue(const std::string& cluster) {
    std::multiset<std::string> lines;
    const auto list = slurm_.list_queue(cluster);
    for (const slurm::QueueJob& row : list->jobs) lines.insert(as_text(row));
    return lines;
  }
  [[nodiscard]] std::multiset<std::string> recorded(const std::string& cluster) const {
    std::multiset<std::string> lines;
    for (const AccountingRecord& row : rows_) {
      if (row.cluster == cluster) lines.insert(as_text(row, is_federated(rows_)));
    }
    return lines;
  }

 private:
  [[nodiscard]] Request request_of(const AccountingRecord& row) const {
    Request asked;
    asked.user = row.user;
    asked.user_id = row.user_id;
    asked.account = row.account;
    asked.partition = row.partition;
    asked.limit_minutes =
        row.time_limit_minutes == slurm::unlimited ? never : row.time_limit_minutes;
    asked.is_federated = is_federated(rows_);
    std::set<std::int64_t> tasks;
    for (const AccountingRecord& other : rows_) {
      if (other.array_task_id) tasks.insert(*other.array_task_id);
      for (const std::int64_t task : tasks_in(other)) tasks.insert(task);
      asked.at_once = slurm::array_throttle(other.array_tasks).value_or(asked.at_once);
    }
    asked.tasks.assign(tasks.begin(), tasks.end());
    return asked;
  }

  void submit() {
    slurm_.controller(origin_).next_id = group_of(rows_.front());
    std::set<std::int64_t> components;
    for (const AccountingRecord& row : rows_) {
      const bool is_component = row.het_job_id != 0 && components.insert(row.job_id).second;
      if (!is_component && &row != &rows_.front()) continue;
      const std::int64_t leader = row.het_job_id == 0 ? 0 : row.het_job_id;
      Job& job =
          slurm_.submit(origin_, request_of(row), "0192f0c0ffee", "", leader, row.het_job_offset);
      for (Task& task : job.tasks) wait(task, eligible_of(row, task));
    }
  }

  // As its first row says.
  [[nodiscard]] std::optional<Instant> eligible_of(const AccountingRecord& of,
                                                   const Task& task) const {
    for (const AccountingRecord& row : rows_) {
      const service::Tasks rest = tasks_in(row);
      const bool has_it = row.array_task_id == task.index ||
                          std::find(rest.begin(), rest.end(), task.index) != rest.end();
      if (task.index >= 0 && has_it) return row.eligible;
    }
    return of.eligible;
  }

  static void wait(Task& task, const std::optional<Instant>& eligible) {
    task.eligible = eligible;
    task.fate = {};
    task.due = task.submit + seconds(never);
  }

  [[nodiscard]] std::pair<Job*, Task*> find(const AccountingRecord& row) const {
    for (const auto& job : slurm_.jobs()) {
      if (row.het_job_id != 0 && job->het_offset != row.het_job_offset) continue;
      for (Task& task : job->tasks) {
        if (task.index == row.array_task_id.value_or(task.index)) return {job.get(), &task};
      }
    }
    return {};
  }

  void plan() {
    for (const AccountingRecord& row : rows_) {
      if (row.status.revoked) continue;
      const bool goes_on = row.start && *row.start < row.submit;
      const bool is_later_size = row.resizes > 0 || goes_on;
      if (has_nodes(row) && !is_later_size) acts_.emplace(*row.start, [&row, this] { start(row); });
      if (row.suspended_seconds > 0) {
        const Instant from = *row.start + seconds(1);
        acts_.emplace(from, [&row, this] { std::apply(&Replay::suspend, with(row)); });
        acts_.emplace(from + seconds(row.suspended_seconds),
                      [&row, this] { std::apply(&Replay::resume, with(row)); });
      }
      Instant ends = *row.end;
      if (suspended_.contains(row.job_id)) {
        // Slurm says that it ended when it was suspended: the scancel came later.
        acts_.emplace(ends, [&row, this] { std::apply(&Replay::suspend, with(row)); });
        ends = ends + seconds(75);
      }
      acts_.emplace(ends, [&row, this] { end(row); });
    }
  }

  using Named = std::tuple<Replay*, Job&, Task&>;
  [[nodiscard]] Named with(const AccountingRecord& row) {
    const auto [job, task] = find(row);
    return {this, *job, *task};
  }
  void suspend(Job& job, Task& task) { slurm_.suspend(job, task); }
  void resume(Job& job, Task& task) { slurm_.resume(job, task); }

  void start(const AccountingRecord& row) {
    const auto [job, task] = find(row);
    if (row.array_task_id) slurm_.controller(origin_).next_id = row.job_id;
    task->eligible = row.eligible;
    task->due = *row.start;
    slurm_.advance(*row.start);
    task->fate = {"COMPLETED", never, false};
    task->due = *row.start + seconds(never);
  }

  void end(const AccountingRecord& row) {
    const auto [job, task] = find(row);
    if (!has_nodes(row)) {
      job->is_array() ? slurm_.cancel_rest(*job) : slurm_.cancel_task(*job, *task);
      return;
    }
    const bool runs_again = std::any_of(rows_.begin(), rows_.end(), [&](const auto& later) {
      return later.job_id == row.job_id && later.run == row.run + 1;
    });
    if (row.status.resizing) return slurm_.resize(*job, *task, 1);
    if (row.status.requeued) {
      slurm_.requeue(*job, *task);
    } else if (row.status.base == JobState::cancelled) {
      slurm_.cancel_task(*job, *task);
    } else {
      task->fate = {row.status.text, 0, runs_again};
      if (row.status.base == JobState::timeout) task->fate.after_seconds = never;
      task->due = *row.end;
      slurm_.advance(*row.end);
    }
    if (runs_again) wait(*task, std::nullopt);
  }

  Rows rows_;
  std::set<std::int64_t> suspended_;  // when they were cancelled
  ledger::testing::Chance chance_;
  Coverage coverage_;
  Slurm slurm_{chance_, coverage_, true, [](const std::string&) {}};
  std::string origin_;
  std::multimap<Instant, std::function<void()>> acts_;
};

std::vector<slurm::QueueJob> recorded_queue(const std::string& cluster) {
  slurm::QueueList list;
  list.cluster = cluster;
  slurm::read_queue(slurm::recorded("running/" + cluster + ".reader-squeue.txt"),
                    slurm::recorded_separator, list);
  EXPECT_TRUE(list.problems.empty());
  return list.jobs;
}

std::set<std::int64_t> suspended_jobs() {
  std::set<std::int64_t> ids;
  for (const auto& row : recorded_queue("onprem")) {
    if (row.status.base == JobState::suspended) ids.insert(row.job_id);
  }
  return ids;
}

// Each recorded job, done again until then.
std::map<std::int64_t, std::unique_ptr<Replay>> replays(Instant until) {
  std::map<std::int64_t, Rows> jobs;
  for (const char* cluster : {"onprem", "cloud"}) {
    for (const AccountingRecord& row : recorded_rows(cluster)) jobs[group_of(row)].push_back(row);
  }
  EXPECT_GT(jobs.size(), 40u);
  const std::set<std::int64_t> suspended = suspended_jobs();
  std::map<std::int64_t, std::unique_ptr<Replay>> out;
  for (const auto& [id, rows] : jobs) {
    for (std::uint64_t seed = 1; seed < 100; ++seed) {
      out[id] = std::make_unique<Replay>(rows, suspended, seed);
      out[id]->run(until);
      if (out[id]->is_won_alike()) break;
    }
  }
  return out;
}

TEST(RecordedSlurm, HasTheRowsThatTheRealOneHad) {
  for (const auto& [id, replay] : replays(*parse_rfc3339("2026-11-22T11:00:00Z"))) {
    for (const char* cluster : {"onprem", "cloud"}) {
      EXPECT_EQ(replay->simulated(cluster), replay->recorded(cluster)) << id << " on " << cluster;
    }
  }
}

TEST(RecordedSlurm, ShowsTheJobsAsTheRealOneDid) {
  std::map<std::string, std::map<std::int64_t, std::multiset<std::string>>> recorded;
  for (const char* cluster : {"onprem", "cloud"}) {
    for (const slurm::QueueJob& row : recorded_queue(cluster)) {
      const std::int64_t root = row.array_job_id != 0 ? row.array_job_id : row.job_id;
      recorded[cluster][row.het_job_id != 0 ? row.het_job_id : root].insert(as_text(row));
    }
  }
  for (const auto& [id, replay] : replays(*parse_rfc3339("2026-11-22T09:33:24Z"))) {
    for (const char* cluster : {"onprem", "cloud"}) {
      EXPECT_EQ(replay->simulated_queue(cluster), recorded[cluster][id]) << id << " on " << cluster;
    }
  }
}

}  // namespace
}  // namespace asbb::simulation
