#include "cli/slurm_configure_plan.h"

#include <filesystem>

#include "base/text.h"
#include "cli/slurm_accounts.h"
#include "cli/slurm_configure_object.h"
#include "slurm/operator_proof.h"
#include "slurm/process.h"
#include "slurm/slurm_text.h"
#include "slurm/user_names.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* object_name = "job_submit_budget.so";
constexpr const char* default_socket = "/run/asbb/asbb.sock";
constexpr int show_deadline_ms = 30'000;
constexpr int node_deadline_ms = 20'000;

// Slurm's own plugins, one of which is on every machine that runs a daemon of it.
constexpr const char* plugins_of_slurm[] = {"auth_munge.so", "auth_slurm.so", "auth_none.so",
                                            "accounting_storage_slurmdbd.so"};

std::string plugin_arguments(const ConfigureSite& site, const std::string& service_user) {
  const config::Service& service = site.settings.service;
  const std::size_t colon = service.listen_addr.rfind(':');
  std::string line = std::string("required ") + object_name + " budget_service_url=";
  line += colon == std::string::npos ? "http://localhost:8080"
                                     : "http://localhost" + service.listen_addr.substr(colon);
  if (service.socket != default_socket) line += " socket=" + service.socket;
  if (service_user != "asbb") line += " service_user=" + service_user;
  return line;
}

class Planner {
 public:
  Planner(const slurm::SlurmCluster& cluster, const ConfigureFlags& flags,
          const ConfigureSite& site)
      : cluster_(cluster), flags_(flags), site_(site) {}

  ConfigurePlan make() {
    auto files = read_slurm_conf(cluster_.slurm_conf);
    if (!files) {
      refuse(files.error().message);
      return std::move(plan_);
    }
    files_ = std::move(*files);
    folder_ = fs::path(cluster_.slurm_conf).parent_path().string();
    check_name();
    check_object();
    add_plugin();
    add_arguments();
    add_hooks();
    add_right();
    return std::move(plan_);
  }

 private:
  void refuse(const std::string& why) { plan_.refusals.push_back(why); }

  std::string value(const std::string& key) const {
    return conf_value(files_, key).value_or(std::string());
  }

  void check_name() {
    const std::string name = to_lower(value("ClusterName"));
    if (name.empty()) {
      refuse(cluster_.slurm_conf + " names no cluster (ClusterName).");
    } else if (!cluster_.name.empty() && name != cluster_.name) {
      refuse(cluster_.slurm_conf + " is of cluster '" + name + "', not of '" + cluster_.name +
             "'.");
    }
  }

  // slurmctld ends at once when the object is missing or of another version.
  void check_object() {
    const auto folders = plugin_folders(value("PluginDir"));
    const std::string object = find_plugin(folders, object_name);
    if (object.empty()) {
      refuse(std::string(object_name) + " is in none of the plugin folders of Slurm (" +
             (folders.empty() ? "none was found; set PluginDir" : list_of(folders)) +
             "): slurmctld would not start. 'make install-plugin' puts it there.");
      return;
    }
    const auto ours = plugin_version_of(object);
    std::string of_slurm;
    for (const char* name : plugins_of_slurm) {
      if (of_slurm.empty()) of_slurm = find_plugin(folders, name);
    }
    const auto theirs = plugin_version_of(of_slurm);
    if (!ours) {
      refuse(ours.error().message + ": slurmctld would not start.");
    } else if (!theirs) {
      refuse("None of Slurm's own plugins is in " + list_of(folders) +
             ": which version of Slurm would load " + object + " cannot be seen.");
    } else if (ours->number != theirs->number) {
      refuse(object + " was built for Slurm " + slurm_version_text(ours->number) +
             ", and this is Slurm " + slurm_version_text(theirs->number) +
             ": slurmctld would not start. Build it against the installed headers.");
    }
    check_nodes(object);
  }

  // A node on which a `required` plugin is missing is drained.
  void check_nodes(const std::string& object) {
    const ConfNodes nodes = conf_nodes(files_);
    std::vector<std::string> unseen = nodes.absent;
    for (const std::string& names : nodes.present) {
      if (flags_.check_nodes.empty()) {
        unseen.push_back(names);
        continue;
      }
      const auto each = slurm::expand_hostlist(names);
      if (!each) return refuse(cluster_.slurm_conf + ": " + each.error().message);
      for (const std::string& node : *each) check_node(node, object);
    }
    if (unseen.empty()) return;
    plan_.notes.push_back("Not looked at: " + list_of(unseen) + ". " + object +
                          " must be on every login and compute node before the line in "
                          "plugstack.conf is: nodes without it are drained.");
  }

  void check_node(const std::string& node, const std::string& object) {
    slurm::ProcessRequest request;
    for (const std::string_view word : split(flags_.check_nodes, ' ')) {
      if (!word.empty()) request.argv.emplace_back(word);
    }
    for (const std::string& word : {node, std::string("test"), std::string("-r"), object}) {
      request.argv.push_back(word);
    }
    request.deadline_ms = node_deadline_ms;
    const auto ran = slurm::run_process(request);
    if (!ran) return refuse("Node " + node + ": " + ran.error().message);
    if (ran->exit_code == 1) return refuse("Node " + node + " has no " + object + ".");
    if (ran->exit_code == 0) return;
    refuse("Node " + node + " cannot be looked at (exit code " + std::to_string(ran->exit_code) +
           "): " + in_quotes(ran->err));
  }

