// What the estimate is made from: a job as it was asked for, and the partitions where it may run.
// Every field of a request is optional, since the plugin sees nothing where a user relies on
// Slurm's defaults. The names follow docs/reference/plugin-protocol.md. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pricing/slurm_values.h"

namespace asbb::pricing {

// What Slurm takes from a partition of a list when it tries the job there, and does not undo when
// it tries the next one (job_mgr.c job_limits_check, cons_common/job_test.c _set_gpu_defaults).
struct StickyDefaults {
  std::string cluster;  // lower case
  std::optional<std::int64_t> cpus_per_gpu;
  std::optional<std::int64_t> memory_per_gpu_mb;
  std::optional<std::int64_t> max_memory_per_cpu_mb;
};

struct JobRequest {
  std::optional<std::int64_t> num_tasks;
  std::optional<std::int64_t> cpus_per_task;
  std::optional<std::int64_t> min_cpus;
  std::optional<std::int64_t> max_cpus;
  std::optional<std::int64_t> min_cpus_per_node;
  std::optional<std::int64_t> min_nodes;
  std::optional<std::int64_t> max_nodes;       // 0 and unset: none was given
  std::optional<std::int64_t> required_nodes;  // how many nodes --nodelist names
  std::optional<std::int64_t> ntasks_per_node;
  std::optional<std::int64_t> ntasks_per_socket;
  std::optional<std::int64_t> ntasks_per_core;
  std::optional<std::int64_t> ntasks_per_board;
  std::optional<std::int64_t> ntasks_per_tres;  // --ntasks-per-gpu
  std::optional<std::int64_t> threads_per_core;
  std::optional<std::int64_t> core_spec;           // CPUs set aside on each node: whole nodes
  std::optional<std::int64_t> memory_per_node_mb;  // 0: all memory of each node
  std::optional<std::int64_t> memory_per_cpu_mb;   // 0: none said, as in Slurm
  std::string tres_per_job;                        // TRES texts as Slurm passes them
  std::string tres_per_node;
  std::string tres_per_socket;
  std::string tres_per_task;
  std::string mem_per_tres;   // "gres:gpu:4096", MB
  std::string cpus_per_tres;  // "gres:gpu:8"
  std::string features;       // --constraint
  std::string array;          // --array; empty: one task
  bool exclusive = false;     // --exclusive alone (Slurm's `shared` is 0); not =user, =mcs
  bool overcommit = false;
  bool spread_job = false;       // --spread-job: as many nodes as possible
  bool enforce_binding = false;  // --gres-flags=enforce-binding: cores beside each GPU
  std::optional<TimeLimit> time_limit;
  std::optional<TimeLimit> time_min;
  std::vector<StickyDefaults> listed;  // of the partitions of a list, priced or not
};

// A number of nodes that are alike.
struct NodeShape {
  std::int64_t count = 1;
  std::int64_t cpus = 1;  // that jobs may have: CPUEfctv of `scontrol show node`, else CPUTot
  std::int64_t sockets = 1;
  std::int64_t cores_per_socket = 1;
  std::int64_t threads_per_core = 1;
  std::int64_t memory_mb = 0;                        // RealMemory less MemSpecLimit
  std::map<std::string, std::int64_t> gpus_by_type;  // lower case; "" where there is no type
  std::vector<std::string> features;                 // all that it may have, active or not
};

// A partition of one cluster, with those settings of the cluster that move a price.
struct PartitionShape {
  std::string cluster;  // lower case
  std::string name;
  std::optional<TimeLimit> default_time;     // DefaultTime; nothing for NONE
  std::optional<TimeLimit> max_time;         // MaxTime; nothing is UNLIMITED
  std::optional<TimeLimit> over_time_limit;  // OverTimeLimit; nothing is 0
  bool exclusive = false;                    // OverSubscribe=EXCLUSIVE
  bool whole_cores = true;                   // false only where CR_CPU hands out single threads
  bool whole_sockets = false;                // CR_Socket
  bool one_task_per_core = false;            // CR_ONE_TASK_PER_CORE
  bool memory_allocated = true;  // false where memory is not consumable (CR_Core, CR_CPU...)
  std::optional<std::int64_t> min_nodes;
  std::optional<std::int64_t> max_nodes;                   // nothing is UNLIMITED
  std::optional<std::int64_t> default_memory_per_cpu_mb;   // of the partition, else the cluster
  std::optional<std::int64_t> default_memory_per_node_mb;  // 0 and nothing: all of the node
  std::optional<std::int64_t> max_memory_per_cpu_mb;
  std::optional<std::int64_t> max_memory_per_node_mb;
  std::optional<std::int64_t> default_cpus_per_gpu;       // DefCpuPerGPU
  std::optional<std::int64_t> default_memory_per_gpu_mb;  // DefMemPerGPU
  std::vector<NodeShape> nodes;
  std::int64_t hidden_nodes = 0;               // of which nothing but the name is known
  std::optional<std::int64_t> max_array_size;  // MaxArraySize
  // GPU types that AccountingStorageTRES lists ("a100" for gres/gpu:a100). Others come back from
  // Slurm without a type, and are charged so: the estimate has to cover that.
  std::vector<std::string> recorded_gpu_types;
};

// Made once for a view of a cluster, and then only read: it may have hundreds of kinds of nodes.
using SharedShape = std::shared_ptr<const PartitionShape>;

}  // namespace asbb::pricing
