// Who may spend from which account, as slurmdbd says: the account tree, the associations, default
// accounts and administrator levels of every cluster, at one moment. A plain value built once by a
// reader and then only read: share it as shared_ptr<const Associations> between threads.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace asbb::slurm {

enum class AdminLevel { none, operator_level, administrator };

// One row of `sacctmgr show assoc`. user empty: the account itself. partition empty: any.
struct Association {
  std::string cluster;
  std::string account;
  std::string user;
  std::string partition;
  std::string parent_account;  // only of account rows; empty for "root"
  std::string qos;             // list of allowed QOS, as text
  bool is_default = false;     // the user's default account on this cluster
};

struct ClusterEntry {
  std::string name;
  std::string federation;             // empty: none
  std::vector<std::string> features;  // what --cluster-constraint can name
};

// Slurm compares account names without regard to case (assoc_mgr.c), user names exactly; so do the
// look-ups here.
class Associations {
 public:
  Instant read_at;                    // taken before the first question was asked
  std::vector<std::string> problems;  // rows that could not be read; the rest is there

  void add(const Association& row);
  void add(const ClusterEntry& cluster);
  void set_admin_level(const std::string& user, AdminLevel level);
  void set_default_account(const std::string& cluster, const std::string& user,
                           const std::string& account);
  // Of that account, and of those below it, on every cluster of the slurmdbd.
  void add_coordinator(const std::string& user, std::string_view account);
  // The user has an association of his own with exactly this account there (a child account's user
  // may not use the parent). partition empty: in some partition; otherwise an association for any
  // partition or for that one.
  [[nodiscard]] bool may_use(std::string_view cluster, std::string_view user,
                             std::string_view account, std::string_view partition = {}) const;

  // Whether slurmctld lets the user change other users' jobs of the account (sacctmgr(1), add
  // coordinator).
  [[nodiscard]] bool is_coordinator(std::string_view cluster, std::string_view user,
                                    std::string_view account) const;

  // Empty when the user has none there.
  [[nodiscard]] std::string default_account(std::string_view cluster, std::string_view user) const;

  // The name as slurmdbd has it; empty when the cluster has no such account.
  [[nodiscard]] std::string account_name(std::string_view cluster, std::string_view account) const;

  // Empty for a top account, "root" itself and an unknown one.
  [[nodiscard]] std::string parent(std::string_view cluster, std::string_view account) const;

  // Accounts that the user has an association with there, sorted.
  [[nodiscard]] std::vector<std::string> accounts_of(std::string_view cluster,
                                                     std::string_view user) const;

  [[nodiscard]] AdminLevel admin_level(std::string_view user) const;
  [[nodiscard]] bool knows_cluster(std::string_view cluster) const;
  [[nodiscard]] std::vector<ClusterEntry> clusters() const;
  [[nodiscard]] std::vector<std::string> accounts(std::string_view cluster) const;  // sorted
  [[nodiscard]] std::vector<std::string> users()
      const;  // of all clusters, sorted; coordinators too

 private:
  struct Account {
    std::string name;
    std::string parent;
    // user -> partitions ("" is any)
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> users;
  };
  struct Cluster {
    ClusterEntry entry;
    std::map<std::string, Account, std::less<>> accounts;  // by lower-case name
    std::map<std::string, std::string, std::less<>> default_accounts;
  };
  const Account* find(std::string_view cluster, std::string_view account) const;

  std::map<std::string, Cluster, std::less<>> clusters_;
  std::map<std::string, AdminLevel, std::less<>> admin_levels_;
  // user -> accounts, in lower case
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> coordinators_;
};

}  // namespace asbb::slurm
