#include "slurm/account_tree.h"

#include <algorithm>

#include "base/text.h"

namespace asbb::slurm {
namespace {

constexpr int depth_max = 1'000;
constexpr std::size_t fixed_columns = 5;  // before the limits

std::vector<std::string_view> rows_of(std::string_view text) {
  std::vector<std::string_view> rows;
  for (const std::string_view row : split(text, '\n')) {
    if (!row.empty()) rows.push_back(row);
  }
  return rows;
}

std::string association_format() {
  std::string format = "format=Cluster,Account,User,Partition,ParentName";
  for (const LimitName& limit : limit_names()) format += "," + std::string(limit.name);
  return format;
}

class TreeReader {
 public:
  explicit TreeReader(AccountTree& tree) : tree_(tree) {}

  void association(std::string_view row) {
    const auto fields = split(row, '|');
    if (fields.size() != fixed_columns + limit_names().size() || fields[0] != tree_.cluster) {
      return unreadable(row);
    }
    Limits limits;
    for (std::size_t at = 0; at < limit_names().size(); ++at) {
      const LimitName& name = limit_names()[at];
      const auto limit = parse_limit(name.kind, fields[fixed_columns + at]);
      if (!limit) return unreadable(row);
      if (!limit->empty()) limits[std::string(name.name)] = *limit;
    }
    const std::string account(fields[1]);
    const std::string user(fields[2]);
    if (user.empty()) {
      if (account == root_account) return;
      tree_.accounts[account] = {account, std::string(fields[4]), "", "", std::move(limits)};
      return;
    }
    TreeUser& known = tree_.users[user];
    known.name = user;
    if (fields[3].empty()) {
      known.accounts[account] = std::move(limits);
    } else {
      known.partitions[account].emplace(fields[3]);
    }
  }

  // The description is the last: it may hold bars.
  void account(std::string_view row) {
    const std::size_t first = row.find('|');
    const std::size_t second = first == std::string_view::npos ? first : row.find('|', first + 1);
    if (second == std::string_view::npos) return;  // the rest of a text with a line end in it
    const auto found = tree_.accounts.find(std::string(row.substr(0, first)));
    if (found == tree_.accounts.end()) return;  // of another cluster, or of none any more
    found->second.organization = row.substr(first + 1, second - first - 1);
    found->second.description = row.substr(second + 1);
  }

  void default_account(std::string_view row) {
    const auto fields = split(row, '|');
    if (fields.size() != 2) return unreadable(row);
    const auto found = tree_.users.find(std::string(fields[1]));
    if (found != tree_.users.end()) found->second.default_account = fields[0];
  }

 private:
  void unreadable(std::string_view row) {
    tree_.problems.push_back("a row of cluster " + tree_.cluster +
                             " cannot be read: " + in_quotes(row));
  }

  AccountTree& tree_;
};

}  // namespace

std::vector<std::string> AccountTree::users_of(const std::string& account) const {
  std::vector<std::string> names;
  for (const auto& [name, user] : users) {
    if (user.is_in(account)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> AccountTree::children_of(const std::string& account) const {
  std::vector<std::string> names;
  for (const auto& [name, one] : accounts) {
    if (one.parent == account) names.push_back(name);
  }
  return names;
}

int AccountTree::depth_of(const std::string& account) const {
  int depth = 0;
  auto at = accounts.find(account);
  while (at != accounts.end() && depth < depth_max) {
    at = accounts.find(at->second.parent);
    ++depth;
  }
  return depth;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("._+@-").find(c) != std::string_view::npos;
         });
}

Result<AccountTree> read_account_tree(SlurmClient& client, const SlurmCluster& cluster) {
  const auto show = [&](std::vector<std::string> what) {
    what.insert(what.begin(), {"sacctmgr", "-n", "-P", "show"});
    return client.run(cluster, what);
  };
  AccountTree tree;
  tree.cluster = cluster.name;
  const auto known = show({"cluster", "name=" + cluster.name, "format=Cluster,Federation"});
  if (!known) return tl::unexpected(known.error());
  const auto rows = rows_of(*known);
  if (rows.size() != 1 || !rows.front().starts_with(cluster.name + "|")) {
    return fail(ErrorKind::not_found,
                "slurmdbd of cluster " + in_quotes(cluster.name) +
                    " knows no such cluster; a new one is made known to it by 'sacctmgr add "
                    "cluster " +
                    cluster.name + "', or when its slurmctld starts",
                "cluster");
  }
  tree.federation = rows.front().substr(cluster.name.size() + 1);
  TreeReader reader(tree);
  const auto associations =
      show({"assoc", "wopl", "where", "cluster=" + cluster.name, association_format()});
  if (!associations) return tl::unexpected(associations.error());
  for (const std::string_view row : rows_of(*associations)) reader.association(row);
  const auto accounts = show({"account", "format=Account,Organization,Description"});
  if (!accounts) return tl::unexpected(accounts.error());
  for (const std::string_view row : rows_of(*accounts)) reader.account(row);
  const auto defaults =
      show({"assoc", "onlydefaults", "where", "cluster=" + cluster.name, "format=Account,User"});
  if (!defaults) return tl::unexpected(defaults.error());
  for (const std::string_view row : rows_of(*defaults)) reader.default_account(row);
  return tree;
}

}  // namespace asbb::slurm
