// How large a request becomes on a partition: nodes, tasks and CPUs at most, with Slurm's defaults
// applied and every range taken at its upper end. The rules follow Slurm 22.05
// (src/slurmctld/job_mgr.c _valid_pn_min_mem, node_scheduler.c get_node_cnts,
// src/plugins/select/cons_tres and cons_common). Pure; used by demand.cc alone.
#pragma once

#include <cstdint>
#include <vector>

#include "pricing/demand.h"
#include "pricing/job_request.h"

namespace asbb::pricing {

enum class MemoryForm { per_cpu, per_node, per_gpu, all_of_node };

struct Memory {
  MemoryForm form = MemoryForm::all_of_node;
  std::int64_t mb = 0;
};

[[nodiscard]] std::int64_t total_gpus(const NodeShape& node);

class JobSize {
 public:
  // What a node hands out together, and how much of it one job's tasks may use.
  struct Unit {
    std::int64_t cpus = 1;
    std::int64_t usable = 1;
    std::int64_t core = 1;        // CPUs of a core
    bool shared_by_tasks = true;  // two tasks may use one
  };

  // Both must outlive this.
  JobSize(const CheckedRequest& request, const PartitionShape& partition);

  // Empty when no node matches; then the rest has no meaning.
  [[nodiscard]] const std::vector<const NodeShape*>& shapes() const { return shapes_; }
  [[nodiscard]] bool whole_nodes() const { return whole_; }
  [[nodiscard]] Memory memory() const { return memory_; }
  [[nodiscard]] std::int64_t cpus_per_task() const { return cpus_per_task_; }
  [[nodiscard]] std::int64_t cpus_per_node() const { return cpus_per_node_; }  // at least
  [[nodiscard]] std::int64_t cpus_per_gpu() const;                             // 0: none said
  [[nodiscard]] std::int64_t nodes() const { return nodes_; }
  [[nodiscard]] std::int64_t tasks() const { return tasks_; }
  [[nodiscard]] Unit unit_of(const NodeShape& node) const;

 private:
  [[nodiscard]] bool sticks(const StickyDefaults& other) const;
  [[nodiscard]] std::int64_t least_memory_limit_per_cpu() const;
  void settle_memory();
  void settle_cpus_per_task();
  void settle_nodes_and_tasks();
  [[nodiscard]] std::int64_t total_nodes() const;
  [[nodiscard]] std::int64_t tasks_of_each_node() const;
  [[nodiscard]] std::int64_t free_node_count(std::int64_t tasks) const;
  [[nodiscard]] std::int64_t whole_node_count(std::int64_t tasks) const;
  [[nodiscard]] std::int64_t nodes_for_gpus(bool& all_have_gpus) const;
  [[nodiscard]] std::int64_t gpus_for(const NodeShape& node) const;
  [[nodiscard]] std::int64_t tasks_that_fit(const NodeShape& node) const;
  [[nodiscard]] std::int64_t usable_cpus(const NodeShape& node) const;

  const CheckedRequest& request_;
  const JobRequest& asked_;
  const PartitionShape& partition_;
  std::vector<const NodeShape*> shapes_;
  bool whole_ = false;
  Memory memory_;
  std::int64_t cpus_per_task_ = 1;
  std::int64_t cpus_per_node_ = 1;
  std::int64_t nodes_ = 1;
  std::int64_t tasks_ = 1;
};

}  // namespace asbb::pricing
