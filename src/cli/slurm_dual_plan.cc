#include "cli/slurm_dual_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "cli/slurm_configure_object.h"
#include "cli/slurm_dual_files.h"
#include "slurm/account_tree.h"
#include "slurm/cluster_view_commands.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* slurmdbd_plugin = "accounting_storage/slurmdbd";

class DualPlanner {
 public:
  DualPlanner(slurm::SlurmClient& client, const std::vector<slurm::SlurmCluster>& clusters,
              const DualFlags& flags, const pricing::PriceBook* book)
      : client_(client), clusters_(clusters), flags_(flags), book_(book) {}

  DualPlan make() {
    look_at_clusters();
    std::vector<ConfEditor> editors;
    for (const slurm::SlurmCluster& cluster : clusters_) {
      auto files = read_slurm_conf(cluster.slurm_conf);
      if (!files) {
        refuse(files.error().message);
        return std::move(plan_);
      }
      editors.emplace_back(std::move(*files));
    }
    for (std::size_t at = 0; at < clusters_.size(); ++at) add_lines(clusters_[at], editors[at]);
    add_weights(editors);
    check_one_slurmdbd(editors);
    for (const ConfEditor& editor : editors) keep(editor);
    for (const std::string& path : flags_.slurmdbd) add_slurmdbd(path);
    if (flags_.slurmdbd.empty() && !flags_.jwt_key.empty()) {
      plan_.notes.push_back("On the machine of slurmdbd, in slurmdbd.conf as well:\n    " +
                            jwt_types() + "\n    " + jwt_parameters());
    }
    if (!flags_.federation.empty() && plan_.refusals.empty()) add_federation();
    return std::move(plan_);
  }

 private:
  void refuse(const std::string& why) { plan_.refusals.push_back(why); }

  std::string jwt_types() const { return "AuthAltTypes=auth/jwt"; }
  std::string jwt_parameters() const { return "AuthAltParameters=jwt_key=" + flags_.jwt_key; }

  void look_at_clusters() {
    slurm::ClusterViewCommands view(client_, clusters_, [] { return Instant(); });
    std::string version;
    std::string first;
    for (const slurm::SlurmCluster& cluster : clusters_) {
      auto snapshot = view.read_cluster(cluster.name);
      if (!snapshot) {
        refuse(snapshot.error().message);
        continue;
      }
      if (version.empty()) {
        version = snapshot->slurm_version;
        first = cluster.name;
      } else if (version != snapshot->slurm_version) {
        refuse("Cluster " + cluster.name + " has Slurm " + snapshot->slurm_version + ", and " +
               first + " has " + version + ": asbb's plugin and a federation need the same.");
      }
      plan_.snapshots[cluster.name] = std::move(*snapshot);
    }
  }

  void add_lines(const slurm::SlurmCluster& cluster, ConfEditor& editor) {
    const std::string name = to_lower(editor.value("ClusterName"));
    if (name != cluster.name) {
      return refuse(cluster.slurm_conf + " is of cluster '" + name + "', not of '" + cluster.name +
                    "'.");
    }
    for (const std::string& sentence : editor.wrong_keys()) refuse(sentence);
    const std::string storage = editor.value("AccountingStorageType");
    if (!storage.empty() && to_lower(storage) != slurmdbd_plugin) {
      return refuse(cluster.slurm_conf + ": AccountingStorageType is " + storage +
                    "; accounts need " + slurmdbd_plugin + ".");
    }
    editor.set_missing("AccountingStorageType", slurmdbd_plugin);
    add_words(editor, "AccountingStoreFlags", {"job_comment"});
    add_enforcement(cluster, editor);
    if (!flags_.federation.empty()) add_words(editor, "FederationParameters", {"fed_display"});
    if (!flags_.jwt_key.empty()) add_jwt(editor);
  }

  void add_words(ConfEditor& editor, const std::string& key,
                 const std::vector<std::string>& words) {
    if (const auto added = editor.add_words(key, words); !added) refuse(added.error().message);
  }

