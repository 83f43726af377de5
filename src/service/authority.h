// Who may do what (DESIGN 4.11 and 7). A caller is who the kernel says over the unix socket, or who
// a bearer token says over TCP. Root, the service's own user and named administrators may
// everything; SlurmUser may submit, notify and read; another local user may read the accounts that
// Slurm lets him use; over TCP without a token nobody may anything but what is public. Immutable;
// any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/access_tokens.h"
#include "slurm/cluster_cache.h"
#include "slurm/user_names.h"

namespace asbb::service {

struct Caller {
  std::string actor;        // for the ledger: "alice", "uid 1000", "token:nightly", "anonymous"
  std::string user;         // name of a local user, empty when there is none
  bool may_read = false;    // every account
  bool may_submit = false;  // submissions, checks, settlements of external jobs, notifications
  bool may_admin = false;   // moves money, sets prices and limits
  bool may_check = false;   // /budget/check and /budget/reconcile
  bool is_anonymous = false;
};

struct AuthorityOptions {
  std::set<std::uint32_t> admin_ids;   // root and the service's own among them
  std::set<std::uint32_t> submit_ids;  // SlurmUser
  std::set<std::string> admin_names;   // named administrators, by user name
  bool anonymous_budget_routes = false;
  std::vector<std::string> clusters;  // whose associations count for local users
};

class Authority {
 public:
  Authority(AuthorityOptions options, AccessTokens tokens, const slurm::UserNames& names,
            const slurm::ClusterCache& view);

  // A peer of the unix socket.
  [[nodiscard]] Caller local(std::uint32_t user_id) const;

  // A caller over TCP. `authorization` is that header's value, empty when there was none. denied: a
  // token that is not known, or another scheme than Bearer.
  [[nodiscard]] Result<Caller> remote(std::string_view authorization) const;

  // Whether the caller may see that account's figures; who owns it may too (operations.h). What he
  // may not see reads like what does not exist.
  [[nodiscard]] bool may_see(const Caller& caller, const std::string& account) const;

  // Whether a peer is exempt from the limit on one user's connections.
  [[nodiscard]] bool is_trusted(std::uint32_t user_id) const;

 private:
  const AuthorityOptions options_;
  const AccessTokens tokens_;
  const slurm::UserNames& names_;
  const slurm::ClusterCache& view_;
};

}  // namespace asbb::service
