#include "service/job_change.h"

#include <algorithm>
#include <span>

#include "base/money.h"
#include "base/slurm_units.h"
#include "base/text.h"
#include "service/hold_scope.h"

namespace asbb::service {
namespace {

using Text = std::string api::Submission::*;
using Number = std::optional<std::int64_t> api::Submission::*;

constexpr Text sizing_texts[] = {&api::Submission::features,      &api::Submission::prefer,
                                 &api::Submission::req_nodes,     &api::Submission::exc_nodes,
                                 &api::Submission::tres_per_job,  &api::Submission::tres_per_node,
                                 &api::Submission::tres_per_task, &api::Submission::tres_per_socket,
                                 &api::Submission::mem_per_tres,  &api::Submission::cpus_per_tres};
constexpr Text placing_texts[] = {&api::Submission::account, &api::Submission::partition,
                                  &api::Submission::qos, &api::Submission::clusters,
                                  &api::Submission::cluster_features};
constexpr Number sizes[] = {
    &api::Submission::min_nodes,         &api::Submission::max_nodes,
    &api::Submission::min_cpus,          &api::Submission::max_cpus,
    &api::Submission::min_cpus_per_node, &api::Submission::num_tasks,
    &api::Submission::cpus_per_task,     &api::Submission::ntasks_per_node,
    &api::Submission::ntasks_per_socket, &api::Submission::ntasks_per_core,
    &api::Submission::ntasks_per_board,  &api::Submission::ntasks_per_tres,
    &api::Submission::boards_per_node,   &api::Submission::sockets_per_board,
    &api::Submission::sockets_per_node,  &api::Submission::cores_per_socket,
    &api::Submission::threads_per_core,  &api::Submission::core_spec,
    &api::Submission::thread_spec,       &api::Submission::memory_per_node_mb,
    &api::Submission::memory_per_cpu_mb, &api::Submission::shared};

struct NamedText {
  std::string_view name;
  Text text;
};
constexpr NamedText clearable[] = {{"features", &api::Submission::features},
                                   {"req_nodes", &api::Submission::req_nodes},
                                   {"exc_nodes", &api::Submission::exc_nodes},
                                   {"clusters", &api::Submission::clusters},
                                   {"cluster_features", &api::Submission::cluster_features},
                                   {"tres_per_job", &api::Submission::tres_per_job},
                                   {"tres_per_node", &api::Submission::tres_per_node},
                                   {"tres_per_socket", &api::Submission::tres_per_socket},
                                   {"tres_per_task", &api::Submission::tres_per_task}};

constexpr std::int64_t memory_max_mb = 1'000'000'000'000;

std::string_view value_in(std::string_view tres, std::string_view name) {
  for (const std::string_view part : split(tres, ',')) {
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && part.substr(0, equals) == name) {
      return part.substr(equals + 1);
    }
  }
  return {};
}

// "1.50G" may be what was cut to two decimals.
std::int64_t cut_off_mb(std::string_view shown) {
  if (shown.find('.') == std::string_view::npos) return 0;
  if (shown.ends_with('T')) return 1'024 * 1'024 / 100 + 1;
  return shown.ends_with('G') ? 1'024 / 100 + 1 : 1;
}

// squeue shows the sum, maybe cut, and the exact size without saying of what: both tell.
struct Memory {
  std::int64_t sum_mb = 0;   // as shown, rounded up
  std::int64_t off_mb = 0;   // by which it may be off
  std::int64_t nodes = 1;    // of the sum
  std::int64_t each_mb = 0;  // 0: nothing that makes the sum
  bool is_per_cpu = false;
};

Memory memory_of(const slurm::QueueJob& job) {
  Memory memory;
  const std::string_view shown = value_in(shown_tres(job), "mem");
  memory.sum_mb = parse_slurm_memory_mb(shown, memory_max_mb).value_or(0);
  memory.off_mb = cut_off_mb(shown);
  memory.nodes =
      std::max<std::int64_t>(parse_count(value_in(shown_tres(job), "node")).value_or(0), 1);
  const std::int64_t each = job.min_memory_mb.value_or(0);
  const auto makes = [&](std::int64_t count) {
    const auto product = mul_div(each, count, 1, Rounding::up);
    return product && *product >= memory.sum_mb - memory.off_mb &&
           *product <= memory.sum_mb + memory.off_mb;
  };
  if (each == 0) return memory;
  memory.is_per_cpu = !makes(memory.nodes) && makes(job.cpus);
  if (memory.is_per_cpu || makes(memory.nodes)) memory.each_mb = each;
  return memory;
}

void take_memory(api::Submission& request, const slurm::QueueJob& job) {
  const Memory memory = memory_of(job);
  if (memory.sum_mb == 0) return;
  if (memory.is_per_cpu) {
    request.memory_per_cpu_mb = memory.each_mb;
  } else {
    request.memory_per_node_mb =
        memory.each_mb != 0 ? memory.each_mb : (memory.sum_mb + memory.nodes - 1) / memory.nodes;
  }
}

// "cpu=4,mem=4000M,node=1,billing=4,gres/gpu=2,gres/gpu:a100=2"
void take_gpus(api::Submission& request, const slurm::QueueJob& job) {
  std::string typed;
  std::string untyped;
  for (const std::string_view part : split(shown_tres(job), ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals);
    const std::string value(part.substr(equals + 1));
    if (name == "gres/gpu") untyped = "gres:gpu:" + value;
    if (name.starts_with("gres/gpu:")) {
      if (!typed.empty()) typed += ',';
      typed += "gres:gpu:" + std::string(name.substr(9)) + ":" + value;
    }
  }
  request.tres_per_job = typed.empty() ? untyped : typed;
}

void put_time(api::Submission& request, const api::JobChange& change,
              std::optional<Instant> start) {
  if (change.asked.time_limit_minutes) {
    request.time_limit_minutes = change.asked.time_limit_minutes;
  }
  if (change.asked.time_min_minutes) request.time_min_minutes = change.asked.time_min_minutes;
  if (change.end_time && start) {
    const std::int64_t seconds =
        std::max<std::int64_t>(*change.end_time - start->unix_seconds(), 0);
    request.time_limit_minutes = (seconds + 59) / 60;
  }
}

}  // namespace

