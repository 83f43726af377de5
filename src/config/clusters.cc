#include "config/clusters.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "config/limit_rules.h"
#include "config/settings.h"

namespace asbb::config {
namespace {

std::optional<Cluster> read_cluster(const YAML::Node& value, const std::string& where,
                                    const SayProblem& problem) {
  if (!value.IsMap()) {
    problem(line_of(value), where + ": {name, conf, bin_dir} is expected, not " + kind_of(value));
    return std::nullopt;
  }
  Cluster cluster;
  bool is_good = true;
  const auto refuse = [&](int at, const std::string& message) {
    is_good = false;
    problem(at, message);
  };
  each_key(value, where, refuse, [&](const std::string& key, const YAML::Node& item, int at) {
    const std::string name = where + "." + key;
    if (key != "name" && key != "conf" && key != "bin_dir" && key != "limits") {
      return refuse(at,
                    name + ": there is no such setting; a cluster has name, conf, bin_dir, limits");
    }
    if (key == "limits") {
      cluster.limits = read_limit_rules(item, name, at, refuse);
      return;
    }
    if (!item.IsScalar()) {
      return refuse(at, name + ": one value is expected, not " + kind_of(item));
    }
    const std::string text = item.Scalar();
    if (key == "name") {
      if (!is_cluster_name(text)) {
        return refuse(at, name + ": " + in_quotes(text) +
                              " is not allowed; expected is the ClusterName, in lower case as "
                              "Slurm keeps it");
      }
      cluster.name = text;
    } else if (!text.empty() && !is_absolute_path(text)) {
      refuse(at, name + ": " + in_quotes(text) + " is not allowed; expected is an absolute path");
    } else {
      (key == "conf" ? cluster.conf : cluster.bin_dir) = text;
    }
  });
  if (!cluster.name.empty()) return cluster;
  if (is_good) problem(line_of(value), where + ".name: this setting is missing");
  return std::nullopt;
}

}  // namespace

std::vector<Cluster> read_clusters(const YAML::Node& value, int line, const SayProblem& problem) {
  const std::string whole = "slurm.clusters";
  std::vector<Cluster> out;
  if (!value.IsSequence()) {
    problem(line, whole + ": a list of {name, conf, bin_dir} is expected, not " + kind_of(value));
    return out;
  }
  std::size_t index = 0;
  for (const YAML::Node& item : value) {
    const std::string where = whole + "[" + std::to_string(index++) + "]";
    auto cluster = read_cluster(item, where, problem);
    if (!cluster) continue;
    const bool is_twice = std::any_of(
        out.begin(), out.end(), [&](const Cluster& other) { return other.name == cluster->name; });
    if (is_twice) {
      problem(line_of(item), where + ".name: the cluster '" + cluster->name + "' is listed twice");
    } else {
      out.push_back(std::move(*cluster));
    }
  }
  return out;
}

void fill_clusters(Slurm& slurm) {
  std::string conf = slurm.config_path;
  if (!conf.empty() && !conf.ends_with(".conf")) conf += "/slurm.conf";
  for (Cluster& cluster : slurm.clusters) {
    if (cluster.conf.empty()) cluster.conf = conf;
    if (cluster.bin_dir.empty()) cluster.bin_dir = slurm.bin_path;
  }
}

}  // namespace asbb::config
