#include "plugins/worst_case.h"

#include <algorithm>

#include "plugins/words.h"

namespace asbb::plugins {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::int64_t kSecondsPerHour = 3'600;
constexpr std::int64_t kWhole = 1'000'000;
constexpr std::size_t kArrayBytesMax = 65'536;

// What was asked for, 0 where nothing was.
template <typename Number>
std::int64_t asked(Number value) {
  return is_set(value) ? static_cast<std::int64_t>(value) : 0;
}

std::int64_t divided_up(std::int64_t whole, std::int64_t by) {
  return (whole + by - 1) / by;
}

std::int64_t cpus_of_task(const job_desc_msg_t& job) {
  return std::max<std::int64_t>(1, asked(job.cpus_per_task));
}

bool names_tres(const job_desc_msg_t& job) {
  return is_set(job.tres_per_job) || is_set(job.tres_per_node) || is_set(job.tres_per_socket) ||
         is_set(job.tres_per_task) || is_set(job.cpus_per_tres) || is_set(job.mem_per_tres) ||
         asked(job.ntasks_per_tres) > 0;
}

bool names_tasks_of_parts(const job_desc_msg_t& job) {
  return asked(job.ntasks_per_node) > 0 || asked(job.ntasks_per_socket) > 0 ||
         asked(job.ntasks_per_core) > 0 || asked(job.ntasks_per_board) > 0;
}

// Whether more nodes may come in than tasks or CPUs that were asked for explain.
bool chooses_nodes(const job_desc_msg_t& job) {
  const bool spreads = is_set(job.bitflags) && (job.bitflags & SPREAD_JOB) != 0;
  const bool has_untold_tasks = asked(job.num_tasks) == 0 && names_tasks_of_parts(job);
  return spreads || has_untold_tasks || is_set(job.req_nodes) || is_set(job.features) ||
         names_tres(job);
}

std::int64_t most_nodes(const job_desc_msg_t& job, const WorstRate& rate) {
  const std::int64_t least = std::max({std::int64_t{1}, asked(job.min_nodes), rate.least_nodes});
  std::int64_t most = asked(job.max_nodes);
  if (chooses_nodes(job)) {
    most = rate.most_nodes;
  } else if (most == 0) {
    const std::int64_t cpus = std::max(asked(job.min_cpus), asked(job.max_cpus));
    most = std::max(asked(job.num_tasks), divided_up(cpus, cpus_of_task(job)));
  }
  return std::max(least, std::min(most, rate.most_nodes));
}

// Whether the CPUs that were asked for are all that it gets, but for whole cores.
bool is_plain(const job_desc_msg_t& job) {
  constexpr std::uint16_t shares_nodes = 1;
  return !chooses_nodes(job) && (!is_set(job.shared) || job.shared == shares_nodes) &&
         asked(job.overcommit) == 0 && !is_set(job.core_spec) && !names_tasks_of_parts(job) &&
         asked(job.pn_min_cpus) <= cpus_of_task(job);
}

std::int64_t most_cpus(const job_desc_msg_t& job, std::int64_t nodes) {
  const std::int64_t tasks = std::max(asked(job.num_tasks), nodes);
  return std::max({asked(job.min_cpus), asked(job.max_cpus), tasks * cpus_of_task(job)});
}

// Seconds that the job may run and be billed for; 0 when there is no end.
std::int64_t most_seconds(const job_desc_msg_t& job, const WorstRate& rate) {
  std::int64_t minutes = rate.default_minutes;
  if (job.time_limit == INFINITE || job.time_limit == 0) return 0;
  if (is_set(job.time_limit)) minutes = job.time_limit;
  if (minutes == 0) return 0;
  return std::max(rate.least_seconds, (minutes + rate.over_minutes) * 60);
}

// "5", "1-10" or "1-10:2"; 0 when it is none of these.
std::int64_t count_range(std::string_view range) {
  std::string_view rest = range;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 1;
  const std::string_view span = take_until(":", &rest);
  if (span.size() < range.size() && (!parse_count(rest, &step) || step == 0)) return 0;
  std::string_view end = span;
  const std::string_view begin = take_until("-", &end);
  if (!parse_count(begin, &first)) return 0;
  if (begin.size() == span.size()) return 1;
  if (!parse_count(end, &last) || last < first) return 0;
  return (last - first) / step + 1;
}

bool multiply(Wide* product, std::int64_t factor) {
  constexpr Wide most = Wide{kWorstCaseMax} * static_cast<Wide>(kWorstCaseMax);
  if (factor != 0 && *product > most / static_cast<Wide>(factor)) return false;
  *product *= static_cast<Wide>(factor);
  return true;
}

Wide divided_up(Wide whole, std::int64_t by) {
  return (whole + static_cast<Wide>(by) - 1) / static_cast<Wide>(by);
}

}  // namespace

std::int64_t count_tasks(const char* array_inx) {
  if (!is_set(array_inx)) return 1;
  std::string_view rest = array_inx;
  if (rest.size() > kArrayBytesMax) return 0;
  rest = take_until("%", &rest);
  std::int64_t sum = 0;
  while (!rest.empty()) {
    const std::int64_t count = count_range(take_until(",", &rest));
    if (count == 0 || count > kTasksMax - sum) return 0;
    sum += count;
  }
  return sum;
}

const char* worst_case(const job_desc_msg_t& job, const WorstRate& rate,
                       std::int64_t factor_millionths, std::int64_t* micros) {
  constexpr const char* too_large = "may cost more than can be counted";
  if (!rate.is_bounded) return "has no largest cost there";
  if (is_set(job.bitflags) && (job.bitflags & CRON_JOB) != 0) return "runs again and again";
  const std::int64_t tasks = count_tasks(job.array_inx);
  if (tasks == 0) return "has array tasks that cannot be counted";
  const std::int64_t seconds = most_seconds(job, rate);
  if (seconds == 0) return "has no time limit: give --time";
  const std::int64_t nodes = most_nodes(job, rate);
  Wide hour = static_cast<Wide>(rate.node_hour_micros);
  if (!multiply(&hour, nodes)) return too_large;
  if (rate.cpu_hour_micros > 0 && is_plain(job)) {
    Wide of_cpus = static_cast<Wide>(rate.cpu_hour_micros);
    if (multiply(&of_cpus, most_cpus(job, nodes))) hour = std::min(hour, of_cpus);
  }
  Wide cost = hour;
  if (!multiply(&cost, seconds)) return too_large;
  cost = divided_up(cost, kSecondsPerHour);
  if (!multiply(&cost, tasks) || !multiply(&cost, factor_millionths)) return too_large;
  cost = divided_up(cost, kWhole);
  if (cost > static_cast<Wide>(kWorstCaseMax)) return too_large;
  *micros = static_cast<std::int64_t>(cost);
  return nullptr;
}

}  // namespace asbb::plugins