std::optional<JobName> parse_job_name(const std::string& text) {
  const std::size_t mark = text.find_first_of("_+");
  const auto id = parse_count(std::string_view(text).substr(0, mark));
  if (!id || *id == 0) return std::nullopt;
  JobName name{*id, {}};
  if (mark == std::string::npos || text[mark] == '+') return name;
  std::string_view list = std::string_view(text).substr(mark + 1);
  if (list.starts_with('[') && list.ends_with(']')) list = list.substr(1, list.size() - 2);
  if (list == "*" || list.empty()) return name;
  const auto tasks = tasks_of_text(list);
  if (!tasks) return std::nullopt;
  name.tasks = text_of_tasks(*tasks);
  return name;
}

api::Submission submission_of(const slurm::QueueJob& job) {
  api::Submission request;
  request.cluster = job.cluster;
  request.slurm_version = "unknown";
  request.time_budget_ms = 1;
  request.submit_uid = request.user_id = job.user_id;
  request.qos = job.qos;
  if (job.node_count > 0) request.min_nodes = request.max_nodes = job.node_count;
  if (job.cpus > 0) request.min_cpus = job.cpus;
  for (const std::string& sibling : job.federation_siblings) {
    request.clusters += (request.clusters.empty() ? "" : ",") + sibling;
  }
  take_memory(request, job);
  take_gpus(request, job);
  follow(request, job);
  return request;
}

const std::string& shown_tres(const slurm::QueueJob& job) {
  return job.requested_tres.empty() ? job.allocated_tres : job.requested_tres;
}

std::int64_t least_memory_mb(const slurm::QueueJob& job) {
  const Memory memory = memory_of(job);
  if (memory.each_mb != 0) return memory.each_mb * (memory.is_per_cpu ? job.cpus : memory.nodes);
  return std::max<std::int64_t>(memory.sum_mb - memory.off_mb, 0);
}

slurm::QueueJob as_submitted(slurm::QueueJob row, const api::Submission& request) {
  if (request.time_limit_minutes) row.time_limit_minutes = *request.time_limit_minutes;
  if (!request.account.empty() && to_lower(request.account) != to_lower(row.account)) {
    row.account = request.account;
  }
  const auto sorted = [](const std::string& list) {
    auto names = split(list, ',');
    std::sort(names.begin(), names.end());
    return names;
  };
  if (!request.partition.empty() && sorted(request.partition) != sorted(row.partition)) {
    row.partition = request.partition;
  }
  return row;
}

void follow(api::Submission& request, const slurm::QueueJob& job) {
  request.time_limit_minutes = job.time_limit_minutes;
  request.account = job.account;
  if (is_pending(job) || request.partition.empty()) request.partition = job.partition;
}

bool touches_size(const api::JobChange& change) {
  const api::Submission& asked = change.asked;
  const auto has_text = [&](Text text) { return !(asked.*text).empty(); };
  const auto has_number = [&](Number number) { return (asked.*number).has_value(); };
  return !change.cleared.empty() || asked.overcommit || asked.contiguous ||
         std::any_of(std::begin(sizing_texts), std::end(sizing_texts), has_text) ||
         std::any_of(std::begin(sizes), std::end(sizes), has_number);
}

api::Submission with_change(api::Submission request, const api::JobChange& change,
                            std::optional<Instant> start) {
  const api::Submission& asked = change.asked;
  for (const std::string_view name : split(change.cleared, ',')) {
    for (const NamedText& text : clearable) {
      if (text.name == name) (request.*text.text).clear();
    }
  }
  using Texts = std::span<const Text>;
  for (const Texts texts : {Texts(sizing_texts), Texts(placing_texts)}) {
    for (const Text text : texts) {
      if (!(asked.*text).empty()) request.*text = asked.*text;
    }
  }
  // What a job that is known only by its size has in all is asked for anew.
  if (!asked.tres_per_node.empty() || !asked.tres_per_task.empty()) {
    request.tres_per_job = asked.tres_per_job;
  }
  if (asked.memory_per_node_mb) request.memory_per_cpu_mb.reset();
  if (asked.memory_per_cpu_mb) request.memory_per_node_mb.reset();
  for (const Number number : sizes) {
    if (asked.*number) request.*number = asked.*number;
  }
  if (asked.min_nodes && request.max_nodes.value_or(0) < *asked.min_nodes) {
    request.max_nodes = asked.min_nodes;
  }
  if (asked.min_cpus && request.max_cpus && *request.max_cpus < *asked.min_cpus) {
    request.max_cpus = asked.min_cpus;
  }
  if (asked.overcommit) request.overcommit = asked.overcommit;
  if (asked.contiguous) request.contiguous = asked.contiguous;
  put_time(request, change, start);
  return request;
}

}  // namespace asbb::service
