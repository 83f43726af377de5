#include "cli/account_tree.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/account_view.h"

namespace asbb::cli {
namespace {

constexpr std::size_t accounts_per_page = 1'000;

struct Placed {
  const api::Account* account;
  std::size_t depth;
};

// Each below its parent, by name; an account whose parent is not seen stands at the top.
std::vector<Placed> in_order(const std::vector<api::Account>& accounts) {
  std::set<std::string> names;
  for (const api::Account& account : accounts) names.insert(account.slurm_account);
  std::map<std::string, std::vector<const api::Account*>> below;
  for (const api::Account& account : accounts) {
    below[names.contains(account.parent) ? account.parent : ""].push_back(&account);
  }
  std::vector<Placed> out;
  const std::function<void(const std::string&, std::size_t)> add = [&](const std::string& parent,
                                                                       std::size_t depth) {
    auto& children = below[parent];
    std::sort(children.begin(), children.end(),
              [](const auto* a, const auto* b) { return a->slurm_account < b->slurm_account; });
    for (const api::Account* child : children) {
      out.push_back({child, depth});
      add(child->slurm_account, depth + 1);
    }
  };
  add("", 0);
  return out;
}

Table tree_table(const std::vector<Placed>& placed) {
  std::vector<std::string> units;
  for (const Placed& place : placed) {
    for (const api::Budget& budget : place.account->budgets) {
      if (budget.in_force) units.push_back(budget.unit);
    }
  }
  const std::string unit = common_unit(units);
  const bool says_unit = unit.empty() && !units.empty();
  std::vector<Column> columns = {
      {"ACCOUNT", "account", Align::left, true},  {"LIMIT" + unit, "limit", Align::decimal},
      {"USED", "used", Align::decimal},           {"HELD", "held", Align::decimal},
      {"AVAILABLE", "available", Align::decimal}, {"LAST DAY", "last_day"}};
  if (says_unit) columns.push_back({"UNIT", "unit"});
  Table table(columns);
  for (const Placed& place : placed) {
    std::string name = std::string(2 * place.depth, ' ') + place.account->slurm_account;
    if (place.account->status != "active") name += " (" + place.account->status + ")";
    bool has_row = false;
    for (const api::Budget& budget : place.account->budgets) {
      if (!budget.in_force) continue;
      std::vector<std::string> row = {
          has_row ? std::string() : name, to_display(budget.limit),
          to_display(budget.used),        to_display(budget.held),
          to_display(budget.available),   asbb::to_string(budget.last_day)};
      if (says_unit) row.push_back(budget.unit);
      table.add(std::move(row));
      has_row = true;
    }
    if (has_row) continue;
    std::vector<std::string> row = {name, "", "", "", "", place.depth > 0 ? "draws above" : "-"};
    if (says_unit) row.emplace_back();
    table.add(std::move(row));
  }
  return table;
}

Table tree_csv(const std::vector<Placed>& placed) {
  Table table({{"", "account"},
               {"", "parent"},
               {"", "depth"},
               {"", "status"},
               {"", "unit"},
               {"", "limit"},
               {"", "used"},
               {"", "held"},
               {"", "available"},
               {"", "last_day"}});
  for (const Placed& place : placed) {
    const api::Account& account = *place.account;
    const std::string depth = std::to_string(place.depth);
    bool has_row = false;
    for (const api::Budget& budget : account.budgets) {
      if (!budget.in_force) continue;
      has_row = true;
      table.add({account.slurm_account, account.parent, depth, account.status, budget.unit,
                 to_decimal(budget.limit), to_decimal(budget.used), to_decimal(budget.held),
                 to_decimal(budget.available), asbb::to_string(budget.last_day)});
    }
    if (!has_row) {
      table.add(
          {account.slurm_account, account.parent, depth, account.status, "", "", "", "", "", ""});
    }
  }
  return table;
}

int show_tree(Context& context) {
  const auto accounts = all_accounts(context);
  if (!accounts) return context.failed(accounts.error());
  const auto placed = in_order(*accounts);
  std::vector<api::Account> ordered;
  for (const Placed& place : placed) ordered.push_back(*place.account);
  return context.show(context.wants_table() ? tree_table(placed) : tree_csv(placed),
                      api::to_json(ordered), no_accounts_sentence());
}

}  // namespace

api::Reply<std::vector<api::Account>> all_accounts(Context& context, const std::string& status) {
  std::vector<api::Account> out;
  for (;;) {
    std::string query = out.empty() ? "" : "?offset=" + std::to_string(out.size());
    if (!status.empty()) query += (query.empty() ? "?status=" : "&status=") + status;
    auto page = context.call<std::vector<api::Account>>("GET", "/api/v1/accounts" + query);
    if (!page) return page;
    const std::size_t count = page->size();
    std::move(page->begin(), page->end(), std::back_inserter(out));
    if (count < accounts_per_page) return out;
  }
}

api::Reply<std::vector<api::Account>> accounts_ever(Context& context) {
  auto out = all_accounts(context);
  if (!out) return out;
  auto closed = all_accounts(context, "closed");
  if (!closed) return closed;
  std::set<std::string> known;
  for (const api::Account& account : *out) known.insert(account.slurm_account);
  for (api::Account& account : *closed) {
    // One may be closed between the two lists.
    if (!known.contains(account.slurm_account)) out->push_back(std::move(account));
  }
  return out;
}

bool is_closed(const api::Account& account) {
  return account.status == "closed";
}

bool has_name(const api::Account& account, const std::string& name) {
  const std::string wanted = to_lower(name);
  return to_lower(account.slurm_account) == wanted ||
         std::any_of(account.aliases.begin(), account.aliases.end(),
                     [&](const std::string& alias) { return to_lower(alias) == wanted; });
}

std::string no_accounts_sentence() {
  return "No accounts that you may see. An administrator makes one with 'asbb account create "
         "--name=proj001 --budget=50 --start=2025-01-01 --end=2025-12-31'.";
}

void add_account_tree(Command& account, Context& context) {
  account.add("tree", "Shows the accounts below each other, as they draw on each other's budgets.")
      .note(
          "A hold must fit the account's budget and those of all accounts above it. What is used "
          "and held counts in each of them.")
      .example("asbb account tree")
      .action([&context] { return show_tree(context); });
}

}  // namespace asbb::cli
