#include "service/allowance_file.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "plugins/wire.h"
#include "pricing/cost.h"
#include "pricing/demand.h"
#include "service/shapes.h"

namespace asbb::service {
namespace {

namespace wire = plugins::wire::policy;

constexpr std::int64_t seconds_per_hour = 3'600;

// What plugins/allowance_text.h calls WorstRate.
struct WorstRate {
  std::string unit;
  bool is_bounded = true;
  std::int64_t node_hour = 0;
  std::int64_t cpu_hour = 0;
  std::int64_t least_nodes = 1;
  std::int64_t most_nodes = 0;
  std::int64_t least_seconds = 0;
  std::int64_t default_minutes = 0;
  std::int64_t over_minutes = 0;
};

// The most that an hour of a whole node of the partition costs: a job that asks for all of one.
std::optional<std::int64_t> node_hour_of(const pricing::PartitionShape& shape,
                                         const pricing::Rate& rate) {
  pricing::JobRequest whole;
  whole.num_tasks = whole.min_nodes = whole.max_nodes = 1;
  whole.exclusive = true;
  whole.memory_per_node_mb = 0;
  pricing::PartitionShape one_node = shape;
  one_node.min_nodes = 1;
  const auto checked = pricing::check_request(whole);
  if (!checked) return std::nullopt;
  const auto demand = pricing::largest_demand(*checked, one_node, rate);
  if (!demand) return std::nullopt;
  const auto hour = pricing::cost(rate, demand->bound, seconds_per_hour, Rounding::up);
  return hour ? std::optional(hour->count()) : std::nullopt;
}

// The most that a CPU costs for an hour that was asked for, where CPUs alone have a price and a job
// gets no more than it asks for, but for whole cores; 0 otherwise.
std::int64_t cpu_hour_of(const pricing::PartitionShape& shape, const pricing::Rate& rate) {
  const bool only_cpus = rate.basis == pricing::Basis::tres && rate.per_node_hour.is_zero() &&
                         rate.per_instance_hour.empty() && rate.per_gb_hour.is_zero() &&
                         rate.per_gpu_hour.empty();
  if (!only_cpus || shape.exclusive || shape.whole_sockets || shape.max_memory_per_cpu_mb) return 0;
  std::int64_t threads = 1;
  for (const pricing::NodeShape& node : shape.nodes) {
    threads =
        std::max({threads, node.threads_per_core,
                  node.cpus / std::max<std::int64_t>(1, node.sockets * node.cores_per_socket)});
  }
  const auto product = rate.per_core_hour.times(threads);
  return product ? product->count() : 0;
}

std::int64_t minutes_of(const std::optional<pricing::TimeLimit>& limit) {
  return limit && !limit->unlimited ? limit->minutes : 0;
}

WorstRate unbounded() {
  WorstRate out;
  out.is_bounded = false;
  return out;
}

WorstRate rate_of(const pricing::PartitionShape& shape, const pricing::Rate& rate) {
  const auto node_hour = node_hour_of(shape, rate);
  const bool is_endless = shape.over_time_limit && shape.over_time_limit->unlimited;
  if (!node_hour || is_endless || shape.hidden_nodes > 0) return unbounded();
  WorstRate out;
  out.unit = rate.unit;
  out.node_hour = *node_hour;
  out.cpu_hour = cpu_hour_of(shape, rate);
  out.least_nodes = std::max<std::int64_t>(1, shape.min_nodes.value_or(1));
  for (const pricing::NodeShape& node : shape.nodes) out.most_nodes += node.count;
  if (shape.max_nodes) out.most_nodes = std::min(out.most_nodes, *shape.max_nodes);
  out.least_seconds = rate.minimum_seconds;
  out.default_minutes = minutes_of(shape.default_time);
  if (out.default_minutes == 0) out.default_minutes = minutes_of(shape.max_time);
  out.over_minutes = std::max<std::int64_t>(0, minutes_of(shape.over_time_limit));
  return out;
}

// A job may run on either: of each the worse.
WorstRate worse_of(const WorstRate& a, const WorstRate& b) {
  if (!a.is_bounded || !b.is_bounded || a.unit != b.unit) return unbounded();
  WorstRate out = a;
  out.node_hour = std::max(a.node_hour, b.node_hour);
  out.cpu_hour = a.cpu_hour == 0 || b.cpu_hour == 0 ? 0 : std::max(a.cpu_hour, b.cpu_hour);
  out.least_nodes = std::max(a.least_nodes, b.least_nodes);
  out.most_nodes = std::max(a.most_nodes, b.most_nodes);
  out.least_seconds = std::max(a.least_seconds, b.least_seconds);
  // Without a default somewhere the job has no largest cost there.
  const bool has_default = a.default_minutes > 0 && b.default_minutes > 0;
  out.default_minutes = has_default ? std::max(a.default_minutes, b.default_minutes) : 0;
  out.over_minutes = std::max(a.over_minutes, b.over_minutes);
  return out;
}

// On every cluster where a job of that partition may run; of a job that names none, each cluster
// takes its own default.
std::optional<WorstRate> worst_rate(const slurm::ClusterSnapshot& home,
                                    const slurm::PartitionInfo& partition,
                                    const PolicyClusters& clusters,
                                    const pricing::PriceBook& book) {
  std::optional<WorstRate> worst;
  const auto take_in = [&](const slurm::ClusterSnapshot& cluster,
                           const slurm::PartitionInfo* there) {
    if (there == nullptr) return;
    const pricing::Rate* rate = book.find_priced(cluster.cluster, there->name);
    if (rate == nullptr) return;
    const WorstRate one = rate_of(partition_shape(cluster, *there), *rate);
    worst = worst ? worse_of(*worst, one) : one;
  };
  for (const std::string& cluster : clusters.unread) {
    // Of a default partition it is not known which one the other cluster has; one that is free here
    // stays free.
    const bool is_priced_here = book.find_priced(home.cluster, partition.name) != nullptr;
    const bool may_cost = book.find_priced(cluster, partition.name) != nullptr ||
                          (partition.is_default && is_priced_here);
    if (may_cost) return unbounded();
  }
  for (const auto& cluster : clusters.read) {
    take_in(*cluster, cluster->partition(partition.name));
    const auto* other = cluster->default_partition();
    const bool is_elsewhere = cluster->cluster != home.cluster;
    if (partition.is_default && is_elsewhere && other != nullptr && other->name != partition.name) {
      take_in(*cluster, other);
    }
  }
  return worst;
}

std::string words(std::initializer_list<std::int64_t> numbers) {
  std::string out;
  for (const std::int64_t number : numbers) out += " " + std::to_string(number);
  return out;
}

std::string rate_line(const std::string& partition, const WorstRate& rate) {
  const std::string begin = std::string(wire::kRate) + " " + partition + " ";
  if (!rate.is_bounded) return begin + std::string(wire::kUnbounded) + "\n";
  return begin + rate.unit +
         words({rate.node_hour, rate.cpu_hour, rate.least_nodes, rate.most_nodes,
                rate.least_seconds, rate.default_minutes, rate.over_minutes}) +
         "\n";
}

std::string allowance_line(const PublishedAllowance& allowance) {
  const bool is_funded = allowance.hold.is_set();
  return std::string(wire::kAllowance) + " " + allowance.account +
         words({is_funded ? allowance.hold.value : 0, is_funded ? allowance.amount.count() : 0}) +
         " " + allowance.unit +
         words({allowance.factor.count(), is_funded ? allowance.until.unix_seconds() : 0}) + "\n";
}

// Whether the text is one word of the file.
bool is_word(const std::string& text) {
  return !text.empty() && text.find_first_of(" \t\r\n#") == std::string::npos;
}

std::string spender_lines(const ClusterAllowances& published, const slurm::UserNames& names,
                          std::string& problems) {
  std::string out;
  std::size_t count = 0;
  for (const AllowanceSpender& spender : published.spenders) {
    const auto user = names.known_id(spender.user);
    if (!user || !is_word(spender.slurm_account)) continue;
    if (++count > wire::kSpendersMax) {
      problems += " more than " + std::to_string(wire::kSpendersMax) +
                  " users of accounts with allowances: the others are refused while the service is "
                  "away;";
      break;
    }
    out += std::string(wire::kSpender) + " " + std::to_string(*user) + " " +
           to_lower(spender.slurm_account) + " " + spender.account +
           (spender.is_default ? " " + std::string(wire::kDefault) : "") + "\n";
  }
  return out;
}

}  // namespace

AllowanceLines allowance_lines(const slurm::ClusterSnapshot& cluster,
                               const PolicyClusters& clusters, const pricing::PriceBook* book,
                               const Allowances& allowances, const ClusterAllowances& published,
                               const slurm::UserNames& names) {
  AllowanceLines out;
  if (!allowances.are_set() || book == nullptr) return out;
  out.text = std::string(wire::kWithoutAllowance) + " " +
             std::string(allowances.settings().allow_without_allowance ? plugins::wire::kAllow
                                                                       : plugins::wire::kDeny) +
             "\n";
  for (const PublishedAllowance& allowance : published.allowances) {
    out.text += allowance_line(allowance);
  }
  out.text += spender_lines(published, names, out.problems);
  for (const slurm::PartitionInfo& partition : cluster.partitions) {
    if (!is_word(partition.name)) continue;
    const auto rate = worst_rate(cluster, partition, clusters, *book);
    if (rate) out.text += rate_line(partition.name, *rate);
  }
  return out;
}

}  // namespace asbb::service
