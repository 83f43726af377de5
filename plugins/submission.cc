#include "plugins/submission.h"

#include "plugins/json_writer.h"
#include "plugins/wire.h"

namespace asbb::plugins {
namespace {

namespace field = wire::field;

// Writes the fields that are set.
class Fields {
 public:
  explicit Fields(JsonWriter* json) : json_(*json) {}

  void put(std::string_view name, const char* text) {
    if (is_set(text)) json_.string(name, text);
  }
  void put(std::string_view name, std::uint16_t value) {
    if (is_set(value)) json_.number(name, value);
  }
  void put(std::string_view name, std::uint32_t value) {
    if (is_set(value)) json_.number(name, value);
  }
  void put_moment(std::string_view name, time_t moment) {
    if (moment > 0) json_.number(name, static_cast<std::uint64_t>(moment));
  }
  template <typename Number>
  void put_boolean(std::string_view name, Number value) {
    if (is_set(value)) json_.boolean(name, value != 0);
  }
  void put_minutes(std::string_view name, std::uint32_t minutes) {
    if (minutes == INFINITE) json_.string(name, wire::kUnlimited);
    put(name, minutes);
  }

 private:
  JsonWriter& json_;
};

void put_identity(const job_desc_msg_t& job, Fields* fields) {
  fields->put(field::kGroupId, job.group_id);
  fields->put(field::kName, job.name);
  fields->put(field::kAccount, job.account);
  fields->put(field::kPartition, job.partition);
  fields->put(field::kQos, job.qos);
  fields->put(field::kReservation, job.reservation);
  fields->put(field::kLicenses, job.licenses);
  fields->put(field::kWckey, job.wckey);
  fields->put(field::kClusters, job.clusters);
  fields->put(field::kClusterFeatures, job.cluster_features);
}

void put_shape(const job_desc_msg_t& job, Fields* fields) {
  fields->put(field::kMinNodes, job.min_nodes);
  fields->put(field::kMaxNodes, job.max_nodes);
  fields->put(field::kMinCpus, job.min_cpus);
  fields->put(field::kMaxCpus, job.max_cpus);
  fields->put(field::kMinCpusPerNode, job.pn_min_cpus);
  fields->put(field::kNumTasks, job.num_tasks);
  fields->put(field::kCpusPerTask, job.cpus_per_task);
  fields->put(field::kNtasksPerNode, job.ntasks_per_node);
  fields->put(field::kNtasksPerSocket, job.ntasks_per_socket);
  fields->put(field::kNtasksPerCore, job.ntasks_per_core);
  fields->put(field::kNtasksPerBoard, job.ntasks_per_board);
  fields->put(field::kNtasksPerTres, job.ntasks_per_tres);
  fields->put(field::kBoardsPerNode, job.boards_per_node);
  fields->put(field::kSocketsPerBoard, job.sockets_per_board);
  fields->put(field::kSocketsPerNode, job.sockets_per_node);
  fields->put(field::kCoresPerSocket, job.cores_per_socket);
  fields->put(field::kThreadsPerCore, job.threads_per_core);
  fields->put(field::kTresPerJob, job.tres_per_job);
  fields->put(field::kTresPerNode, job.tres_per_node);
  fields->put(field::kTresPerSocket, job.tres_per_socket);
  fields->put(field::kTresPerTask, job.tres_per_task);
  fields->put(field::kMemPerTres, job.mem_per_tres);
  fields->put(field::kCpusPerTres, job.cpus_per_tres);
  fields->put(field::kShared, job.shared);
  fields->put_boolean(field::kContiguous, job.contiguous);
  fields->put_boolean(field::kOvercommit, job.overcommit);
}

void put_choice_of_nodes(const job_desc_msg_t& job, Fields* fields) {
  fields->put(field::kFeatures, job.features);
#if ASBB_JOB_HAS_PREFER
  fields->put(field::kPrefer, job.prefer);
#endif
  fields->put(field::kReqNodes, job.req_nodes);
  fields->put(field::kExcNodes, job.exc_nodes);
}

void put_times(const job_desc_msg_t& job, Fields* fields) {
  fields->put_minutes(field::kTimeLimit, job.time_limit);
  fields->put_minutes(field::kTimeMin, job.time_min);
  fields->put_moment(field::kBeginTime, job.begin_time);
  fields->put(field::kDependency, job.dependency);
  fields->put(field::kArray, job.array_inx);
  fields->put_boolean(field::kRequeue, job.requeue);
  fields->put(field::kHetJobOffset, job.het_job_offset);
}

// pn_min_memory and core_spec each carry two meanings, told apart by their highest bit (slurm.h).
void put_doubled(const job_desc_msg_t& job, JsonWriter* json) {
  if (is_set(job.pn_min_memory)) {
    const bool is_per_cpu = (job.pn_min_memory & MEM_PER_CPU) != 0;
    json->number(is_per_cpu ? field::kMemoryPerCpuMb : field::kMemoryPerNodeMb,
                 job.pn_min_memory & ~MEM_PER_CPU);
  }
  if (is_set(job.core_spec)) {
    const bool is_threads = (job.core_spec & CORE_SPEC_THREAD) != 0;
    json->number(is_threads ? field::kThreadSpec : field::kCoreSpec,
                 job.core_spec & ~unsigned{CORE_SPEC_THREAD});
  }
}

void put_flags(const job_desc_msg_t& job, JsonWriter* json) {
  const auto put_flag = [&](std::string_view name, std::uint64_t flag) {
    if (is_set(job.bitflags) && (job.bitflags & flag) != 0) json->boolean(name, true);
  };
  put_flag(field::kSpreadJob, SPREAD_JOB);
  put_flag(field::kEnforceBinding, GRES_ENFORCE_BIND);
  put_flag(field::kCron, CRON_JOB);
  if (job_id_of(job) != 0) json->number(field::kJobId, job_id_of(job));
  if (is_set(job.fed_siblings_viable) && job.fed_siblings_viable != 0) {
    json->number(field::kFedSiblingsViable, job.fed_siblings_viable);
  }
}

void put_options(const Options& options, JsonWriter* json) {
  if (!options.cloud && options.budget.empty()) return;
  json->begin_object(field::kSpank);
  if (options.cloud) json->boolean(field::kSpankCloud, true);
  if (!options.budget.empty()) json->string(field::kSpankBudget, options.budget);
  json->end_object();
}

}  // namespace

void write_slurm_version(JsonWriter* json) {
  char storage[24];
  BoundedText version(storage, sizeof storage);
  version.append_decimal(kSlurmMajor);
  version.append(kSlurmMinor < 10 ? ".0" : ".");
  version.append_decimal(kSlurmMinor);
  version.append('.');
  version.append_decimal(kSlurmMicro);
  json->string(field::kSlurmVersion, version.view());
}

void write_priced(const job_desc_msg_t& job, JsonWriter* json) {
  Fields fields(json);
  fields.put(field::kAccount, job.account);
  fields.put(field::kPartition, job.partition);
  fields.put(field::kQos, job.qos);
  fields.put(field::kClusters, job.clusters);
  fields.put(field::kClusterFeatures, job.cluster_features);
  put_shape(job, &fields);
  put_choice_of_nodes(job, &fields);
  fields.put_minutes(field::kTimeLimit, job.time_limit);
  fields.put_minutes(field::kTimeMin, job.time_min);
  put_doubled(job, json);
}

void write_submission(const Submission& submission, std::uint64_t time_budget_ms,
                      BoundedText* body) {
  const job_desc_msg_t& job = *submission.job;
  JsonWriter json(*body, wire::kRequestBodyBytesMax);
  json.begin_object();
  json.string(field::kCluster, submission.cluster);
  write_slurm_version(&json);
  json.number(field::kTimeBudgetMs, time_budget_ms);
  json.string(field::kOnSilence,
              submission.on_silence == Stance::allow ? wire::kAllow : wire::kDeny);
  json.number(field::kSubmitUid, submission.submit_uid);
  json.number(field::kUserId, job.user_id);
  Fields fields(&json);
  put_identity(job, &fields);
  put_shape(job, &fields);
  put_choice_of_nodes(job, &fields);
  put_times(job, &fields);
  put_doubled(job, &json);
  put_flags(job, &json);
  if (!submission.het_group.empty()) json.string(field::kHetGroup, submission.het_group);
  put_options(submission.options, &json);
  if (!submission.allowances_spent.empty()) {
    json.string(field::kAllowancesSpent, submission.allowances_spent);
  }
  json.end_object();
}

bool is_sibling(const job_desc_msg_t& job, std::uint32_t submit_uid) {
  return submit_uid == 0 && job_id_of(job) != 0 && is_set(job.fed_siblings_viable) &&
         job.fed_siblings_viable != 0;
}

}  // namespace asbb::plugins
