// Heterogeneous jobs, component by component, until slurmctld has made all of them or none. When a
// component is refused, slurmctld makes none of those that were let in before it: no job shows
// their tokens in a list that is read after that. Kept in memory alone: after a restart their holds
// wait for the sweep's grace like others. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"

namespace asbb::service {

class HetGroups {
 public:
  // Components beyond this number push the oldest out.
  explicit HetGroups(std::size_t components_max = 10'000) : components_max_(components_max) {}

  // A component has money. `group` is the token of its job's first one.
  void joined(const std::string& group, const std::string& token);
  // Another component was refused, and the plugin cannot have let it in. Whether there is anything
  // to give back.
  [[nodiscard]] bool refused(const std::string& group, Instant at);
  // When another component of the same job was.
  [[nodiscard]] std::optional<Instant> refused_at(const std::string& token) const;

 private:
  const std::size_t components_max_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> group_of_;  // by token
  std::deque<std::string> order_;                // tokens, oldest first
  std::map<std::string, Instant> refused_at_;    // by group, of those that have a component
};

}  // namespace asbb::service
