#include "slurm/cluster_reader.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "slurm/key_values.h"

namespace asbb::slurm {
namespace {

// JobDefaults: "DefCpuPerGPU=2,DefMemPerGPU=4096".
void read_job_defaults(ValueReader& reader, MemoryLimits& memory) {
  for (const std::string& word : reader.list("JobDefaults")) {
    const auto parts = split(word, '=');
    const auto number = parts.size() == 2 ? parse_count(parts[1]) : std::nullopt;
    if (!number) {
      reader.reject("JobDefaults");
    } else if (parts[0] == "DefCpuPerGPU") {
      memory.default_cpus_per_gpu = number;
    } else if (parts[0] == "DefMemPerGPU") {
      memory.default_per_gpu_mb = number;
    }
  }
}

MemoryLimits read_memory(ValueReader& reader) {
  MemoryLimits memory;
  memory.default_per_cpu_mb = reader.memory_mb("DefMemPerCPU");
  memory.default_per_node_mb = reader.memory_mb("DefMemPerNode");
  memory.max_per_cpu_mb = reader.memory_mb("MaxMemPerCPU");
  memory.max_per_node_mb = reader.memory_mb("MaxMemPerNode");
  read_job_defaults(reader, memory);
  return memory;
}

// "NO", "YES:4", "FORCE:4", "EXCLUSIVE".
OverSubscribe read_over_subscribe(ValueReader& reader) {
  const std::string text = reader.text("OverSubscribe");
  const std::string word = text.substr(0, text.find(':'));
  if (word == "EXCLUSIVE") {
    return OverSubscribe::exclusive;
  }
  if (word == "FORCE") {
    return OverSubscribe::force;
  }
  if (word == "YES") {
    return OverSubscribe::yes;
  }
  if (word != "NO") {
    reader.reject("OverSubscribe");
  }
  return OverSubscribe::no;
}

std::vector<std::string> read_hosts(ValueReader& reader, std::string_view key) {
  auto names = expand_hostlist(reader.text(key));
  if (!names) {
    reader.reject(key);
    return {};
  }
  return std::move(*names);
}

PartitionInfo read_partition(ValueReader& reader) {
  PartitionInfo info;
  info.name = reader.text("PartitionName");
  info.is_default = reader.yes("Default");
  info.is_hidden = reader.yes("Hidden");
  info.state = reader.text("State");
  info.default_time_minutes = reader.minutes("DefaultTime");
  info.max_time_minutes = reader.minutes("MaxTime").value_or(unlimited);
  info.over_time_limit_minutes = reader.minutes("OverTimeLimit");
  info.nodes = read_hosts(reader, "Nodes");
  info.min_nodes = reader.count_or("MinNodes", 0);
  info.max_nodes = reader.limit("MaxNodes");
  info.max_cpus_per_node = reader.limit("MaxCPUsPerNode");
  info.over_subscribe = read_over_subscribe(reader);
  info.exclusive_user = reader.yes("ExclusiveUser");
  info.memory = read_memory(reader);
  info.allow_accounts = reader.list("AllowAccounts");
  info.deny_accounts = reader.list("DenyAccounts");
  info.select_type_parameters = reader.text("SelectTypeParameters");
  info.qos = reader.text("QoS");
  info.total_cpus = reader.count_or("TotalCPUs", 0);
  info.total_nodes = reader.count_or("TotalNodes", 0);
  info.billing_weights = reader.text("TRESBillingWeights");
  return info;
}

NodeInfo read_node(ValueReader& reader) {
  NodeInfo info;
  info.name = reader.text("NodeName");
  info.cpus = reader.count("CPUTot");
  info.cpus_effective = reader.count_or("CPUEfctv", info.cpus);
  info.boards = reader.count_or("Boards", 1);
  info.sockets = reader.count("Sockets");
  info.cores_per_socket = reader.count("CoresPerSocket");
  info.threads_per_core = reader.count("ThreadsPerCore");
  info.memory_mb = reader.count("RealMemory");
  info.memory_reserved_mb = reader.count_or("MemSpecLimit", 0);
  if (auto gres = parse_gres(reader.text("Gres"))) {
    info.gres = std::move(*gres);
  } else {
    reader.reject("Gres");
  }
  info.features = reader.list("AvailableFeatures");
  std::sort(info.features.begin(), info.features.end());
  info.state = reader.text("State");
  info.partitions = reader.list("Partitions");
  return info;
}

// Calls `read` for each line that is a record of that kind.
template <typename Read>
void for_each_record(std::string_view text, std::string_view first_key, Read read) {
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) {
      read(line.starts_with(first_key) ? parse_key_values(line) : KeyValues{}, line);
    }
  }
}

// Calls `read` with the fields of each line that has that many; other lines are problems.
template <typename Read>
void for_each_row(std::string_view text, std::size_t columns, Associations& associations,
                  Read read) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) {
      continue;
    }
    const auto fields = split(line, '|');
    if (fields.size() == columns) {
      read(fields);
    } else {
      associations.problems.push_back("sacctmgr row with " + std::to_string(fields.size()) +
                                      " columns, not " + std::to_string(columns) + ": " +
                                      in_quotes(line) + ".");
    }
  }
}

