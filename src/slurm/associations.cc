#include "slurm/associations.h"

#include <algorithm>

#include "base/text.h"

namespace asbb::slurm {
void Associations::add(const Association& row) {
  Cluster& cluster = clusters_[row.cluster];
  cluster.entry.name = row.cluster;
  Account& account = cluster.accounts[to_lower(row.account)];
  if (account.name.empty()) {
    account.name = row.account;
  }
  if (row.user.empty()) {
    account.parent = row.parent_account;
    return;
  }
  account.users[row.user].insert(row.partition);
  if (row.is_default) {
    cluster.default_accounts[row.user] = row.account;
  }
}

void Associations::add(const ClusterEntry& cluster) {
  clusters_[cluster.name].entry = cluster;
}

void Associations::set_admin_level(const std::string& user, AdminLevel level) {
  admin_levels_[user] = level;
}

void Associations::set_default_account(const std::string& cluster, const std::string& user,
                                       const std::string& account) {
  Cluster& known = clusters_[cluster];
  known.entry.name = cluster;
  known.default_accounts[user] = account;
}

void Associations::add_coordinator(const std::string& user, std::string_view account) {
  coordinators_[user].insert(to_lower(account));
}

const Associations::Account* Associations::find(std::string_view cluster,
                                                std::string_view account) const {
  const auto in_cluster = clusters_.find(cluster);
  if (in_cluster == clusters_.end()) {
    return nullptr;
  }
  const auto found = in_cluster->second.accounts.find(to_lower(account));
  return found == in_cluster->second.accounts.end() ? nullptr : &found->second;
}

bool Associations::may_use(std::string_view cluster, std::string_view user,
                           std::string_view account, std::string_view partition) const {
  const Account* found = find(cluster, account);
  if (found == nullptr || user.empty()) {
    return false;
  }
  const auto partitions = found->users.find(user);
  if (partitions == found->users.end()) {
    return false;
  }
  return partition.empty() || partitions->second.contains("") ||
         partitions->second.contains(partition);
}

bool Associations::is_coordinator(std::string_view cluster, std::string_view user,
                                  std::string_view account) const {
  const auto of_user = coordinators_.find(user);
  if (of_user == coordinators_.end()) {
    return false;
  }
  constexpr int depth_max = 1'000;  // whatever the rows say of parents
  const Account* at = find(cluster, account);
  for (int depth = 0; at != nullptr && depth < depth_max; ++depth) {
    if (of_user->second.contains(to_lower(at->name))) {
      return true;
    }
    at = find(cluster, at->parent);
  }
  return false;
}

std::string Associations::default_account(std::string_view cluster, std::string_view user) const {
  const auto in_cluster = clusters_.find(cluster);
  if (in_cluster == clusters_.end()) {
    return {};
  }
  const auto found = in_cluster->second.default_accounts.find(user);
  return found == in_cluster->second.default_accounts.end() ? std::string{} : found->second;
}

std::string Associations::account_name(std::string_view cluster, std::string_view account) const {
  const Account* found = find(cluster, account);
  return found == nullptr ? std::string{} : found->name;
}

std::string Associations::parent(std::string_view cluster, std::string_view account) const {
  const Account* found = find(cluster, account);
  return found == nullptr || found->parent == "root" ? std::string{} : found->parent;
}

std::vector<std::string> Associations::accounts_of(std::string_view cluster,
                                                   std::string_view user) const {
  std::vector<std::string> names;
  if (const auto found = clusters_.find(cluster); found != clusters_.end()) {
    for (const auto& [key, account] : found->second.accounts) {
      if (account.users.contains(user)) {
        names.push_back(account.name);
      }
    }
  }
  return names;
}

AdminLevel Associations::admin_level(std::string_view user) const {
  const auto found = admin_levels_.find(user);
  return found == admin_levels_.end() ? AdminLevel::none : found->second;
}

bool Associations::knows_cluster(std::string_view cluster) const {
  return clusters_.contains(cluster);
}

std::vector<ClusterEntry> Associations::clusters() const {
  std::vector<ClusterEntry> entries;
  for (const auto& [name, cluster] : clusters_) {
    entries.push_back(cluster.entry);
  }
  return entries;
}

std::vector<std::string> Associations::accounts(std::string_view cluster) const {
  std::vector<std::string> names;
  if (const auto found = clusters_.find(cluster); found != clusters_.end()) {
    for (const auto& [key, account] : found->second.accounts) {
      names.push_back(account.name);
    }
  }
  return names;
}

std::vector<std::string> Associations::users() const {
  std::set<std::string> names;
  for (const auto& [cluster_name, cluster] : clusters_) {
    for (const auto& [key, account] : cluster.accounts) {
      for (const auto& [user, partitions] : account.users) {
        names.insert(user);
      }
    }
  }
  for (const auto& [user, accounts] : coordinators_) {
    names.insert(user);
  }
  return {names.begin(), names.end()};
}

}  // namespace asbb::slurm
