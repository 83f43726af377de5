#include "simulation/slurm_model.h"

#include <algorithm>
#include <utility>

namespace asbb::simulation {
namespace {

constexpr Span shown_after_end = seconds(300);  // MinJobAge
constexpr Span weeks = hours(24 * 14);

std::string other_cluster(const std::string& cluster) {
  return cluster == "onprem" ? "cloud" : "onprem";
}

// slurmctld counts whole seconds.
Instant whole_second(Instant at) {
  return Instant::from_unix_seconds(at.unix_seconds());
}

bool has_row(const Task& task) {
  return task.job_id != 0;
}

// The most that Slurm lets it run.
std::int64_t longest_seconds(const Task& task) {
  return (task.limit_minutes + over_time_minutes(task.cluster)) * 60;
}

// When a run ends that nothing interrupts.
Instant end_of(const Task& task) {
  const std::int64_t work = std::min(task.fate.after_seconds, longest_seconds(task));
  return task.started_at + seconds(work + task.suspended_before + task.suspended_seconds);
}

}  // namespace

Slurm::Slurm(Chance& chance, Coverage& coverage, bool is_federation, Note note)
    : chance_(chance), coverage_(coverage), is_federation_(is_federation), note_(std::move(note)) {
  std::int64_t number = 0;
  for (const char* name : {"onprem", "cloud"}) {
    ++number;
    Controller& controller = controllers_[name];
    controller.first_id = is_federation ? (number << 26) + 1 : 1;
    controller.next_id = controller.first_id;
  }
}

bool Slurm::may_act(const std::string& cluster) const {
  return controllers_.at(cluster).is_up;
}

Slurm::Due Slurm::next_due(Instant to) {
  Due next;
  std::set<std::string> away;
  for (const auto& [name, controller] : controllers_) {
    if (!controller.is_up) away.insert(name);
  }
  for (const auto& job : jobs_) {
    if (job->is_forgotten || away.contains(job->cluster)) continue;
    for (Task& task : job->tasks) {
      const bool has_event =
          task.state == Task::State::pending || task.state == Task::State::running;
      if (!has_event || task.is_held || to < task.due) continue;
      if (away.contains(task.cluster)) continue;
      if (next.task == nullptr || task.due < next.task->due) next = {job.get(), &task};
    }
  }
  return next;
}

void Slurm::advance(Instant to) {
  for (Due due = next_due(to); due.task != nullptr; due = next_due(to)) {
    now_ = std::max(now_, whole_second(due.task->due));
    happen(*due.job, *due.task);
  }
  now_ = std::max(now_, whole_second(to));
  accounting_.advance(to);
}

void Slurm::happen(Job& job, Task& task) {
  if (task.state == Task::State::running) {
    Fate fate = task.fate;
    if (longest_seconds(task) <= fate.after_seconds) fate = {"TIMEOUT", 0, false};
    const std::int64_t work = std::min(task.fate.after_seconds, longest_seconds(task));
    if (task.limit_minutes * 60 < work) count("a run goes beyond its limit");
    return end(job, task, fate);
  }
  if (task.fate.state.starts_with("CANCELLED")) return cancel_task(job, task);
  const auto running = std::count_if(job.tasks.begin(), job.tasks.end(), [](const Task& other) {
    return other.state == Task::State::running || other.state == Task::State::suspended;
  });
  if (job.request.at_once > 0 && job.request.at_once <= running) {
    task.due = now_ + seconds(60);
    return;
  }
  start(job, task);
}

void Slurm::wait_for_start(Task& task) {
  const std::int64_t kind = chance_.below(20);
  std::int64_t wait = 1 + chance_.below(120);
  if (kind < 8) wait = 60 + chance_.below(7'200);
  if (kind == 0) wait = 86'400 + chance_.below(8 * 86'400);
  const bool is_for_weeks = chance_.one_in(9);
  if (is_for_weeks) wait = 14 * 86'400 + chance_.below(2 * 86'400);
  task.eligible = task.submit;
  if (is_for_weeks && chance_.one_in(2)) {
    task.eligible = task.submit + seconds(wait);  // --begin
  } else if (is_for_weeks || kind == 0) {
    task.eligible.reset();  // held, or it depends on another job
    count("a job waits for days");
  }
  task.due = task.submit + seconds(wait);
  task.fate = {};
  if (chance_.one_in(12)) task.fate.state = "CANCELLED by 1000";
}

