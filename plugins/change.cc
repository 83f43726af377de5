#include "plugins/change.h"

#include <cstring>

#include "plugins/json_writer.h"
#include "plugins/submission.h"
#include "plugins/wire.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

namespace field = wire::field;

struct NamedText {
  std::string_view name;
  const char* value;
};

// What an empty text takes away: these widen or narrow where a job may run, and on what.
void put_cleared(const job_desc_msg_t& asked, JsonWriter* json) {
  const NamedText texts[] = {{field::kFeatures, asked.features},
                             {field::kReqNodes, asked.req_nodes},
                             {field::kExcNodes, asked.exc_nodes},
                             {field::kClusters, asked.clusters},
                             {field::kClusterFeatures, asked.cluster_features},
                             {field::kTresPerJob, asked.tres_per_job},
                             {field::kTresPerNode, asked.tres_per_node},
                             {field::kTresPerSocket, asked.tres_per_socket},
                             {field::kTresPerTask, asked.tres_per_task}};
  char storage[256];
  BoundedText cleared(storage, sizeof storage);
  for (const NamedText& text : texts) {
    if (text.value == nullptr || text.value[0] != '\0') continue;
    if (!cleared.view().empty()) cleared.append(',');
    cleared.append(text.name);
  }
  if (!cleared.view().empty()) json->string(field::kCleared, cleared.view());
}

// NO_VAL alone means untouched here: "no limit" is a change as well.
bool is_touched(std::uint32_t value) {
  return value != NO_VAL;
}
bool is_touched(std::uint16_t value) {
  return value != NO_VAL16;
}
bool is_touched(const char* text) {
  return text != nullptr;
}

// slurm_init_job_desc_msg leaves what is about boards at 0, which asks for nothing.
bool is_board_touched(std::uint16_t value) {
  return value != 0 && is_touched(value);
}

// With every field unset that is not touched.
job_desc_msg_t touched_fields(const job_desc_msg_t& asked) {
  job_desc_msg_t touched = asked;
  for (std::uint16_t* value :
       {&touched.ntasks_per_board, &touched.boards_per_node, &touched.sockets_per_board}) {
    if (!is_board_touched(*value)) *value = NO_VAL16;
  }
  return touched;
}

bool touches_place(const job_desc_msg_t& asked) {
#if ASBB_JOB_HAS_PREFER
  if (is_touched(asked.prefer)) return true;
#endif
  return is_touched(asked.account) || is_touched(asked.partition) || is_touched(asked.qos) ||
         is_touched(asked.features) || is_touched(asked.clusters) ||
         is_touched(asked.cluster_features) || is_touched(asked.req_nodes) ||
         is_touched(asked.exc_nodes);
}

bool touches_size(const job_desc_msg_t& asked) {
  return is_touched(asked.min_nodes) || is_touched(asked.max_nodes) || is_touched(asked.min_cpus) ||
         is_touched(asked.max_cpus) || is_touched(asked.pn_min_cpus) ||
         is_touched(asked.num_tasks) || is_touched(asked.cpus_per_task) ||
         is_touched(asked.ntasks_per_node) || is_touched(asked.ntasks_per_socket) ||
         is_touched(asked.ntasks_per_core) || is_board_touched(asked.ntasks_per_board) ||
         is_touched(asked.ntasks_per_tres) || is_touched(asked.sockets_per_node) ||
         is_touched(asked.cores_per_socket) || is_touched(asked.threads_per_core) ||
         is_touched(asked.core_spec) || is_touched(asked.shared) || is_touched(asked.contiguous) ||
         asked.overcommit != NO_VAL8 || asked.pn_min_memory != NO_VAL64;
}

bool touches_tres(const job_desc_msg_t& asked) {
  return is_touched(asked.tres_per_job) || is_touched(asked.tres_per_node) ||
         is_touched(asked.tres_per_socket) || is_touched(asked.tres_per_task) ||
         is_touched(asked.mem_per_tres) || is_touched(asked.cpus_per_tres);
}

bool touches_time(const job_desc_msg_t& asked) {
  return is_touched(asked.time_limit) || is_touched(asked.time_min) || asked.end_time > 0;
}

}  // namespace

bool moves_price(const job_desc_msg_t& asked) {
  return touches_time(asked) || touches_place(asked) || touches_size(asked) || touches_tres(asked);
}

namespace {

constexpr bool is_hexadecimal(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
}

bool is_token(std::string_view text) {
  if (text.size() != wire::kTokenCharacters) return false;
  for (const char character : text) {
    if (!is_hexadecimal(character)) return false;
  }
  return true;
}

}  // namespace

template <typename Head>
std::string_view token_in(const job_record* job) {
  if (job == nullptr) return {};
  Head head;
  std::memcpy(&head, job, sizeof head);
  if (head.magic != kJobMagic || head.admin_comment == nullptr) return {};
  std::string_view comment(head.admin_comment);
  for (std::string_view word = take_word(&comment); !word.empty(); word = take_word(&comment)) {
    if (!word.starts_with(wire::kTokenMark)) continue;
    word.remove_prefix(wire::kTokenMark.size());
    if (is_token(word)) return word;
  }
  return {};
}
template std::string_view token_in<JobRecordHeadSince2011>(const job_record* job);
template std::string_view token_in<JobRecordHeadSince2511>(const job_record* job);

std::string_view token_of([[maybe_unused]] const job_record* job) {
#if ASBB_JOB_RECORD_HEAD
  return token_in<JobRecordHead>(job);
#else
  return {};
#endif
}

void write_change(const Change& change, std::uint64_t time_budget_ms, BoundedText* body) {
  const job_desc_msg_t& asked = *change.asked;
  JsonWriter json(*body, wire::kRequestBodyBytesMax);
  json.begin_object();
  json.string(field::kCluster, change.cluster);
  write_slurm_version(&json);
  json.number(field::kTimeBudgetMs, time_budget_ms);
  json.string(field::kOnSilence, change.on_silence == Stance::allow ? wire::kAllow : wire::kDeny);
  json.number(field::kSubmitUid, change.submit_uid);
  if (!change.job.empty()) json.string(field::kJob, change.job);
  if (!change.token.empty()) json.string(field::kToken, change.token);
  const job_desc_msg_t touched = touched_fields(asked);
  write_priced(touched, &json);
  if (asked.end_time > 0) {
    json.number(field::kEndTime, static_cast<std::uint64_t>(asked.end_time));
  }
  put_cleared(asked, &json);
  json.end_object();
}

}  // namespace asbb::plugins
