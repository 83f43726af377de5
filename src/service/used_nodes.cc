#include "service/used_nodes.h"

#include <string>
#include <unordered_map>
#include <utility>

#include "slurm/slurm_text.h"

namespace asbb::service {

std::vector<pricing::UsedNode> used_nodes(const slurm::ClusterSnapshot& view,
                                          std::string_view hosts) {
  auto names = slurm::expand_hostlist(hosts);
  if (!names) return {};
  std::unordered_map<std::string_view, const slurm::NodeInfo*> known;
  for (const slurm::NodeInfo& node : view.nodes) known.emplace(node.name, &node);
  std::vector<pricing::UsedNode> nodes;
  for (std::string& name : *names) {
    const auto found = known.find(name);
    const bool is_known = found != known.end();
    pricing::UsedNode node{std::move(name), is_known, {}, 1};
    if (is_known) node.features = found->second->features;
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace asbb::service
