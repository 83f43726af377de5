// GET /clusters: what a submitter has to know of them to choose one.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

constexpr const char* cloud_feature = "cloud";  // what the plugin's --cloud asks for

bool has_cloud_feature(const slurm::ClusterEntry& entry) {
  return std::any_of(entry.features.begin(), entry.features.end(),
                     [](const std::string& feature) { return to_lower(feature) == cloud_feature; });
}

std::vector<std::string> units_of(const pricing::PriceBook* book, const std::string& cluster,
                                  const slurm::ClusterSnapshot* snapshot) {
  std::set<std::string> units;
  if (book != nullptr && snapshot != nullptr) {
    for (const slurm::PartitionInfo& partition : snapshot->partitions) {
      const pricing::Rate* rate = book->find_priced(cluster, partition.name);
      if (rate != nullptr) units.insert(rate->unit);
    }
  }
  return {units.begin(), units.end()};
}

}  // namespace

Reply<std::vector<api::ClusterInfo>> Operations::clusters(const Caller& caller) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const Instant at = now();
  const auto history = with_.prices.history();
  const pricing::PriceBook* book = history->in_force(at);
  std::vector<api::ClusterInfo> infos;
  bool has_feature = false;
  for (const std::string& name : options_.clusters) {
    api::ClusterInfo& info = infos.emplace_back();
    info.name = name;
    const auto snapshot = with_.view.cluster(name);
    const auto associations = with_.view.associations(name);
    info.units = units_of(book, name, snapshot.get());
    if (snapshot) info.slurm_version = snapshot->slurm_version;
    const auto conf = options_.slurm_confs.find(name);
    if (conf != options_.slurm_confs.end()) info.slurm_conf = conf->second;
    info.problem = with_.view.problem(name);
    if (!snapshot || !associations) {
      if (info.problem.empty()) info.problem = "the cluster has not been read yet";
      continue;
    }
    const Span age = at - std::min(snapshot->read_at, associations->read_at);
    info.view_age_s = age.microseconds / 1'000'000;
    const bool is_fresh = age <= options_.gate.view_age_max;
    if (!is_fresh && info.problem.empty()) {
      info.problem = "the last view of the cluster is too old to price jobs";
    }
    info.is_usable = is_fresh && info.problem.empty();
    for (const slurm::ClusterEntry& entry : associations->clusters()) {
      const bool is_watched = std::find(options_.clusters.begin(), options_.clusters.end(),
                                        entry.name) != options_.clusters.end();
      if (entry.name != name) {
        if (is_watched) info.reaches.push_back(entry.name);
        continue;
      }
      info.federation = entry.federation;
      info.is_cloud = has_cloud_feature(entry);
      has_feature = has_feature || info.is_cloud;
    }
  }
  // Outside of a federation nobody has to give features.
  for (api::ClusterInfo& info : infos) {
    if (has_feature) break;
    info.is_cloud =
        !info.units.empty() && std::all_of(info.units.begin(), info.units.end(), is_currency);
  }
  return infos;
}

}  // namespace asbb::service
