#include "slurm/account_writer.h"

#include <algorithm>
#include <array>
#include <optional>

namespace asbb::slurm {
namespace {

using What = TreeChange::What;

constexpr std::size_t users_per_command = 50;

std::vector<std::string> sacctmgr(std::initializer_list<std::string> words) {
  std::vector<std::string> argv{"sacctmgr", "-i"};
  argv.insert(argv.end(), words);
  return argv;
}

bool has_same_target(const TreeChange& a, const TreeChange& b) {
  return a.what == b.what && a.account == b.account && a.user == b.user;
}

class Commands {
 public:
  Commands(const std::string& cluster, const std::vector<TreeChange>& changes)
      : cluster_("cluster=" + cluster), changes_(changes) {}

  std::vector<AccountCommand> make() {
    for (const TreeChange& change : changes_) {
      if (!change.is_left()) add(change);
    }
    add_users(true);
    add_users(false);
    for (auto* part : {&before_, &users_, &after_}) {
      for (AccountCommand& command : *part) out_.push_back(std::move(command));
    }
    return std::move(out_);
  }

 private:
  void add(const TreeChange& change) {
    const std::string account = "name=" + change.account;
    const std::string user = "name=" + change.user;
    const std::string in = "account=" + change.account;
    switch (change.what) {
      case What::add_account:
        return add_account(change);
      case What::move_account:
        return put(before_, change,
                   sacctmgr({"modify", "account", "where", account, cluster_, "set",
                             "parent=" + change.then}));
      case What::describe:
        if (is_new(change.account)) return;  // said when it is added
        return put(before_, change,
                   sacctmgr({"modify", "account", "where", account, "set",
                             change.field + "=" + change.then}));
      case What::add_user:
        return;  // together, below
      case What::set_default:
        return put(after_, change,
                   sacctmgr({"modify", "user", "where", user, cluster_, "set",
                             "defaultaccount=" + change.account}));
      case What::set_limit:
        return set_limit(change);
      case What::remove_user:
        return put(after_, change, sacctmgr({"delete", "user", "where", user, in, cluster_}));
      case What::remove_account:
        return put(after_, change, sacctmgr({"delete", "account", "where", account, cluster_}));
    }
  }

  static void put(std::vector<AccountCommand>& part, const TreeChange& change,
                  std::vector<std::string> argv) {
    part.push_back({std::move(argv), {change}});
  }

  bool is_new(const std::string& account) const {
    return std::any_of(changes_.begin(), changes_.end(), [&](const TreeChange& change) {
      return change.what == What::add_account && change.account == account;
    });
  }

  void add_account(const TreeChange& change) {
    auto argv = sacctmgr({"add", "account", "name=" + change.account, cluster_});
    argv.push_back("parent=" + change.then);
    put(before_, change, std::move(argv));
    for (const TreeChange& other : changes_) {
      if (other.what != What::describe || other.account != change.account) continue;
      before_.back().argv.push_back(other.field + "=" + other.then);
      before_.back().makes.push_back(other);
    }
  }

  void set_limit(const TreeChange& change) {
    const std::string setting = change.field + "=" + change.setting;
    if (last_limit_ != nullptr && has_same_target(*last_limit_, change)) {
      after_.back().argv.push_back(setting);
      after_.back().makes.push_back(change);
    } else if (change.user.empty()) {
      put(after_, change,
          sacctmgr(
              {"modify", "account", "where", "name=" + change.account, cluster_, "set", setting}));
    } else {
      put(after_, change,
          sacctmgr({"modify", "user", "where", "name=" + change.user, "account=" + change.account,
                    cluster_, "set", setting}));
    }
    last_limit_ = &change;
  }

  // Slurm makes the first account of a user his default one: those go first.
  void add_users(bool is_default) {
    std::vector<const TreeChange*> wanted;
    for (const TreeChange& change : changes_) {
      if (change.what == What::add_user && !change.is_left() && change.is_default == is_default) {
        wanted.push_back(&change);
      }
    }
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const auto* a, const auto* b) { return a->account < b->account; });
    for (std::size_t at = 0; at < wanted.size();) {
      const std::string& account = wanted[at]->account;
      std::string names;
      AccountCommand command;
      for (; at < wanted.size() && wanted[at]->account == account &&
             command.makes.size() < users_per_command;
           ++at) {
        names += (names.empty() ? "name=" : ",") + wanted[at]->user;
        command.makes.push_back(*wanted[at]);
      }
      command.argv = sacctmgr({"add", "user", names, "account=" + account, cluster_});
      users_.push_back(std::move(command));
    }
  }

  std::string cluster_;
  const std::vector<TreeChange>& changes_;
  const TreeChange* last_limit_ = nullptr;
  std::vector<AccountCommand> before_;
  std::vector<AccountCommand> users_;
  std::vector<AccountCommand> after_;
  std::vector<AccountCommand> out_;
};

