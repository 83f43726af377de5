#include "pricing/demand.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "pricing/cost.h"
#include "pricing/count.h"
#include "pricing/job_size.h"

namespace asbb::pricing {
namespace {

using Unexpected = tl::unexpected<RefusedEstimate>;

constexpr std::int64_t bound_max = 1'000'000'000'000'000;

void add_nodes(Tres& sum, const Tres& node, std::int64_t count) {
  sum.nodes = plus(sum.nodes, count);
  sum.cores = plus(sum.cores, times(node.cores, count));
  sum.memory_mb = plus(sum.memory_mb, times(node.memory_mb, count));
  for (const auto& [type, each] : node.gpus_by_type) {
    if (count > 0) sum.gpus_by_type[type] = plus(sum.gpus_by_type[type], times(each, count));
  }
  for (const auto& [type, each] : node.nodes_by_type) {
    if (count > 0) sum.nodes_by_type[type] = plus(sum.nodes_by_type[type], times(each, count));
  }
}

Tres only_nodes(const Tres& tres) {
  return {tres.nodes, 0, 0, {}, tres.nodes_by_type};
}
Tres only_cores(const Tres& tres) {
  return {0, tres.cores, 0, {}};
}
Tres only_memory(const Tres& tres) {
  return {0, 0, tres.memory_mb, {}};
}
Tres only_gpus(const Tres& tres) {
  return {0, 0, 0, tres.gpus_by_type};
}
Tres everything(const Tres& tres) {
  return tres;
}

class Bound {
 public:
  Bound(const CheckedRequest& request, const PartitionShape& partition, const Rate& rate)
      : request_(request), partition_(partition), rate_(rate), size_(request, partition) {}

  tl::expected<Demand, RefusedEstimate> find(EstimateLines lines);

 private:
  void settle_gpus();
  [[nodiscard]] std::int64_t largest_on_sockets(const std::string& type, std::int64_t count) const;
  [[nodiscard]] std::int64_t all_gpus() const;
  [[nodiscard]] std::string billed_type(const std::string& type) const;
  [[nodiscard]] std::string dearest_type(const std::string& asked) const;
  [[nodiscard]] std::int64_t memory_of_whole(const NodeShape& node) const;
  [[nodiscard]] Tres whole_node(const NodeShape& node) const;
  [[nodiscard]] Tres dearest_nodes(Tres (*component)(const Tres&)) const;
  [[nodiscard]] Tres all_whole_nodes() const;
  [[nodiscard]] std::int64_t cpus_on(const NodeShape& node) const;
  [[nodiscard]] std::int64_t memory_of_parts(std::int64_t cpus) const;
  [[nodiscard]] Tres parts_of_nodes() const;
  [[nodiscard]] std::vector<std::string> instance_types() const;
  [[nodiscard]] std::vector<std::string> explain(const Tres& bound) const;

