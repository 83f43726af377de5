#include "service/shapes.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "slurm/slurm_text.h"

namespace asbb::service {
namespace {

static_assert(api::unlimited == slurm::unlimited);

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

pricing::TimeLimit time_limit_of(std::int64_t minutes) {
  return minutes == slurm::unlimited ? pricing::TimeLimit{0, true}
                                     : pricing::TimeLimit{minutes, false};
}

std::optional<pricing::TimeLimit> time_limit_of(std::optional<std::int64_t> minutes) {
  if (!minutes) return std::nullopt;
  return time_limit_of(*minutes);
}

// Empty for UNLIMITED.
std::optional<std::int64_t> bounded(std::int64_t value) {
  if (value == slurm::unlimited) return std::nullopt;
  return value;
}

template <typename T>
std::optional<T> first_of(const std::optional<T>& narrow, const std::optional<T>& wide) {
  return narrow ? narrow : wide;
}

pricing::NodeShape node_shape_of(const slurm::NodeInfo& node) {
  pricing::NodeShape shape;
  shape.cpus = node.cpus;
  shape.sockets = node.sockets;
  shape.cores_per_socket = node.cores_per_socket;
  shape.threads_per_core = node.threads_per_core;
  shape.memory_mb = node.memory_mb;
  for (const slurm::Gres& gres : node.gres) {
    if (gres.name == "gpu") shape.gpus_by_type[lower(gres.type)] += gres.count;
  }
  shape.features = node.features;
  return shape;
}

bool is_less(const pricing::NodeShape& a, const pricing::NodeShape& b) {
  const auto key = [](const pricing::NodeShape& n) {
    return std::tie(n.cpus, n.sockets, n.cores_per_socket, n.threads_per_core, n.memory_mb,
                    n.gpus_by_type, n.features);
  };
  return key(a) < key(b);
}

std::vector<pricing::NodeShape> grouped_nodes(const slurm::ClusterSnapshot& cluster,
                                              const slurm::PartitionInfo& partition) {
  std::vector<pricing::NodeShape> single;
  for (const slurm::NodeInfo* node : cluster.nodes_of(partition)) {
    single.push_back(node_shape_of(*node));
  }
  std::sort(single.begin(), single.end(), is_less);
  std::vector<pricing::NodeShape> grouped;
  for (pricing::NodeShape& node : single) {
    if (!grouped.empty() && !is_less(grouped.back(), node)) {
      ++grouped.back().count;
    } else {
      grouped.push_back(std::move(node));
    }
  }
  return grouped;
}

// "gres/gpu:a100" -> "a100".
std::vector<std::string> recorded_gpu_types(const std::string& accounting_tres) {
  constexpr std::string_view start = "gres/gpu:";
  std::vector<std::string> types;
  for (const std::string_view name : slurm::split(accounting_tres, ',')) {
    if (name.starts_with(start)) types.push_back(lower(name.substr(start.size())));
  }
  return types;
}

bool hands_out_threads(const slurm::ClusterSnapshot& cluster,
                       const slurm::PartitionInfo& partition) {
  const std::string& parameters = partition.select_type_parameters.empty()
                                      ? cluster.select_type_parameters
                                      : partition.select_type_parameters;
  for (const std::string_view word : slurm::split(parameters, ',')) {
    if (word == "CR_CPU" || word == "CR_CPU_MEMORY") return true;
  }
  return false;
}

void set_memory(pricing::PartitionShape& shape, const slurm::MemoryLimits& cluster,
                const slurm::MemoryLimits& partition) {
  const bool has_default = partition.default_per_cpu_mb || partition.default_per_node_mb;
  const bool has_max = partition.max_per_cpu_mb || partition.max_per_node_mb;
  const slurm::MemoryLimits& defaults = has_default ? partition : cluster;
  const slurm::MemoryLimits& maxima = has_max ? partition : cluster;
  shape.default_memory_per_cpu_mb = defaults.default_per_cpu_mb;
  shape.default_memory_per_node_mb = defaults.default_per_node_mb;
  shape.max_memory_per_cpu_mb = maxima.max_per_cpu_mb;
  shape.max_memory_per_node_mb = maxima.max_per_node_mb;
  shape.default_cpus_per_gpu = first_of(partition.default_cpus_per_gpu,
                                        cluster.default_cpus_per_gpu);
  shape.default_memory_per_gpu_mb = first_of(partition.default_per_gpu_mb,
                                             cluster.default_per_gpu_mb);
}

}  // namespace

Result<pricing::JobRequest> job_request_of(const api::Submission& submission) {
  pricing::JobRequest request;
  request.num_tasks = submission.num_tasks;
  request.cpus_per_task = submission.cpus_per_task;
  request.min_cpus = submission.min_cpus;
  request.max_cpus = submission.max_cpus;
  request.min_cpus_per_node = submission.min_cpus_per_node;
  request.min_nodes = submission.min_nodes;
  request.max_nodes = submission.max_nodes;
  request.ntasks_per_node = submission.ntasks_per_node;
  request.ntasks_per_socket = submission.ntasks_per_socket;
  request.ntasks_per_core = submission.ntasks_per_core;
  request.ntasks_per_board = submission.ntasks_per_board;
  request.ntasks_per_tres = submission.ntasks_per_tres;
  request.threads_per_core = submission.threads_per_core;
  request.core_spec = first_of(submission.core_spec, submission.thread_spec);
  request.memory_per_node_mb = submission.memory_per_node_mb;
  request.memory_per_cpu_mb = submission.memory_per_cpu_mb;
  request.tres_per_job = submission.tres_per_job;
  request.tres_per_node = submission.tres_per_node;
  request.tres_per_socket = submission.tres_per_socket;
  request.tres_per_task = submission.tres_per_task;
  request.mem_per_tres = submission.mem_per_tres;
  request.cpus_per_tres = submission.cpus_per_tres;
  request.features = submission.features;
  request.array = submission.array;
  request.exclusive = submission.shared && *submission.shared != 1;
  request.overcommit = submission.overcommit.value_or(false);
  request.time_limit = time_limit_of(submission.time_limit_minutes);
  request.time_min = time_limit_of(submission.time_min_minutes);
  if (!submission.req_nodes.empty()) {
    const auto nodes = slurm::expand_hostlist(submission.req_nodes);
    if (!nodes) return fail(ErrorKind::invalid, nodes.error().message, "req_nodes");
    request.required_nodes = static_cast<std::int64_t>(nodes->size());
  }
  return request;
}

pricing::PartitionShape partition_shape_of(const slurm::ClusterSnapshot& cluster,
                                           const slurm::PartitionInfo& partition) {
  pricing::PartitionShape shape;
  shape.cluster = lower(cluster.cluster);
  shape.name = partition.name;
  shape.default_time = time_limit_of(partition.default_time_minutes);
  if (const auto most = bounded(partition.max_time_minutes)) shape.max_time = time_limit_of(*most);
  shape.over_time_limit =
      time_limit_of(partition.over_time_limit_minutes.value_or(cluster.over_time_limit_minutes));
  shape.exclusive =
      partition.over_subscribe == slurm::OverSubscribe::exclusive || partition.exclusive_user;
  shape.whole_cores = !hands_out_threads(cluster, partition);
  shape.min_nodes = partition.min_nodes;
  shape.max_nodes = bounded(partition.max_nodes);
  set_memory(shape, cluster.memory, partition.memory);
  shape.nodes = grouped_nodes(cluster, partition);
  shape.max_array_size = cluster.max_array_size;
  shape.recorded_gpu_types = recorded_gpu_types(cluster.accounting_storage_tres);
  return shape;
}

SharedShape ShapeCache::shape(const std::shared_ptr<const slurm::ClusterSnapshot>& cluster,
                              std::string_view partition) {
  const slurm::PartitionInfo* known = cluster->partition(partition);
  if (known == nullptr) return nullptr;
  const std::lock_guard lock(mutex_);
  Cluster& cached = clusters_[cluster->cluster];
  if (cached.snapshot != cluster) {
    cached.snapshot = cluster;
    cached.shapes.clear();
  }
  SharedShape& shape = cached.shapes[known->name];
  if (!shape) {
    shape =
        std::make_shared<const pricing::PartitionShape>(partition_shape_of(*cluster, *known));
  }
  return shape;
}

}  // namespace asbb::service