  void add_enforcement(const slurm::SlurmCluster& cluster, ConfEditor& editor) {
    const std::string there = to_lower(editor.value("AccountingStorageEnforce"));
    if (there == "all") return;
    if (there.find("associations") == std::string::npos) {
      plan_.notes.push_back("Cluster " + cluster.name +
                            ": with AccountingStorageEnforce jobs of users without an association "
                            "are refused from then on; 'asbb slurm sync-accounts' makes them.");
    }
    add_words(editor, "AccountingStorageEnforce", {"associations", "limits", "qos", "safe"});
  }

  // A key that is missing keeps every daemon from starting.
  void add_jwt(ConfEditor& editor) {
    struct stat facts{};
    if (stat(flags_.jwt_key.c_str(), &facts) != 0) {
      refuse("--jwt: there is no key " + in_quotes(flags_.jwt_key) +
             ": slurmctld would not start. 'dd if=/dev/urandom of=" + flags_.jwt_key +
             " bs=32 count=1' makes one; it must belong to SlurmUser, with mode 0600.");
    } else if ((facts.st_mode & 077U) != 0) {
      refuse("--jwt: others than its owner may read or write " + flags_.jwt_key +
             ": 'chmod 600' it.");
    }
    if (find_plugin(plugin_folders(editor.value("PluginDir")), "auth_jwt.so").empty()) {
      refuse("--jwt: auth_jwt.so is not in Slurm's plugin folder: slurmctld would not start.");
    }
    add_words(editor, "AuthAltTypes", {"auth/jwt"});
    const std::string there = editor.value("AuthAltParameters");
    if (there.find("jwt_key=") == std::string::npos) {
      add_words(editor, "AuthAltParameters", {"jwt_key=" + flags_.jwt_key});
    } else if (there.find("jwt_key=" + flags_.jwt_key) == std::string::npos) {
      refuse("--jwt: AuthAltParameters has another key already: " + there + ".");
    }
  }

  void add_weights(std::vector<ConfEditor>& editors) {
    if (book_ == nullptr) return;
    std::vector<std::pair<std::string, std::string>> partitions;
    for (std::size_t at = 0; at < clusters_.size(); ++at) {
      for (const std::string& name : editors[at].partitions()) {
        partitions.emplace_back(clusters_[at].name, name);
      }
    }
    plan_.weights = weigh(*book_, partitions);
    for (const PartitionWeights& one : plan_.weights) {
      if (one.rate == nullptr || one.weights.weights.empty()) continue;
      for (std::size_t at = 0; at < clusters_.size(); ++at) {
        if (clusters_[at].name != one.cluster) continue;
        const std::string before = editors[at].set_weights(one.partition, one.weights.text());
        if (before.empty() || before == one.weights.text()) continue;
        plan_.notes.push_back("Partition " + one.partition + " of " + one.cluster +
                              " had TRESBillingWeights=\"" + before + "\".");
      }
      add_gpu_types(one, editors);
    }
  }

  // What has a weight must be counted.
  void add_gpu_types(const PartitionWeights& one, std::vector<ConfEditor>& editors) {
    std::vector<std::string> types;
    for (const pricing::BillingWeight& weight : one.weights.weights) {
      if (weight.tres.starts_with("GRES/")) types.push_back(to_lower(weight.tres));
    }
    if (types.empty()) return;
    types.insert(types.begin(), "gres/gpu");
    for (std::size_t at = 0; at < clusters_.size(); ++at) {
      if (clusters_[at].name == one.cluster) add_words(editors[at], "AccountingStorageTRES", types);
    }
  }

  void check_one_slurmdbd(const std::vector<ConfEditor>& editors) {
    std::set<std::string> places;
    std::string said;
    for (std::size_t at = 0; at < clusters_.size(); ++at) {
      std::string host = editors[at].value("AccountingStorageHost");
      std::string port = editors[at].value("AccountingStoragePort");
      if (host.empty()) host = "localhost";
      if (port.empty()) port = "6819";
      places.insert(host + ":" + port);
      said += (said.empty() ? "" : ", ") + clusters_[at].name + " asks " + host + ":" + port;
    }
    if (places.size() < 2) return;
    if (flags_.federation.empty()) {
      plan_.notes.push_back("These clusters have a slurmdbd each (" + said +
                            "): they cannot be in one federation. 'asbb submit' chooses between "
                            "them.");
      return;
    }
    refuse("--federation: clusters of a federation share one slurmdbd, but " + said +
           ". Without --federation they are two independent clusters.");
  }

