#include "plugins/testing/fake_slurm.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace asbb::plugins::testing {
namespace {

std::atomic<int> allocations{0};
std::atomic<bool> keeps_log{true};
std::mutex mutex;
std::vector<std::string> lines;
std::vector<spank_option> options;

void keep(const char* level, const char* format, std::va_list arguments) {
  char line[2'048];
  std::vsnprintf(line, sizeof line, format, arguments);
  if (!keeps_log) return;
  const std::lock_guard<std::mutex> guard(mutex);
  lines.push_back(std::string(level) + line);
}

}  // namespace

std::vector<std::string> take_log() {
  const std::lock_guard<std::mutex> guard(mutex);
  return std::exchange(lines, {});
}

void keep_log(bool keeps) {
  keeps_log = keeps;
}

int live_allocations() {
  return allocations.load();
}

std::vector<spank_option> registered_options() {
  const std::lock_guard<std::mutex> guard(mutex);
  return options;
}

Request::Request() {
  // Bytes of FE in a field make NO_VAL of its width; texts and moments are zero when unset.
  job_.contiguous = job_.core_spec = job_.requeue = job_.shared = NO_VAL16;
  job_.pn_min_cpus = job_.cpus_per_task = NO_VAL16;
  job_.ntasks_per_node = job_.ntasks_per_socket = job_.ntasks_per_core = NO_VAL16;
  job_.ntasks_per_board = job_.ntasks_per_tres = NO_VAL16;
  job_.boards_per_node = job_.sockets_per_board = job_.sockets_per_node = NO_VAL16;
  job_.cores_per_socket = job_.threads_per_core = NO_VAL16;
  job_.min_cpus = job_.max_cpus = job_.min_nodes = job_.max_nodes = job_.num_tasks = NO_VAL;
  job_.time_limit = job_.time_min = job_.job_id = job_.het_job_offset = NO_VAL;
  job_.group_id = NO_VAL;
  job_.overcommit = NO_VAL8;
  job_.pn_min_memory = NO_VAL64;
  job_.user_id = 1'000;
}

Request::~Request() {
  char** const texts[] = {&job_.account,
                          &job_.admin_comment,
                          &job_.array_inx,
                          &job_.clusters,
                          &job_.cluster_features,
                          &job_.cpus_per_tres,
                          &job_.dependency,
                          &job_.exc_nodes,
                          &job_.features,
                          &job_.job_id_str,
                          &job_.licenses,
                          &job_.mem_per_tres,
                          &job_.name,
                          &job_.partition,
                          &job_.prefer,
                          &job_.qos,
                          &job_.req_nodes,
                          &job_.reservation,
                          &job_.tres_per_job,
                          &job_.tres_per_node,
                          &job_.tres_per_socket,
                          &job_.tres_per_task,
                          &job_.wckey,
                          &err_msg_};
  for (char** text : texts) slurm_xfree(reinterpret_cast<void**>(text));
  for (char* variable : spank_variables_) slurm_xfree(reinterpret_cast<void**>(&variable));
}

void Request::set(char* job_desc_msg_t::* field, const std::string& text) {
  slurm_xfree(reinterpret_cast<void**>(&(job_.*field)));
  job_.*field = slurm_xstrdup(text.c_str());
}

void Request::add_spank_variable(const std::string& entry) {
  spank_variables_.push_back(slurm_xstrdup(entry.c_str()));
  job_.spank_job_env = spank_variables_.data();
  job_.spank_job_env_size = static_cast<std::uint32_t>(spank_variables_.size());
}

std::string Request::take_err_msg() {
  const std::string text = err_msg_ == nullptr ? "" : err_msg_;
  slurm_xfree(reinterpret_cast<void**>(&err_msg_));
  return text;
}

}  // namespace asbb::plugins::testing

namespace fake = asbb::plugins::testing;

extern "C" {

char* slurm_xstrdup(const char* text) {
  if (text == nullptr) return nullptr;
  ++fake::allocations;
  return strdup(text);
}

void slurm_xfree(void** pointer) {
  if (*pointer == nullptr) return;
  --fake::allocations;
  std::free(*pointer);
  *pointer = nullptr;
}

void slurm_error(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  fake::keep("error: ", format, arguments);
  va_end(arguments);
}

void slurm_info(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  fake::keep("info: ", format, arguments);
  va_end(arguments);
}

void slurm_debug(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  fake::keep("debug: ", format, arguments);
  va_end(arguments);
}

spank_err_t spank_option_register(spank_t, spank_option* option) {
  const std::lock_guard<std::mutex> guard(fake::mutex);
  fake::options.push_back(*option);
  return static_cast<spank_err_t>(ESPANK_SUCCESS);
}

}  // extern "C"