Fate Slurm::fate_of(const Task& task) {
  const std::int64_t limit = task.limit_minutes * 60;
  Fate fate{"COMPLETED", 1 + chance_.below(limit), false};
  switch (chance_.below(16)) {
    case 0:
      fate.after_seconds = limit + (task.job_id % 2 == 0 ? 300 : 900);
      break;
    case 1:
      fate.state = "FAILED";
      break;
    case 2:
      fate.state = "OUT_OF_MEMORY";
      break;
    case 3:
      fate = {"NODE_FAIL", fate.after_seconds, chance_.below(4) > 0};
      break;
    case 4:
      fate = {"PREEMPTED", fate.after_seconds, chance_.below(4) > 0};
      break;
    case 5:
      fate = {"BOOT_FAIL", 1 + chance_.below(300), true};
      break;
    case 6:
      fate = {"COMPLETED", 1 + chance_.below(5), false};
      break;
    default:
      break;
  }
  return fate;
}

bool Slurm::is_id_in_use(const std::string& cluster, std::int64_t id) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& job) {
    if (job->cluster != cluster || job->is_forgotten) return false;
    return std::any_of(job->tasks.begin(), job->tasks.end(), [&](const Task& task) {
      const bool is_known = job->is_alive() || now_ <= task.shown_until + shown_after_end;
      return is_known && (job->id == id || job->het_id == id || task.job_id == id);
    });
  });
}

// Ids come back, but not while slurmctld still knows the job that has them.
std::int64_t Slurm::take_id(const std::string& cluster) {
  Controller& controller = controllers_.at(cluster);
  for (std::int64_t tried = 1;; ++tried) {
    const std::int64_t id = controller.next_id++;
    if (controller.first_id + controller.ids <= controller.next_id) {
      controller.next_id = controller.first_id;
      count("job ids begin anew");
    }
    if (!is_id_in_use(cluster, id)) return id;
    if (tried % controller.ids == 0) controller.ids += 20;
  }
}

Job& Slurm::submit(const std::string& cluster, const Request& request, const std::string& token,
                   const std::string& comment, std::int64_t het_id, std::int64_t het_offset) {
  const std::int64_t id = take_id(cluster);
  Job& job = *jobs_.emplace_back(std::make_unique<Job>());
  job.number = static_cast<std::int64_t>(jobs_.size());
  job.cluster = cluster;
  job.id = id;
  job.het_id = het_id < 0 ? job.id : het_id;
  job.het_offset = het_offset;
  job.token = token;
  job.comment = comment;
  job.request = request;
  // slurmctld requeues all components together; these start and end each by itself.
  if (job.het_id != 0) job.request.may_requeue = false;
  job.submit = now_;
  job.accounts = {request.account};
  std::vector<std::int64_t> indices = request.tasks;
  if (indices.empty()) indices = {-1};
  for (const std::int64_t index : indices) {
    Task& task = job.tasks.emplace_back();
    task.index = index;
    task.job_id = request.tasks.empty() ? job.id : 0;
    if (!request.is_federated) task.cluster = cluster;
    task.account = request.account;
    task.partition = request.partition;
    task.limit_minutes = request.limit_minutes;
    task.submit = now_;
    wait_for_start(task);
  }
  if (job.is_array()) {
    tell_rest(job, Accounting::Part::first, "PENDING");
  } else {
    tell(job, job.tasks.front(), Accounting::Part::first);
  }
  return job;
}

// The last one takes the array's own id.
void Slurm::split_off(Job& job, Task& task) {
  if (has_row(task)) return;
  const auto waiting = std::count_if(job.tasks.begin(), job.tasks.end(), [](const Task& other) {
    return !has_row(other) && other.state == Task::State::pending;
  });
  task.job_id = waiting == 1 ? job.id : take_id(job.cluster);
  if (waiting > 1) tell_rest(job, Accounting::Part::first, "PENDING");
}

