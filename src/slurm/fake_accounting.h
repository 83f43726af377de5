// A slurmdbd for tests, as far as sacctmgr shows and changes accounts: it behaves as the real one
// was seen to (names in lower case, a first account becomes the default, an account goes with all
// below it), and can be told to be away, to refuse, or to say yes and do nothing. One thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "slurm/account_tree.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

class FakeAccounting final : public SlurmClient {
 public:
  struct Cluster {
    AccountTree tree;
    std::vector<std::string> more_rows;  // of `show assoc`, as they are
  };
  std::map<std::string, Cluster> clusters;
  std::map<std::string, std::pair<std::string, std::string>> texts;  // description, organization
  int changes_left = 1'000'000;                                      // then it is away
  std::string refuses;                                               // commands with this word
  std::string ignores;                                               // likewise, with exit code 0
  std::vector<std::vector<std::string>> changes;  // commands that were to change something

  AccountTree& cluster(const std::string& name) {
    AccountTree& tree = clusters[name].tree;
    tree.cluster = name;
    return tree;
  }
  void account(const std::string& cluster_name, const std::string& name,
               const std::string& parent = "root") {
    cluster(cluster_name).accounts[name] = {name, parent, "", "", {}};
    texts.try_emplace(name, name, parent == "root" ? name : parent);
  }
  void user(const std::string& cluster_name, const std::string& name, const std::string& account) {
    TreeUser& user = cluster(cluster_name).users[name];
    user.name = name;
    user.accounts[account];
    if (user.default_account.empty()) user.default_account = account;
  }

  Result<std::string> run(const SlurmCluster& at, const std::vector<std::string>& argv) override {
    (void)at;
    if (changes_left <= 0) return fail(ErrorKind::unavailable, "slurmdbd: Connection refused");
    if (argv.at(1) == "-n") return show(argv);
    changes.push_back(argv);
    --changes_left;
    const auto names = [&](const std::string& word) {
      for (const std::string& one : argv) {
        if (!word.empty() && one.find(word) != std::string::npos) return true;
      }
      return false;
    };
    if (names(refuses)) return fail(ErrorKind::unavailable, "sacctmgr ended with code 1: no");
    if (names(ignores)) return std::string(" Modified\n");
    return change(argv);
  }

 private:
  using Words = std::map<std::string, std::string>;

  static Words words_of(const std::vector<std::string>& argv) {
    Words words;
    for (const std::string& one : argv) {
      const auto mark = one.find('=');
      if (mark != std::string::npos) words[one.substr(0, mark)] = one.substr(mark + 1);
    }
    return words;
  }

  Result<std::string> show(const std::vector<std::string>& argv) {
    Words words = words_of(argv);
    std::string text;
    if (argv.at(4) == "account") {
      for (const auto& [name, said] : texts) {
        text += name + "|" + said.second + "|" + said.first + "\n";
      }
      return text;
    }
    const std::string name = words[argv.at(4) == "cluster" ? "name" : "cluster"];
    const auto found = clusters.find(name);
    if (found == clusters.end()) return text;
    const AccountTree& tree = found->second.tree;
    if (argv.at(4) == "cluster") return name + "|" + tree.federation + "\n";
    if (argv.at(5) == "onlydefaults") {
      for (const auto& [user, known] : tree.users)
        text += known.default_account + "|" + user + "\n";
      return text;
    }
    text += row(name, "root", "", "", "", {}) + row(name, "root", "root", "", "", {});
    for (const auto& [account, known] : tree.accounts) {
      text += row(name, account, "", "", known.parent, known.limits);
    }
    for (const auto& [user, known] : tree.users) {
      for (const auto& [account, limits] : known.accounts) {
        text += row(name, account, user, "", "", limits);
      }
      for (const auto& [account, partitions] : known.partitions) {
        for (const auto& one : partitions) text += row(name, account, user, one, "", {});
      }
    }
    for (const std::string& more : found->second.more_rows) text += more + "\n";
    return text;
  }

  static std::string row(const std::string& cluster, const std::string& account,
                         const std::string& user, const std::string& partition,
                         const std::string& parent, const Limits& limits) {
    std::string text = cluster;
    for (const std::string* field : {&account, &user, &partition, &parent}) text += "|" + *field;
    for (const LimitName& limit : limit_names()) {
      const auto found = limits.find(std::string(limit.name));
      text += "|" + (found == limits.end() ? "" : to_text(found->second));
    }
    return text + "\n";
  }

