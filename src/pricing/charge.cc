#include "pricing/charge.h"

#include <algorithm>

#include "base/text.h"
#include "pricing/cost.h"

namespace asbb::pricing {
namespace {

constexpr std::int64_t max_elapsed_seconds = 100'000'000'000;

bool in_range(const Usage& usage) {
  const auto within = [](std::int64_t value, std::int64_t largest) {
    return value >= 0 && value <= largest;
  };
  for (const auto& [type, count] : usage.allocated.gpus_by_type) {
    if (!within(count, max_count)) return false;
  }
  return within(usage.allocated.nodes, max_count) && within(usage.allocated.cores, max_count) &&
         within(usage.allocated.memory_mb, max_memory_mb) && within(usage.node_count, max_count) &&
         within(usage.elapsed_seconds, max_elapsed_seconds);
}

std::string billed_line(const Rate& rate, std::int64_t elapsed, std::int64_t billed) {
  std::string line = "ran " + std::to_string(elapsed) + " s";
  if (billed > elapsed) {
    line += ", billed " + std::to_string(rate.minimum_seconds) + " s, the shortest that is billed";
  }
  return line;
}

// A node and what an hour of it costs.
struct Instance {
  std::string type;
  Micros price;
  std::int64_t count = 1;
  std::string doubt;  // its name, where it counts as the dearest for want of knowledge
};

Instance instance_of(const Rate& rate, const UsedNode& node) {
  const std::string type = rate.instance_type(node.features);
  if (node.is_known && (!type.empty() || rate.prices_other_instances())) {
    return {type, rate.node_hour(type), node.count, ""};
  }
  const std::string dearest = rate.dearest_instance();
  return {dearest, rate.node_hour(dearest), node.count, node.name};
}

// Which instance types the nodes are. Of more names than nodes the dearest count; a node without a
// name is as dear as any.
std::vector<std::string> tell_instances(const Rate& rate, const std::vector<UsedNode>& nodes,
                                        Tres& allocated) {
  std::vector<Instance> instances;
  for (const UsedNode& node : nodes) instances.push_back(instance_of(rate, node));
  std::stable_sort(instances.begin(), instances.end(),
                   [](const Instance& a, const Instance& b) { return b.price < a.price; });
  std::int64_t nameless = allocated.nodes;
  std::vector<std::string> unknown;
  for (const Instance& each : instances) {
    const std::int64_t count = std::min(each.count, nameless);
    if (count <= 0) continue;
    if (!each.type.empty()) allocated.nodes_by_type[each.type] += count;
    if (!each.doubt.empty()) unknown.push_back(each.doubt);
    nameless -= count;
  }
  if (nameless == 0) return unknown;
  const std::string dearest = rate.dearest_instance();
  if (!dearest.empty()) allocated.nodes_by_type[dearest] += nameless;
  unknown.push_back(std::to_string(nameless) + " without a name");
  return unknown;
}

}  // namespace

Result<Charge> charge(const PriceBook& book, std::string_view cluster, std::string_view partition,
                      const Usage& usage) {
  if (!in_range(usage)) {
    return fail(ErrorKind::invalid, "the usage of a job on partition " + std::string(partition) +
                                        " is negative or beyond what can be: " +
                                        std::to_string(usage.elapsed_seconds) + " s");
  }
  Charge out;
  out.price_version = book.version;
  const Rate* rate = book.find_priced(cluster, partition);
  if (rate == nullptr) {
    out.lines = {"partition " + std::string(partition) + " has no price"};
    return out;
  }
  out.priced = true;
  out.unit = rate->unit;
  if (!usage.started) {
    out.lines = {"the job never started"};
    return out;
  }
  Tres allocated = usage.allocated;
  if (allocated.nodes == 0) allocated.nodes = usage.node_count;
  if (rate->tells_instances()) {
    out.unknown_nodes = tell_instances(*rate, usage.nodes, allocated);
  }
  out.billed_seconds = billed_seconds(*rate, usage.elapsed_seconds);
  const auto amount = cost(*rate, allocated, out.billed_seconds, Rounding::half_even);
  if (!amount) {
    return fail(ErrorKind::invalid, "the cost of " + to_string(allocated) + " for " +
                                        std::to_string(out.billed_seconds) +
                                        " s is more than can be counted");
  }
  out.amount = *amount;
  if (!out.unknown_nodes.empty()) {
    out.lines.push_back("nodes of unknown instance type, charged as the dearest: " +
                        listed(out.unknown_nodes));
  }
  const std::vector<std::string> reached = {
      "an hour: " + hourly_terms(*rate, allocated) + " " + out.unit,
      billed_line(*rate, usage.elapsed_seconds, out.billed_seconds),
      "charged " + to_display(out.amount, out.unit)};
  out.lines.insert(out.lines.end(), reached.begin(), reached.end());
  return out;
}

}  // namespace asbb::pricing
