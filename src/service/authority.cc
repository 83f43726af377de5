#include "service/authority.h"

#include <utility>

#include "base/text.h"

namespace asbb::service {
namespace {

constexpr std::string_view bearer = "bearer ";  // in any case

void allow_everything(Caller& caller) {
  caller.may_read = caller.may_submit = caller.may_admin = caller.may_check = true;
}

}  // namespace

Authority::Authority(AuthorityOptions options, AccessTokens tokens, const slurm::UserNames& names,
                     const slurm::ClusterCache& view)
    : options_(std::move(options)), tokens_(std::move(tokens)), names_(names), view_(view) {}

Caller Authority::local(std::uint32_t user_id) const {
  Caller caller;
  if (user_id == 0) caller.user = "root";
  if (auto name = names_.known_name(user_id)) caller.user = *name;
  caller.actor = caller.user.empty() ? "uid " + std::to_string(user_id) : caller.user;
  if (options_.admin_ids.contains(user_id) ||
      (!caller.user.empty() && options_.admin_names.contains(caller.user))) {
    allow_everything(caller);
  } else if (options_.submit_ids.contains(user_id)) {
    caller.may_read = caller.may_submit = caller.may_check = true;
  }
  return caller;
}

Result<Caller> Authority::remote(std::string_view authorization) const {
  Caller caller;
  if (authorization.empty()) {
    caller.actor = "anonymous";
    caller.is_anonymous = true;
    caller.may_check = options_.anonymous_budget_routes;
    return caller;
  }
  const AccessToken* token = to_lower(authorization.substr(0, bearer.size())) == bearer
                                 ? tokens_.find(authorization.substr(bearer.size()))
                                 : nullptr;
  if (token == nullptr) {
    return fail(ErrorKind::denied,
                "The Authorization header holds no token that is known here: 'Bearer TOKEN' is "
                "expected.");
  }
  caller.actor = "token:" + token->name;
  caller.may_read = token->may_read;
  caller.may_submit = caller.may_check = token->may_submit;
  if (token->may_admin) allow_everything(caller);
  return caller;
}

bool Authority::may_see(const Caller& caller, const std::string& account) const {
  if (caller.may_read) return true;
  if (caller.user.empty()) return false;
  for (const std::string& cluster : options_.clusters) {
    const auto associations = view_.associations(cluster);
    if (associations && associations->may_use(cluster, caller.user, account)) return true;
  }
  return false;
}

bool Authority::is_trusted(std::uint32_t user_id) const {
  return options_.admin_ids.contains(user_id) || options_.submit_ids.contains(user_id);
}

}  // namespace asbb::service
