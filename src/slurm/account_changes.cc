#include "slurm/account_changes.h"

#include <algorithm>

#include "base/text.h"

namespace asbb::slurm {
namespace {

using What = TreeChange::What;

constexpr const char* strange_name =
    "its name is not of letters, digits and ._+@- alone, which sacctmgr would read otherwise";

// A text that sacctmgr stores as it is: it lowers the case and makes quotes backticks by itself.
bool is_plain_text(const std::string& text) {
  return !text.empty() && text.find_first_of("\"'\n\r") == std::string::npos;
}

class Comparison {
 public:
  Comparison(const AccountTree& from, const AccountTree& to, const FollowRules& rules)
      : from_(from), to_(to), rules_(rules) {}

  std::vector<TreeChange> make() {
    for (const std::string& name : by_depth(from_)) account(from_.accounts.at(name));
    for (const auto& [name, user] : from_.users) follow_user(user);
    remove_users();
    auto gone = by_depth(to_);
    std::reverse(gone.begin(), gone.end());
    for (const std::string& name : gone) remove_account(name);
    std::stable_sort(out_.begin(), out_.end(),
                     [](const auto& a, const auto& b) { return a.what < b.what; });
    return std::move(out_);
  }

 private:
  static std::vector<std::string> by_depth(const AccountTree& tree) {
    std::vector<std::pair<int, std::string>> order;
    for (const auto& [name, account] : tree.accounts) order.emplace_back(tree.depth_of(name), name);
    std::sort(order.begin(), order.end());
    std::vector<std::string> names;
    for (auto& [depth, name] : order) names.push_back(std::move(name));
    return names;
  }

  void add(What what, const std::string& account, const std::string& user, const std::string& field,
           const std::string& now, const std::string& then, const std::string& why_left = {}) {
    out_.push_back({what, account, user, field, now, then, {}, why_left});
  }

  // Whether the other cluster has the account, or gets it.
  bool is_followed(const std::string& account) const {
    return account == root_account || to_.accounts.contains(account) || added_.contains(account);
  }

  void account(const TreeAccount& wanted) {
    const auto found = to_.accounts.find(wanted.name);
    const bool is_new = found == to_.accounts.end();
    std::string why;
    if (!is_plain_name(wanted.name)) {
      why = strange_name;
    } else if (!is_followed(wanted.parent)) {
      why = "the account above it, " + in_quotes(wanted.parent) + ", is not there";
    }
    if (is_new) {
      add(What::add_account, wanted.name, "", "parent", "", wanted.parent, why);
      if (why.empty()) added_.insert(wanted.name);
    } else if (found->second.parent != wanted.parent) {
      add(What::move_account, wanted.name, "", "parent", found->second.parent, wanted.parent, why);
    }
    if (!why.empty()) return;
    const TreeAccount nothing;
    const TreeAccount& there = is_new ? nothing : found->second;
    text(wanted.name, "description", there.description, wanted.description);
    text(wanted.name, "organization", there.organization, wanted.organization);
    limits(wanted.name, "", wanted.limits, there.limits);
  }

  void text(const std::string& account, const std::string& field, const std::string& now,
            const std::string& then) {
    if (now == then || !is_plain_text(then)) return;
    add(What::describe, account, "", field, now, then);
  }

  void limits(const std::string& account, const std::string& user, const Limits& wanted,
              const Limits& there) {
    for (const LimitName& name : limit_names()) {
      const std::string key(name.name);
      const auto rule = rules_.limits.find(key);
      if (rule == rules_.limits.end() || rule->second.kind == LimitRule::Kind::keep) continue;
      const auto value = wanted.find(key);
      const Limit source = value == wanted.end() ? Limit{} : value->second;
      const auto known = there.find(key);
      const Limit now = known == there.end() ? Limit{} : known->second;
      Limit then = source;
      if (rule->second.kind == LimitRule::Kind::scale) then = scaled(source, rule->second.factor);
      if (rule->second.kind == LimitRule::Kind::fixed) {
        if (!user.empty()) continue;  // what an account has, its users have
        then = rule->second.value;
      }
      if (now == then) continue;
      add(What::set_limit, account, user, key, to_text(now), to_text(then));
      TreeChange& change = out_.back();
      change.setting = name.kind == LimitKind::tres ? to_setting(then, now) : to_text(then);
      if (change.setting.empty()) change.setting = "-1";
      if (!now.empty() && rules_.existing == FollowRules::Existing::keep) {
        change.why_left = "it is set there already; --limits=overwrite changes it";
      }
    }
  }

  // Slurm lowers user names unless its slurmdbd has PreserveCaseUser.
  std::string in_other_case(const std::string& name) const {
    if (to_.users.contains(name)) return {};
    for (const auto& [other, user] : to_.users) {
      if (to_lower(other) == to_lower(name)) return other;
    }
    return {};
  }

