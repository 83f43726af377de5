// What makes the accounts of one cluster those of another, found by comparing two trees: pure, so
// that it is tested without Slurm, and asked anew after each phase of the work, so that a run that
// was broken off goes on where it stopped.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "slurm/account_tree.h"

namespace asbb::slurm {

struct TreeChange {
  // In the order in which they are made.
  enum class What {
    add_account,
    move_account,
    describe,
    add_user,
    set_default,
    set_limit,
    remove_user,
    remove_account
  };
  What what = What::add_account;
  std::string account;
  std::string user{};   // empty: of the account itself
  std::string field{};  // "parent", "description", "MaxJobs"
  std::string now{};    // as people read it; empty: nothing there
  std::string then{};
  std::string setting{};    // of set_limit: what sacctmgr is given
  std::string why_left{};   // not empty: is not made, for this reason
  bool is_default = false;  // of add_user: his default account

  [[nodiscard]] bool is_left() const { return !why_left.empty(); }
  bool operator==(const TreeChange&) const = default;
};

// "add account", "change limit": for tables and programs.
[[nodiscard]] const char* to_string(TreeChange::What what);

struct FollowRules {
  enum class Existing { keep, overwrite };  // limits that differ from what the rule says
  std::map<std::string, LimitRule> limits;  // by the name in limit_names(); others are left alone
  Existing existing = Existing::keep;
  bool prune = false;
};

// Of `to`, so that its structure is that of `from`: what is to be done first stands first, and
// parents before children (removals the other way round). What differs and is left stands among it.
// Neither the account root nor the user root in it is ever changed.
[[nodiscard]] std::vector<TreeChange> changes_between(const AccountTree& from,
                                                      const AccountTree& to,
                                                      const FollowRules& rules);

// Those that are to be made.
[[nodiscard]] std::vector<TreeChange> open_changes(const std::vector<TreeChange>& changes);

}  // namespace asbb::slurm
