#include "cli/account_slurm.h"

#include <algorithm>
#include <ostream>

#include "base/text.h"

namespace asbb::cli {
namespace {

using slurm::AccountTree;

struct LimitFlag {
  std::string cluster;  // empty: every one
  std::string name;
  slurm::Limit value;
};

Result<LimitFlag> read_limit_flag(const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::invalid, "--slurm-limit: " + in_quotes(text) + why, "--slurm-limit");
  };
  LimitFlag flag;
  std::string rest = text;
  const std::size_t colon = text.find(':');
  if (colon < text.find('=')) {
    flag.cluster = text.substr(0, colon);
    rest = text.substr(colon + 1);
  }
  const std::size_t mark = rest.find('=');
  if (mark == std::string::npos) {
    return refuse(" is not allowed; expected is NAME=VALUE or CLUSTER:NAME=VALUE");
  }
  const std::string name = rest.substr(0, mark);
  const slurm::LimitName* known = slurm::find_limit(name);
  if (known == nullptr) {
    std::vector<std::string> names;
    for (const auto& one : slurm::limit_names()) names.emplace_back(one.name);
    const std::string near = nearest(name, names);
    return refuse(" names no limit; " + (near.empty() ? "there are " + listed(names, names.size())
                                                      : "did you mean '" + near + "'?"));
  }
  auto value = slurm::parse_limit(known->kind, rest.substr(mark + 1));
  if (!value) return refuse(": " + value.error().message);
  flag.name = known->name;
  flag.value = std::move(*value);
  return flag;
}

Result<std::vector<std::string>> read_users(const std::vector<std::string>& lists) {
  std::vector<std::string> users;
  for (const std::string& list : lists) {
    for (const std::string_view name : split(list, ',')) {
      if (!slurm::is_plain_name(name)) {
        return fail(ErrorKind::invalid,
                    "--user: " + in_quotes(name) +
                        " is not a user name: letters, digits and ._+@- are expected",
                    "--user");
      }
      users.emplace_back(name);
    }
  }
  return users;
}

class AccountPlanner {
 public:
  AccountPlanner(const std::vector<std::string>& users, const std::vector<LimitFlag>& limits,
                 const SlurmAccount& account)
      : users_(users),
        limits_(limits),
        name_(to_lower(account.name)),
        parent_(account.parent.empty() ? slurm::root_account : to_lower(account.parent)),
        description_(to_lower(account.description)) {}

  Result<SlurmAccountPlan> plan(slurm::SlurmClient& client, const slurm::SlurmCluster& cluster) {
    if (const auto sees = check_sees_all(client, cluster); !sees) {
      return tl::unexpected(sees.error());
    }
    const auto there = read_account_tree(client, cluster);
    if (!there) return tl::unexpected(there.error());
    if (const auto fine = check(*there); !fine) return tl::unexpected(fine.error());
    SlurmAccountPlan plan{cluster, {}, {}, {}};
    plan.rules.existing = slurm::FollowRules::Existing::overwrite;
    plan.wanted.cluster = cluster.name;
    slurm::TreeAccount& account = plan.wanted.accounts[name_];
    account = {name_, parent_, "", "", {}};
    const bool is_new = !there->accounts.contains(name_);
    if (is_new) account.description = description_;
    for (const LimitFlag& limit : limits_) {
      if (!is_for(limit, cluster.name)) continue;
      plan.rules.limits[limit.name] = {slurm::LimitRule::Kind::copy, {}, {}};
      if (!limit.value.empty()) account.limits[limit.name] = limit.value;
    }
    for (const std::string& name : users_) {
      slurm::TreeUser& user = plan.wanted.users[name];
      user.name = name;
      user.accounts[name_] = own_limits(*there, name);
      const auto known = there->users.find(name);
      const bool has_default =
          known != there->users.end() && !known->second.default_account.empty();
      if (!has_default) user.default_account = name_;
    }
    return with_changes(std::move(plan), *there);
  }

 private:
  // Those of an association stay: only the account's were given.
  slurm::Limits own_limits(const AccountTree& there, const std::string& user) const {
    const auto known = there.users.find(user);
    if (known == there.users.end()) return {};
    const auto found = known->second.accounts.find(name_);
    return found == known->second.accounts.end() ? slurm::Limits{} : found->second;
  }

  // What is given for the cluster comes before what is given for all.
  bool is_for(const LimitFlag& limit, const std::string& cluster) const {
    if (!limit.cluster.empty()) return limit.cluster == cluster;
    return std::none_of(limits_.begin(), limits_.end(), [&](const LimitFlag& other) {
      return other.cluster == cluster && other.name == limit.name;
    });
  }

  Result<void> check(const AccountTree& there) const {
    if (parent_ != slurm::root_account && !there.accounts.contains(parent_)) {
      return fail(ErrorKind::conflict,
                  "--parent: cluster " + there.cluster + " has no Slurm account " +
                      in_quotes(parent_) +
                      "; 'asbb slurm sync-accounts' or 'asbb account create "
                      "--slurm' makes it",
                  "--parent");
    }
    const auto found = there.accounts.find(name_);
    if (found != there.accounts.end() && found->second.parent != parent_) {
      return fail(ErrorKind::conflict, "cluster " + there.cluster + " has account " + name_ +
                                           " already, below " + found->second.parent +
                                           " and not below " + parent_);
    }
    return {};
  }

