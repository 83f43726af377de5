#include <array>

#include "base/text.h"
#include "config/alerts.h"
#include "config/allowances.h"
#include "config/config.h"
#include "config/ladder.h"
#include "config/limit_rules.h"
#include "config/names.h"
#include "config/settings.h"
#include "config/yaml_text.h"

namespace asbb::config {
namespace {

constexpr std::size_t comment_width = 96;

// "  # words", broken into lines.
std::string comment(const std::string& text, const std::string& indent) {
  const std::string begin = indent + "# ";
  const std::string lines = wrapped(text, comment_width - begin.size());
  std::string out;
  for (const std::string_view line : split(lines, '\n')) {
    if (!line.empty()) out += begin + std::string(line) + "\n";
  }
  return out;
}

std::string list_admins(const Config& config) {
  std::string out;
  for (const std::string& name : config.service.admins) {
    out += (out.empty() ? "" : ", ") + yaml_string(name);
  }
  return "  admins: [" + out + "]\n";
}

std::string list_clusters(const Config& config) {
  if (config.slurm.clusters.empty()) return "  clusters: []\n";
  std::string out = "  clusters:\n";
  for (const Cluster& cluster : config.slurm.clusters) {
    out += "    - name: " + yaml_string(cluster.name) + "\n";
    out += "      conf: " + yaml_string(cluster.conf) + "\n";
    out += "      bin_dir: " + yaml_string(cluster.bin_dir) + "\n";
    out += to_text(cluster.limits);
  }
  return out;
}

std::string list_policy(const Config& config) {
  const auto word = [](bool allow) { return allow ? "allow" : "deny"; };
  const OnUnavailable& policy = config.slurm.on_unavailable;
  std::string out = "  on_unavailable:\n    default: ";
  out += word(policy.allow_by_default);
  out += policy.allow_by_partition.empty() ? "\n    partitions: {}\n" : "\n    partitions:\n";
  for (const auto& [partition, allow] : policy.allow_by_partition) {
    out += "      " + yaml_string(partition) + ": " + word(allow) + "\n";
  }
  out += std::string("    without_allowance: ") + word(policy.allow_without_allowance) + "\n";
  return out + to_text(policy.allowances);
}

std::string list_ladders(const std::string& key, const std::map<std::string, Ladder>& ladders) {
  if (ladders.empty()) return "  " + key + ": {}\n";
  std::string out = "  " + key + ":\n";
  for (const auto& [name, ladder] : ladders) {
    out += "    " + yaml_string(name) + ": " + to_text(ladder) + "\n";
  }
  return out;
}

std::string list_enforcement(const Enforcement& enforcement, bool commented) {
  const auto explained = [&](const std::string& text) {
    return commented ? comment(text, "  ") : std::string();
  };
  return explained("The steps, in this order: " + allowed_steps() +
                   ". The last three act on jobs.") +
         "  ladder: " + to_text(enforcement.ladder) + "\n" +
         explained(
             "Ladders of their own for accounts and those below them; the nearest counts, "
             "before any of a partition.") +
         list_ladders("accounts", enforcement.accounts) +
         explained("Ladders of their own for partitions that jobs are on.") +
         list_ladders("partitions", enforcement.partitions);
}

std::string list_alerts(const Alerts& alerts, bool commented) {
  std::string out;
  if (commented) {
    out += comment("An alert when so many per cent of a budget are spent.", "  ");
    out += comment("Allowed: a rising list of whole percentages from 1 to 1000.", "  ");
  }
  out += to_text(alerts.thresholds);
  if (commented) {
    out += comment("Where alerts go: " + allowed_channels() + ".", "  ");
    out += "  #   channels:\n  #     - name: operators\n  #       type: smtp\n";
    out += "  #       url: smtp://mail.example.org:25\n  #       from: asbb@example.org\n";
    out += "  #       to: [hpc-operators@example.org]\n  #       owners_at: example.org\n";
  }
  return out + to_text(alerts.channels);
}

std::string structured(const std::string& section, const Config& config, bool commented) {
  std::string out;
  if (section == "service") {
    if (commented) {
      out += comment("Users who may move money and set prices and limits, beside root.", "  ");
      out += comment("Allowed: a list of user names.", "  ");
    }
    out += list_admins(config);
  }
  if (section == "enforcement") out += list_enforcement(config.enforcement, commented);
  if (section == "alerts") out += list_alerts(config.alerts, commented);
  if (section == "slurm") {
    if (commented) {
      out += comment(
          "The clusters that are watched: ClusterName in lower case, its slurm.conf, and "
          "the folder of Slurm's commands; \"\" for Slurm's own default and PATH. limits: what "
          "becomes of Slurm's limits when its accounts follow another cluster's: " +
              allowed_limit_rules() + ".",
          "  ");
      out += "  #   clusters:\n  #     - name: onprem\n  #       conf: /etc/slurm/slurm.conf\n";
      out += "  #       bin_dir: /usr/bin\n";
      out += "  #       limits: {MaxJobs: copy, GrpTRES: scale 0.5, MaxSubmitJobs: 200}\n";
    }
    out += list_clusters(config);
    if (commented) {
      out += comment(
          "What becomes of jobs for priced partitions while the service is silent: "
          "allow or deny, in general and by partition. Unpriced partitions always "
          "pass. Where they are allowed, an account spends its allowance on that cluster and no "
          "more: allowances: {CLUSTER: {ACCOUNT: {amount: 500, unit: USD}}}. "
          "without_allowance says whether accounts that have none are allowed at all.",
          "  ");
    }
    out += list_policy(config);
  }
  return out;
}

std::string write(const Config& config, bool commented) {
  std::string out;
  for (const Section& section : sections()) {
    if (commented) out += (out.empty() ? "" : "\n") + comment(section.help, "");
    out += section.name + ":\n";
    for (const Setting& setting : settings()) {
      if (setting.section != section.name) continue;
      if (commented) {
        out += comment(setting.help, "  ");
        out += comment("Allowed: " + setting.allowed + ".", "  ");
      }
      const std::string value = without_secrets(setting.get(config));
      out += "  " + setting.key + ": " + (setting.is_text ? yaml_string(value) : value) + "\n";
    }
    out += structured(section.name, config, commented);
  }
  return out;
}

}  // namespace

const char* to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

const char* to_string(LogFormat format) {
  return format == LogFormat::json ? "json" : "text";
}

std::string default_config_text() {
  return "# Settings of asbb: every one, with its default. 'asbb config validate' checks this "
         "file.\n"
         "# A variable ASBB_SECTION_KEY (ASBB_DATABASE_DSN) overrides a single value.\n" +
         write(Config{}, true);
}

std::string show_config(const Config& config) {
  return write(config, false);
}

std::string policy_folder(const Config& config) {
  if (!config.slurm.policy_dir.empty()) return config.slurm.policy_dir;
  const auto slash = config.service.socket.rfind('/');
  return slash == 0 ? "/" : config.service.socket.substr(0, slash);
}

}  // namespace asbb::config
