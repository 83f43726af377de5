#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "cli/doctor_checks.h"
#include "cli/slurm_configure_object.h"
#include "slurm/operator_proof.h"
#include "slurm/slurm_client.h"
#include "slurm/user_names.h"

namespace asbb::cli {
namespace {

constexpr const char* object_name = "job_submit_budget.so";

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// The value of "Key   = value" in scontrol show config; empty for "(null)" and what is not there.
std::string value_of(const std::string& config, const std::string& key) {
  for (const std::string_view line : split(config, '\n')) {
    const auto mark = line.find('=');
    if (mark == std::string_view::npos || trim(line.substr(0, mark)) != key) continue;
    const std::string value(trim(line.substr(mark + 1)));
    return value == "(null)" ? "" : value;
  }
  return {};
}

class ClusterDoctor {
 public:
  ClusterDoctor(DoctorReport& report, slurm::SlurmClient& client, slurm::SlurmCluster cluster)
      : report_(report), client_(client), cluster_(std::move(cluster)) {}

  void examine(const std::optional<slurm::Reader>& reader, Instant now) {
    const auto config = client_.run(cluster_, {"scontrol", "show", "config"});
    if (!config) {
      report_.failed(named("controller"), config.error().message,
                     "Start slurmctld, or correct slurm.clusters in the settings.");
    } else {
      controller(*config);
      plugin(*config);
      object(*config);
      clock(now);
    }
    accounting();
    right(reader);
  }

 private:
  [[nodiscard]] std::string named(const char* check) const { return check + (" " + cluster_.name); }

  void controller(const std::string& config) {
    const std::string name = value_of(config, "ClusterName");
    if (name != cluster_.name) {
      return report_.failed(
          named("controller"), "slurmctld answers for cluster '" + name + "', not for this one",
          "Name its slurm.conf in slurm.clusters, or the cluster as it is called.");
    }
    report_.ok(named("controller"), "slurmctld " + value_of(config, "SLURM_VERSION") + " answers");
  }

  void plugin(const std::string& config) {
    const std::string plugins = value_of(config, "JobSubmitPlugins");
    for (const std::string_view one : split(plugins, ',')) {
      if (trim(one) == "budget") return report_.ok(named("plugin"), "slurmctld has loaded it");
    }
    report_.failed(named("plugin"),
                   "JobSubmitPlugins is " + (plugins.empty() ? "not set" : "'" + plugins + "'") +
                       ": jobs are neither held nor refused",
                   "'asbb slurm configure' shows the lines; then restart slurmctld.");
  }

  // Only of a controller on this machine.
  void object(const std::string& config) {
    std::array<char, 256> host{};
    static_cast<void>(gethostname(host.data(), host.size() - 1));
    const std::string at = value_of(config, "SlurmctldHost[0]");  // "head(127.0.0.1)"
    const std::string short_name =
        std::string(host.data()).substr(0, std::string(host.data()).find('.'));
    const bool is_here =
        at.find("(127.") != std::string::npos || at.substr(0, at.find('(')) == short_name;
    if (!is_here) {
      return report_.warning(named("object"), "not looked at: slurmctld runs on " + at,
                             "Run 'asbb doctor' there as well.");
    }
    const std::string path =
        find_plugin(plugin_folders(value_of(config, "PluginDir")), object_name);
    const char* cure = "Install the one built for this Slurm: make install-plugin.";
    if (path.empty()) {
      return report_.failed(
          named("object"),
          std::string(object_name) + " is in none of " + value_of(config, "PluginDir"), cure);
    }
    const auto built = plugin_version_of(path);
    if (!built) return report_.failed(named("object"), built.error().message, cure);
    const std::string version = slurm_version_text(built->number);
    if (version != value_of(config, "SLURM_VERSION")) {
      return report_.failed(named("object"),
                            path + " was built for Slurm " + version + ", and this is " +
                                value_of(config, "SLURM_VERSION"),
                            cure);
    }
    report_.ok(named("object"), path + " is for Slurm " + version);
  }