  static Result<std::string> refused(const std::string& why) {
    return fail(ErrorKind::unavailable, "sacctmgr ended with code 1: " + why);
  }

  Result<std::string> change(const std::vector<std::string>& argv) {
    const std::string verb = argv.at(2) + " " + argv.at(3);
    Words words = words_of(argv);
    if (verb == "modify account" && !words.contains("cluster")) return describe(words);
    const auto found = clusters.find(words["cluster"]);
    if (found == clusters.end()) return refused("This cluster doesn't exist.");
    AccountTree& tree = found->second.tree;
    if (verb == "add account") return add_account(tree, words);
    if (verb == "add user") return add_users(tree, words);
    if (verb == "delete account") return remove(tree, words["name"]);
    if (verb == "delete user") return remove_user(tree, words);
    if (verb == "modify account") {
      TreeAccount& account = tree.accounts.at(words["name"]);
      if (words.contains("parent")) account.parent = words["parent"];
      set_limits(account.limits, words);
    } else {
      TreeUser& user = tree.users.at(words["name"]);
      if (words.contains("defaultaccount")) {
        if (!user.is_in(words["defaultaccount"])) return refused("Can't modify");
        user.default_account = words["defaultaccount"];
      }
      if (words.contains("account")) set_limits(user.accounts.at(words["account"]), words);
    }
    return std::string();
  }

  static void set_limits(Limits& limits, const Words& words) {
    for (const LimitName& name : limit_names()) {
      const std::string key(name.name);
      if (!words.contains(key)) continue;
      if (words.at(key) == "-1") {
        limits.erase(key);
        continue;
      }
      for (const std::string_view part : split(words.at(key), ',')) {
        const auto mark = part.find('=');
        const std::string tres(mark == std::string_view::npos ? "" : part.substr(0, mark));
        const std::int64_t count = std::stoll(std::string(part.substr(mark + 1)));
        if (count < 0) {
          limits[key].erase(tres);
        } else {
          limits[key][tres] = count;
        }
      }
      if (limits[key].empty()) limits.erase(key);
    }
  }

  Result<std::string> describe(Words& words) {
    auto& text = texts.at(words["name"]);
    if (words.contains("description")) text.first = to_lower(words["description"]);
    if (words.contains("organization")) text.second = to_lower(words["organization"]);
    return std::string();
  }

  Result<std::string> add_account(AccountTree& tree, Words& words) {
    const std::string name = to_lower(words["name"]);
    const std::string parent = words["parent"];
    if (parent != "root" && !tree.accounts.contains(parent)) return refused("no such parent");
    tree.accounts[name] = {name, parent, "", "", {}};
    if (!texts.contains(name)) {
      texts[name] = {name, parent == "root" ? name : parent};
      describe(words);
    }
    return std::string();
  }

  static Result<std::string> add_users(AccountTree& tree, Words& words) {
    const std::string account = words["account"];
    if (account != "root" && !tree.accounts.contains(account)) return refused("no such account");
    for (const std::string_view one : split(words["name"], ',')) {
      TreeUser& user = tree.users[to_lower(one)];
      user.name = to_lower(one);
      user.accounts[account];
      if (user.default_account.empty()) user.default_account = account;
    }
    return std::string();
  }

  static Result<std::string> remove_user(AccountTree& tree, Words& words) {
    TreeUser& user = tree.users.at(words["name"]);
    if (user.default_account == words["account"] && user.accounts.size() > 1) {
      return refused("You can not remove the default account of a user");
    }
    user.accounts.erase(words["account"]);
    if (user.accounts.empty()) tree.users.erase(words["name"]);
    return std::string();
  }

  static Result<std::string> remove(AccountTree& tree, const std::string& name) {
    for (const std::string& child : tree.children_of(name)) (void)remove(tree, child);
    for (const std::string& user : tree.users_of(name)) tree.users.at(user).accounts.erase(name);
    std::erase_if(tree.users, [](const auto& one) { return one.second.accounts.empty(); });
    tree.accounts.erase(name);
    return std::string();
  }
};

}  // namespace asbb::slurm