  Result<SlurmAccountPlan> with_changes(SlurmAccountPlan plan, const AccountTree& there) const {
    for (slurm::TreeChange& change : changes_between(plan.wanted, there, plan.rules)) {
      const bool is_removal = change.what == slurm::TreeChange::What::remove_user ||
                              change.what == slurm::TreeChange::What::remove_account;
      if (is_removal) continue;  // of what others have there
      if (change.is_left()) {
        return fail(ErrorKind::conflict, "cluster " + plan.cluster.name + ": " +
                                             (change.user.empty() ? "account " + change.account
                                                                  : "user " + change.user) +
                                             ": " + change.why_left);
      }
      plan.changes.push_back(std::move(change));
    }
    return plan;
  }

  const std::vector<std::string>& users_;
  const std::vector<LimitFlag>& limits_;
  std::string name_;
  std::string parent_;
  std::string description_;
};

Result<std::vector<slurm::SlurmCluster>> clusters_of_account(const config::Config& settings,
                                                             const AccountSlurmFlags& flags) {
  std::vector<slurm::SlurmCluster> clusters;
  if (flags.clusters.empty()) {
    for (const config::Cluster& one : settings.slurm.clusters) {
      clusters.push_back({one.name, one.conf, one.bin_dir});
    }
    if (!clusters.empty()) return clusters;
    return fail(ErrorKind::invalid, "--slurm: the settings list no cluster (slurm.clusters)");
  }
  for (const std::string& list : flags.clusters) {
    for (const std::string_view name : split(list, ',')) {
      const auto cluster = settings_cluster(settings, "--slurm-cluster", std::string(name));
      if (!cluster) return tl::unexpected(cluster.error());
      clusters.push_back(*cluster);
    }
  }
  return clusters;
}

// Each limit once for a cluster, or for all of them, and none for a cluster that is left out.
Result<std::vector<LimitFlag>> read_limits(const config::Config& settings,
                                           const std::vector<std::string>& texts,
                                           const std::vector<slurm::SlurmCluster>& clusters) {
  std::vector<LimitFlag> limits;
  for (const std::string& text : texts) {
    auto limit = read_limit_flag(text);
    if (!limit) return tl::unexpected(limit.error());
    if (!limit->cluster.empty()) {
      const auto known = settings_cluster(settings, "--slurm-limit", limit->cluster);
      if (!known) return tl::unexpected(known.error());
      const bool is_used = std::any_of(clusters.begin(), clusters.end(), [&](const auto& used) {
        return used.name == limit->cluster;
      });
      if (!is_used) {
        return fail(ErrorKind::invalid,
                    "--slurm-limit: " + in_quotes(text) +
                        " is for a cluster that --slurm-cluster leaves out",
                    "--slurm-limit");
      }
    }
    const bool is_there = std::any_of(limits.begin(), limits.end(), [&](const LimitFlag& other) {
      return other.cluster == limit->cluster && other.name == limit->name;
    });
    if (is_there) {
      const bool is_list = !limit->value.empty() && !limit->value.contains("");
      return fail(
          ErrorKind::invalid,
          "--slurm-limit: " + limit->name + " is given twice" +
              (limit->cluster.empty() ? "" : " for cluster " + limit->cluster) +
              (is_list ? "; several TRES are one value, as in " + limit->name + "=cpu=4,node=1"
                       : ""),
          "--slurm-limit");
    }
    limits.push_back(std::move(*limit));
  }
  return limits;
}

}  // namespace

Result<std::vector<SlurmAccountPlan>> plan_slurm_account(const config::Config& settings,
                                                         const AccountSlurmFlags& flags,
                                                         const SlurmAccount& account) {
  if (!slurm::is_plain_name(account.name) || to_lower(account.name) == slurm::root_account) {
    return fail(ErrorKind::invalid,
                "--slurm: " + in_quotes(account.name) +
                    " cannot be the name of a Slurm account: letters, digits and ._+@- are "
                    "expected, not beginning with '-', and not root",
                "--name");
  }
  const auto clusters = clusters_of_account(settings, flags);
  if (!clusters) return tl::unexpected(clusters.error());
  const auto users = read_users(flags.users);
  if (!users) return tl::unexpected(users.error());
  const auto limits = read_limits(settings, flags.limits, *clusters);
  if (!limits) return tl::unexpected(limits.error());
  slurm::SlurmCommands client(sacctmgr_deadline_ms);
  std::vector<SlurmAccountPlan> plans;
  for (const slurm::SlurmCluster& cluster : *clusters) {
    auto plan = AccountPlanner(*users, *limits, account).plan(client, cluster);
    if (!plan) return tl::unexpected(plan.error());
    plans.push_back(std::move(*plan));
  }
  return plans;
}

int make_slurm_account(const Context& context, const std::vector<SlurmAccountPlan>& plans,
                       const std::string& completing, std::vector<ShownChange>& shown) {
  slurm::SlurmCommands client(sacctmgr_deadline_ms);
  const OneWriter writer(context, OneWriter::usual_patience);
  if (!writer.is_alone()) {
    return context.failed(another_writer("This completes it:\n  " + completing));
  }
  int code = exit_done;
  for (const SlurmAccountPlan& plan : plans) {
    const auto outcome = follow(client, plan.cluster, plan.wanted, plan.rules);
    append_outcome(shown, plan.cluster.name, plan.changes, outcome);
    if (outcome.broken_off.empty() && outcome.missing.empty()) continue;
    code =
        say_incomplete(context, plan.cluster.name, outcome, "This completes it:\n  " + completing);
  }
  return code;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("._+@-=:,/").find(c) != std::string_view::npos;
    });
    if (is_plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace asbb::cli