  // sdiag says the controller's time: "sdiag output at ... (1795340006)".
  void clock(Instant now) {
    constexpr std::int64_t notable_s = 5;
    constexpr std::int64_t bad_s = 60;
    const auto text = client_.run(cluster_, {"sdiag"});
    if (!text) return report_.warning(named("clock"), "not checked: " + text.error().message);
    for (const std::string_view line : split(*text, '\n')) {
      const auto open = line.rfind('(');
      if (!line.starts_with("sdiag output at ") || open == std::string_view::npos) continue;
      const auto told = parse_count(line.substr(open + 1, line.find(')', open) - open - 1));
      if (!told) break;
      const std::int64_t off = std::abs(now.unix_seconds() - *told);
      const std::string found = "the controller's is " + std::to_string(off) + " s off this one";
      const char* cure = "Have both machines follow the same time servers.";
      if (off > bad_s) return report_.failed(named("clock"), found, cure);
      if (off > notable_s) return report_.warning(named("clock"), found, cure);
      return report_.ok(named("clock"), found);
    }
    report_.warning(named("clock"), "not checked: sdiag does not say the controller's time");
  }

  void accounting() {
    const auto text = client_.run(cluster_, {"sacctmgr", "-n", "-P", "show", "cluster",
                                             "name=" + cluster_.name, "format=cluster"});
    if (!text) {
      return report_.failed(named("accounting"), text.error().message,
                            "Start slurmdbd: without it nothing is charged or given back.");
    }
    for (const std::string_view line : split(*text, '\n')) {
      if (line == cluster_.name) return report_.ok(named("accounting"), "slurmdbd answers");
    }
    report_.failed(named("accounting"), "slurmdbd knows no cluster of this name",
                   "Name it in slurm.clusters as in its slurm.conf, or add it with 'sacctmgr add "
                   "cluster'.");
  }

  void right(const std::optional<slurm::Reader>& reader) {
    if (!reader) {
      return report_.warning(named("operator"),
                             "not checked: who the service runs as is not for you to see", as_root);
    }
    const auto proof =
        slurm::prove_operator(client_, cluster_, *reader, slurm::ProofFor::slurmctld);
    if (proof.proven) {
      return report_.ok(named("operator"),
                        reader->user_id == 0 ? "the service runs as root" : proof.text);
    }
    if (geteuid() != 0 && geteuid() != reader->user_id) {  // with PrivateData users are hidden
      return report_.warning(named("operator"),
                             "not proven, and Slurm may not show it to you: " + proof.text,
                             as_root);
    }
    report_.failed(named("operator"), "the service's user does not see all jobs: " + proof.text,
                   "sacctmgr modify user " + (reader->user.empty() ? "NAME" : reader->user) +
                       " set adminlevel=operator");
  }

  DoctorReport& report_;
  slurm::SlurmClient& client_;
  const slurm::SlurmCluster cluster_;
};

// Who owns the database, or its key where it is a server's, is who the service runs as. Nothing
// where this user may not see that.
std::optional<slurm::Reader> service_user(const config::Database& database) {
  for (const std::string& path : {database.dsn, database.chain_key_file}) {
    struct stat file{};
    if (stat(path.c_str(), &file) == 0) {
      slurm::SystemUserNames names;
      return slurm::Reader{file.st_uid, names.resolve(file.st_uid).value_or("")};
    }
    if (errno == EACCES) return std::nullopt;
  }
  return slurm::current_reader();
}

}  // namespace

void check_slurm_wiring(DoctorReport& report, const config::Config& settings, Instant now) {
  constexpr int deadline_ms = 10'000;
  if (settings.slurm.clusters.empty()) {
    return report.warning("clusters", "none is configured: no job of Slurm is held or charged",
                          "Name them in the settings: slurm.clusters.");
  }
  slurm::SlurmCommands client(deadline_ms);
  const auto reader = service_user(settings.database);
  for (const config::Cluster& cluster : settings.slurm.clusters) {
    ClusterDoctor(report, client, {cluster.name, cluster.conf, cluster.bin_dir})
        .examine(reader, now);
  }
}

}  // namespace asbb::cli
