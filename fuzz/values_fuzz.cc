// What people type and Slurm prints as a single value: times, sizes, arrays, host lists, GRES,
// TRES, constraints, states. Whatever is accepted is within the bounds that the arithmetic behind
// relies on, and the two readers of one kind of value agree.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "pricing/node_match.h"
#include "pricing/slurm_values.h"
#include "pricing/tres.h"
#include "slurm/job_state.h"
#include "slurm/slurm_text.h"

namespace {

namespace pricing = asbb::pricing;
namespace slurm = asbb::slurm;

constexpr std::int64_t array_size = 1001;

void check_time(std::string_view text) {
  const auto limit = pricing::parse_time_limit(text);
  const auto printed = slurm::parse_duration_minutes(text);
  if (!limit) return;
  if (limit->unlimited) {
    ASBB_ASSERT(printed == slurm::unlimited);
    return;
  }
  ASBB_ASSERT(limit->minutes > 0 && limit->minutes <= pricing::max_time_limit_minutes);
  ASBB_ASSERT(pricing::parse_time_limit(to_string(*limit)) == *limit);
  if (printed) ASBB_ASSERT(*printed == limit->minutes);
}

void check_array(std::string_view text) {
  const auto count = pricing::count_array_tasks(text, array_size);
  if (count) ASBB_ASSERT(*count > 0 && *count <= array_size);
  const auto tasks = slurm::expand_array_tasks(text, array_size);
  if (count && tasks) ASBB_ASSERT(tasks->size() == static_cast<std::size_t>(*count));
  (void)slurm::array_throttle(text);
}

void check_tres(const pricing::Tres& tres) {
  ASBB_ASSERT(tres.nodes >= 0 && tres.nodes <= pricing::max_count);
  ASBB_ASSERT(tres.cores >= 0 && tres.cores <= pricing::max_count);
  ASBB_ASSERT(tres.memory_mb >= 0 && tres.memory_mb <= pricing::max_memory_mb);
  for (const auto& [type, count] : tres.gpus_by_type) {
    ASBB_ASSERT(count >= 0 && count <= pricing::max_count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_time(text);
  check_array(text);
  if (const auto mb = pricing::parse_memory_mb(text)) {
    ASBB_ASSERT(*mb >= 0 && *mb <= pricing::max_memory_mb);
  }
  if (const auto tres = pricing::parse_allocated_tres(text)) check_tres(*tres);
  if (const auto tres = pricing::parse_requested_tres(text)) check_tres(*tres);
  if (const auto value = pricing::parse_per_gpu_value(text)) ASBB_ASSERT(*value >= 0);
  if (const auto hosts = slurm::expand_hostlist(text, 1000)) ASBB_ASSERT(hosts->size() <= 1000);
  if (const auto gres = slurm::parse_gres(text)) {
    for (const slurm::Gres& each : *gres) ASBB_ASSERT(each.count >= 0 && !each.name.empty());
  }
  ASBB_ASSERT(pricing::counted_nodes(text) >= 0);
  (void)pricing::may_match(text, {"a", "b"});
  ASBB_ASSERT(slurm::parse_job_status(text).text == text);
  return 0;
}
