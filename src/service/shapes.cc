#include "service/shapes.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "base/text.h"
#include "slurm/slurm_text.h"

namespace asbb::service {
namespace {

std::optional<pricing::TimeLimit> time_limit(std::optional<std::int64_t> minutes) {
  if (!minutes) return std::nullopt;
  if (*minutes == api::unlimited || *minutes == slurm::unlimited)
    return pricing::TimeLimit{0, true};
  return pricing::TimeLimit{*minutes, false};
}

std::optional<std::int64_t> bounded(std::int64_t count) {
  if (count == slurm::unlimited) return std::nullopt;
  return count;
}

template <typename Value>
std::optional<Value> first_set(const std::optional<Value>& own, const std::optional<Value>& other) {
  return own ? own : other;
}

pricing::NodeShape node_shape(const slurm::NodeInfo& node) {
  pricing::NodeShape shape;
  shape.cpus = node.cpus_effective > 0 ? node.cpus_effective : node.cpus;
  shape.sockets = node.sockets * node.boards;
  shape.cores_per_socket = node.cores_per_socket;
  shape.threads_per_core = node.threads_per_core;
  shape.memory_mb = node.memory_mb - node.memory_reserved_mb;
  for (const slurm::Gres& gres : node.gres) {
    if (gres.name == "gpu") shape.gpus_by_type[to_lower(gres.type)] += gres.count;
  }
  shape.features = node.features;
  return shape;
}

auto traits_of(const pricing::NodeShape& shape) {
  return std::tie(shape.cpus, shape.sockets, shape.cores_per_socket, shape.threads_per_core,
                  shape.memory_mb, shape.gpus_by_type, shape.features);
}

// A place for a node that is not there yet: no job gets it.
bool is_future(const slurm::NodeInfo& node) {
  const std::string_view state = node.state;
  return state.substr(0, state.find_first_of("+*")) == "FUTURE";
}

// Names in the partition's list that have no record.
std::int64_t hidden_nodes(const slurm::ClusterSnapshot& cluster,
                          const slurm::PartitionInfo& partition) {
  std::unordered_set<std::string_view> known;
  for (const slurm::NodeInfo& node : cluster.nodes) known.insert(node.name);
  return std::count_if(partition.nodes.begin(), partition.nodes.end(),
                       [&](const std::string& name) { return known.count(name) == 0; });
}

std::vector<pricing::NodeShape> node_shapes(const slurm::ClusterSnapshot& cluster,
                                            const slurm::PartitionInfo& partition) {
  std::vector<pricing::NodeShape> shapes;
  for (const slurm::NodeInfo* node : cluster.nodes_of(partition)) {
    if (is_future(*node)) continue;
    pricing::NodeShape shape = node_shape(*node);
    const auto alike = std::find_if(shapes.begin(), shapes.end(), [&](const auto& known) {
      return traits_of(known) == traits_of(shape);
    });
    if (alike == shapes.end()) {
      shapes.push_back(std::move(shape));
    } else {
      ++alike->count;
    }
  }
  return shapes;
}

// Types that Slurm records one by one: "gres/gpu:a100" in AccountingStorageTRES.
std::vector<std::string> recorded_gpu_types(const std::string& storage_tres) {
  constexpr std::string_view prefix = "gres/gpu:";
  std::vector<std::string> types;
  for (const std::string_view word : split(storage_tres, ',')) {
    if (word.starts_with(prefix)) types.push_back(to_lower(word.substr(prefix.size())));
  }
  return types;
}

bool contains(const std::string& parameters, const char* word) {
  for (const std::string_view known : split(parameters, ',')) {
    if (known == word) return true;
  }
  return false;
}

}  // namespace

pricing::JobRequest job_request(const api::Submission& submission) {
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
  request.core_spec = first_set(submission.core_spec, submission.thread_spec);
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
  request.exclusive = submission.shared == 0;
  request.overcommit = submission.overcommit.value_or(false);
  request.spread_job = submission.spread_job.value_or(false);
  request.enforce_binding = submission.enforce_binding.value_or(false);
  request.time_limit = time_limit(submission.time_limit_minutes);
  request.time_min = time_limit(submission.time_min_minutes);
  return request;
}

pricing::PartitionShape partition_shape(const slurm::ClusterSnapshot& cluster,
                                        const slurm::PartitionInfo& partition) {
  pricing::PartitionShape shape;
  shape.cluster = to_lower(cluster.cluster);
  shape.name = partition.name;
  shape.default_time = time_limit(partition.default_time_minutes);
  if (partition.max_time_minutes != slurm::unlimited) {
    shape.max_time = time_limit(partition.max_time_minutes);
  }
  shape.over_time_limit =
      time_limit(partition.over_time_limit_minutes.value_or(cluster.over_time_limit_minutes));
  // select/linear hands out whole nodes only, and knows no partition's own parameters.
  const bool is_linear = cluster.select_type == "select/linear";
  shape.exclusive = is_linear || partition.over_subscribe == slurm::OverSubscribe::exclusive;
  const std::string& select = is_linear || partition.select_type_parameters.empty()
                                  ? cluster.select_type_parameters
                                  : partition.select_type_parameters;
  shape.whole_cores = !contains(select, "CR_CPU") && !contains(select, "CR_CPU_MEMORY");
  shape.whole_sockets = contains(select, "CR_SOCKET") || contains(select, "CR_SOCKET_MEMORY");
  shape.one_task_per_core = contains(select, "CR_ONE_TASK_PER_CORE");
  shape.memory_allocated = select.find("MEMORY") != std::string::npos;
  if (partition.min_nodes > 0) shape.min_nodes = partition.min_nodes;
  shape.max_nodes = bounded(partition.max_nodes);
  const slurm::MemoryLimits& own = partition.memory;
  const slurm::MemoryLimits& all = cluster.memory;
  const bool own_default = own.default_per_cpu_mb || own.default_per_node_mb;
  const bool own_max = own.max_per_cpu_mb || own.max_per_node_mb;
  shape.default_memory_per_cpu_mb = own_default ? own.default_per_cpu_mb : all.default_per_cpu_mb;
  shape.default_memory_per_node_mb =
      own_default ? own.default_per_node_mb : all.default_per_node_mb;
  shape.max_memory_per_cpu_mb = own_max ? own.max_per_cpu_mb : all.max_per_cpu_mb;
  shape.max_memory_per_node_mb = own_max ? own.max_per_node_mb : all.max_per_node_mb;
  shape.default_cpus_per_gpu = first_set(own.default_cpus_per_gpu, all.default_cpus_per_gpu);
  shape.default_memory_per_gpu_mb = first_set(own.default_per_gpu_mb, all.default_per_gpu_mb);
  shape.nodes = node_shapes(cluster, partition);
  shape.hidden_nodes = hidden_nodes(cluster, partition);
  shape.max_array_size = cluster.max_array_size;
  shape.recorded_gpu_types = recorded_gpu_types(cluster.accounting_storage_tres);
  return shape;
}

}  // namespace asbb::service
