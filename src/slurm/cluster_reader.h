// What scontrol prints about a cluster and sacctmgr about its associations, into values. Pure. A
// record that cannot be read becomes a problem and the rest is still read.
#pragma once

#include <string>
#include <string_view>

#include "slurm/cluster_view.h"

namespace asbb::slurm {

// `scontrol show config`. `broken` when the cluster calls itself otherwise than snapshot.cluster.
Result<void> read_config(std::string_view text, ClusterSnapshot& snapshot);
// `scontrol -a -o show partition`.
void read_partitions(std::string_view text, ClusterSnapshot& snapshot);
// `scontrol -a -F -o show node`.
void read_nodes(std::string_view text, ClusterSnapshot& snapshot);

// What is asked of `sacctmgr -n -P show`, and its readers.
inline constexpr std::string_view association_columns =
    "format=Cluster,Account,User,Partition,ParentName,QOS,DefaultQOS";
inline constexpr std::string_view user_columns =
    "format=Cluster,User,DefaultAccount,AdminLevel,Account,Coordinators";
inline constexpr std::string_view cluster_columns =
    "format=Cluster,ControlHost,ControlPort,Federation,Features,FedState";
void read_association_rows(std::string_view text, Associations& associations);
void read_user_rows(std::string_view text, Associations& associations);
void read_cluster_rows(std::string_view text, Associations& associations);

}  // namespace asbb::slurm
