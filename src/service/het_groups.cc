#include "service/het_groups.h"

#include <algorithm>

namespace asbb::service {

void HetGroups::joined(const std::string& group, const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (!group_of_.emplace(token, group).second) return;
  order_.push_back(token);
  if (order_.size() <= components_max_) return;
  const auto oldest = group_of_.find(order_.front());
  refused_at_.erase(oldest->second);
  group_of_.erase(oldest);
  order_.pop_front();
}

bool HetGroups::refused(const std::string& group, Instant at) {
  const std::lock_guard lock(mutex_);
  const bool has_component =
      std::any_of(group_of_.begin(), group_of_.end(),
                  [&](const auto& component) { return component.second == group; });
  if (has_component) refused_at_.insert_or_assign(group, at);
  return has_component;
}

std::optional<Instant> HetGroups::refused_at(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto group = group_of_.find(token);
  if (group == group_of_.end()) return std::nullopt;
  const auto refused = refused_at_.find(group->second);
  if (refused == refused_at_.end()) return std::nullopt;
  return refused->second;
}

}  // namespace asbb::service