  void keep(const ConfEditor& editor) {
    for (const Change& change : editor.changes()) {
      const bool is_known =
          std::any_of(plan_.changes.begin(), plan_.changes.end(),
                      [&](const Change& other) { return other.path == change.path; });
      if (is_known) {
        refuse(change.path + " is included by several clusters: it cannot have lines of each.");
      } else {
        plan_.changes.push_back(change);
      }
    }
  }

  void add_slurmdbd(const std::string& path) {
    const ConfFile file = read_if_there(path);
    if (!file.exists) return refuse("--slurmdbd-conf: " + in_quotes(path) + " cannot be read.");
    ConfEditor editor({file});
    for (const std::string& sentence : editor.wrong_keys()) refuse(sentence);
    if (!flags_.jwt_key.empty()) {
      add_words(editor, "AuthAltTypes", {"auth/jwt"});
      const bool has_key = editor.value("AuthAltParameters").find("jwt_key=") != std::string::npos;
      if (!has_key) add_words(editor, "AuthAltParameters", {"jwt_key=" + flags_.jwt_key});
    }
    if (!editor.changes().empty()) {
      plan_.notes.push_back("slurmdbd reads " + path + " when it starts: restart it first.");
    }
    keep(editor);
  }

  void add_federation() {
    const auto there = read_federations(client_, clusters_.front());
    if (!there) return refuse(there.error().message);
    const std::string& name = flags_.federation;
    std::string joining;
    for (const slurm::SlurmCluster& cluster : clusters_) {
      const auto known = there->find(cluster.name);
      if (known == there->end()) {
        plan_.commands.push_back({"sacctmgr", "-i", "add", "cluster", cluster.name});
      } else if (!known->second.empty() && known->second != name) {
        refuse("Cluster " + cluster.name + " is in federation '" + known->second +
               "': adding it to '" + name +
               "' would take it out of there, with the jobs that it has of its siblings. Nothing "
               "here does that.");
        continue;
      } else if (known->second == name) {
        continue;
      }
      joining += (joining.empty() ? "" : ",") + cluster.name;
    }
    if (joining.empty()) return;
    const auto shown = client_.run(
        clusters_.front(), {"sacctmgr", "-n", "-P", "show", "federation", "format=Federation"});
    if (!shown) return refuse(shown.error().message);
    bool is_there = false;
    for (const std::string_view row : split(*shown, '\n')) is_there = is_there || row == name;
    if (is_there) {
      plan_.commands.push_back(
          {"sacctmgr", "-i", "modify", "federation", name, "set", "clusters+=" + joining});
    } else {
      plan_.commands.push_back(
          {"sacctmgr", "-i", "add", "federation", name, "clusters=" + joining});
    }
  }

  slurm::SlurmClient& client_;
  const std::vector<slurm::SlurmCluster>& clusters_;
  const DualFlags& flags_;
  const pricing::PriceBook* book_;
  DualPlan plan_;
};

}  // namespace

DualPlan plan_dual(slurm::SlurmClient& client, const std::vector<slurm::SlurmCluster>& clusters,
                   const DualFlags& flags, const pricing::PriceBook* book) {
  return DualPlanner(client, clusters, flags, book).make();
}

Result<std::map<std::string, std::string>> read_federations(slurm::SlurmClient& client,
                                                            const slurm::SlurmCluster& cluster) {
  const auto shown =
      client.run(cluster, {"sacctmgr", "-n", "-P", "show", "cluster", "format=Cluster,Federation"});
  if (!shown) return tl::unexpected(shown.error());
  std::map<std::string, std::string> federations;
  for (const std::string_view row : split(*shown, '\n')) {
    const std::size_t bar = row.find('|');
    if (bar == std::string_view::npos) continue;
    federations[std::string(row.substr(0, bar))] = row.substr(bar + 1);
  }
  return federations;
}

}  // namespace asbb::cli
