#include "pricing/model_allocator.h"

#include <algorithm>

namespace asbb::pricing {
namespace {

struct Place {
  NodeShape node;
  std::int64_t tasks = 0;
  std::int64_t gpus = 0;
};

std::int64_t gpu_count(const NodeShape& node) {
  std::int64_t sum = 0;
  for (const auto& [type, count] : node.gpus_by_type) sum += count;
  return sum;
}

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

class Model {
 public:
  Model(const JobRequest& request, const ModelGpus& gpus, const PartitionShape& partition,
        const Pick& pick)
      : request_(request), gpus_(gpus), partition_(partition), pick_(pick) {
    whole_ = request.exclusive || partition.exclusive;
    cpus_per_task_ = request.cpus_per_task.value_or(1);
  }

  std::optional<ModelAllocation> run() {
    if (!choose_nodes()) return std::nullopt;
    drop_extra_tasks();
    if (!place_gpus()) return std::nullopt;
    ModelAllocation given;
    Tres& sum = given.tres;
    for (const Place& place : places_) {
      if (!fits(place)) return std::nullopt;
      sum.nodes += 1;
      sum.cores += cpus(place);
      sum.memory_mb += memory(place);
      add_gpus(place, sum);
      given.nodes.push_back({"n", true, place.node.features, 1});
    }
    return given;
  }

 private:
  // Usable nodes in random order.
  std::vector<NodeShape> shuffled_nodes() {
    std::vector<NodeShape> nodes;
    for (const NodeShape& shape : partition_.nodes) {
      for (std::int64_t i = 0; i < shape.count; ++i) nodes.push_back(shape);
    }
    for (std::size_t i = nodes.size(); i > 1; --i) {
      const auto other = static_cast<std::size_t>(pick_(static_cast<std::int64_t>(i)));
      std::swap(nodes[i - 1], nodes[other]);
    }
    return nodes;
  }

  std::int64_t capacity(const NodeShape& node) const {
    std::int64_t tasks = node.cpus / cpus_per_task_;
    if (request_.ntasks_per_node) tasks = std::min(tasks, *request_.ntasks_per_node);
    if (gpus_.per_task > 0) tasks = std::min(tasks, gpu_count(node) / gpus_.per_task);
    if (request_.memory_per_cpu_mb) {
      tasks = std::min(tasks, node.memory_mb / *request_.memory_per_cpu_mb / cpus_per_task_);
    }
    return tasks;
  }

  bool choose_nodes() {
    std::int64_t tasks = request_.num_tasks.value_or(1);
    const std::int64_t least = request_.min_nodes.value_or(1);
    const bool fixed = request_.max_nodes.has_value();
    const std::int64_t wanted =
        fixed ? least + pick_(*request_.max_nodes - least + 1) : std::int64_t{0};
    std::int64_t gpus_left = gpus_.per_job;
    for (const NodeShape& node : shuffled_nodes()) {
      const std::int64_t room = capacity(node);
      const std::int64_t needed = request_.ntasks_per_node.value_or(1);
      if (room < needed || (gpus_.per_job > 0 && gpu_count(node) == 0)) continue;
      const auto count = static_cast<std::int64_t>(places_.size());
      const bool done = fixed ? count == wanted : tasks <= 0 && gpus_left <= 0 && count >= least;
      if (done) break;
      const std::int64_t kept_for_others = fixed ? wanted - count - 1 : 0;
      Place place{node, tasks_here(tasks - kept_for_others, room), 0};
      tasks -= place.tasks;
      gpus_left -= gpu_count(node);
      places_.push_back(place);
    }
    const auto count = static_cast<std::int64_t>(places_.size());
    return tasks <= 0 && gpus_left <= 0 && (fixed ? count == wanted : count >= least);
  }

  // Slurm lays out the tasks again over the nodes it chose: one on each, no more than were asked
  // for in all.
  void drop_extra_tasks() {
    if (request_.ntasks_per_node) return;
    const auto nodes = static_cast<std::int64_t>(places_.size());
    std::int64_t extra = -std::max(request_.num_tasks.value_or(1), nodes);
    for (const Place& place : places_) extra += place.tasks;
    for (Place& place : places_) {
      const std::int64_t dropped = std::clamp<std::int64_t>(extra, 0, place.tasks - 1);
      place.tasks -= dropped;
      extra -= dropped;
    }
  }

  // A whole node is filled before the next is taken; a shared one may be nearly full already. Each
  // node of a job has a task, more than were asked for if need be.
  std::int64_t tasks_here(std::int64_t tasks, std::int64_t room) {
    if (request_.ntasks_per_node) return *request_.ntasks_per_node;
    const std::int64_t most = std::max<std::int64_t>(1, std::min(tasks, room));
    return whole_ && !request_.max_nodes ? most : 1 + pick_(most);
  }

  bool place_gpus() {
    std::int64_t left = gpus_.per_job;
    for (Place& place : places_) {
      const std::int64_t most = gpu_count(place.node);
      place.gpus = std::max(gpus_.per_node, gpus_.per_task * place.tasks);
      if (place.gpus > most) return false;
      const std::int64_t more = std::min(left, most);
      place.gpus = std::max(place.gpus, more);
      left -= place.gpus;
    }
    return left <= 0;
  }

  bool fits(const Place& place) const {
    return cpus(place) <= place.node.cpus && memory(place) <= place.node.memory_mb;
  }

  std::int64_t cpus(const Place& place) const {
    if (whole_) return place.node.cpus;
    const std::int64_t core = place.node.threads_per_core;
    return round_up(place.tasks * cpus_per_task_, partition_.whole_cores ? core : 1);
  }

  std::int64_t memory(const Place& place) const {
    if (request_.memory_per_cpu_mb) return *request_.memory_per_cpu_mb * cpus(place);
    if (request_.memory_per_node_mb) {
      const std::int64_t asked = *request_.memory_per_node_mb;
      return asked == 0 ? place.node.memory_mb : asked;
    }
    if (gpus_.memory_per_gpu_mb > 0) {
      return gpus_.memory_per_gpu_mb * (whole_ ? gpu_count(place.node) : place.gpus);
    }
    if (partition_.default_memory_per_cpu_mb) {
      return *partition_.default_memory_per_cpu_mb * cpus(place);
    }
    return place.node.memory_mb;
  }

  void add_gpus(const Place& place, Tres& sum) {
    std::int64_t left = whole_ ? gpu_count(place.node) : place.gpus;
    for (const auto& [type, count] : place.node.gpus_by_type) {
      const bool wrong = !whole_ && !gpus_.type.empty() && type != gpus_.type;
      const std::int64_t taken = wrong ? 0 : std::min(left, count);
      if (taken > 0) sum.gpus_by_type[recorded(type)] += taken;
      left -= taken;
    }
  }

  std::string recorded(const std::string& type) const {
    const auto& types = partition_.recorded_gpu_types;
    return std::find(types.begin(), types.end(), type) == types.end() ? "" : type;
  }

  const JobRequest& request_;
  const ModelGpus& gpus_;
  const PartitionShape& partition_;
  const Pick& pick_;
  bool whole_ = false;
  std::int64_t cpus_per_task_ = 1;
  std::vector<Place> places_;
};

}  // namespace

std::optional<ModelAllocation> allocate(const JobRequest& request, const ModelGpus& gpus,
                                        const PartitionShape& partition, const Pick& pick) {
  return Model(request, gpus, partition, pick).run();
}

}  // namespace asbb::pricing
