#include "pricing/job_size.h"

#include <algorithm>

#include "pricing/count.h"
#include "pricing/node_match.h"

namespace asbb::pricing {
namespace {

// A count, 0 where none was given; Slurm takes 0 for "not given" too.
std::int64_t given(const std::optional<std::int64_t>& value) {
  return value.value_or(0);
}

Memory default_memory(const PartitionShape& partition) {
  if (given(partition.default_memory_per_cpu_mb) > 0) {
    return {MemoryForm::per_cpu, *partition.default_memory_per_cpu_mb};
  }
  if (given(partition.default_memory_per_node_mb) > 0) {
    return {MemoryForm::per_node, *partition.default_memory_per_node_mb};
  }
  return {MemoryForm::all_of_node, 0};
}

// CPUs that a core of the node has: 1 where Slurm counts cores.
std::int64_t cpus_per_core(const NodeShape& node) {
  const std::int64_t cores = std::max<std::int64_t>(1, times(node.sockets, node.cores_per_socket));
  return std::max<std::int64_t>(1, divide_up(node.cpus, cores));
}

}  // namespace

std::int64_t total_gpus(const NodeShape& node) {
  std::int64_t sum = 0;
  for (const auto& [type, count] : node.gpus_by_type) sum = plus(sum, count);
  return sum;
}

JobSize::JobSize(const CheckedRequest& request, const PartitionShape& partition)
    : request_(request), asked_(request.asked), partition_(partition) {
  whole_ = partition_.exclusive || asked_.exclusive || given(asked_.core_spec) > 0;
  settle_memory();
  settle_cpus_per_task();
  shapes_ = matching_nodes(request_, partition_, cpus_per_node_);
  if (!shapes_.empty()) settle_nodes_and_tasks();
}

std::int64_t JobSize::cpus_per_gpu() const {
  std::int64_t largest = std::max(request_.cpus_per_gpu, given(partition_.default_cpus_per_gpu));
  for (const StickyDefaults& other : asked_.listed) {
    if (sticks(other)) largest = std::max(largest, given(other.cpus_per_gpu));
  }
  return largest;
}

// Whether Slurm may have tried the job there before it comes to this partition.
bool JobSize::sticks(const StickyDefaults& other) const {
  return other.cluster == partition_.cluster;
}

// The smallest MaxMemPerCPU of the partitions that the job names; 0 without one.
std::int64_t JobSize::least_memory_limit_per_cpu() const {
  std::int64_t least = given(partition_.max_memory_per_cpu_mb);
  for (const StickyDefaults& other : asked_.listed) {
    const std::int64_t limit = given(other.max_memory_per_cpu_mb);
    if (sticks(other) && limit > 0 && (least == 0 || limit < least)) least = limit;
  }
  return least;
}

// --mem-per-gpu counts only where no other memory was asked for.
void JobSize::settle_memory() {
  const std::int64_t per_gpu = request_.memory_per_gpu_mb > 0
                                   ? request_.memory_per_gpu_mb
                                   : given(partition_.default_memory_per_gpu_mb);
  if (given(asked_.memory_per_cpu_mb) > 0) {
    memory_ = {MemoryForm::per_cpu, *asked_.memory_per_cpu_mb};
  } else if (asked_.memory_per_node_mb) {
    const bool all = *asked_.memory_per_node_mb == 0;
    memory_ = {all ? MemoryForm::all_of_node : MemoryForm::per_node, *asked_.memory_per_node_mb};
  } else if (per_gpu > 0 && request_.wants_gpus()) {
    memory_ = {MemoryForm::per_gpu, per_gpu};
  } else {
    memory_ = default_memory(partition_);
    // DefMemPerGPU of another partition of the list takes the default away, which makes it all.
    for (const StickyDefaults& other : asked_.listed) {
      const bool is_default = given(other.memory_per_gpu_mb) > 0 && request_.wants_gpus();
      if (is_default && sticks(other)) memory_ = {MemoryForm::all_of_node, 0};
    }
  }
}

// MaxMemPerCPU makes Slurm raise the CPUs instead of refusing the memory.
void JobSize::settle_cpus_per_task() {
  const std::int64_t tasks_per_node = given(asked_.ntasks_per_node);
  const std::int64_t limit = least_memory_limit_per_cpu();
  cpus_per_task_ = std::max<std::int64_t>(1, given(asked_.cpus_per_task));
  if (limit > 0 && memory_.form == MemoryForm::per_cpu && memory_.mb > limit) {
    cpus_per_task_ = times(cpus_per_task_, divide_up(memory_.mb, limit));
    const std::int64_t own_limit = given(partition_.max_memory_per_cpu_mb);
    if (own_limit > 0) memory_.mb = divide_up(memory_.mb, divide_up(memory_.mb, own_limit));
  }
  cpus_per_node_ = std::max(
      {cpus_per_task_, times(cpus_per_task_, tasks_per_node), given(asked_.min_cpus_per_node)});
  const Memory checked = memory_.form == MemoryForm::per_gpu ? default_memory(partition_) : memory_;
  if (limit == 0 || checked.form == MemoryForm::per_cpu) return;
  std::int64_t largest = checked.mb;
  if (checked.form == MemoryForm::all_of_node) {
    for (const NodeShape& node : partition_.nodes) largest = std::max(largest, node.memory_mb);
  }
  cpus_per_node_ = std::max(cpus_per_node_, divide_up(largest, limit));
  if (tasks_per_node > 0) {
    cpus_per_task_ = std::max(cpus_per_task_, divide_up(cpus_per_node_, tasks_per_node));
    cpus_per_node_ = std::max(cpus_per_node_, times(cpus_per_task_, tasks_per_node));
  }
}

// Tasks that each node gets where the number of all tasks was not given.
std::int64_t JobSize::tasks_of_each_node() const {
  if (given(asked_.ntasks_per_node) > 0) return *asked_.ntasks_per_node;
  std::int64_t sockets = 1;
  for (const NodeShape* node : shapes_) sockets = std::max(sockets, node->sockets);
  const std::int64_t per_socket =
      std::max(given(asked_.ntasks_per_socket), given(asked_.ntasks_per_board));
  if (per_socket > 0) return times(per_socket, sockets);
  return std::max<std::int64_t>(1, given(asked_.ntasks_per_core));
}

void JobSize::settle_nodes_and_tasks() {
  const std::int64_t counted = counted_nodes(asked_.features);
  const std::int64_t least =
      std::max({std::int64_t{1}, given(asked_.min_nodes), given(partition_.min_nodes),
                given(asked_.required_nodes), counted});
  const std::int64_t most = given(asked_.max_nodes);
  const std::int64_t per_gpu = given(asked_.ntasks_per_tres);
  std::int64_t tasks = given(asked_.num_tasks);
  if (tasks == 0) tasks = times(std::max(least, most), tasks_of_each_node());
  tasks = std::max(tasks, times(per_gpu, request_.per_job.gpus()));
  if (request_.per_task.gpus() > 0) {
    tasks = std::max(tasks, divide_up(request_.per_job.gpus(), request_.per_task.gpus()));
  }
  nodes_ = most > 0 ? most : free_node_count(tasks);
  // Counted features choose the first nodes whether or not those suit the rest of the job.
  if (most == 0 && whole_) nodes_ = plus(nodes_, counted);
  if (most == 0 && given(partition_.max_nodes) > 0) {
    nodes_ = std::min(nodes_, *partition_.max_nodes);
  }
  nodes_ = std::max(least, std::min(nodes_, total_nodes()));
  const std::int64_t on_each = std::max(
      {std::int64_t{1}, times(per_gpu, request_.per_node.gpus()),
       given(asked_.num_tasks) == 0 ? tasks_of_each_node() : given(asked_.ntasks_per_node)});
  tasks_ = std::max(tasks, times(nodes_, on_each));
}

// Nodes over which a job may be spread that did not say how many it wants. Each has at least one
// of its tasks, and no fewer CPUs than it needs of each node.
std::int64_t JobSize::free_node_count(std::int64_t tasks) const {
  if (asked_.spread_job) return std::max(tasks, request_.per_job.gpus());
  if (whole_) return whole_node_count(tasks);
  const std::int64_t of_all = std::max(given(asked_.min_cpus), given(asked_.max_cpus));
  const std::int64_t for_tasks =
      divide_up(tasks, given(asked_.num_tasks) == 0
                           ? tasks_of_each_node()
                           : std::max<std::int64_t>(1, given(asked_.ntasks_per_node)));
  const std::int64_t nodes = std::max(for_tasks, divide_up(of_all, cpus_per_task_));
  if (request_.wants_gpus()) return std::max(nodes, request_.per_job.gpus());
  const std::int64_t cpus = std::max(of_all, times(tasks, cpus_per_task_));
  return asked_.overcommit ? nodes : std::min(nodes, divide_up(cpus, cpus_per_node_));
}

// Whole nodes are added until the job fits, each with all it has.
std::int64_t JobSize::whole_node_count(std::int64_t tasks) const {
  std::int64_t fewest_tasks = 0;
  std::int64_t fewest_cpus = 0;
  for (const NodeShape* node : shapes_) {
    const std::int64_t fit = tasks_that_fit(*node);
    if (fit <= 0) continue;
    const std::int64_t cpus = usable_cpus(*node);
    fewest_tasks = fewest_tasks == 0 ? fit : std::min(fewest_tasks, fit);
    fewest_cpus = fewest_cpus == 0 ? cpus : std::min(fewest_cpus, cpus);
  }
  if (fewest_tasks == 0) return std::max(tasks, request_.per_job.gpus());
  const std::int64_t cpus = std::max(given(asked_.min_cpus), given(asked_.max_cpus));
  const std::int64_t for_cpus =
      std::max(divide_up(tasks, fewest_tasks), divide_up(cpus, fewest_cpus));
  bool all_have_gpus = true;
  const std::int64_t for_gpus = nodes_for_gpus(all_have_gpus);
  return all_have_gpus ? std::max(for_cpus, for_gpus) : plus(for_cpus, for_gpus);
}

std::int64_t JobSize::nodes_for_gpus(bool& all_have_gpus) const {
  std::int64_t sum = 0;
  for (const auto& [type, wanted] : request_.per_job.gpus_by_type) {
    std::int64_t fewest = 0;
    for (const NodeShape* node : shapes_) {
      const auto typed = node->gpus_by_type.find(type);
      const std::int64_t of_type = typed == node->gpus_by_type.end() ? 0 : typed->second;
      const std::int64_t count =
          std::min(type.empty() ? total_gpus(*node) : of_type, gpus_for(*node));
      if (count <= 0) {
        all_have_gpus = false;
      } else {
        fewest = fewest == 0 ? count : std::min(fewest, count);
      }
    }
    sum = plus(sum, fewest == 0 ? wanted : divide_up(wanted, fewest));
  }
  return sum;
}

// GPUs of a node that its CPUs and memory can serve.
std::int64_t JobSize::gpus_for(const NodeShape& node) const {
  std::int64_t count = total_gpus(node);
  if (cpus_per_gpu() > 0) count = std::min(count, usable_cpus(node) / cpus_per_gpu());
  if (memory_.form == MemoryForm::per_gpu && memory_.mb > 0) {
    count = std::min(count, node.memory_mb / memory_.mb);
  }
  return count;
}

std::int64_t JobSize::tasks_that_fit(const NodeShape& node) const {
  const Unit unit = unit_of(node);
  std::int64_t fit = unit.shared_by_tasks
                         ? usable_cpus(node) / cpus_per_task_
                         : usable_cpus(node) / unit.usable / divide_up(cpus_per_task_, unit.usable);
  const auto limit = [&](std::int64_t tasks) {
    if (tasks > 0) fit = std::min(fit, tasks);
  };
  limit(given(asked_.ntasks_per_node));
  limit(given(asked_.ntasks_per_board));
  limit(times(given(asked_.ntasks_per_socket), node.sockets));
  limit(times(given(asked_.ntasks_per_core), times(node.sockets, node.cores_per_socket)));
  if (partition_.memory_allocated && memory_.form == MemoryForm::per_cpu && memory_.mb > 0) {
    fit = std::min(fit, node.memory_mb / times(memory_.mb, cpus_per_task_));
  }
  const std::int64_t gpus_per_task = request_.per_task.gpus();
  if (gpus_per_task > 0) fit = std::min(fit, gpus_for(node) / gpus_per_task);
  const std::int64_t tasks_per_gpu = given(asked_.ntasks_per_tres);
  if (tasks_per_gpu > 0) fit = std::min(fit, times(gpus_for(node), tasks_per_gpu));
  return fit;
}

std::int64_t JobSize::usable_cpus(const NodeShape& node) const {
  const Unit unit = unit_of(node);
  const std::int64_t set_aside = times(given(asked_.core_spec), cpus_per_core(node));
  return std::max<std::int64_t>(0, node.cpus - set_aside) / unit.cpus * unit.usable;
}

JobSize::Unit JobSize::unit_of(const NodeShape& node) const {
  const std::int64_t core = cpus_per_core(node);
  const std::int64_t tasks_per_core = given(asked_.ntasks_per_core) > 0
                                          ? *asked_.ntasks_per_core
                                          : (partition_.one_task_per_core ? 1 : 0);
  Unit unit{core, core, core, true};
  if (tasks_per_core > 0) {
    unit.usable = std::min(unit.usable, times(tasks_per_core, cpus_per_task_));
  }
  if (given(asked_.threads_per_core) > 0) {
    unit.usable = std::min(unit.usable, *asked_.threads_per_core);
  }
  if (!partition_.whole_cores && unit.usable == core) unit = Unit{1, 1, core, true};
  unit.shared_by_tasks =
      tasks_per_core == 0 && (cpus_per_task_ == 1 || cpus_per_task_ % unit.usable == 0);
  if (partition_.whole_sockets) {
    const std::int64_t cores = std::max<std::int64_t>(1, node.cores_per_socket);
    unit.usable = unit.usable * cores * (core / unit.cpus);
    unit.cpus = core * cores;
  }
  return unit;
}

std::int64_t JobSize::total_nodes() const {
  std::int64_t sum = 0;
  for (const NodeShape* node : shapes_) sum = plus(sum, node->count);
  return sum;
}

}  // namespace asbb::pricing
