#include "config/allowances.h"

#include <yaml-cpp/yaml.h>

#include <optional>

#include "base/text.h"
#include "config/settings.h"
#include "config/yaml_text.h"

namespace asbb::config {
namespace {

constexpr std::size_t allowances_max = 256;  // of a cluster, as the plugin holds them
constexpr std::size_t name_length_max = 128;

bool is_account_name(const std::string& name) {
  return !name.empty() && name.size() <= name_length_max && name.front() != '-' &&
         name.find_first_of(" \t\r\n#") == std::string::npos;
}

bool is_unit_name(const std::string& name) {
  return name.empty() || is_account_name(name);
}

std::optional<Allowance> read_allowance(const YAML::Node& value, const std::string& where, int line,
                                        const SayProblem& problem) {
  constexpr const char* expected = ": {amount, unit} is expected, such as {amount: 500, unit: USD}";
  if (!value.IsMap()) {
    problem(line, where + expected);
    return std::nullopt;
  }
  Allowance allowance;
  bool is_read = true;
  const auto refuse = [&](int at, const std::string& message) {
    problem(at, message);
    is_read = false;
  };
  each_key(value, where, problem, [&](const std::string& key, const YAML::Node& item, int at) {
    const std::string name = where + "." + key;
    if (key != "amount" && key != "unit") {
      return refuse(at, name + ": there is no such setting; an allowance has amount, unit");
    }
    if (!item.IsScalar()) return refuse(at, name + ": one value is expected");
    if (key == "unit") {
      allowance.unit = item.Scalar();
      if (!is_unit_name(allowance.unit)) {
        refuse(at, name + ": " + in_quotes(allowance.unit) + " is not the name of a unit");
      }
      return;
    }
    const auto amount = parse_micros(item.Scalar());
    if (!amount || *amount <= Micros() || *amount > max_amount) {
      return refuse(at, name + ": " + in_quotes(item.Scalar()) +
                            " is not allowed; expected is a number above 0, at most 10^12");
    }
    allowance.amount = *amount;
  });
  if (is_read && allowance.amount.is_zero()) {
    refuse(line, where + ".amount: this setting is missing");
  }
  return is_read ? std::optional(allowance) : std::nullopt;
}

}  // namespace

Allowances read_allowances(const YAML::Node& value, const std::string& where,
                           const SayProblem& problem) {
  Allowances out;
  if (!value.IsMap()) {
    problem(line_of(value), where + ": a map of clusters to accounts is expected");
    return out;
  }
  each_key(value, where, problem, [&](const std::string& cluster, const YAML::Node& item, int at) {
    const std::string name = where + "." + cluster;
    if (!is_cluster_name(cluster)) {
      return problem(at, name + ": this is not a ClusterName in lower case");
    }
    if (!item.IsMap()) {
      return problem(at, name + ": a map of accounts to {amount, unit} is expected");
    }
    auto& accounts = out[cluster];
    each_key(
        item, name, problem, [&](const std::string& account, const YAML::Node& one, int there) {
          if (!is_account_name(account)) {
            return problem(there, name + "." + account + ": this is not the name of an account");
          }
          if (accounts.size() == allowances_max) {
            return problem(there, name + "." + account + ": a cluster has at most " +
                                      std::to_string(allowances_max) + " allowances");
          }
          if (const auto allowance = read_allowance(one, name + "." + account, there, problem)) {
            accounts[account] = *allowance;
          }
        });
  });
  return out;
}

std::string to_text(const Allowances& allowances) {
  if (allowances.empty()) return "    allowances: {}\n";
  std::string out = "    allowances:\n";
  for (const auto& [cluster, accounts] : allowances) {
    out += "      \"" + cluster + "\":" + (accounts.empty() ? " {}\n" : "\n");
    for (const auto& [account, allowance] : accounts) {
      out += "        \"" + account + "\": {amount: " + to_decimal(allowance.amount) +
             ", unit: \"" + allowance.unit + "\"}\n";
    }
  }
  return out;
}

}  // namespace asbb::config