  const CheckedRequest& request_;
  const PartitionShape& partition_;
  const Rate& rate_;
  JobSize size_;
  std::int64_t tasks_ = 1;
  std::map<std::string, std::int64_t> gpus_;  // by the type that will be billed
};

void Bound::settle_gpus() {
  const JobRequest& asked = request_.asked;
  tasks_ = size_.tasks();
  std::map<std::string, std::int64_t> wanted;
  const auto add = [&](const Tres& form, std::int64_t factor) {
    for (const auto& [type, count] : form.gpus_by_type) {
      wanted[type] = std::max(wanted[type], times(count, factor));
    }
  };
  add(request_.per_job, 1);
  add(request_.per_node, size_.nodes());
  for (const auto& [type, count] : request_.per_socket.gpus_by_type) {
    const std::int64_t on_each = largest_on_sockets(type, count);
    wanted[type] = std::max(wanted[type], times(size_.nodes(), on_each));
  }
  add(request_.per_task, tasks_);
  const std::int64_t tasks_per_gpu = asked.ntasks_per_tres.value_or(0);
  if (wanted.empty() && tasks_per_gpu > 0) wanted[""] = divide_up(tasks_, tasks_per_gpu);
  for (const auto& [type, count] : wanted) {
    std::int64_t& sum = gpus_[dearest_type(type)];
    sum = plus(sum, count);
  }
  tasks_ = std::max(tasks_, times(tasks_per_gpu, all_gpus()));
}

// So many GPUs for each socket of a node, but no more than the node has.
std::int64_t Bound::largest_on_sockets(const std::string& type, std::int64_t count) const {
  std::int64_t largest = count;
  for (const NodeShape* node : size_.shapes()) {
    const auto typed = node->gpus_by_type.find(type);
    const bool is_typed = !type.empty() && typed != node->gpus_by_type.end();
    const std::int64_t there = is_typed ? typed->second : total_gpus(*node);
    largest = std::max(largest, std::min(there, times(count, node->sockets)));
  }
  return largest;
}

std::int64_t Bound::all_gpus() const {
  std::int64_t sum = 0;
  for (const auto& [type, count] : gpus_) sum = plus(sum, count);
  return sum;
}

// The type by which a GPU will be charged: Slurm reports types only where AccountingStorageTRES
// lists them.
std::string Bound::billed_type(const std::string& type) const {
  const auto& recorded = partition_.recorded_gpu_types;
  if (std::find(recorded.begin(), recorded.end(), type) != recorded.end()) return type;
  return rate_.gpu_hour("") >= rate_.gpu_hour(type) ? "" : type;
}

// A GPU asked for without a type may be any of those that the nodes have.
std::string Bound::dearest_type(const std::string& asked) const {
  if (!asked.empty()) return billed_type(asked);
  std::optional<std::string> dearest;
  for (const NodeShape* node : size_.shapes()) {
    for (const auto& [type, count] : node->gpus_by_type) {
      const std::string billed = billed_type(type);
      if (!dearest || rate_.gpu_hour(billed) > rate_.gpu_hour(*dearest)) dearest = billed;
    }
  }
  return dearest.value_or("");
}

std::int64_t Bound::memory_of_whole(const NodeShape& node) const {
  const std::int64_t mb = size_.memory().mb;
  switch (size_.memory().form) {
    case MemoryForm::per_cpu:
      return times(mb, node.cpus);
    case MemoryForm::per_node:
      return mb;
    case MemoryForm::per_gpu:
      // Slurm counts all GPUs of the node once for each type that was named.
      return times(times(mb, total_gpus(node)), request_.gpu_types_named());
    case MemoryForm::all_of_node:
      return node.memory_mb;
  }
  return 0;
}

Tres Bound::whole_node(const NodeShape& node) const {
  Tres out{1, node.cpus, memory_of_whole(node), {}};
  const std::string instance = rate_.instance_type(node.features);
  if (!instance.empty()) out.nodes_by_type[instance] = 1;
  for (const auto& [type, count] : node.gpus_by_type) {
    if (count > 0) out.gpus_by_type[billed_type(type)] += count;
  }
  return out;
}

// As many nodes as the job may have, those first whose `component` costs most.
Tres Bound::dearest_nodes(Tres (*component)(const Tres&)) const {
  std::vector<std::pair<Tres, std::int64_t>> order;
  for (const NodeShape* node : size_.shapes()) {
    order.emplace_back(component(whole_node(*node)), node->count);
  }
  std::stable_sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
    return costs_less(rate_, b.first, a.first);
  });
  Tres sum;
  for (const auto& [node, count] : order) {
    add_nodes(sum, node, std::min(count, size_.nodes() - sum.nodes));
  }
  // More nodes than there are: Slurm will refuse, but the price must not hide it.
  add_nodes(sum, order.front().first, size_.nodes() - sum.nodes);
  return sum;
}

// The sum of rates has one dearest choice of nodes; of a largest share each part has its own.
Tres Bound::all_whole_nodes() const {
  if (rate_.basis != Basis::share) return dearest_nodes(everything);
  Tres out = dearest_nodes(only_nodes);
  out.cores = dearest_nodes(only_cores).cores;
  out.memory_mb = dearest_nodes(only_memory).memory_mb;
  out.gpus_by_type = dearest_nodes(only_gpus).gpus_by_type;
  return out;
}

// CPUs of the job if all its nodes were like this one.
std::int64_t Bound::cpus_on(const NodeShape& node) const {
  const JobRequest& asked = request_.asked;
  const std::int64_t nodes = size_.nodes();
  if (asked.overcommit) return times(nodes, node.cpus);
  const JobSize::Unit unit = size_.unit_of(node);
  const auto packed = [&](std::int64_t cpus) {
    return plus(cpus, times(nodes, unit.usable - 1)) / unit.usable;
  };
  const std::int64_t of_tasks = times(tasks_, size_.cpus_per_task());
  std::int64_t units = times(tasks_, divide_up(size_.cpus_per_task(), unit.usable));
  if (unit.shared_by_tasks) units = std::min(units, packed(of_tasks));
  units = std::max(units, times(nodes, divide_up(size_.cpus_per_node(), unit.usable)));
  const std::int64_t cpus =
      std::max({asked.min_cpus.value_or(0), asked.max_cpus.value_or(0),
                times(size_.cpus_per_gpu(), all_gpus()), request_.per_job.cores,
                times(request_.per_node.cores, nodes), times(request_.per_task.cores, tasks_)});
  if (cpus > 0) units = std::max(units, packed(cpus));
  const std::int64_t sockets = times(nodes, node.sockets);
  // Tasks go round the sockets, and each socket that is touched is handed out as a whole.
  if (partition_.whole_sockets) units = std::max(units, std::min(of_tasks, sockets));
  units = std::max(units, std::min(all_gpus(), sockets));
  // A core of each socket, of those that are not used as well (gres_select_filter.c).
  if (asked.enforce_binding && all_gpus() > 0) {
    units = std::max(units, divide_up(times(sockets, unit.core), unit.cpus));
  }
  return times(units, unit.cpus);
}

