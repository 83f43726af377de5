#include "cli/slurm_dual_weights.h"

#include <algorithm>

#include "base/text.h"
#include "pricing/cost.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t micros_per_unit = 1'000'000;

pricing::Tres whole_node(const slurm::NodeInfo& node, const pricing::Rate& rate) {
  pricing::Tres tres;
  tres.nodes = 1;
  tres.cores = node.cpus;
  tres.memory_mb = node.memory_mb;
  for (const slurm::Gres& gres : node.gres) {
    if (gres.name == "gpu") tres.gpus_by_type[to_lower(gres.type)] += gres.count;
  }
  if (rate.tells_instances()) {
    const std::string type = rate.instance_type(node.features);
    if (!type.empty()) tres.nodes_by_type[type] = 1;
  }
  return tres;
}

void add_tres(pricing::Tres& sum, const pricing::Tres& more) {
  sum.nodes += more.nodes;
  sum.cores += more.cores;
  sum.memory_mb += more.memory_mb;
  for (const auto& [type, count] : more.gpus_by_type) sum.gpus_by_type[type] += count;
  for (const auto& [type, count] : more.nodes_by_type) sum.nodes_by_type[type] += count;
}

// A CPU with the memory that it gets when none is asked for.
pricing::Tres one_cpu(const slurm::PartitionInfo& partition, const slurm::ClusterSnapshot& cluster,
                      const pricing::Tres& node) {
  const auto& own = partition.memory;
  const auto& common = cluster.memory;
  pricing::Tres tres = node;
  tres.cores = 1;
  tres.gpus_by_type.clear();
  if (const auto per_cpu =
          own.default_per_cpu_mb ? own.default_per_cpu_mb : common.default_per_cpu_mb) {
    tres.memory_mb = *per_cpu;
  } else if (const auto per_node =
                 own.default_per_node_mb ? own.default_per_node_mb : common.default_per_node_mb) {
    tres.memory_mb = *per_node;
  }
  return tres;
}

// "-1.25 %"
std::string difference_text(Micros price, Micros billed) {
  if (price.is_zero()) return "-";
  __extension__ using Wide = __int128;
  const Wide hundredths = static_cast<Wide>((billed - price).count()) * 10'000 / price.count();
  const auto count = static_cast<std::int64_t>(hundredths);
  const std::int64_t size = count < 0 ? -count : count;
  const std::string fraction = std::to_string(size % 100);
  return (count < 0 ? "-" : "") + std::to_string(size / 100) + "." +
         (fraction.size() < 2 ? "0" : "") + fraction + " %";
}

bool has_max_tres(const slurm::ClusterSnapshot& cluster) {
  return cluster.priority_flags.find("MAX_TRES") != std::string::npos;
}

void add_job(Table& table, const PartitionWeights& one, const std::string& job,
             const pricing::Tres& tres, bool with_max_tres) {
  const auto price = pricing::cost(*one.rate, tres, 3600, Rounding::half_even);
  const std::int64_t billing = pricing::slurm_billing(one.weights, tres, with_max_tres);
  const auto billed = mul_div(billing, micros_per_unit, one.weights.scale, Rounding::half_even);
  if (!price || !billed) return;
  table.add({one.cluster, one.partition, job, to_display(*price) + " " + one.rate->unit,
             std::to_string(billing), difference_text(*price, Micros(*billed))});
}

}  // namespace

std::vector<PartitionWeights> weigh(
    const pricing::PriceBook& book,
    const std::vector<std::pair<std::string, std::string>>& partitions) {
  std::vector<PartitionWeights> out;
  std::map<std::string, std::vector<pricing::Rate>> by_unit;
  for (const auto& [cluster, partition] : partitions) {
    const pricing::Rate* rate = book.find_priced(cluster, partition);
    if (rate != nullptr) by_unit[rate->unit].push_back(*rate);
    out.push_back({cluster, partition, rate, {}});
  }
  for (PartitionWeights& one : out) {
    if (one.rate == nullptr) continue;
    one.weights = billing_weights(*one.rate, pricing::billing_scale(by_unit[one.rate->unit]));
  }
  return out;
}

Table difference_table(const std::vector<PartitionWeights>& partitions,
                       const std::map<std::string, slurm::ClusterSnapshot>& clusters) {
  Table table({{"CLUSTER", "cluster"},
               {"PARTITION", "partition", Align::left, true},
               {"JOB", "job"},
               {"PRICE AN HOUR", "price", Align::right},
               {"SLURM BILLS", "billing", Align::right},
               {"DIFFERENCE", "difference", Align::right}});
  for (const PartitionWeights& one : partitions) {
    const auto cluster = clusters.find(one.cluster);
    if (one.rate == nullptr || cluster == clusters.end()) continue;
    const slurm::PartitionInfo* partition = cluster->second.partition(one.partition);
    const auto nodes = partition == nullptr ? std::vector<const slurm::NodeInfo*>{}
                                            : cluster->second.nodes_of(*partition);
    if (nodes.empty()) continue;
    const bool with_max_tres = has_max_tres(cluster->second);
    const pricing::Tres node = whole_node(*nodes.front(), *one.rate);
    pricing::Tres all;
    for (const slurm::NodeInfo* each : nodes) add_tres(all, whole_node(*each, *one.rate));
    add_job(table, one, "1 CPU", one_cpu(*partition, cluster->second, node), with_max_tres);
    add_job(table, one, "1 node", node, with_max_tres);
    if (nodes.size() > 1) {
      add_job(table, one, std::to_string(nodes.size()) + " nodes", all, with_max_tres);
    }
  }
  return table;
}

std::vector<std::string> weight_notes(
    const std::vector<PartitionWeights>& partitions,
    const std::map<std::string, slurm::ClusterSnapshot>& clusters) {
  std::vector<std::string> notes;
  std::map<std::string, std::int64_t> scales;
  for (const PartitionWeights& one : partitions) {
    const std::string where = "Partition " + one.partition + " of " + one.cluster;
    if (one.rate == nullptr) {
      notes.push_back(where +
                      " has no price: asbb charges nothing there, Slurm bills each CPU as 1.");
      continue;
    }
    scales[one.rate->unit] = one.weights.scale;
    for (const std::string& note : one.weights.notes) notes.push_back(where + ": " + note + ".");
    const auto cluster = clusters.find(one.cluster);
    if (cluster == clusters.end()) continue;
    const bool with_max_tres = has_max_tres(cluster->second);
    if (one.weights.needs_max_tres && !with_max_tres) {
      notes.push_back(where +
                      ": basis share is the largest part; Slurm adds the parts up, unless "
                      "PriorityFlags has MAX_TRES, which then counts for all partitions.");
    } else if (!one.weights.needs_max_tres && one.weights.weights.size() > 1 && with_max_tres) {
      notes.push_back(where +
                      ": PriorityFlags has MAX_TRES: Slurm bills the largest part, and not "
                      "the sum as the price does.");
    }
  }
  for (const auto& [unit, scale] : scales) {
    notes.push_back("A billing of " + std::to_string(scale) + " for an hour is 1 " + unit +
                    "; Slurm cuts off the fraction of each job's.");
  }
  return notes;
}

}  // namespace asbb::cli