// What is done between two looks at the tree.
const std::vector<std::vector<What>>& phases() {
  static const std::vector<std::vector<What>> all{{What::add_account, What::move_account},
                                                  {What::describe},
                                                  {What::add_user},
                                                  {What::set_default},
                                                  {What::set_limit},
                                                  {What::remove_user},
                                                  {What::remove_account}};
  return all;
}

class Follower {
 public:
  Follower(SlurmClient& client, const SlurmCluster& cluster, const AccountTree& from,
           const FollowRules& rules)
      : client_(client), cluster_(cluster), from_(from), rules_(rules) {}

  FollowOutcome run() {
    std::vector<TreeChange> wanted;
    auto to = look();
    for (const auto& phase : phases()) {
      if (!to) break;
      const auto changes = open_changes(changes_between(from_, *to, rules_));
      remember(wanted, changes);
      const auto now = of_phase(phase, changes);
      if (now.empty()) continue;
      to = make(now, *to) ? look() : std::nullopt;
    }
    if (!to) return std::move(outcome_);
    outcome_.missing = open_changes(changes_between(from_, *to, rules_));
    outcome_.made.clear();
    for (const TreeChange& change : wanted) {
      if (!is_among(outcome_.missing, change)) outcome_.made.push_back(change);
    }
    return std::move(outcome_);
  }

 private:
  static bool is_among(const std::vector<TreeChange>& changes, const TreeChange& one) {
    return std::any_of(changes.begin(), changes.end(), [&](const TreeChange& other) {
      return has_same_target(one, other) && one.field == other.field;
    });
  }

  // A default account that Slurm sets by itself is seen in a later phase alone.
  static void remember(std::vector<TreeChange>& wanted, const std::vector<TreeChange>& changes) {
    for (const TreeChange& change : changes) {
      if (!is_among(wanted, change)) wanted.push_back(change);
    }
  }

  std::optional<AccountTree> look() {
    auto tree = read_account_tree(client_, cluster_);
    if (tree) return std::move(*tree);
    outcome_.broken_off = tree.error().message;
    return std::nullopt;
  }

  static std::vector<TreeChange> of_phase(const std::vector<What>& phase,
                                          const std::vector<TreeChange>& changes) {
    const bool adds_accounts = phase.front() == What::add_account;
    std::vector<TreeChange> now;
    for (const TreeChange& change : changes) {
      const bool is_meant = std::find(phase.begin(), phase.end(), change.what) != phase.end();
      if (is_meant || (adds_accounts && change.what == What::describe)) now.push_back(change);
    }
    if (adds_accounts) drop_lone_descriptions(now);
    return now;
  }

  // False when slurmdbd is away.
  bool make(const std::vector<TreeChange>& now, const AccountTree& to) {
    std::set<std::string> gone;
    for (const AccountCommand& command : commands_for(cluster_.name, now)) {
      const TreeChange& first = command.makes.front();
      if (first.what == What::remove_account && !is_empty(to, first.account, gone)) continue;
      const auto ran = client_.run(cluster_, command.argv);
      if (ran) {
        gone.insert(first.account);
        outcome_.made.insert(outcome_.made.end(), command.makes.begin(), command.makes.end());
        continue;
      }
      outcome_.said.push_back(ran.error().message);
      if (!is_answering()) return false;
    }
    return true;
  }

  // Descriptions of accounts that are there have a phase of their own.
  static void drop_lone_descriptions(std::vector<TreeChange>& changes) {
    const std::vector<TreeChange> all = changes;
    std::erase_if(changes, [&](const TreeChange& change) {
      return change.what == What::describe &&
             std::none_of(all.begin(), all.end(), [&](const TreeChange& other) {
               return other.what == What::add_account && other.account == change.account;
             });
    });
  }

  static bool is_empty(const AccountTree& to, const std::string& account,
                       const std::set<std::string>& gone) {
    const auto children = to.children_of(account);
    return to.users_of(account).empty() &&
           std::all_of(children.begin(), children.end(),
                       [&](const std::string& child) { return gone.contains(child); });
  }

  bool is_answering() {
    const auto said = client_.run(cluster_, {"sacctmgr", "-n", "-P", "show", "cluster",
                                             "name=" + cluster_.name, "format=Cluster"});
    if (!said) outcome_.broken_off = said.error().message;
    return said.has_value();
  }

  SlurmClient& client_;
  const SlurmCluster& cluster_;
  const AccountTree& from_;
  const FollowRules& rules_;
  FollowOutcome outcome_;
};

}  // namespace

std::vector<AccountCommand> commands_for(const std::string& cluster,
                                         const std::vector<TreeChange>& changes) {
  return Commands(cluster, changes).make();
}

FollowOutcome follow(SlurmClient& client, const SlurmCluster& cluster, const AccountTree& from,
                     const FollowRules& rules) {
  return Follower(client, cluster, from, rules).run();
}

}  // namespace asbb::slurm