  void follow_user(const TreeUser& wanted) {
    const auto found = to_.users.find(wanted.name);
    const TreeUser nobody;
    const TreeUser& there = found == to_.users.end() ? nobody : found->second;
    std::string why = is_plain_name(wanted.name) ? "" : strange_name;
    if (const std::string other = in_other_case(wanted.name); why.empty() && !other.empty()) {
      why = "user " + in_quotes(other) + " is there already, in other letters";
    }
    for (const auto& [account, limits_here] : wanted.accounts) {
      if (account == root_account && wanted.name == "root") continue;
      association(wanted, there, account, why);
      if (why.empty() && is_followed(account) && account != root_account) {
        const auto known = there.accounts.find(account);
        limits(account, wanted.name, limits_here,
               known == there.accounts.end() ? Limits{} : known->second);
      }
    }
    for (const auto& [account, partitions] : wanted.partitions) {
      if (there.is_in(account) || wanted.accounts.contains(account)) continue;
      add(What::add_user, account, wanted.name, "", "", "",
          "it is for partition " + listed({partitions.begin(), partitions.end()}) +
              " alone, and partitions are each cluster's own");
    }
    default_account(wanted, there, why);
  }

  void association(const TreeUser& wanted, const TreeUser& there, const std::string& account,
                   const std::string& why) {
    if (there.is_in(account)) return;
    std::string left = why;
    if (left.empty() && !is_followed(account)) left = "the account is not there";
    add(What::add_user, account, wanted.name, "", "", "", left);
    out_.back().is_default = account == wanted.default_account;
  }

  void default_account(const TreeUser& wanted, const TreeUser& there, const std::string& why) {
    const std::string& account = wanted.default_account;
    if (account.empty() || !why.empty() || account == there.default_account) return;
    if (!is_followed(account)) return;  // said already
    if (!there.is_in(account) && !wanted.accounts.contains(account)) return;
    add(What::set_default, account, wanted.name, "default account", there.default_account, account);
  }

  std::string why_kept() const {
    return rules_.prune ? "" : "only cluster " + to_.cluster + " has it; --prune removes it";
  }

  // Of each user the default account comes last: Slurm refuses to leave him without one.
  void remove_users() {
    for (const auto& [name, user] : to_.users) {
      const auto followed = from_.users.find(name);
      std::vector<std::string> gone;
      for (const auto& [account, limits_there] : user.accounts) {
        if (account == root_account) continue;
        const bool is_wanted = followed != from_.users.end() && followed->second.is_in(account);
        if (!is_wanted) gone.push_back(account);
      }
      std::stable_partition(gone.begin(), gone.end(), [&](const std::string& account) {
        return account != user.default_account;
      });
      for (const std::string& account : gone) {
        add(What::remove_user, account, name, "", "", "",
            is_plain_name(name) && is_plain_name(account) ? why_kept() : strange_name);
      }
    }
  }

  // sacctmgr removes what is below an account along with it: so only when nothing stays below it.
  void remove_account(const std::string& name) {
    if (from_.accounts.contains(name)) return;
    std::string why = is_plain_name(name) ? why_kept() : strange_name;
    for (const std::string& child : to_.children_of(name)) {
      if (!why.empty() || removed_.contains(child)) continue;
      const auto elsewhere = from_.accounts.find(child);
      const bool moves = elsewhere != from_.accounts.end() && is_plain_name(child) &&
                         is_followed(elsewhere->second.parent);
      if (!moves) why = "account " + in_quotes(child) + " below it stays";
    }
    for (const TreeChange& change : out_) {
      const bool stays = change.what == What::remove_user && change.account == name;
      if (why.empty() && stays && change.is_left()) why = "user " + change.user + " in it stays";
    }
    for (const auto& [user, known] : to_.users) {
      if (why.empty() && known.partitions.contains(name)) {
        why = "user " + user + " is in it for one partition alone";
      }
    }
    const auto found = to_.accounts.find(name);
    add(What::remove_account, name, "", "parent", found->second.parent, "", why);
    if (why.empty()) removed_.insert(name);
  }

  const AccountTree& from_;
  const AccountTree& to_;
  const FollowRules& rules_;
  std::set<std::string> added_;
  std::set<std::string> removed_;
  std::vector<TreeChange> out_;
};

}  // namespace

const char* to_string(TreeChange::What what) {
  switch (what) {
    case What::add_account:
      return "add account";
    case What::move_account:
      return "move account";
    case What::describe:
      return "describe";
    case What::add_user:
      return "add user";
    case What::set_default:
      return "set default";
    case What::set_limit:
      return "set limit";
    case What::remove_user:
      return "remove user";
    case What::remove_account:
      return "remove account";
  }
  return "unknown";
}

std::vector<TreeChange> changes_between(const AccountTree& from, const AccountTree& to,
                                        const FollowRules& rules) {
  return Comparison(from, to, rules).make();
}

std::vector<TreeChange> open_changes(const std::vector<TreeChange>& changes) {
  std::vector<TreeChange> open;
  std::copy_if(changes.begin(), changes.end(), std::back_inserter(open),
               [](const TreeChange& change) { return !change.is_left(); });
  return open;
}

}  // namespace asbb::slurm
