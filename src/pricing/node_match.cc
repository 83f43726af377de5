#include "pricing/node_match.h"

#include <algorithm>

#include "base/text.h"
#include "pricing/count.h"

namespace asbb::pricing {
namespace {

constexpr std::string_view operators = "&,|()[]* \t";

std::vector<std::string_view> feature_names(std::string_view constraint) {
  std::vector<std::string_view> names;
  std::size_t at = 0;
  while (at < constraint.size()) {
    const std::size_t start = constraint.find_first_not_of(operators, at);
    if (start == std::string_view::npos) break;
    at = std::min(constraint.find_first_of(operators, start), constraint.size());
    names.push_back(constraint.substr(start, at - start));
  }
  return names;
}

bool has_gpus(const NodeShape& node, const Tres& wanted) {
  std::int64_t total = 0;
  for (const auto& [type, count] : node.gpus_by_type) total += count;
  const auto untyped = node.gpus_by_type.find("");
  const std::int64_t of_unknown_type = untyped == node.gpus_by_type.end() ? 0 : untyped->second;
  for (const auto& [type, count] : wanted.gpus_by_type) {
    const auto typed = node.gpus_by_type.find(type);
    const std::int64_t of_type = typed == node.gpus_by_type.end() ? 0 : typed->second;
    const std::int64_t largest = type.empty() ? total : of_type + of_unknown_type;
    if (count > largest) return false;
  }
  return true;
}

bool can_hold(const CheckedRequest& request, const NodeShape& node, std::int64_t cpus_per_node) {
  if (!has_gpus(node, request.per_node) || !has_gpus(node, request.per_socket) ||
      !has_gpus(node, request.per_task)) {
    return false;
  }
  if (!request.asked.overcommit && node.cpus < cpus_per_node) return false;
  return node.memory_mb >= request.asked.memory_per_node_mb.value_or(0);
}

}  // namespace

bool may_match(std::string_view constraint, const std::vector<std::string>& features) {
  const auto names = feature_names(constraint);
  if (names.empty() || constraint.find_first_of("*!") != std::string_view::npos) return true;
  const auto has = [&](std::string_view name) {
    return std::find(features.begin(), features.end(), name) != features.end();
  };
  if (constraint.find_first_of("|()[]") == std::string_view::npos) {
    return std::all_of(names.begin(), names.end(), has);
  }
  return std::any_of(names.begin(), names.end(), has);
}

std::int64_t counted_nodes(std::string_view constraint) {
  std::int64_t sum = 0;
  for (std::size_t at = constraint.find('*'); at != std::string_view::npos;
       at = constraint.find('*', at + 1)) {
    const std::size_t end = constraint.find_first_not_of("0123456789", at + 1);
    const auto count = parse_count(constraint.substr(at + 1, end - at - 1), max_count);
    sum = plus(sum, count.value_or(0));
  }
  return sum;
}

std::vector<const NodeShape*> matching_nodes(const CheckedRequest& request,
                                             const PartitionShape& partition,
                                             std::int64_t cpus_per_node) {
  std::vector<const NodeShape*> with_features;
  std::vector<const NodeShape*> able;
  for (const NodeShape& node : partition.nodes) {
    if (node.count <= 0 || !may_match(request.asked.features, node.features)) continue;
    with_features.push_back(&node);
    if (can_hold(request, node, cpus_per_node)) able.push_back(&node);
  }
  return able.empty() ? with_features : able;
}

}  // namespace asbb::pricing