std::int64_t Bound::memory_of_parts(std::int64_t cpus) const {
  const std::int64_t mb = size_.memory().mb;
  switch (size_.memory().form) {
    case MemoryForm::per_cpu:
      return times(mb, cpus);
    case MemoryForm::per_node:
      return times(mb, size_.nodes());
    case MemoryForm::per_gpu:
      return times(mb, all_gpus());
    case MemoryForm::all_of_node:
      return dearest_nodes(only_memory).memory_mb;
  }
  return 0;
}

Tres Bound::parts_of_nodes() const {
  Tres out{size_.nodes(), 0, 0, gpus_};
  if (rate_.tells_instances()) out.nodes_by_type = dearest_nodes(only_nodes).nodes_by_type;
  for (const NodeShape* node : size_.shapes()) out.cores = std::max(out.cores, cpus_on(*node));
  out.memory_mb = memory_of_parts(out.cores);
  return out;
}

// Of the nodes that the job may get.
std::vector<std::string> Bound::instance_types() const {
  std::vector<std::string> types;
  for (const NodeShape* node : size_.shapes()) {
    const std::string type = rate_.instance_type(node->features);
    const std::string name = type.empty() ? "of another type" : type;
    if (std::find(types.begin(), types.end(), name) == types.end()) types.push_back(name);
  }
  std::sort(types.begin(), types.end());
  return types;
}

std::vector<std::string> Bound::explain(const Tres& bound) const {
  std::vector<std::string> lines;
  if (size_.whole_nodes()) {
    lines.push_back("whole nodes: " + to_string(bound));
  } else {
    const std::int64_t cpus = size_.cpus_per_task();
    lines.push_back(std::to_string(tasks_) + (tasks_ == 1 ? " task" : " tasks") + " with " +
                    std::to_string(cpus) + (cpus == 1 ? " CPU" : " CPUs") + " each, at most " +
                    to_string(bound));
  }
  if (bound.nodes > 1 && request_.asked.max_nodes.value_or(0) == 0) {
    lines.push_back("without a maximum in --nodes the job may be spread over up to " +
                    std::to_string(bound.nodes) + " nodes");
  }
  const std::vector<std::string> types = instance_types();
  if (types.size() > 1) {
    lines.push_back("the nodes may be " + listed(types) +
                    ": the dearest count; --constraint names one");
  }
  return lines;
}

tl::expected<Demand, RefusedEstimate> Bound::find(EstimateLines lines) {
  if (size_.shapes().empty()) {
    const std::string& constraint = request_.asked.features;
    const bool no_nodes = partition_.nodes.empty() || constraint.empty();
    return Unexpected({EstimateRefusal::no_such_node,
                       "Partition " + partition_.name +
                           (no_nodes ? std::string(" has no nodes.")
                                     : " has no node with --constraint=" + constraint + "."),
                       no_nodes ? "partition" : "features"});
  }
  settle_gpus();
  Tres bound = size_.whole_nodes() ? all_whole_nodes() : parts_of_nodes();
  if (!partition_.memory_allocated) bound.memory_mb = 0;
  const std::int64_t largest = std::max({bound.nodes, bound.cores, bound.memory_mb, bound.gpus()});
  if (largest > bound_max) {
    return Unexpected({EstimateRefusal::too_large,
                       "This job asks for more than can be counted: " + to_string(bound) + ".",
                       ""});
  }
  Demand demand{std::move(bound), {}};
  if (lines == EstimateLines::wanted) demand.lines = explain(demand.bound);
  return demand;
}

}  // namespace

tl::expected<Demand, RefusedEstimate> largest_demand(const CheckedRequest& request,
                                                     const PartitionShape& partition,
                                                     const Rate& rate, EstimateLines lines) {
  return Bound(request, partition, rate).find(lines);
}

}  // namespace asbb::pricing
