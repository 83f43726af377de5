// The accounts and users of one cluster as slurmdbd has them, with the limits that are set on each
// (not those that are inherited): what `asbb slurm sync-accounts` compares. A plain value. Reading
// it blocks and needs a reader whom slurmdbd shows everything; see operator_proof.h.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/account_limits.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

inline constexpr const char* root_account = "root";

struct TreeAccount {
  std::string name;    // lower case: slurmdbd keeps no other
  std::string parent;  // "root" at the top
  std::string description;
  std::string organization;
  Limits limits;
};

struct TreeUser {
  std::string name;
  std::string default_account;             // on this cluster; empty when there is none
  std::map<std::string, Limits> accounts;  // associations for any partition
  // account -> partitions of associations that are for these alone
  std::map<std::string, std::set<std::string>> partitions;

  [[nodiscard]] bool is_in(const std::string& account) const {
    return accounts.contains(account) || partitions.contains(account);
  }
};

struct AccountTree {
  std::string cluster;
  std::string federation;                       // empty: none
  std::map<std::string, TreeAccount> accounts;  // "root" is not among them
  std::map<std::string, TreeUser> users;
  std::vector<std::string> problems;  // rows that could not be read: the tree lacks them

  // Users with an association in exactly this account.
  [[nodiscard]] std::vector<std::string> users_of(const std::string& account) const;
  [[nodiscard]] std::vector<std::string> children_of(const std::string& account) const;
  // Accounts between this one and root; 1000 for what is no tree.
  [[nodiscard]] int depth_of(const std::string& account) const;
};

// Whether sacctmgr takes the name as it is, whatever it is an argument of: letters, digits and
// "._+@-", not beginning with '-', at most 128. It splits at commas, expands brackets, strips
// quotes and reads '=' as a setting.
[[nodiscard]] bool is_plain_name(std::string_view name);

// `not_found` when slurmdbd knows no such cluster; `unavailable` when it does not answer.
[[nodiscard]] Result<AccountTree> read_account_tree(SlurmClient& client,
                                                    const SlurmCluster& cluster);

}  // namespace asbb::slurm