// "slurm(64030)".
void read_slurm_user(ValueReader& reader, ClusterSnapshot& snapshot) {
  const std::string text = reader.text("SlurmUser");
  const std::size_t open = text.find('(');
  const auto id =
      open == std::string::npos || !text.ends_with(')')
          ? std::nullopt
          : parse_count(std::string_view(text).substr(open + 1, text.size() - open - 2));
  if (!id || *id > std::numeric_limits<std::uint32_t>::max()) {
    return reader.reject("SlurmUser");
  }
  snapshot.slurm_user = text.substr(0, open);
  snapshot.slurm_user_id = static_cast<std::uint32_t>(*id);
}

}  // namespace

Result<void> read_config(std::string_view text, ClusterSnapshot& snapshot) {
  const KeyValues values = parse_config_lines(text);
  ValueReader reader(values);
  const std::string name = reader.text("ClusterName");
  if (name != snapshot.cluster) {
    return fail(ErrorKind::broken, "The cluster configured as " + in_quotes(snapshot.cluster) +
                                       " calls itself " + in_quotes(name) +
                                       ": the name must be the ClusterName of its slurm.conf.");
  }
  snapshot.slurm_version = reader.text("SLURM_VERSION");
  snapshot.max_array_size = reader.count("MaxArraySize");
  snapshot.max_job_count = reader.count("MaxJobCount");
  snapshot.over_time_limit_minutes = reader.minutes("OverTimeLimit").value_or(0);
  snapshot.message_timeout_s = reader.count("MessageTimeout");
  snapshot.min_job_age_s = reader.count("MinJobAge");
  snapshot.max_dbd_messages = reader.count_or("MaxDBDMsgs", 0);
  snapshot.select_type = reader.text("SelectType");
  snapshot.select_type_parameters = reader.text("SelectTypeParameters");
  snapshot.accounting_storage_enforce = reader.text("AccountingStorageEnforce");
  snapshot.accounting_storage_tres = reader.text("AccountingStorageTRES");
  snapshot.enforce_part_limits =
      reader.has("EnforcePartLimits") ? values.at("EnforcePartLimits") : std::string();
  snapshot.priority_flags = reader.text("PriorityFlags");
  snapshot.private_data = reader.text("PrivateData");
  if (snapshot.private_data == "none") {
    snapshot.private_data.clear();
  }
  read_slurm_user(reader, snapshot);
  snapshot.memory = read_memory(reader);
  if (!reader.problem().empty()) {
    snapshot.problems.push_back("Configuration of " + snapshot.cluster + ": " + reader.problem() +
                                ".");
  }
  return {};
}

void read_partitions(std::string_view text, ClusterSnapshot& snapshot) {
  for_each_record(text, "PartitionName=", [&](const KeyValues& values, std::string_view line) {
    ValueReader reader(values);
    PartitionInfo info = read_partition(reader);
    if (info.name.empty() || !reader.problem().empty()) {
      snapshot.problems.push_back("Partition of " + snapshot.cluster + " " + in_quotes(line) +
                                  ": " + reader.problem() + ".");
    } else {
      snapshot.partitions.push_back(std::move(info));
    }
  });
}

void read_nodes(std::string_view text, ClusterSnapshot& snapshot) {
  for_each_record(text, "NodeName=", [&](const KeyValues& values, std::string_view line) {
    ValueReader reader(values);
    NodeInfo info = read_node(reader);
    if (info.name.empty() || !reader.problem().empty()) {
      snapshot.problems.push_back("Node of " + snapshot.cluster + " " + in_quotes(line) + ": " +
                                  reader.problem() + ".");
    } else {
      snapshot.nodes.push_back(std::move(info));
    }
  });
}

void read_association_rows(std::string_view text, Associations& associations) {
  for_each_row(text, 7, associations, [&](const std::vector<std::string_view>& fields) {
    Association row;
    row.cluster = fields[0];
    row.account = fields[1];
    row.user = fields[2];
    row.partition = fields[3];
    row.parent_account = fields[4];
    row.qos = fields[5];
    associations.add(row);
  });
}

void read_user_rows(std::string_view text, Associations& associations) {
  for_each_row(text, 6, associations, [&](const std::vector<std::string_view>& fields) {
    const std::string user(fields[1]);
    for (const std::string_view account : split(fields[5], ',')) {
      if (!account.empty()) associations.add_coordinator(user, account);
    }
    if (!fields[0].empty() && !fields[2].empty()) {
      associations.set_default_account(std::string(fields[0]), user, std::string(fields[2]));
    }
    if (fields[3] == "Administrator") {
      associations.set_admin_level(user, AdminLevel::administrator);
    } else if (fields[3] == "Operator") {
      associations.set_admin_level(user, AdminLevel::operator_level);
    }
  });
}

void read_cluster_rows(std::string_view text, Associations& associations) {
  for_each_row(text, 6, associations, [&](const std::vector<std::string_view>& fields) {
    ClusterEntry entry{std::string(fields[0]), std::string(fields[3]), {}};
    for (const std::string_view feature : split(fields[4], ',')) {
      if (!feature.empty()) {
        entry.features.emplace_back(feature);
      }
    }
    associations.add(entry);
  });
}

}  // namespace asbb::slurm
