// asbb budgets: what every account has in each unit, beside each other.
#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "api/json_writer.h"
#include "base/nearest.h"
#include "cli/account_tree.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct BudgetsFlags {
  std::string unit;
  std::string sort = "left";
  bool forecast = false;
};

// One account's budget in force of one unit.
struct Held {
  std::string account;
  std::string parent;
  api::Budget budget;
  std::string runs_out;  // a day, where it was asked for and is known

  // How much of the limit is left, in millionths; what has no limit has nothing left.
  [[nodiscard]] std::int64_t left_share() const {
    if (budget.limit <= Micros()) return 0;
    return mul_div(budget.available.count(), 1'000'000, budget.limit.count(), Rounding::half_even)
        .value_or(0);
  }
};

bool runs_out_before(const Held& a, const Held& b) {
  if (a.runs_out != b.runs_out) {
    return b.runs_out.empty() || (!a.runs_out.empty() && a.runs_out < b.runs_out);
  }
  return a.left_share() < b.left_share();
}

std::vector<Held> in_force(const std::vector<api::Account>& accounts, const std::string& unit) {
  std::vector<Held> out;
  for (const api::Account& account : accounts) {
    for (const api::Budget& budget : account.budgets) {
      if (!budget.in_force || (!unit.empty() && budget.unit != unit)) continue;
      out.push_back({account.slurm_account, account.parent, budget, ""});
    }
  }
  return out;
}

// Accounts in the order of the one of their budgets that runs out first.
std::vector<std::vector<const Held*>> by_account(const std::vector<Held>& all,
                                                 const std::string& sort) {
  std::map<std::string, std::vector<const Held*>> grouped;
  for (const Held& one : all) grouped[one.account].push_back(&one);
  std::vector<std::vector<const Held*>> out;
  for (auto& [account, of_account] : grouped) out.push_back(std::move(of_account));
  if (sort == "name") return out;
  const auto first = [](const std::vector<const Held*>& of) {
    return *std::min_element(of.begin(), of.end(),
                             [](const Held* a, const Held* b) { return runs_out_before(*a, *b); });
  };
  std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
    return runs_out_before(*first(a), *first(b));
  });
  return out;
}

std::string mark_of(const Held& one) {
  constexpr std::int64_t little = 100'000;  // a tenth
  if (one.budget.available <= Micros()) return "none left";
  return one.left_share() < little ? "under 10 %" : "";
}

// A row for each account with all its units.
Table side_by_side(const std::vector<std::vector<const Held*>>& accounts,
                   const std::vector<std::string>& units) {
  std::vector<Column> columns{{"ACCOUNT", "account", Align::left, true}};
  for (const std::string& unit : units) {
    columns.push_back({"USED " + unit, "used", Align::decimal});
    columns.push_back({"HELD", "held", Align::decimal});
    columns.push_back({"LEFT", "left", Align::decimal});
    columns.push_back({"LIMIT", "limit", Align::decimal});
  }
  Table table(columns);
  for (const auto& of_account : accounts) {
    std::vector<std::string> cells{of_account.front()->account};
    for (const std::string& unit : units) {
      const auto found = std::find_if(of_account.begin(), of_account.end(),
                                      [&](const Held* one) { return one->budget.unit == unit; });
      if (found == of_account.end()) {
        cells.insert(cells.end(), {"-", "-", "-", "-"});
        continue;
      }
      const api::Budget& budget = (*found)->budget;
      cells.push_back(to_display(budget.used));
      cells.push_back(to_display(budget.held));
      cells.push_back(to_display(budget.available));
      cells.push_back(to_display(budget.limit));
    }
    table.add(std::move(cells));
  }
  return table;
}

Table one_by_one(const std::vector<std::vector<const Held*>>& accounts) {
  Table table({{"ACCOUNT", "account", Align::left, true},
               {"UNIT", "unit"},
               {"USED", "used", Align::decimal},
               {"HELD", "held", Align::decimal},
               {"LEFT", "left", Align::decimal},
               {"LIMIT", "limit", Align::decimal}});
  for (const auto& of_account : accounts) {
    for (const Held* one : of_account) {
      const api::Budget& budget = one->budget;
      table.add({one->account, budget.unit, to_display(budget.used), to_display(budget.held),
                 to_display(budget.available), to_display(budget.limit)});
    }
  }
  return table;
}

// Of two units, which are what a terminal has room for, beside each other where they fit.
Table for_people(const std::vector<std::vector<const Held*>>& accounts,
                 const std::set<std::string>& units) {
  if (units.size() > 2) return one_by_one(accounts);
  Table beside = side_by_side(accounts, {units.begin(), units.end()});
  return beside.fits() ? beside : one_by_one(accounts);
}

