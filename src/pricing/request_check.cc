// Reads and bounds what a request says, before anything is multiplied.
#include <algorithm>

#include "pricing/count.h"
#include "pricing/demand.h"

namespace asbb::pricing {
namespace {

using Unexpected = tl::unexpected<RefusedEstimate>;

struct NamedCount {
  const char* field;
  const std::optional<std::int64_t>& value;
  std::int64_t largest = max_count;
};

std::optional<RefusedEstimate> check_count(const NamedCount& count) {
  if (!count.value || (*count.value >= 0 && *count.value <= count.largest)) return std::nullopt;
  return RefusedEstimate{EstimateRefusal::bad_number,
                         std::string(count.field) + " is " + std::to_string(*count.value) +
                             "; a number from 0 to " + std::to_string(count.largest) +
                             " is allowed.",
                         count.field};
}

std::optional<RefusedEstimate> check_counts(const JobRequest& asked) {
  const NamedCount counts[] = {{"num_tasks", asked.num_tasks},
                               {"cpus_per_task", asked.cpus_per_task},
                               {"min_cpus", asked.min_cpus},
                               {"max_cpus", asked.max_cpus},
                               {"min_cpus_per_node", asked.min_cpus_per_node},
                               {"min_nodes", asked.min_nodes},
                               {"max_nodes", asked.max_nodes},
                               {"required_nodes", asked.required_nodes},
                               {"ntasks_per_node", asked.ntasks_per_node},
                               {"ntasks_per_socket", asked.ntasks_per_socket},
                               {"ntasks_per_core", asked.ntasks_per_core},
                               {"ntasks_per_board", asked.ntasks_per_board},
                               {"ntasks_per_tres", asked.ntasks_per_tres},
                               {"threads_per_core", asked.threads_per_core},
                               {"core_spec", asked.core_spec},
                               {"memory_per_node_mb", asked.memory_per_node_mb, max_memory_mb},
                               {"memory_per_cpu_mb", asked.memory_per_cpu_mb, max_memory_mb}};
  for (const NamedCount& count : counts) {
    if (auto refused = check_count(count)) return refused;
  }
  return std::nullopt;
}

RefusedEstimate bad_tres(const char* field, const Error& error) {
  return {EstimateRefusal::bad_tres, error.message + ".", field};
}

}  // namespace

bool CheckedRequest::wants_gpus() const {
  return per_job.gpus() > 0 || per_node.gpus() > 0 || per_socket.gpus() > 0 ||
         per_task.gpus() > 0 || asked.ntasks_per_tres.value_or(0) > 0;
}

std::int64_t CheckedRequest::gpu_types_named() const {
  const std::size_t most =
      std::max({std::size_t{1}, per_job.gpus_by_type.size(), per_node.gpus_by_type.size(),
                per_socket.gpus_by_type.size(), per_task.gpus_by_type.size()});
  return static_cast<std::int64_t>(most);
}

tl::expected<CheckedRequest, RefusedEstimate> check_request(const JobRequest& asked) {
  if (auto refused = check_counts(asked)) return Unexpected(std::move(*refused));
  CheckedRequest out;
  out.asked = asked;
  const std::pair<const char*, std::pair<const std::string&, Tres&>> forms[] = {
      {"tres_per_job", {asked.tres_per_job, out.per_job}},
      {"tres_per_node", {asked.tres_per_node, out.per_node}},
      {"tres_per_socket", {asked.tres_per_socket, out.per_socket}},
      {"tres_per_task", {asked.tres_per_task, out.per_task}}};
  for (const auto& [field, form] : forms) {
    auto read = parse_requested_tres(form.first);
    if (!read) return Unexpected(bad_tres(field, read.error()));
    form.second = std::move(*read);
  }
  const std::pair<const char*, std::pair<const std::string&, std::int64_t&>> values[] = {
      {"mem_per_tres", {asked.mem_per_tres, out.memory_per_gpu_mb}},
      {"cpus_per_tres", {asked.cpus_per_tres, out.cpus_per_gpu}}};
  for (const auto& [field, value] : values) {
    const auto read = parse_per_gpu_value(value.first);
    if (!read) return Unexpected(bad_tres(field, read.error()));
    value.second = *read;
  }
  return out;
}

}  // namespace asbb::pricing
