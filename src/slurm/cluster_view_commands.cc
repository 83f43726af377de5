#include "slurm/cluster_view_commands.h"

#include "slurm/cluster_reader.h"

namespace asbb::slurm {
std::vector<std::string> ClusterViewCommands::clusters() const {
  return cluster_names(clusters_);
}

Result<ClusterSnapshot> ClusterViewCommands::read_cluster(const std::string& cluster) {
  const auto found = find_cluster(clusters_, cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  ClusterSnapshot snapshot;
  snapshot.cluster = cluster;
  snapshot.read_at = now_();
  const auto config = client_.run(**found, {"scontrol", "show", "config"});
  if (!config) {
    return tl::unexpected(config.error());
  }
  if (auto read = read_config(*config, snapshot); !read) {
    return tl::unexpected(read.error());
  }
  const auto partitions = client_.run(**found, {"scontrol", "-a", "-o", "show", "partition"});
  if (!partitions) {
    return tl::unexpected(partitions.error());
  }
  read_partitions(*partitions, snapshot);
  const auto nodes = client_.run(**found, {"scontrol", "-a", "-F", "-o", "show", "node"});
  if (!nodes) {
    return tl::unexpected(nodes.error());
  }
  read_nodes(*nodes, snapshot);
  return snapshot;
}

Result<Associations> ClusterViewCommands::read_associations(const std::string& cluster) {
  const auto found = find_cluster(clusters_, cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  Associations associations;
  associations.read_at = now_();
  const auto show = [&](std::vector<std::string> what) {
    what.insert(what.begin(), {"sacctmgr", "-n", "-P", "show"});
    return client_.run(**found, what);
  };
  const auto rows = show({"assoc", std::string(association_columns)});
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  const auto users = show({"user", "withassoc", "withcoord", std::string(user_columns)});
  if (!users) {
    return tl::unexpected(users.error());
  }
  const auto clusters = show({"cluster", std::string(cluster_columns)});
  if (!clusters) {
    return tl::unexpected(clusters.error());
  }
  read_association_rows(*rows, associations);
  read_user_rows(*users, associations);
  read_cluster_rows(*clusters, associations);
  return associations;
}

}  // namespace asbb::slurm