  void add_plugin() {
    auto change = add_to_list(files_, "JobSubmitPlugins", "budget");
    if (!change) return refuse(change.error().message);
    if (*change) put(std::move(**change));
  }

  void add_arguments() {
    std::string path = value("PlugStackConfig");
    if (path.empty()) path = "plugstack.conf";
    if (!path.starts_with('/')) path = (fs::path(folder_) / path).string();
    const std::string wanted = plugin_arguments(site_, flags_.service_user);
    const auto there = plugstack_line(path, object_name);
    if (!there) return put(add_line(read_if_there(path), wanted));
    if (*there != wanted) {
      plan_.notes.push_back(path +
                            " has another line for the plugin, which stays as it is: " + *there);
    }
  }

  struct Hook {
    std::string key;
    std::string file;
    std::string purpose;
    std::vector<std::string> lines;  // the first is what a hook of the site's own is to have
  };

  void add_hooks() {
    const std::string settings =
        site_.settings_file.empty() ? "" : " --config='" + site_.settings_file + "'";
    const std::string call = site_.program + " slurm notify --quiet" + settings +
                             R"( --cluster="$SLURM_CLUSTER_NAME" --job-id="$SLURM_JOB_ID")";
    add_hook({"EpilogSlurmctld",
              "asbb-epilog",
              "# Tells the budget service that a job has ended; slurmctld runs it.\n",
              {call}});
    if (!flags_.prolog) return;
    add_hook(
        {"PrologSlurmctld",
         "asbb-prolog",
         "# Tells the budget service that a job starts; slurmctld runs it. The job waits for it,\n"
         "# and is requeued when it fails.\n",
         {"setsid " + call + " </dev/null >/dev/null 2>&1 &", "exit 0"}});
  }

  void add_hook(const Hook& hook) {
    const std::string there = value(hook.key);
    const std::string path = (fs::path(folder_) / hook.file).string();
    std::string text;
    for (const std::string& line : hook.lines) text += line + "\n";
    if (!there.empty() && there != path) {
      if (read_if_there(there).text.find("slurm notify") != std::string::npos) return;
      plan_.notes.push_back(there + " is " + hook.key +
                            " already. Add to it: " + hook.lines.front());
      return;
    }
    if (!read_if_there(path).exists) {
      put({path, "#!/bin/sh\n" + hook.purpose + text, hook.lines, true, true});
    }
    if (!there.empty()) return;
    // The same file may have a change already.
    ConfFile main = files_.front();
    for (const Change& change : plan_.changes) {
      if (change.path == main.path) main.text = change.text;
    }
    put(add_line(main, hook.key + "=" + path));
  }

  void add_right() {
    slurm::SystemUserNames names;
    names.learn({flags_.service_user});
    const auto id = names.known_id(flags_.service_user);
    if (!id) {
      plan_.notes.push_back("There is no user '" + flags_.service_user +
                            "' on this machine; the service runs as it (--service-user).");
    }
    slurm::SlurmCommands client(show_deadline_ms);
    const auto proof = prove_operator(client, cluster_, {id.value_or(1), flags_.service_user},
                                      slurm::ProofFor::slurmdbd);
    if (proof.proven) return;
    const auto known = client.run(cluster_, {"sacctmgr", "-n", "-P", "show", "user",
                                             "name=" + flags_.service_user, "format=user"});
    if (!known || known->find(flags_.service_user) == std::string::npos) {
      plan_.commands.push_back(
          {"sacctmgr", "-i", "add", "user", flags_.service_user, "Account=root"});
    }
    plan_.commands.push_back(
        {"sacctmgr", "-i", "modify", "user", flags_.service_user, "set", "AdminLevel=Operator"});
  }

  // One change of a file, with all that is new in it.
  void put(Change change) {
    for (Change& earlier : plan_.changes) {
      if (earlier.path != change.path) continue;
      earlier.text = change.text;
      earlier.lines.insert(earlier.lines.end(), change.lines.begin(), change.lines.end());
      return;
    }
    plan_.changes.push_back(std::move(change));
  }

  static std::string list_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  }

  const slurm::SlurmCluster& cluster_;
  const ConfigureFlags& flags_;
  const ConfigureSite& site_;
  std::vector<ConfFile> files_;
  std::string folder_;
  ConfigurePlan plan_;
};

}  // namespace

ConfigurePlan plan_cluster(const slurm::SlurmCluster& cluster, const ConfigureFlags& flags,
                           const ConfigureSite& site) {
  return Planner(cluster, flags, site).make();
}

Result<void> grant_right(const slurm::SlurmCluster& cluster, const std::string& service_user,
                         const std::vector<std::vector<std::string>>& commands) {
  slurm::SlurmCommands client(show_deadline_ms);
  std::string said;
  for (const auto& command : commands) {
    const auto ran = client.run(cluster, command);
    if (!ran) said = ran.error().message;
  }
  const auto proof = prove_operator(client, cluster, {1, service_user}, slurm::ProofFor::slurmdbd);
  if (proof.proven) return {};
  return fail(ErrorKind::denied, said.empty() ? proof.text : said);
}

}  // namespace asbb::cli