void Slurm::start(Job& job, Task& task) {
  split_off(job, task);
  if (task.cluster.empty()) {
    task.cluster = job.cluster;
    const std::string other = other_cluster(job.cluster);
    if (may_act(other) && chance_.one_in(2)) task.cluster = other;
    tell_loser(job, task);
    count(task.cluster == job.cluster ? "the origin runs a federated job"
                                      : "a sibling runs a federated job");
  }
  if (!task.eligible) task.eligible = now_;
  const Run* before = task.runs.empty() ? nullptr : &task.runs.back();
  if (before != nullptr && before->cluster != task.cluster) count("requeued to another cluster");
  if (task.submit + weeks < now_) count("a job that waited for weeks starts");
  task.state = Task::State::running;
  task.started_at = now_;
  task.suspended_seconds = task.suspended_before = 0;
  task.fate = fate_of(task);
  Run run;
  run.cluster = task.cluster;
  run.account = task.account;
  run.partition = task.partition;
  run.cpus = job.request.cpus;
  run.gpus = job.request.gpus;
  run.job_id = task.job_id;
  run.submit = task.submit;
  run.start = run.shown_start = now_;
  task.runs.push_back(run);
  task.due = end_of(task);
  tell(job, task, Accounting::Part::start);
}

void Slurm::end(Job& job, Task& task, const Fate& fate) {
  Run& run = task.runs.back();
  if (task.suspended_at) count("ended while it was suspended");
  // slurmctld takes the end of one that is cancelled while it is suspended for when it was.
  run.end = std::exchange(task.suspended_at, std::nullopt).value_or(now_);
  run.over_at = now_;
  run.elapsed_seconds = std::max<std::int64_t>(
      0, run.end->unix_seconds() - run.start.unix_seconds() - task.suspended_seconds);
  run.state = fate.state;
  task.state = Task::State::ended;
  task.last_state = fate.state;
  task.shown_until = now_ + shown_after_end;
  count("a run ends: " + fate.state.substr(0, fate.state.find(' ')));
  note_(task.cluster + " job " + std::to_string(task.job_id) + ": " + fate.state + " after " +
        std::to_string(run.elapsed_seconds) + " s");
  tell(job, task, Accounting::Part::end);
  if (!fate.is_requeued || !job.request.may_requeue) return;
  count("requeued: " + fate.state);
  wait_again(job, task);
}

// Of a federation's job any cluster may have the next run.
void Slurm::wait_again(Job& job, Task& task) {
  task.state = Task::State::pending;
  task.submit = std::max(now_, task.runs.back().submit + seconds(1));
  ++task.restarts;
  if (job.request.is_federated && may_act(job.cluster)) task.cluster.clear();
  wait_for_start(task);
  tell(job, task, Accounting::Part::first);
}

void Slurm::end_waiting(Job& job, Task& task, const std::string& state) {
  task.state = Task::State::ended;
  task.last_state = state;
  task.shown_until = now_ + shown_after_end;
  tell(job, task, Accounting::Part::end);
  count("cancelled before it started");
}

void Slurm::cancel_task(Job& job, Task& task) {
  if (task.state == Task::State::pending && has_row(task)) {
    return end_waiting(job, task, "CANCELLED by 1000");
  }
  if (task.state != Task::State::pending) return end(job, task, {"CANCELLED by 1000", 0, false});
  const auto waiting = std::count_if(job.tasks.begin(), job.tasks.end(), [](const Task& other) {
    return !has_row(other) && other.state == Task::State::pending;
  });
  if (waiting == 1) {
    task.job_id = job.id;
    return end_waiting(job, task, "CANCELLED by 1000");
  }
  task.state = Task::State::gone;
  tell_rest(job, Accounting::Part::first, "PENDING");
  count("a task is cancelled without a record");
}

void Slurm::cancel_rest(Job& job) {
  if (!job.is_array() || task_list(job).empty()) return;
  tell_rest(job, Accounting::Part::end, "CANCELLED by 1000");
  count("the rest of an array is cancelled in one record");
  job.rest_shown_until = now_ + shown_after_end;
  for (Task& task : job.tasks) {
    if (has_row(task) || !task.is_alive()) continue;
    task.state = Task::State::ended;
    task.shown_until = now_;
  }
}

void Slurm::cancel(Job& job) {
  cancel_rest(job);
  for (Task& task : job.tasks) {
    if (task.is_alive()) cancel_task(job, task);
  }
}

void Slurm::requeue(Job& job, Task& task) {
  if (!job.request.may_requeue) return;
  if (task.state == Task::State::running) return end(job, task, {"REQUEUED", 0, true});
  if (task.state != Task::State::ended || !task.has_nodes() || task.shown_until <= now_) return;
  count("requeued after its end");
  task.runs_after_end = true;
  wait_again(job, task);
}

void Slurm::requeue_held(Job& job, Task& task) {
  requeue(job, task);
  task.is_held = true;
}

