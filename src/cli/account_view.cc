#include "cli/account_view.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <utility>

#include "base/text.h"

namespace asbb::cli {
namespace {

Table budgets_table(const api::Account& account) {
  Table table({{"UNIT", "unit"},
               {"FIRST DAY", "first_day"},
               {"LAST DAY", "last_day"},
               {"LIMIT", "limit", Align::decimal},
               {"USED", "used", Align::decimal},
               {"HELD", "held", Align::decimal},
               {"AVAILABLE", "available", Align::decimal},
               {"IN FORCE", "in_force"}});
  for (const api::Budget& budget : account.budgets) {
    table.add({budget.unit, asbb::to_string(budget.first_day), asbb::to_string(budget.last_day),
               to_display(budget.limit), to_display(budget.used), to_display(budget.held),
               to_display(budget.available), budget.in_force ? "yes" : "no"});
  }
  return table;
}

// With the period where a limit goes on from one budget to the next.
Table limits_table(const api::Account& account) {
  std::set<std::pair<std::string, std::string>> seen;
  bool several = false;
  for (const api::Budget& budget : account.budgets) {
    for (const api::PartitionLimit& limit : budget.partition_limits) {
      several = several || !seen.emplace(limit.partition, limit.unit).second;
    }
  }
  std::vector<Column> columns{{"PARTITION", "partition", Align::left, true}, {"UNIT", "unit"}};
  if (several) columns.push_back({"LAST DAY", "last_day"});
  for (const auto& [title, key] :
       {std::pair{"LIMIT", "limit"}, std::pair{"USED", "used"}, std::pair{"HELD", "held"},
        std::pair{"AVAILABLE", "available"}}) {
    columns.push_back({title, key, Align::decimal});
  }
  Table table(columns);
  for (const api::Budget& budget : account.budgets) {
    for (const api::PartitionLimit& limit : budget.partition_limits) {
      std::vector<std::string> cells{limit.partition, limit.unit};
      if (several) cells.push_back(asbb::to_string(budget.last_day));
      for (const Micros amount : {limit.limit, limit.used, limit.held, limit.available}) {
        cells.push_back(to_display(amount));
      }
      table.add(std::move(cells));
    }
  }
  return table;
}

Table holds_table(const std::vector<api::OpenHold>& holds) {
  std::vector<std::string> units;
  for (const api::OpenHold& hold : holds) units.push_back(hold.unit);
  const std::string unit = common_unit(units);
  std::vector<Column> columns = {{"JOB", "job_id", Align::right},
                                 {"CLUSTER", "cluster", Align::left, true},
                                 {"PARTITION", "partition", Align::left, true},
                                 {"USER", "user", Align::left, true},
                                 {"HELD" + unit, "held", Align::decimal},
                                 {"SINCE (UTC)", "placed_at"}};
  if (unit.empty()) columns.push_back({"UNIT", "unit"});
  Table table(columns);
  for (const api::OpenHold& hold : holds) {
    std::vector<std::string> row = {hold.job_id ? std::to_string(*hold.job_id) : "-",
                                    hold.cluster,
                                    hold.partition,
                                    hold.user,
                                    to_display(hold.held),
                                    to_second_text(hold.placed_at)};
    if (unit.empty()) row.push_back(hold.unit);
    table.add(std::move(row));
  }
  return table;
}

// Budgets and limits together: a row without a partition is a budget.
Table account_csv(const api::Account& account) {
  Table table({{"", "account"},
               {"", "unit"},
               {"", "partition"},
               {"", "first_day"},
               {"", "last_day"},
               {"", "limit"},
               {"", "used"},
               {"", "held"},
               {"", "available"},
               {"", "in_force"}});
  for (const api::Budget& budget : account.budgets) {
    const std::string in_force = budget.in_force ? "yes" : "no";
    const std::string first = asbb::to_string(budget.first_day);
    const std::string last = asbb::to_string(budget.last_day);
    table.add({account.slurm_account, budget.unit, "", first, last, to_decimal(budget.limit),
               to_decimal(budget.used), to_decimal(budget.held), to_decimal(budget.available),
               in_force});
    for (const api::PartitionLimit& limit : budget.partition_limits) {
      table.add({account.slurm_account, limit.unit, limit.partition, first, last,
                 to_decimal(limit.limit), to_decimal(limit.used), to_decimal(limit.held),
                 to_decimal(limit.available), in_force});
    }
  }
  return table;
}

void print_head(std::ostream& out, const api::Account& account) {
  const auto line = [&](const char* title, const std::string& value) {
    if (!value.empty()) out << title << harmless(value) << "\n";
  };
  line("Account:      ", account.slurm_account);
  if (account.name != account.slurm_account) line("Name:         ", account.name);
  std::string aliases;
  for (const std::string& alias : account.aliases) aliases += (aliases.empty() ? "" : ", ") + alias;
  line("Aliases:      ", aliases);
  std::string owners;
  for (const std::string& owner : account.owners) owners += (owners.empty() ? "" : ", ") + owner;
  line("Owners:       ", owners);
  std::map<std::string, std::vector<std::string>> clusters;  // of the Slurm accounts
  for (const auto& [cluster, name] : account.slurm_accounts) clusters[name].push_back(cluster);
  constexpr std::size_t shown_max = 10;
  std::size_t count = 0;
  for (const auto& [name, of_name] : clusters) {
    const char* title = count == 0 ? "Pays for:     " : "              ";
    if (count++ == shown_max) {
      line(title, "and " + std::to_string(clusters.size() - shown_max) + " more");
      break;
    }
    line(title, name + " (" + joined(of_name, ", ") + ")");
  }
  line("Description:  ", account.description);
  line("Parent:       ", account.parent);
  line("Status:       ", account.status);
  line("Converts:     ", account.may_convert ? "one unit into another" : "");
  line("Hold factor:  ",
       account.hold_percentage ? to_decimal(*account.hold_percentage) : "the service's");
}

}  // namespace

const api::Budget* budget_in_force(const api::Account& account, const std::string& unit) {
  for (const api::Budget& budget : account.budgets) {
    if (budget.in_force && (unit.empty() || budget.unit == unit)) return &budget;
  }
  return nullptr;
}

std::string common_unit(const std::vector<std::string>& units) {
  if (units.empty()) return "";
  const bool same = std::all_of(units.begin(), units.end(),
                                [&](const std::string& unit) { return unit == units.front(); });
  return same && !units.front().empty() ? " (" + units.front() + ")" : "";
}

Table accounts_table(const std::vector<api::Account>& accounts) {
  std::vector<std::string> units;
  for (const api::Account& account : accounts) {
    for (const api::Budget& budget : account.budgets) {
      if (budget.in_force) units.push_back(budget.unit);
    }
  }
  const std::string unit = common_unit(units);
  std::vector<Column> columns = {{"ACCOUNT", "account", Align::left, true},
                                 {"STATUS", "status"},
                                 {"LIMIT" + unit, "limit", Align::decimal},
                                 {"USED", "used", Align::decimal},
                                 {"HELD", "held", Align::decimal},
                                 {"AVAILABLE", "available", Align::decimal},
                                 {"LAST DAY", "last_day"}};
  const bool says_unit = unit.empty() && !units.empty();
  if (says_unit) columns.push_back({"UNIT", "unit"});
  Table table(columns);
  for (const api::Account& account : accounts) {
    bool has_row = false;
    for (const api::Budget& budget : account.budgets) {
      if (!budget.in_force) continue;
      has_row = true;
      std::vector<std::string> row = {account.slurm_account,           account.status,
                                      to_display(budget.limit),        to_display(budget.used),
                                      to_display(budget.held),         to_display(budget.available),
                                      asbb::to_string(budget.last_day)};
      if (says_unit) row.push_back(budget.unit);
      table.add(std::move(row));
    }
    if (has_row) continue;
    std::vector<std::string> row = {account.slurm_account, account.status, "", "", "", "", "-"};
    if (says_unit) row.emplace_back();
    table.add(std::move(row));
  }
  return table;
}

Table accounts_csv(const std::vector<api::Account>& accounts) {
  std::vector<Column> columns;
  for (const char* key :
       {"account", "status", "unit", "limit", "used", "held", "available", "last_day"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (const api::Account& account : accounts) {
    bool has_row = false;
    for (const api::Budget& budget : account.budgets) {
      if (!budget.in_force) continue;
      has_row = true;
      table.add({account.slurm_account, account.status, budget.unit, to_decimal(budget.limit),
                 to_decimal(budget.used), to_decimal(budget.held), to_decimal(budget.available),
                 asbb::to_string(budget.last_day)});
    }
    if (!has_row) table.add({account.slurm_account, account.status, "", "", "", "", "", ""});
  }
  return table;
}

int show_account(const Context& context, const api::Account& account,
                 const std::vector<api::OpenHold>& holds) {
  if (!context.wants_table()) return context.show(account_csv(account), api::to_json(account));
  std::ostream& out = context.out();
  print_head(out, account);
  if (account.budgets.empty()) {
    out << "\nNo budget of its own: jobs draw on the account above it, if there is one.\n"
        << "'asbb account update " << harmless(account.slurm_account)
        << " --budget=AMOUNT --start=DAY --end=DAY' adds one.\n";
    return exit_done;
  }
  out << "\nBudgets\n" << budgets_table(account).text();
  for (const api::Budget& budget : account.budgets) {
    if (budget.credit_limit.is_zero()) continue;
    out << "Running jobs may use " << to_display(budget.credit_limit) << " "
        << harmless(budget.unit) << " more until " << asbb::to_string(budget.last_day) << ".\n";
  }
  for (const api::Budget& budget : account.budgets) {
    if (budget.carry_over == "none" && budget.carried_over.is_zero()) continue;
    out << "Of what is left of " << harmless(budget.unit) << " after "
        << asbb::to_string(budget.last_day) << ", " << harmless(budget.carry_over)
        << " goes into the next budget";
    if (!budget.carried_over.is_zero()) {
      out << "; " << to_display(budget.carried_over) << " went there";
    }
    out << ".\n";
  }
  for (const api::Budget& budget : account.budgets) {
    if (budget.granted == budget.limit) continue;
    out << "Of " << harmless(budget.unit) << " until " << asbb::to_string(budget.last_day) << ", "
        << to_display(budget.granted) << " was granted";
    if (!budget.carried_in.is_zero()) {
      out << ", " << to_display(budget.carried_in) << " came from the budget before";
    }
    out << ".\n";
  }
  const Table limits = limits_table(account);
  if (!limits.is_empty()) out << "\nPartition limits\n" << limits.text();
  if (!holds.empty()) out << "\nOpen holds\n" << holds_table(holds).text();
  if (holds.empty() && account.open_holds > 0) {
    out << "\n"
        << account.open_holds << (account.open_holds == 1 ? " open hold" : " open holds")
        << ": 'asbb account show " << harmless(account.slurm_account) << "' lists "
        << (account.open_holds == 1 ? "it" : "them") << ".\n";
  }
  return exit_done;
}

std::string creation_sentence(const api::Account& account) {
  const std::string made = "Account " + account.slurm_account + " created";
  const auto words_of = [](const api::Budget& budget) {
    return to_display(budget.limit) + " " + budget.unit + " from " +
           asbb::to_string(budget.first_day) + " to " + asbb::to_string(budget.last_day);
  };
  if (account.budgets.empty()) return made + ".";
  if (account.budgets.size() == 1) return made + ": " + words_of(account.budgets.front()) + ".";
  std::string out = made + ":";
  for (const api::Budget& budget : account.budgets) out += "\n  " + words_of(budget);
  return out;
}

std::string limit_sentence(const api::Account& account, const std::string& partition,
                           const std::string& unit) {
  const api::Budget* budget = budget_in_force(account, unit);
  if (budget == nullptr && !account.budgets.empty()) budget = &account.budgets.front();
  if (budget != nullptr) {
    for (const api::PartitionLimit& limit : budget->partition_limits) {
      if (limit.partition != partition) continue;
      return "Account " + account.slurm_account + " may spend " + to_display(limit.limit) + " " +
             limit.unit + " on partition " + partition + ": " + to_display(limit.used) + " used, " +
             to_display(limit.held) + " held, " + to_display(limit.available) + " available.";
    }
  }
  return "The limit of account " + account.slurm_account + " on partition " + partition +
         " is set.";
}

}  // namespace asbb::cli
