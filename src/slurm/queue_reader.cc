#include "slurm/queue_reader.h"

#include <cstdint>

#include "base/slurm_units.h"
#include "base/text.h"
#include "slurm/delimited.h"

namespace asbb::slurm {
namespace {

enum Column : std::size_t {
  job_id,
  array_job_id,
  array_task_id,
  het_job_id,
  het_job_offset,
  het_job_ids,
  user_id,
  user_name,
  account,
  partition,
  qos,
  state,
  reason,
  submit_time,
  eligible_time,
  start_time,
  end_time,
  time_limit,
  node_count,
  cpu_count,
  node_list,
  tres,
  min_memory,
  restart_count,
  origin,
  siblings,
  cluster,
  admin_comment,
  column_count
};

constexpr std::int64_t memory_max_mb = 1'000'000'000'000;

// In the order of Column; names as squeue(1) --Format has them.
const std::vector<std::string_view> column_names{
    "JobID",    "ArrayJobID",     "ArrayTaskID",  "HetJobID",     "HetJobOffset", "HetJobIDSet",
    "UserID",   "UserName",       "Account",      "Partition",    "QOS",          "State",
    "Reason",   "SubmitTime",     "EligibleTime", "StartTime",    "EndTime",      "TimeLimit",
    "NumNodes", "NumCPUs",        "NodeList",     "tres-alloc",   "MinMemory",    "RestartCnt",
    "Origin",   "SiblingsViable", "Cluster",      "admin_comment"};

void read_array(FieldReader& reader, QueueJob& job) {
  const std::string task = reader.text(array_task_id);
  if (task.empty()) {
    return;
  }
  job.array_job_id = reader.count(array_job_id);
  const auto number = parse_count(task);
  if (number && job.status.base != JobState::pending) {
    job.array_task_id = number;
  } else if (number) {
    // A pending task alone: either split off, or the rest of the array is this one task.
    if (job.job_id == job.array_job_id) {
      job.array_tasks = task;
    } else {
      job.array_task_id = number;
    }
  } else {
    job.array_tasks = task;
  }
}

std::vector<std::string> names(const std::string& text) {
  std::vector<std::string> result;
  if (!text.empty()) {
    for (const std::string_view name : split(text, ',')) {
      result.emplace_back(name);
    }
  }
  return result;
}

QueueJob read_job(FieldReader& reader) {
  QueueJob job;
  job.cluster = reader.text(cluster);
  job.job_id = reader.count(job_id);
  job.status = parse_job_status(reader.raw_text(state));
  read_array(reader, job);
  job.het_job_id = reader.optional_count(het_job_id);
  job.het_job_offset = reader.optional_count(het_job_offset);
  job.het_job_ids = reader.text(het_job_ids);
  job.user_id = reader.user_id(user_id);
  job.user = reader.text(user_name);
  job.account = reader.text(account);
  job.partition = reader.text(partition);
  job.qos = reader.text(qos);
  job.state_reason = reader.text(reason);
  job.submit = reader.time(submit_time);
  job.eligible = reader.optional_time(eligible_time);
  job.start = reader.optional_time(start_time);
  job.end = reader.optional_time(end_time);
  job.time_limit_minutes = reader.limit_minutes(time_limit);
  job.node_count = reader.optional_count(node_count);
  job.cpus = reader.optional_count(cpu_count);
  job.nodes = reader.text(node_list);
  // squeue prints what is allocated, and what was requested while nothing is.
  (job.nodes.empty() ? job.requested_tres : job.allocated_tres) = reader.text(tres);
  job.min_memory_mb = parse_slurm_memory_mb(reader.text(min_memory), memory_max_mb);
  job.restart_count = reader.optional_count(restart_count);
  job.federation_origin = reader.text(origin);
  job.federation_siblings = names(reader.text(siblings));
  job.admin_comment = reader.text(admin_comment);
  return job;
}

}  // namespace

std::vector<std::string> queue_arguments(const std::string& separator) {
  static_assert(column_count == 28);
  std::string format;
  for (const std::string_view name : column_names) {
    // No width: the whole text.
    format += (format.empty() ? "" : ",") + std::string(name) + ":" + separator;
  }
  return {"squeue",      "--noheader",        "--all", "--local", "--states=all",
          "--noconvert", "--Format=" + format};
}

void read_queue(std::string_view text, std::string_view separator, QueueList& list) {
  auto cut = cut_records(text, separator, column_count);
  list.problems.insert(list.problems.end(), cut.problems.begin(), cut.problems.end());
  list.jobs.reserve(list.jobs.size() + cut.records.size());
  for (const auto& fields : cut.records) {
    FieldReader reader(fields, column_names);
    QueueJob job = read_job(reader);
    if (job.cluster.empty()) {
      job.cluster = list.cluster;
    }
    std::string problem = reader.problem();
    if (problem.empty() && job.cluster != list.cluster) {
      problem = "its cluster is " + in_quotes(job.cluster);
    }
    if (problem.empty()) {
      list.jobs.push_back(std::move(job));
    } else {
      list.problems.push_back("squeue on " + list.cluster + ", job " + in_quotes(fields[job_id]) +
                              ": " + problem + ".");
    }
  }
}

}  // namespace asbb::slurm
