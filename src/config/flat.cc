// The settings in force as names and values, for programs.
#include <yaml-cpp/yaml.h>

#include "config/config.h"

namespace asbb::config {
namespace {

void flatten(const YAML::Node& node, const std::string& name, FlatSettings& out) {
  if (node.IsMap() && node.size() > 0) {
    for (const auto& entry : node) {
      const std::string& key = entry.first.Scalar();
      flatten(entry.second, name.empty() ? key : name + "." + key, out);
    }
  } else if (node.IsSequence() && node.size() > 0) {
    for (std::size_t i = 0; i < node.size(); ++i) {
      flatten(node[i], name + "[" + std::to_string(i) + "]", out);
    }
  } else {
    out.emplace_back(name, node.IsScalar() ? node.Scalar() : "");
  }
}

}  // namespace

FlatSettings flat_config(const Config& config) {
  FlatSettings out;
  flatten(YAML::Load(show_config(config)), "", out);
  return out;
}

}  // namespace asbb::config
