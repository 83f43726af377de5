#include "cli/slurm_configure.h"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "base/text.h"
#include "cli/slurm_configure_plan.h"
#include "cli/slurm_dual.h"

namespace asbb::cli {
namespace {

constexpr const char* default_slurm_conf = "/etc/slurm/slurm.conf";

// 20250615T120000Z
std::string stamp_of(Instant now) {
  std::string text = to_rfc3339(now).substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string slurm_conf_in(const config::Environment& environment) {
  const auto named = environment.find("SLURM_CONF");
  return named == environment.end() || named->second.empty() ? default_slurm_conf : named->second;
}

// Those of the settings, or the one of this machine.
std::vector<slurm::SlurmCluster> clusters_of(const Context& context, const config::Config& settings,
                                             const std::string& only) {
  const std::string usual = slurm_conf_in(context.environment());
  std::vector<slurm::SlurmCluster> clusters;
  for (const config::Cluster& cluster : settings.slurm.clusters) {
    if (!only.empty() && cluster.name != only) continue;
    clusters.push_back(
        {cluster.name, cluster.conf.empty() ? usual : cluster.conf, cluster.bin_dir});
  }
  if (settings.slurm.clusters.empty()) clusters.push_back({only, usual, ""});
  return clusters;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

void show_plan(Context& context, const slurm::SlurmCluster& cluster, const ConfigurePlan& plan) {
  std::ostream& out = context.out();
  out << "# " << cluster.slurm_conf << (plan.is_complete() ? ": nothing to add\n" : "\n");
  for (const Change& change : plan.changes) {
    out << "\n" << (change.is_new ? "New file " : "In ") << change.path << ":\n";
    for (const std::string& line : change.lines) out << "    " << harmless(line) << "\n";
  }
  if (!plan.commands.empty()) out << "\nOnce, with an administrator's rights in Slurm:\n";
  for (const auto& words : plan.commands) out << "    " << command_line(words) << "\n";
  for (const std::string& note : plan.notes) out << "\n" << harmless(note) << "\n";
}

int write_plan(Context& context, const slurm::SlurmCluster& cluster, const ConfigureFlags& flags,
               const ConfigurePlan& plan) {
  for (const Change& change : plan.changes) {
    const auto kept = write_change(change, stamp_of(context.now()));
    if (!kept) return context.failed(kept.error());
    context.out() << "Wrote " << change.path;
    context.out() << (kept->empty() ? "" : "; what was there is " + *kept) << ".\n";
  }
  if (!plan.commands.empty()) {
    const auto granted = grant_right(cluster, flags.service_user, plan.commands);
    if (!granted) return context.failed(granted.error());
    context.out() << "User " << flags.service_user << " has AdminLevel Operator.\n";
  }
  for (const std::string& note : plan.notes) context.out() << harmless(note) << "\n";
  if (plan.changes.empty()) {
    return context.done(cluster.slurm_conf + (plan.commands.empty() ? ": nothing to add." : "."));
  }
  return context.done(
      "These files must be the same on every node. Then restart slurmctld: 'scontrol "
      "reconfigure' is not enough.");
}

int configure(Context& context, const ConfigureFlags& flags) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const auto clusters = clusters_of(context, *settings, flags.cluster);
  if (clusters.empty()) {
    return context.misused("--cluster: the settings have no cluster '" + flags.cluster + "'");
  }
  std::error_code ignored;
  const ConfigureSite site{*settings, context.flags.config,
                           std::filesystem::read_symlink("/proc/self/exe", ignored).string()};
  bool is_refused = false;
  for (const slurm::SlurmCluster& cluster : clusters) {
    const ConfigurePlan plan = plan_cluster(cluster, flags, site);
    for (const std::string& why : plan.refusals) context.err() << harmless(why) << "\n";
    is_refused = is_refused || !plan.refusals.empty();
    if (!flags.write && plan.refusals.empty()) show_plan(context, cluster, plan);
  }
  if (is_refused) {
    return context.failed(Error{ErrorKind::conflict, "nothing is changed", {}});
  }
  if (!flags.write) return exit_done;
  for (const slurm::SlurmCluster& cluster : clusters) {
    // Anew: clusters may share a file that the one before has changed.
    const int code = write_plan(context, cluster, flags, plan_cluster(cluster, flags, site));
    if (code != exit_done) return code;
  }
  return exit_done;
}

}  // namespace

void add_slurm_configure(Command& slurm, Context& context) {
  auto flags = std::make_shared<ConfigureFlags>();
  auto dual = std::make_shared<DualFlags>();
  slurm
      .add("configure",
           "Shows or writes what Slurm's configuration needs for the plugin and the service.")
      .take({"--cluster", "CLUSTER", "Only this one of the settings' clusters."}, flags->cluster)
      .take({"--service-user", "USER", "As whom the service runs; asbb when left out."},
            flags->service_user)
      .take({"--check-nodes", "COMMAND",
             "Looks for the plugin on every node that is not in a cloud: runs COMMAND NODE test -r "
             "FILE."},
            flags->check_nodes)
      .take({"--prolog", "",
             "A PrologSlurmctld as well: what a start on one cluster sets free on the "
             "others goes back at once."},
            flags->prolog)
      .take({"--write", "", "Writes the lines; what was there is kept beside each file."},
            flags->write)
      .take({"--clusters", "CLUSTERS",
             "Accounting on these clusters of the settings, by commas, instead of the plugin."},
            Repeated{&dual->clusters})
      .take({"--federation", "NAME", "The same, and they are to be this federation."},
            dual->federation)
      .take({"--jwt", "KEY_FILE", "With --clusters: JWT as another way to prove who one is."},
            dual->jwt_key)
      .take({"--slurmdbd-conf", "FILE", "With --clusters: a slurmdbd.conf on this machine."},
            Repeated{&dual->slurmdbd})
      .take({"--prices", "FILE", "With --clusters: prices for TRESBillingWeights; the service's."},
            dual->prices)
      .note(
          "The lines are JobSubmitPlugins, EpilogSlurmctld and, with --prolog, PrologSlurmctld in "
          "slurm.conf, the plugin's line in "
          "plugstack.conf, and AdminLevel=Operator for the service in Slurm's accounting. What is "
          "there already stays as it is.")
      .note(
          "Refuses, and changes nothing, when slurmctld would not start with it or nodes would be "
          "drained: the plugin is not in Slurm's plugin folder, was built for another version of "
          "Slurm, or is missing on a node that was looked at.")
      .note(
          "With --clusters or --federation the lines are those of accounting on several clusters: "
          "AccountingStoreFlags, AccountingStorageEnforce, FederationParameters, JWT, and "
          "TRESBillingWeights made of the price book, with a table of how far what Slurm bills "
          "then is from the prices; and sacctmgr's calls for the federation. A cluster that is "
          "down, has another version of Slurm, or is in another federation is refused.")
      .example("asbb slurm configure")
      .example("asbb slurm configure --write --check-nodes='ssh -o BatchMode=yes'")
      .example("asbb slurm configure --federation=hybrid_cluster --clusters=onprem,cloud")
      .action([&context, flags, dual] {
        dual->federation = to_lower(dual->federation);  // as Slurm keeps it
        if (dual->is_meant()) {
          return configure_dual(context, *dual, flags->write, stamp_of(context.now()));
        }
        if (!dual->jwt_key.empty() || !dual->slurmdbd.empty() || !dual->prices.empty()) {
          return context.misused(
              "--jwt, --slurmdbd-conf and --prices are for accounting on several clusters: "
              "--clusters or --federation is missing");
        }
        return configure(context, *flags);
      });
}

}  // namespace asbb::cli
