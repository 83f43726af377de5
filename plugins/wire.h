// The names of the conversation between job_submit_budget.so and the budget service, and of the
// policy file: docs/reference/plugin-protocol.md says what they mean. This is the only header of
// plugins/ that the service includes. Constants only: no Slurm header, no allocation, no code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace asbb::plugins::wire {

inline constexpr std::string_view kDefaultSocket = "/run/asbb/asbb.sock";
inline constexpr std::string_view kDefaultServiceUser = "asbb";

// PUT of this path with the token behind it.
inline constexpr std::string_view kSubmissionsPath = "/api/v1/slurm/submissions/";
// POST to this path.
inline constexpr std::string_view kChangesPath = "/api/v1/slurm/changes";
// GET of this path is the breaker's probe.
inline constexpr std::string_view kHealthPath = "/health";

// 12 hexadecimal digits of unix milliseconds, 32 of random numbers, all in lower case.
inline constexpr std::size_t kTokenCharacters = 44;
inline constexpr std::size_t kTokenTimeCharacters = 12;
// What stands before the token in a job's admin_comment.
inline constexpr std::string_view kTokenMark = "asbb=";
// Behind the token of a job that was let through on an allowance: what stands before
// GENERATION:MICROS:TASKS.
inline constexpr std::string_view kAllowanceMark = "asbb-allowance=";

inline constexpr std::string_view kDecisionHeader = "Asbb-Decision";
inline constexpr std::string_view kAllow = "allow";
inline constexpr std::string_view kDeny = "deny";
// Repeats the token that is answered.
inline constexpr std::string_view kTokenHeader = "Asbb-Token";

// What the job's --cluster-constraint becomes: the hold pays for some of the clusters only.
inline constexpr std::string_view kClusterFeaturesHeader = "Asbb-Cluster-Features";
inline constexpr std::size_t kClusterFeaturesBytesMax = 255;

inline constexpr std::size_t kRequestBodyBytesMax = 262'144;
inline constexpr std::size_t kAnswerHeadBytesMax = 4'096;
inline constexpr std::size_t kAnswerBodyBytesShown = 2'048;

inline constexpr std::string_view kUnlimited = "UNLIMITED";

