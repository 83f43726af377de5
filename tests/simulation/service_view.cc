// The clusters of the simulated centre as the service reads them: partitions, nodes, accounts.
#include "service/hold_scope.h"
#include "simulation/service_model.h"

namespace asbb::simulation {
namespace {

slurm::PartitionInfo partition_of(const std::string& name) {
  slurm::PartitionInfo partition;
  partition.name = name;
  partition.is_default = name == "free";
  partition.state = "UP";
  partition.default_time_minutes = 60;
  partition.max_time_minutes = 14 * 24 * 60;
  partition.nodes = {"n1", "n2"};
  return partition;
}

slurm::NodeInfo node_of(const std::string& name) {
  slurm::NodeInfo node;
  node.name = name;
  node.partitions = {"batch", "gpu", "free"};
  node.cpus = node.cpus_effective = node.cores_per_socket = node_cpus;
  node.memory_mb = 256'000;
  node.gres.push_back({"gpu", "a100", node_gpus});
  return node;
}

}  // namespace

Result<slurm::ClusterSnapshot> SlurmView::read_cluster(const std::string& cluster) {
  const Slurm::Controller& controller = slurm_.controller(cluster);
  if (controller.is_up && controller.is_reachable) return cluster_of(cluster, clock_());
  return fail(ErrorKind::unavailable, "slurmctld of " + cluster + " does not answer");
}

Result<slurm::Associations> SlurmView::read_associations(const std::string&) {
  if (slurm_.accounting().is_up && slurm_.is_accounting_reachable) {
    return associations_of(slurm_.is_federation(), clock_());
  }
  return fail(ErrorKind::unavailable, "slurmdbd does not answer");
}

slurm::ClusterSnapshot cluster_of(const std::string& name, Instant read_at) {
  slurm::ClusterSnapshot snapshot;
  snapshot.cluster = name;
  snapshot.read_at = read_at;
  snapshot.select_type = "select/cons_tres";
  snapshot.over_time_limit_minutes = over_time_minutes(name);
  snapshot.select_type_parameters = "CR_CORE";
  for (const char* partition : {"batch", "gpu", "free"}) {
    snapshot.partitions.push_back(partition_of(partition));
  }
  for (const char* node : {"n1", "n2"}) snapshot.nodes.push_back(node_of(node));
  return snapshot;
}

slurm::Associations associations_of(bool is_federation, Instant read_at) {
  slurm::Associations made;
  made.read_at = read_at;
  for (const char* cluster : {"onprem", "cloud"}) {
    slurm::ClusterEntry entry;
    entry.name = cluster;
    if (is_federation) entry.federation = "centre";
    made.add(entry);
    const auto account = [&](const char* name, const char* parent) {
      made.add(slurm::Association{cluster, name, "", "", parent, "", false});
    };
    const auto user = [&](const char* name, const char* of_account, bool is_default) {
      made.add(slurm::Association{cluster, of_account, name, "", "", "", is_default});
      if (is_default) made.set_default_account(cluster, name, of_account);
    };
    account("lab", "");
    account("proj001", "lab");
    account("proj002", "lab");
    user("alice", "proj001", true);
    user("alice", "proj002", false);
    user("bob", "proj002", true);
  }
  return made;
}

api::Submission submission_of(const std::string& cluster, const Request& request,
                              api::OnSilence on_silence, const std::string& spent) {
  api::Submission asked;
  asked.cluster = cluster;
  asked.slurm_version = "22.05.8";
  asked.time_budget_ms = 50;
  asked.on_silence = on_silence;
  asked.submit_uid = asked.user_id = request.user_id;
  asked.account = request.account;
  asked.partition = request.partition;
  asked.num_tasks = asked.min_nodes = asked.max_nodes = 1;
  asked.cpus_per_task = asked.min_cpus = request.cpus;
  if (request.gpus > 0) asked.tres_per_node = "gres:gpu:" + std::to_string(request.gpus);
  asked.memory_per_node_mb = 1'000;
  asked.time_limit_minutes = request.limit_minutes;
  if (!request.tasks.empty()) {
    asked.array = service::text_of_tasks(request.tasks);
    if (request.at_once > 0) asked.array += "%" + std::to_string(request.at_once);
  }
  if (!request.is_federated) asked.clusters = cluster;
  asked.allowances_spent = spent;
  return asked;
}

}  // namespace asbb::simulation
