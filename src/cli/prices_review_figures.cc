#include <algorithm>

#include "base/text.h"
#include "cli/prices_review.h"
#include "pricing/charge.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t much_more_percent = 125;  // memory's share beside the CPUs'
constexpr std::int64_t notable_permille = 10;

std::optional<std::int64_t> billing_of(std::string_view tres) {
  for (const std::string_view one : split(tres, ',')) {
    if (one.starts_with("billing=")) return parse_count(one.substr(8));
  }
  return std::nullopt;
}

struct NodeMean {
  std::int64_t cpus = 0;
  std::int64_t memory_mb = 0;
};

// Of the nodes of the partition, all together.
NodeMean mean_node(const slurm::ClusterSnapshot* snapshot, const std::string& partition) {
  const slurm::PartitionInfo* info = snapshot == nullptr ? nullptr : snapshot->partition(partition);
  if (info == nullptr) return {};
  NodeMean sum;
  const auto nodes = snapshot->nodes_of(*info);
  for (const slurm::NodeInfo* node : nodes) {
    sum.cpus += node->cpus;
    sum.memory_mb += node->memory_mb;
  }
  const auto count = static_cast<std::int64_t>(nodes.size());
  return count == 0 ? NodeMean{} : NodeMean{sum.cpus / count, sum.memory_mb / count};
}

void add_run(PartitionUse& use, const std::string& cluster, const std::string& partition,
             std::int64_t seconds, const pricing::Tres& tres, std::int64_t billing,
             const pricing::PriceBook& book, const NodeMean& node) {
  const std::int64_t nodes = std::max<std::int64_t>(1, tres.nodes);
  ++use.runs;
  use.core_seconds += tres.cores * seconds;
  use.node_seconds += nodes * seconds;
  use.billing_seconds += billing * seconds;
  if (node.cpus > 0) use.cpu_permille += tres.cores * 1000 / node.cpus * seconds;
  if (node.memory_mb > 0) use.memory_permille += tres.memory_mb * 1000 / node.memory_mb * seconds;
  pricing::Usage usage;
  usage.allocated = tres;
  usage.node_count = tres.nodes;
  usage.elapsed_seconds = seconds;
  usage.started = true;
  const auto cost = pricing::charge(book, cluster, partition, usage);
  if (cost && cost->priced) use.today += cost->amount;
}

std::string hours_text(std::int64_t seconds) {
  return to_display(Micros(mul_div(seconds, 1'000'000, 3600, Rounding::half_even).value_or(0)));
}

bool is_said_to_be_free(const pricing::PriceBook& book, const std::string& cluster,
                        const std::string& partition) {
  const pricing::Rate* rate = book.find(cluster, partition);
  return rate != nullptr && rate->free;
}

// What another partition of the cluster costs, for one that costs nothing by mistake.
std::string entry_text(const pricing::PriceBook& book, const std::string& cluster,
                       const std::string& partition) {
  const std::string head = "{cluster: " + cluster + ", partition: " + partition + ", ";
  const std::string as_free = head + "free: true}";
  for (const pricing::Rate& rate : book.rates) {
    if (rate.cluster != cluster || rate.free || rate.per_core_hour.is_zero()) continue;
    return head + "unit: " + rate.unit + ", per_core_hour: " + to_decimal(rate.per_core_hour) +
           "} as on " + rate.partition + ", or " + as_free + " when that is meant";
  }
  return as_free + " when that is meant";
}

// What the ledger has charged and what the same runs cost by today's book.
void compare_charges(const std::string& where, const PartitionUse& use, const pricing::Rate& rate,
                     std::vector<std::string>& out) {
  const auto found = use.charged.find(rate.unit);
  const Micros charged = found == use.charged.end() ? Micros() : found->second;
  const Micros apart = charged < use.today ? use.today - charged : charged - use.today;
  const auto bound = mul_div(use.today.count(), notable_permille, 1000, Rounding::up);
  if (use.runs == 0 || (bound && apart.count() <= *bound)) return;
  out.push_back(where + " was charged " + to_display(charged, rate.unit) +
                ", and by the prices of today its runs cost " + to_display(use.today, rate.unit) +
                ": prices that have changed, instance types, write-offs, or runs that are not "
                "charged yet; 'asbb report dual' names those.");
  for (const auto& [unit, amount] : use.charged) {
    if (unit == rate.unit) continue;
    out.push_back(where + " was charged " + to_display(amount, unit) +
                  " as well, by prices in another unit than today's.");
  }
}

