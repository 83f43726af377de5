#include "service/least_cost.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "pricing/charge.h"
#include "service/hold_scope.h"
#include "service/job_change.h"
#include "service/used_nodes.h"

namespace asbb::service {
namespace {

// What the row shows; of memory that is shown cut short, the least that it may stand for.
std::optional<pricing::Tres> shown(const slurm::QueueJob& row,
                                   const pricing::PartitionShape& shape) {
  auto tres = pricing::parse_allocated_tres(shown_tres(row));
  if (!tres) return std::nullopt;
  tres->memory_mb = shape.memory_allocated ? least_memory_mb(row) : 0;
  return std::move(*tres);
}

struct Outcome {
  pricing::Tres tres;
  std::vector<pricing::UsedNode> nodes;
};

// What a job that waits may be given on nodes of each kind.
std::vector<Outcome> outcomes(const pricing::Tres& asked, const pricing::PartitionShape& shape) {
  std::vector<Outcome> out;
  pricing::Tres typed = asked;
  const auto untyped_at = typed.gpus_by_type.find("");
  const std::int64_t untyped = untyped_at == typed.gpus_by_type.end() ? 0 : untyped_at->second;
  if (untyped > 0) typed.gpus_by_type.erase(untyped_at);
  for (const pricing::NodeShape& node : shape.nodes) {
    Outcome given{typed, {{"", true, node.features, typed.nodes}}};
    std::int64_t& cores = given.tres.cores;
    if (shape.exclusive) cores = std::max(cores, typed.nodes * node.cpus);
    if (untyped == 0) out.push_back(given);
    if (untyped == 0) continue;
    for (const auto& [type, count] : node.gpus_by_type) {
      Outcome with_type = given;
      with_type.tres.gpus_by_type[type] += untyped;
      out.push_back(std::move(with_type));
    }
  }
  return out;
}

bool is_known(const pricing::UsedNode& node) {
  return node.is_known;
}

std::vector<pricing::UsedNode> nodes_of(const slurm::QueueJob& row, const pricing::Rate& rate,
                                        const slurm::ClusterSnapshot& cluster) {
  if (!rate.tells_instances()) return {};
  return used_nodes(cluster, row.nodes);
}

}  // namespace

std::vector<LeastCost> least_costs(const slurm::QueueJob& row, const pricing::PriceBook& book,
                                   const std::shared_ptr<const slurm::ClusterSnapshot>& cluster,
                                   ShapeCache& shapes) {
  std::vector<LeastCost> costs;
  if (!cluster || row.time_limit_minutes == slurm::unlimited) return costs;
  for (const std::string_view name : split(row.partition, ',')) {
    const SharedShape shape = shapes.shape(cluster, name);
    const pricing::Rate* rate = book.find_priced(row.cluster, name);
    if (rate == nullptr) continue;
    if (!shape || (shape->over_time_limit && shape->over_time_limit->unlimited)) continue;
    const auto tres = shown(row, *shape);
    if (!tres) continue;
    pricing::Usage usage;
    usage.started = true;
    usage.node_count = tres->nodes;
    usage.elapsed_seconds = row.time_limit_minutes * 60;
    if (shape->over_time_limit) usage.elapsed_seconds += shape->over_time_limit->minutes * 60;
    std::optional<LeastCost> least;
    const auto given = is_pending(row)
                           ? outcomes(*tres, *shape)
                           : std::vector<Outcome>{{*tres, nodes_of(row, *rate, *cluster)}};
    for (const Outcome& each : given) {
      // Of a node that the view lacks nothing is known for sure.
      if (!std::all_of(each.nodes.begin(), each.nodes.end(), is_known)) continue;
      usage.allocated = each.tres;
      usage.nodes = each.nodes;
      const auto charge = pricing::charge(book, row.cluster, name, usage);
      if (!charge || !charge->priced) continue;
      if (!least || charge->amount < least->amount) least = {charge->unit, charge->amount};
    }
    if (least) costs.push_back(std::move(*least));
  }
  return costs;
}

}  // namespace asbb::service
