// What a cluster looks like: partitions, node shapes and the settings that bound what a job can
// cost. The port is read by one worker thread at a time (calls block for as long as Slurm takes);
// ClusterCache holds the last answers for every other thread. Numbers that Slurm calls
// UNLIMITED are `unlimited` (slurm_text.h); what is not set is an empty optional.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "slurm/associations.h"
#include "slurm/slurm_text.h"

namespace asbb::slurm {

// OverSubscribe of a partition (slurm.conf(5)).
enum class OverSubscribe { no, yes, force, exclusive };

// DefMemPerNode and the like: at most one of the two is set; both empty means no default or limit.
struct MemoryLimits {
  std::optional<std::int64_t> default_per_cpu_mb;
  std::optional<std::int64_t> default_per_node_mb;
  std::optional<std::int64_t> max_per_cpu_mb;
  std::optional<std::int64_t> max_per_node_mb;
  std::optional<std::int64_t> default_per_gpu_mb;    // JobDefaults DefMemPerGPU
  std::optional<std::int64_t> default_cpus_per_gpu;  // JobDefaults DefCpuPerGPU
};

struct PartitionInfo {
  std::string name;
  bool is_default = false;
  bool is_hidden = false;
  std::string state;                                 // "UP", "DOWN", "DRAIN", "INACTIVE"
  std::optional<std::int64_t> default_time_minutes;  // empty: NONE, the maximum counts
  std::int64_t max_time_minutes = unlimited;
  std::optional<std::int64_t> over_time_limit_minutes;  // empty: the cluster's
  std::vector<std::string> nodes;                       // names, expanded
  std::int64_t min_nodes = 0;
  std::int64_t max_nodes = unlimited;
  std::int64_t max_cpus_per_node = unlimited;
  OverSubscribe over_subscribe = OverSubscribe::no;
  bool exclusive_user = false;
  MemoryLimits memory;                      // where empty, the cluster's
  std::vector<std::string> allow_accounts;  // empty: ALL
  std::vector<std::string> deny_accounts;   // empty: none
  std::string select_type_parameters;       // empty: the cluster's
  std::string qos;                          // partition QOS; empty: none
  std::int64_t total_cpus = 0;
  std::int64_t total_nodes = 0;
  std::string billing_weights;  // TRESBillingWeights as text
};

struct NodeInfo {
  std::string name;
  std::int64_t cpus = 0;            // CPUTot
  std::int64_t cpus_effective = 0;  // without specialised cores
  std::int64_t boards = 1;
  std::int64_t sockets = 1;
  std::int64_t cores_per_socket = 1;
  std::int64_t threads_per_core = 1;
  std::int64_t memory_mb = 0;
  std::int64_t memory_reserved_mb = 0;  // MemSpecLimit
  std::vector<Gres> gres;
  std::vector<std::string> features;  // available ones, sorted
  std::string state;                  // "IDLE+CLOUD+POWERED_DOWN"
  std::vector<std::string> partitions;
};

struct ClusterSnapshot {
  std::string cluster;
  Instant read_at;  // taken before the first question was asked
  std::vector<PartitionInfo> partitions;
  std::vector<NodeInfo> nodes;
  std::vector<std::string> problems;  // records that could not be read; the rest is there

  std::string slurm_version;  // "22.05.8"
  std::int64_t max_array_size = 1001;
  std::int64_t max_job_count = 10'000;
  std::int64_t over_time_limit_minutes = 0;  // or unlimited
  std::int64_t message_timeout_s = 10;
  std::int64_t min_job_age_s = 300;
  std::int64_t max_dbd_messages = 0;
  std::string select_type;                 // "select/cons_tres"
  std::string select_type_parameters;      // "CR_CORE_MEMORY", upper case
  std::string accounting_storage_enforce;  // "associations,limits,qos,safe"
  std::string accounting_storage_tres;
  std::string enforce_part_limits;  // "NO", "ANY", "ALL"
  std::string priority_flags;       // contains MAX_TRES or not
  std::string private_data;         // "jobs,cloud"; empty: none
  std::string slurm_user;           // who slurmctld runs as
  std::uint32_t slurm_user_id = 0;
  MemoryLimits memory;

  // Null when the cluster has none of that name.
  [[nodiscard]] const PartitionInfo* partition(std::string_view name) const;
  [[nodiscard]] const PartitionInfo* default_partition() const;
  [[nodiscard]] const NodeInfo* node(std::string_view name) const;
  // Nodes whose record names the partition.
  [[nodiscard]] std::vector<const NodeInfo*> nodes_of(const PartitionInfo& partition) const;
};

class ClusterView {
 public:
  virtual ~ClusterView() = default;

  // The clusters this view was configured with, in that order.
  [[nodiscard]] virtual std::vector<std::string> clusters() const = 0;

  // Blocking. `not_found`: not configured. `unavailable`: the controller does not answer. `broken`:
  // it answers for another cluster, or not in a form that is known.
  [[nodiscard]] virtual Result<ClusterSnapshot> read_cluster(const std::string& cluster) = 0;

  // Blocking. All that the slurmdbd of that cluster knows; clusters of one slurmdbd are told apart
  // by the rows themselves.
  [[nodiscard]] virtual Result<Associations> read_associations(const std::string& cluster) = 0;
};

}  // namespace asbb::slurm