void compare_memory(const std::string& where, const PartitionUse& use, const pricing::Rate& rate,
                    std::vector<std::string>& out) {
  const bool is_by_cores = rate.basis == pricing::Basis::tres && rate.per_gb_hour.is_zero() &&
                           rate.per_node_hour.is_zero() && rate.per_instance_hour.empty();
  if (!is_by_cores || use.node_seconds == 0) return;
  if (use.memory_permille * 100 <= use.cpu_permille * much_more_percent) return;
  out.push_back(
      where + ": its runs took " + std::to_string(use.memory_permille / use.node_seconds / 10) +
      " % of their nodes' memory with " + std::to_string(use.cpu_permille / use.node_seconds / 10) +
      " % of the CPUs, and pay for CPUs alone: per_gb_hour, or basis: share, would count "
      "what they keep others from.");
}

}  // namespace

void add_runs(PartitionUses& uses, const std::string& cluster, std::string_view rows, Instant since,
              Instant until, const pricing::PriceBook& book, const slurm::ClusterSnapshot* snapshot,
              std::vector<std::string>& problems) {
  std::map<std::string, NodeMean> nodes;
  for (const std::string_view row : split(rows, '\n')) {
    if (row.empty()) continue;
    const auto fields = split(row, '|');
    const auto count_at = [&](std::size_t at) {
      return at < fields.size() ? parse_count(fields[at]) : std::nullopt;
    };
    const auto end = count_at(1);
    const auto seconds = count_at(2);
    const auto tres = fields.size() == 5 ? pricing::parse_allocated_tres(fields[4])
                                         : Result<pricing::Tres>(pricing::Tres{});
    if (fields.size() != 5 || !seconds || !tres) {
      problems.push_back("sacct of " + cluster + ": a row cannot be read: " + in_quotes(row));
      continue;
    }
    if (!end || *end < since.unix_seconds() || *end >= until.unix_seconds()) continue;
    if (*seconds == 0) continue;  // never ran
    const std::string partition(fields[0]);
    if (!nodes.contains(partition)) nodes[partition] = mean_node(snapshot, partition);
    pricing::Tres allocated = *tres;
    if (allocated.nodes == 0) allocated.nodes = count_at(3).value_or(0);
    add_run(uses[{cluster, partition}], cluster, partition, *seconds, allocated,
            billing_of(fields[4]).value_or(0), book, nodes[partition]);
  }
}

std::vector<PartitionWeights> review_weights(const Reviewed& reviewed) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [name, cluster] : reviewed.clusters) {
    for (const slurm::PartitionInfo& one : cluster.partitions) names.emplace_back(name, one.name);
  }
  std::vector<PartitionWeights> out = weigh(reviewed.book, names);
  std::map<std::string, std::int64_t> scales;  // by unit
  for (const PartitionWeights& there : out) {
    if (there.rate != nullptr) scales[there.rate->unit] = there.weights.scale;
  }
  for (const auto& [name, use] : reviewed.uses) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    PartitionWeights& gone = out.emplace_back(weigh(reviewed.book, {name}).front());
    if (gone.rate == nullptr) continue;
    const auto scale = scales.find(gone.rate->unit);
    if (scale != scales.end()) gone.weights = billing_weights(*gone.rate, scale->second);
  }
  return out;
}

std::vector<std::string> proposals(const Reviewed& reviewed) {
  const auto& [book, names, clusters, counted, uses] = reviewed;
  std::vector<std::string> out;
  const PartitionUse none;
  for (const PartitionWeights& one : review_weights(reviewed)) {
    const std::string where = "Partition " + one.partition + " of " + one.cluster;
    const auto found = uses.find({one.cluster, one.partition});
    const PartitionUse& use = found == uses.end() ? none : found->second;
    const bool is_counted = counted.contains(one.cluster);
    if (one.cluster.empty()) continue;  // charges of other programs
    if (one.rate == nullptr) {
      if (is_said_to_be_free(book, one.cluster, one.partition)) continue;
      out.push_back(where + " has no price" +
                    (is_counted ? ": " + std::to_string(use.runs) + " runs used " +
                                      hours_text(use.core_seconds) + " core-hours there for nothing"
                                : "") +
                    ". In the next price book: " + entry_text(book, one.cluster, one.partition) +
                    ".");
      continue;
    }
    if (is_counted) {
      compare_charges(where, use, *one.rate, out);
      compare_memory(where, use, *one.rate, out);
    }
    const auto cluster = clusters.find(one.cluster);
    const slurm::PartitionInfo* info =
        cluster == clusters.end() ? nullptr : cluster->second.partition(one.partition);
    if (info == nullptr || clusters.size() < names.size()) continue;
    if (info->billing_weights == one.weights.text()) continue;
    out.push_back(where + " has " +
                  (info->billing_weights.empty()
                       ? "no TRESBillingWeights"
                       : "TRESBillingWeights=\"" + info->billing_weights + "\"") +
                  "; those of its price are \"" + one.weights.text() +
                  "\" ('asbb slurm configure --clusters=" + joined(names, ",") + " --write').");
  }
  return out;
}

}  // namespace asbb::cli