void Slurm::release(Task& task, Instant now) {
  task.is_held = false;
  task.due = std::max(task.due, now + seconds(1));
}

void Slurm::move(Job& job, Task& task, const std::string& partition) {
  job.is_changed = true;
  task.partition = partition;
}

void Slurm::end_soon(Task& task) {
  if (task.state != Task::State::running) return;
  task.fate = {"COMPLETED", now_.unix_seconds() - task.started_at.unix_seconds() + 60, false};
  task.due = std::max(now_, end_of(task));
}

void Slurm::suspend(Job& job, Task& task) {
  if (task.state != Task::State::running) return;
  task.state = Task::State::suspended;
  task.suspended_at = now_;
  count("suspended");
  note_(task.cluster + " job " + std::to_string(job.id) + " is suspended");
}

void Slurm::resume(Job& job, Task& task) {
  if (task.state != Task::State::suspended) return;
  task.suspended_seconds += now_.unix_seconds() - task.suspended_at->unix_seconds();
  task.suspended_at.reset();
  task.state = Task::State::running;
  task.due = end_of(task);
  note_(task.cluster + " job " + std::to_string(job.id) + " goes on");
}

void Slurm::set_limit(Job& job, std::int64_t minutes) {
  job.is_changed = true;
  for (Task& task : job.tasks) {
    if (!task.is_alive()) continue;
    task.limit_minutes = minutes;
    if (task.state == Task::State::running) task.due = std::max(now_, end_of(task));
  }
}

void Slurm::set_account(Job& job, const std::string& account) {
  job.is_changed = true;
  job.accounts.insert(account);
  for (Task& task : job.tasks) {
    if (task.state == Task::State::pending) task.account = account;
  }
}

// slurmdbd keeps a row for each size; the later one starts with the job.
void Slurm::resize(Job& job, Task& task, std::int64_t cpus) {
  if (task.state != Task::State::running || now_ <= task.runs.back().submit) return;
  Run& before = task.runs.back();
  before.end = before.over_at = now_;
  before.elapsed_seconds =
      now_.unix_seconds() - before.start.unix_seconds() - task.suspended_seconds;
  before.state = "RESIZING";
  task.last_state = "RESIZING";
  tell(job, task, Accounting::Part::end);
  Run after = before;
  after.end.reset();
  after.elapsed_seconds = 0;
  after.cpus = cpus;
  after.submit = after.start = now_;
  task.suspended_before += std::exchange(task.suspended_seconds, 0);
  task.runs.push_back(after);
  job.is_changed = true;
  tell(job, task, Accounting::Part::start);
  count("resized");
}

void Slurm::hurry() {
  for (const auto& job : jobs_) {
    for (Task& task : job->tasks) {
      if (task.state == Task::State::suspended) resume(*job, task);
      if (task.state != Task::State::pending) continue;
      task.is_held = false;
      task.due = std::min(task.due, now_ + seconds(60));
    }
  }
}

bool Slurm::forget_last(const std::string& cluster) {
  constexpr Span lost = seconds(600);
  constexpr Span restart = seconds(3);  // no id is given out again sooner
  std::int64_t first_lost = 0;
  const bool is_too_soon = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& job) {
    return job->cluster == cluster && now_ - restart < job->submit;
  });
  if (is_too_soon) return false;
  for (const auto& job : jobs_) {
    if (job->cluster != cluster || job->is_forgotten) continue;
    if (now_ - lost < job->submit) {
      if (first_lost == 0) first_lost = job->id;
      job->is_forgotten = true;
      note_(cluster + " has forgotten job " + std::to_string(job->id));
    }
  }
  if (first_lost == 0) return false;
  controllers_.at(cluster).next_id = first_lost;
  count("a controller loses its state");
  return true;
}

bool Slurm::correct(Job& job, Run& run) {
  constexpr std::int64_t longer_seconds = 600;
  const bool is_last_of_its_size = run.state != "RESIZING" && run.shown_start == run.start;
  if (!run.end || !is_last_of_its_size || run.corrected_seconds != 0 ||
      !accounting_.correct(run.cluster, run.job_id, run.submit, seconds(longer_seconds))) {
    return false;
  }
  run.corrected_seconds = longer_seconds;
  note_("a person corrects the record of " + run.cluster + " job " + std::to_string(job.id));
  return true;
}

}  // namespace asbb::simulation
