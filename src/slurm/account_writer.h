// Makes changes of the account tree through sacctmgr, one command after the other (slurmdbd puts
// accounts that are added side by side under wrong parents), and reads back what came of it: what
// sacctmgr's exit code says is not believed. Names and values go as arguments, never through a
// shell. Blocking; one thread.
#pragma once

#include <string>
#include <vector>

#include "slurm/account_changes.h"

namespace asbb::slurm {

struct AccountCommand {
  std::vector<std::string> argv;
  std::vector<TreeChange> makes;  // at least one
};

// Of the changes that are to be made, in their order; several users of an account, and several
// limits of one association, go into one.
[[nodiscard]] std::vector<AccountCommand> commands_for(const std::string& cluster,
                                                       const std::vector<TreeChange>& changes);

struct FollowOutcome {
  std::vector<TreeChange> made;     // seen to be there afterwards
  std::vector<TreeChange> missing;  // sent or not, and not there afterwards
  std::vector<std::string> said;    // what sacctmgr said about commands that it refused
  std::string broken_off;           // why slurmdbd could not be asked any more; empty: it was
};

// Phase by phase (accounts, users, default accounts, limits, removals), comparing anew before each.
// A command that is refused does not keep the others from being made; a slurmdbd that is away ends
// it, and then `made` is what was sent with success.
[[nodiscard]] FollowOutcome follow(SlurmClient& client, const SlurmCluster& cluster,
                                   const AccountTree& from, const FollowRules& rules);

}  // namespace asbb::slurm