// Members of the request body.
namespace field {
inline constexpr std::string_view kCluster = "cluster";
inline constexpr std::string_view kSlurmVersion = "slurm_version";
inline constexpr std::string_view kTimeBudgetMs = "time_budget_ms";
inline constexpr std::string_view kOnSilence = "on_silence";
inline constexpr std::string_view kSubmitUid = "submit_uid";
inline constexpr std::string_view kUserId = "user_id";
inline constexpr std::string_view kGroupId = "group_id";
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kAccount = "account";
inline constexpr std::string_view kPartition = "partition";
inline constexpr std::string_view kQos = "qos";
inline constexpr std::string_view kReservation = "reservation";
inline constexpr std::string_view kLicenses = "licenses";
inline constexpr std::string_view kWckey = "wckey";
inline constexpr std::string_view kClusters = "clusters";
inline constexpr std::string_view kClusterFeatures = "cluster_features";
inline constexpr std::string_view kFeatures = "features";
inline constexpr std::string_view kPrefer = "prefer";
inline constexpr std::string_view kReqNodes = "req_nodes";
inline constexpr std::string_view kExcNodes = "exc_nodes";
inline constexpr std::string_view kArray = "array";
inline constexpr std::string_view kDependency = "dependency";
inline constexpr std::string_view kBeginTime = "begin_time";
inline constexpr std::string_view kMinNodes = "min_nodes";
inline constexpr std::string_view kMaxNodes = "max_nodes";
inline constexpr std::string_view kMinCpus = "min_cpus";
inline constexpr std::string_view kMaxCpus = "max_cpus";
inline constexpr std::string_view kMinCpusPerNode = "min_cpus_per_node";
inline constexpr std::string_view kNumTasks = "num_tasks";
inline constexpr std::string_view kCpusPerTask = "cpus_per_task";
inline constexpr std::string_view kNtasksPerNode = "ntasks_per_node";
inline constexpr std::string_view kNtasksPerSocket = "ntasks_per_socket";
inline constexpr std::string_view kNtasksPerCore = "ntasks_per_core";
inline constexpr std::string_view kNtasksPerBoard = "ntasks_per_board";
inline constexpr std::string_view kNtasksPerTres = "ntasks_per_tres";
inline constexpr std::string_view kBoardsPerNode = "boards_per_node";
inline constexpr std::string_view kSocketsPerBoard = "sockets_per_board";
inline constexpr std::string_view kSocketsPerNode = "sockets_per_node";
inline constexpr std::string_view kCoresPerSocket = "cores_per_socket";
inline constexpr std::string_view kThreadsPerCore = "threads_per_core";
inline constexpr std::string_view kCoreSpec = "core_spec";
inline constexpr std::string_view kThreadSpec = "thread_spec";
inline constexpr std::string_view kTimeLimit = "time_limit";
inline constexpr std::string_view kTimeMin = "time_min";
inline constexpr std::string_view kMemoryPerNodeMb = "memory_per_node_mb";
inline constexpr std::string_view kMemoryPerCpuMb = "memory_per_cpu_mb";
inline constexpr std::string_view kTresPerJob = "tres_per_job";
inline constexpr std::string_view kTresPerNode = "tres_per_node";
inline constexpr std::string_view kTresPerSocket = "tres_per_socket";
inline constexpr std::string_view kTresPerTask = "tres_per_task";
inline constexpr std::string_view kMemPerTres = "mem_per_tres";
inline constexpr std::string_view kCpusPerTres = "cpus_per_tres";
inline constexpr std::string_view kShared = "shared";
inline constexpr std::string_view kContiguous = "contiguous";
inline constexpr std::string_view kRequeue = "requeue";
inline constexpr std::string_view kOvercommit = "overcommit";
inline constexpr std::string_view kCron = "cron";
inline constexpr std::string_view kHetJobOffset = "het_job_offset";
inline constexpr std::string_view kHetGroup = "het_group";
inline constexpr std::string_view kSpreadJob = "spread_job";
inline constexpr std::string_view kEnforceBinding = "enforce_binding";
inline constexpr std::string_view kJobId = "job_id";
inline constexpr std::string_view kFedSiblingsViable = "fed_siblings_viable";
inline constexpr std::string_view kSpank = "spank";
inline constexpr std::string_view kSpankCloud = "cloud";
inline constexpr std::string_view kSpankBudget = "budget";
inline constexpr std::string_view kAllowancesSpent = "allowances_spent";
// Of a change alone.
inline constexpr std::string_view kJob = "job";
inline constexpr std::string_view kToken = "token";
inline constexpr std::string_view kEndTime = "end_time";
inline constexpr std::string_view kCleared = "cleared";
}  // namespace field

// The policy file: policy.<cluster> beside the socket.
namespace policy {
inline constexpr std::string_view kFilePrefix = "policy.";
inline constexpr std::string_view kVersion = "version";
inline constexpr std::string_view kVersionNumber = "1";
inline constexpr std::string_view kDefaultPartition = "default_partition";
inline constexpr std::string_view kDefault = "default";
inline constexpr std::string_view kPartition = "partition";
inline constexpr std::string_view kWithoutAllowance = "without_allowance";
inline constexpr std::string_view kAllowance = "allowance";
inline constexpr std::string_view kSpender = "spender";
inline constexpr std::string_view kRate = "rate";
inline constexpr std::string_view kUnbounded = "unbounded";
inline constexpr std::size_t kFileBytesMax = 524'288;
inline constexpr std::size_t kPartitionsMax = 1'024;
inline constexpr std::size_t kAllowancesMax = 256;
inline constexpr std::size_t kSpendersMax = 8'192;
}  // namespace policy

}  // namespace asbb::plugins::wire
