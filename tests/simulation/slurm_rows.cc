// The simulated controller's jobs as squeue shows them and as slurmdbd is told of them.
#include <algorithm>

#include "service/hold_scope.h"
#include "simulation/slurm_model.h"

namespace asbb::simulation {
namespace {

// The plugin gives a sibling no token: the origin has it.
std::string comment_on(const Job& job, const std::string& cluster) {
  return cluster == job.cluster ? job.comment : "";
}

std::string tres_of(std::int64_t cpus, std::int64_t gpus) {
  const std::string count = std::to_string(cpus);
  std::string text = "cpu=" + count + ",mem=1000M,node=1,billing=" + count;
  if (gpus > 0) text += ",gres/gpu=" + std::to_string(gpus);
  return text;
}

slurm::QueueJob row_of_all(const Job& job, const Task& task, const std::string& cluster) {
  slurm::QueueJob row;
  row.cluster = cluster;
  row.user = job.request.user;
  row.user_id = job.request.user_id;
  row.het_job_id = job.het_id;
  row.het_job_offset = job.het_offset;
  row.account = task.account;
  row.partition = task.partition;
  row.time_limit_minutes = task.limit_minutes;
  row.submit = task.submit;
  row.eligible = task.eligible;
  row.restart_count = task.restarts;
  row.node_count = 1;
  row.cpus = job.request.cpus;
  row.min_memory_mb = 1000;
  row.admin_comment = comment_on(job, cluster);
  if (job.request.is_federated) {
    row.federation_origin = job.cluster;
    row.federation_siblings = {"onprem", "cloud"};
  }
  return row;
}

slurm::QueueJob row_of_task(const Job& job, const Task& task, const std::string& cluster) {
  slurm::QueueJob row = row_of_all(job, task, cluster);
  row.job_id = task.job_id;
  if (job.is_array()) {
    row.array_job_id = job.id;
    row.array_task_id = task.index;
  }
  const std::string tres = tres_of(job.request.cpus, job.request.gpus);
  std::string word = "PENDING";
  if (task.state == Task::State::running) word = "RUNNING";
  if (task.state == Task::State::suspended) word = "SUSPENDED";
  if (task.state == Task::State::ended) word = task.last_state;
  const bool is_loser = !task.cluster.empty() && task.cluster != cluster;
  if (is_loser) word = "REVOKED";
  row.status = slurm::parse_job_status(word);
  if (task.is_held) row.state_reason = "job requeued in held state";
  if (is_loser || !task.has_nodes()) {
    row.requested_tres = tres;
    // slurmctld writes down when the sibling started, as the loser's start and end.
    if (is_loser && task.has_nodes()) row.start = row.end = task.started_at;
    return row;
  }
  const Run& run = task.runs.back();
  row.cpus = run.cpus;
  row.start = task.started_at;
  row.end = task.started_at + seconds(task.limit_minutes * 60);
  row.nodes = "n1";
  row.allocated_tres = tres_of(run.cpus, run.gpus);
  return row;
}

bool is_in_rest(const Task& task) {
  return task.job_id == 0 && task.state == Task::State::pending;
}

}  // namespace

std::string task_list(const Job& job) {
  service::Tasks waiting;
  for (const Task& task : job.tasks) {
    if (is_in_rest(task)) waiting.push_back(task.index);
  }
  return service::text_of_tasks(waiting);
}

std::vector<slurm::QueueJob> queue_rows(const Job& job, const std::string& cluster, Instant now) {
  std::vector<slurm::QueueJob> rows;
  const bool may_be_there = job.request.is_federated || cluster == job.cluster;
  if (job.is_forgotten || !may_be_there) return rows;
  if (now < job.rest_shown_until) {
    slurm::QueueJob row = row_of_all(job, job.tasks.front(), cluster);
    row.job_id = job.id;  // it is of no array any more
    row.status = slurm::parse_job_status("CANCELLED");
    rows.push_back(std::move(row));
  }
  bool has_rest = false;
  for (const Task& task : job.tasks) {
    if (task.state == Task::State::gone) continue;
    if (task.state == Task::State::ended && task.shown_until <= now) continue;
    // The loser is told to drop the job; the origin keeps its record as long as it runs.
    const bool is_gone = !task.cluster.empty() && task.cluster != cluster && cluster != job.cluster;
    if (is_gone) continue;
    if (task.job_id != 0) {
      rows.push_back(row_of_task(job, task, cluster));
    } else if (!has_rest && is_in_rest(task)) {
      has_rest = true;
      slurm::QueueJob row = row_of_all(job, task, cluster);
      row.job_id = row.array_job_id = job.id;
      row.array_tasks = task_list(job);
      if (job.request.at_once > 0) row.array_tasks += "%" + std::to_string(job.request.at_once);
      row.status = slurm::parse_job_status("PENDING");
      row.requested_tres = tres_of(job.request.cpus, job.request.gpus);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

slurm::AccountingRecord record_of(const Job& job, const Task& task) {
  slurm::AccountingRecord row;
  row.cluster = task.cluster.empty() ? job.cluster : task.cluster;
  row.job_id = task.job_id;
  if (job.is_array()) {
    row.array_job_id = job.id;
    row.array_task_id = task.index;
  }
  row.het_job_id = job.het_id;
  row.het_job_offset = job.het_offset;
  row.user = job.request.user;
  row.user_id = job.request.user_id;
  row.account = task.account;
  row.partition = task.partition;
  row.submit = task.submit;
  row.eligible = task.eligible;
  row.time_limit_minutes = task.limit_minutes;
  row.requested_tres = tres_of(job.request.cpus, job.request.gpus);
  row.admin_comment = comment_on(job, row.cluster);
  if (!task.has_nodes()) return row;
  const Run& run = task.runs.back();
  row.submit = run.submit;
  row.start = run.shown_start;
  if (run.shown_start < run.submit) row.eligible = run.submit;  // of a later size
  row.nodes = "n1";
  row.node_count = 1;
  row.allocated_tres = tres_of(run.cpus, run.gpus);
  row.suspended_seconds = task.suspended_seconds;
  return row;
}

slurm::AccountingRecord rest_record_of(const Job& job) {
  const auto first = std::find_if(job.tasks.begin(), job.tasks.end(), is_in_rest);
  slurm::AccountingRecord row = record_of(job, *first);
  row.job_id = row.array_job_id = job.id;
  row.array_task_id.reset();
  row.array_tasks = task_list(job);
  if (job.request.at_once > 0) row.array_tasks += "%" + std::to_string(job.request.at_once);
  return row;
}

}  // namespace asbb::simulation