Table budgets_csv(const std::vector<std::vector<const Held*>>& accounts) {
  std::vector<Column> columns;
  for (const char* key : {"account", "parent", "unit", "first_day", "last_day", "limit", "used",
                          "held", "left", "runs_out"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (const auto& of_account : accounts) {
    for (const Held* one : of_account) {
      const api::Budget& budget = one->budget;
      table.add({one->account, one->parent, budget.unit, asbb::to_string(budget.first_day),
                 asbb::to_string(budget.last_day), to_decimal(budget.limit),
                 to_decimal(budget.used), to_decimal(budget.held), to_decimal(budget.available),
                 one->runs_out});
    }
  }
  return table;
}

std::string budgets_json(const std::vector<std::vector<const Held*>>& accounts) {
  api::JsonWriter out;
  const auto amount = [&](const char* key, Micros value) {
    out.key(key);
    out.decimal(value);
  };
  const auto text = [&](const char* key, const std::string& value) {
    out.key(key);
    out.text(value);
  };
  out.begin_array();
  for (const auto& of_account : accounts) {
    for (const Held* one : of_account) {
      out.begin_object();
      text("account", one->account);
      text("parent", one->parent);
      text("unit", one->budget.unit);
      text("first_day", asbb::to_string(one->budget.first_day));
      text("last_day", asbb::to_string(one->budget.last_day));
      amount("limit", one->budget.limit);
      amount("used", one->budget.used);
      amount("held", one->budget.held);
      amount("left", one->budget.available);
      if (!one->runs_out.empty()) text("runs_out", one->runs_out);
      out.end_object();
    }
  }
  out.end_array();
  return out.take();
}

// What is about to run out, in words.
void print_warnings(std::ostream& out, const std::vector<std::vector<const Held*>>& accounts) {
  std::string text;
  for (const auto& of_account : accounts) {
    for (const Held* one : of_account) {
      std::string mark = mark_of(*one);
      if (!one->runs_out.empty()) {
        mark += (mark.empty() ? "" : ", ") + std::string("gone on ") + one->runs_out;
      }
      if (mark.empty()) continue;
      text += "* " + harmless(one->account) + ": " +
              to_display(one->budget.available, one->budget.unit) + " left of " +
              to_display(one->budget.limit, one->budget.unit) + " until " +
              asbb::to_string(one->budget.last_day) + " (" + mark + ")\n";
    }
  }
  if (!text.empty()) out << "\nAbout to run out:\n" << text;
}

api::Reply<void> add_forecasts(Context& context, std::vector<Held>& all) {
  std::map<std::string, api::Forecast> forecasts;
  for (Held& one : all) {
    if (!forecasts.contains(one.account)) {
      auto forecast = context.call<api::Forecast>("GET", account_path(one.account) + "/forecast");
      if (!forecast) return tl::unexpected(forecast.error());
      forecasts[one.account] = std::move(*forecast);
    }
    for (const api::UnitForecast& unit : forecasts[one.account].budgets) {
      const auto day = parse_day(unit.runs_out);
      if (unit.unit == one.budget.unit && day && *day <= one.budget.last_day) {
        one.runs_out = unit.runs_out;
      }
    }
  }
  return {};
}

int show_budgets(Context& context, const BudgetsFlags& flags) {
  const auto accounts = all_accounts(context);
  if (!accounts) return context.failed(accounts.error());
  std::vector<Held> all = in_force(*accounts, flags.unit);
  std::set<std::string> known;
  for (const Held& one : in_force(*accounts, "")) known.insert(one.budget.unit);
  if (!flags.unit.empty() && !known.empty() && !known.contains(flags.unit)) {
    const std::string near = nearest_word(flags.unit, {known.begin(), known.end()});
    return context.misused("--unit: no budget in force is in '" + flags.unit + "'" +
                           (near.empty() ? "" : "; did you mean '" + near + "'?"));
  }
  if (flags.forecast) {
    if (const auto done = add_forecasts(context, all); !done) return context.failed(done.error());
  }
  const auto rows = by_account(all, flags.sort);
  std::set<std::string> shown;
  for (const Held& one : all) shown.insert(one.budget.unit);
  const Table table = context.wants_table() ? for_people(rows, shown) : budgets_csv(rows);
  const int code = context.show(
      table, budgets_json(rows),
      accounts->empty() ? no_accounts_sentence()
                        : "No budget is in force. 'asbb account update NAME --budget=50 "
                          "--start=2025-01-01 --end=2025-12-31' gives an account one.");
  if (context.wants_table()) print_warnings(context.out(), rows);
  return code;
}

}  // namespace

void add_budgets(Command& root, Context& context) {
  auto flags = std::make_shared<BudgetsFlags>();
  root.add("budgets", "Shows what every account has in each unit, and what runs out first.")
      .take({"--unit", "UNIT", "Of this unit only."}, flags->unit)
      .take({"--sort",
             "ORDER",
             "left: what runs out first comes first; name. left when left out.",
             Presence::optional,
             {"left", "name"}},
            flags->sort)
      .take({"--forecast", "", "Says as well on which day it runs out; takes longer."},
            flags->forecast)
      .note(
          "Budgets in force of all accounts that you may see. First comes what has the least part "
          "of its limit left, with --forecast what is gone first. A budget counts what the "
          "accounts below it used as well.")
      .note(
          "'asbb account update', 'asbb deposit', 'asbb withdraw' and 'asbb transfer' change them; "
          "'asbb forecast ACCOUNT' says how long one lasts.")
      .example("asbb budgets")
      .example("asbb budgets --forecast --output=csv")
      .action([&context, flags] { return show_budgets(context, *flags); });
}

}  // namespace asbb::cli
