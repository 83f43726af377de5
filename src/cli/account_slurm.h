// `asbb account create --slurm`: the account and its users in Slurm as well, on each cluster with
// limits of its own. What Slurm could refuse is looked at first, then the ledger makes its account
// (all or nothing, and it knows most reasons to refuse), then Slurm's are made: each step there can
// be repeated, and an account that has money and no users yet can be spent by nobody.
#pragma once

#include <string>
#include <vector>

#include "cli/slurm_accounts.h"

namespace asbb::cli {

struct AccountSlurmFlags {
  bool is_wanted = false;
  std::vector<std::string> users;     // names, or lists with commas
  std::vector<std::string> limits;    // NAME=VALUE or CLUSTER:NAME=VALUE
  std::vector<std::string> clusters;  // empty: all of the settings

  [[nodiscard]] bool names_anything() const {
    return !users.empty() || !limits.empty() || !clusters.empty();
  }
};

struct SlurmAccount {
  std::string name;
  std::string parent;  // empty: root
  std::string description;
};

// What one cluster is to have.
struct SlurmAccountPlan {
  slurm::SlurmCluster cluster;
  slurm::AccountTree wanted;  // of this account alone
  slurm::FollowRules rules;
  std::vector<slurm::TreeChange> changes;
};

// Reads, and changes nothing. `invalid` names the flag; `conflict` what stands against it there.
[[nodiscard]] Result<std::vector<SlurmAccountPlan>> plan_slurm_account(
    const config::Config& settings, const AccountSlurmFlags& flags, const SlurmAccount& account);

// Makes them, and says what came about; `completing` is the command that does the rest. `shown`
// gets every change with its state. The exit code.
[[nodiscard]] int make_slurm_account(const Context& context,
                                     const std::vector<SlurmAccountPlan>& plans,
                                     const std::string& completing,
                                     std::vector<ShownChange>& shown);

// Words as a shell would take them.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

}  // namespace asbb::cli
