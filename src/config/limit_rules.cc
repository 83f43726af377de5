#include "config/limit_rules.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/text.h"

namespace asbb::config {
namespace {

constexpr std::string_view scale = "scale ";
constexpr Micros factor_max{1'000'000'000};

// A number, a list such as cpu=64,gres/gpu=4, or a time: what each limit takes is said by whoever
// uses the rule, here only what could be none.
bool is_value(const std::string& text) {
  return !text.empty() && text.size() <= 256 &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "=,/_:.-") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos && text.front() != '-' &&
         (text.find('=') != std::string::npos ||
          text.find_first_not_of("0123456789:-") == std::string::npos);
}

}  // namespace

const std::vector<std::string>& limit_rule_names() {
  static const std::vector<std::string> names{
      "MaxJobs", "MaxSubmitJobs", "MaxWall", "MaxTRES", "MaxTRESPerNode", "MaxTRESMins",
      "GrpJobs", "GrpSubmitJobs", "GrpWall", "GrpTRES", "GrpTRESMins",    "GrpTRESRunMins"};
  return names;
}

std::optional<LimitRule> read_limit_rule(const std::string& text) {
  if (text == "keep") return LimitRule{};
  if (text == "copy") return LimitRule{LimitRule::Kind::copy, {}, ""};
  if (text.starts_with(scale)) {
    const auto factor = parse_micros(text.substr(scale.size()));
    if (!factor || *factor <= Micros() || *factor > factor_max) return std::nullopt;
    return LimitRule{LimitRule::Kind::scale, *factor, ""};
  }
  if (!is_value(text)) return std::nullopt;
  return LimitRule{LimitRule::Kind::fixed, {}, text};
}

std::string to_text(const LimitRule& rule) {
  switch (rule.kind) {
    case LimitRule::Kind::keep:
      return "keep";
    case LimitRule::Kind::copy:
      return "copy";
    case LimitRule::Kind::scale:
      return std::string(scale) + to_decimal(rule.factor);
    case LimitRule::Kind::fixed:
      return rule.value;
  }
  return "keep";
}

std::map<std::string, LimitRule> read_limit_rules(const YAML::Node& value, const std::string& where,
                                                  int line, const SayProblem& problem) {
  std::map<std::string, LimitRule> rules;
  if (!value.IsMap()) {
    problem(line, where + ": a map of limits to " + allowed_limit_rules() + " is expected, not " +
                      kind_of(value));
    return rules;
  }
  each_key(value, where, problem, [&](const std::string& key, const YAML::Node& item, int at) {
    const auto& names = limit_rule_names();
    const auto name = std::find_if(names.begin(), names.end(), [&](const std::string& one) {
      return to_lower(one) == to_lower(key);
    });
    if (name == names.end()) {
      return problem(at, where + "." + key + ": there is no such limit; there are " +
                             listed(names, names.size()));
    }
    const auto rule = item.IsScalar() ? read_limit_rule(item.Scalar()) : std::nullopt;
    if (!rule) {
      const std::string given = item.IsScalar() ? in_quotes(item.Scalar()) : kind_of(item);
      return problem(at, where + "." + key + ": " + given + " is not allowed; expected is " +
                             allowed_limit_rules());
    }
    rules[*name] = *rule;
  });
  return rules;
}

std::string to_text(const std::map<std::string, LimitRule>& rules) {
  if (rules.empty()) return "";
  std::string out = "      limits:\n";
  for (const auto& [name, rule] : rules) {
    out += "        " + name + ": " + yaml_string(to_text(rule)) + "\n";
  }
  return out;
}

const std::string& allowed_limit_rules() {
  static const std::string text =
      "keep, copy, scale FACTOR, or a value for every account such as 10 or cpu=64,gres/gpu=4";
  return text;
}

}  // namespace asbb::config
