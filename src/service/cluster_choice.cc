#include "service/cluster_choice.h"

#include <algorithm>

namespace asbb::service {
namespace {

// More units than this are not tried one by one.
constexpr std::size_t units_max = 4;

using Names = std::set<std::string>;

// What the plugin takes (docs/reference/plugin-protocol.md).
bool is_plain(const std::string& feature) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !feature.empty() && feature.find_first_not_of(plain) == std::string::npos;
}

// The features of the wanted clusters that none of the others has, as long as they reach all of
// the wanted ones.
std::optional<Names> features_of(const std::vector<ClusterChoice>& clusters, const Names& wanted) {
  Names others;
  for (const ClusterChoice& cluster : clusters) {
    if (wanted.contains(cluster.name)) continue;
    others.insert(cluster.features.begin(), cluster.features.end());
  }
  Names features;
  for (const ClusterChoice& cluster : clusters) {
    if (!wanted.contains(cluster.name)) continue;
    bool is_reached = false;
    for (const std::string& feature : cluster.features) {
      if (others.contains(feature) || !is_plain(feature)) continue;
      is_reached = true;
      features.insert(feature);
    }
    if (!is_reached) return std::nullopt;
  }
  return features;
}

std::string joined(const Names& features) {
  std::string list;
  for (const std::string& feature : features) list += (list.empty() ? "" : ",") + feature;
  return list;
}

}  // namespace

bool is_paid(const ClusterChoice& cluster, const Names& units) {
  return std::includes(units.begin(), units.end(), cluster.units.begin(), cluster.units.end());
}

std::optional<std::string> constraint_for(const std::vector<ClusterChoice>& clusters,
                                          const Names& units) {
  Names allowed;
  Names others;
  for (const ClusterChoice& cluster : clusters) {
    const bool may = cluster.is_viable && is_paid(cluster, units);
    (may ? allowed : others).insert(cluster.name);
  }
  if (allowed.empty()) return std::nullopt;
  if (others.empty()) return std::string();
  if (const auto features = features_of(clusters, allowed)) return joined(*features);
  if (const auto features = features_of(clusters, others)) return "!" + joined(*features);
  return std::nullopt;
}

bool can_be_restricted(const std::vector<ClusterChoice>& clusters,
                       const std::vector<std::string>& units) {
  if (units.size() < 2 || units.size() > units_max) return false;
  for (unsigned chosen = 1; chosen + 1 < 1U << units.size(); ++chosen) {
    Names paid;
    for (std::size_t i = 0; i < units.size(); ++i) {
      if ((chosen >> i & 1U) != 0) paid.insert(units[i]);
    }
    if (!constraint_for(clusters, paid)) return false;
  }
  return true;
}

}  // namespace asbb::service
