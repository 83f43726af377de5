#include "config/yaml_text.h"

#include <yaml-cpp/yaml.h>

#include <set>

namespace asbb::config {

int line_of(const YAML::Node& node) {
  return node.Mark().is_null() ? 0 : node.Mark().line + 1;
}

const char* kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return node.IsNull() ? "nothing" : "one value";
}

void each_key(const YAML::Node& map, const std::string& where, const SayProblem& problem,
              const VisitKey& visit, Repeated repeated) {
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const int line = line_of(entry.first);
    if (!entry.first.IsScalar()) {
      problem(line, where + ": a key must be a word");
      continue;
    }
    const std::string key = entry.first.Scalar();
    if (!seen.insert(key).second) {
      problem(line, (where.empty() ? "" : where + ".") + key + ": this key is given twice");
      if (repeated == Repeated::skipped) continue;
    }
    visit(key, entry.second, line);
  }
}

std::string yaml_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace asbb::config
