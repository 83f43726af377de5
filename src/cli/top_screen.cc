#include "cli/top_screen.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "cli/account_view.h"
#include "cli/table.h"

namespace asbb::cli {
namespace {

using Lines = std::vector<std::string>;
using Burn = std::map<std::pair<std::string, std::string>, Micros>;  // by account and unit

constexpr std::size_t unit_columns = 27;     // that figures of one unit take at least
constexpr std::size_t account_columns = 20;  // and the account's name

std::string cut_line(const std::string& text, std::size_t columns) {
  const std::string line = harmless(text);
  std::size_t count = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (begins && ++count > columns) return line.substr(0, i);
  }
  return line;
}

Lines lines_of(const std::string& text, std::size_t columns) {
  Lines out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(cut_line(line, columns));
  return out;
}

// Those of most accounts first.
std::vector<std::string> units_of(const std::vector<api::Account>& accounts) {
  std::map<std::string, std::int64_t> counts;
  for (const api::Account& account : accounts) {
    for (const api::Budget& budget : account.budgets) counts[budget.unit] += budget.in_force;
  }
  std::vector<std::string> units;
  for (const auto& [unit, count] : counts) {
    if (count > 0) units.push_back(unit);
  }
  std::stable_sort(units.begin(), units.end(), [&](const std::string& a, const std::string& b) {
    return counts[a] > counts[b];
  });
  return units;
}

Micros burn_of(const Burn& burn, const std::string& account, const std::string& unit) {
  const auto found = burn.find({account, unit});
  return found == burn.end() ? Micros() : found->second;
}

// Millionths of a limit that went in the last day, of the unit in which that is most.
std::int64_t haste_of(const api::Account& account, const Burn& burn) {
  std::int64_t most = 0;
  for (const api::Budget& budget : account.budgets) {
    if (!budget.in_force || budget.limit.count() <= 0) continue;
    __extension__ using Wide = __int128;
    const Wide spent = burn_of(burn, account.slurm_account, budget.unit).count();
    const Wide part = spent * 1'000'000 / budget.limit.count();
    most = std::max(most, static_cast<std::int64_t>(std::min<Wide>(part, 1'000'000'000'000)));
  }
  return most;
}

std::vector<const api::Account*> by_burn(const TopFigures& figures, const Burn& burn) {
  std::vector<const api::Account*> out;
  for (const api::Account& account : figures.accounts) {
    const bool has_money = std::any_of(account.budgets.begin(), account.budgets.end(),
                                       [](const api::Budget& budget) { return budget.in_force; });
    if (has_money) out.push_back(&account);
  }
  std::stable_sort(out.begin(), out.end(), [&](const api::Account* a, const api::Account* b) {
    const auto one = haste_of(*a, burn);
    const auto other = haste_of(*b, burn);
    return one != other ? one > other : a->slurm_account < b->slurm_account;
  });
  return out;
}

Lines account_lines(const TopFigures& figures, std::size_t columns, std::size_t rows) {
  Burn burn;
  for (const api::AccountUsage& line : figures.last_day) {
    burn[{line.account, line.unit}] = line.charged;
  }
  std::vector<std::string> units = units_of(figures.accounts);
  const std::size_t fit = std::max<std::size_t>(1, (columns - account_columns) / unit_columns);
  std::string note;
  for (std::size_t i = fit; i < units.size(); ++i) note += (i == fit ? "" : ", ") + units[i];
  if (units.size() > fit) units.resize(fit);
  std::vector<Column> titles{{"ACCOUNT", "account", Align::left, true}};
  for (const std::string& unit : units) {
    titles.push_back({unit + " LEFT", "left", Align::decimal});
    titles.push_back({"LEFT", "share", Align::right});
    titles.push_back({"24 H", "day", Align::decimal});
  }
  Table table(titles);
  const auto accounts = by_burn(figures, burn);
  const std::size_t shown = accounts.size() < rows ? accounts.size() : rows > 2 ? rows - 2 : 1;
  for (std::size_t i = 0; i < shown && i < accounts.size(); ++i) {
    std::vector<std::string> row{accounts[i]->slurm_account};
    for (const std::string& unit : units) {
      const api::Budget* budget = budget_in_force(*accounts[i], unit);
      row.push_back(budget == nullptr ? "" : to_display(budget->available));
      row.push_back(budget == nullptr ? "" : to_share(budget->available, budget->limit));
      row.push_back(
          budget == nullptr ? "" : to_display(burn_of(burn, accounts[i]->slurm_account, unit)));
    }
    table.add(std::move(row));
  }
  if (accounts.empty()) {
    return {"No budget is in force. 'asbb account create' makes an account with one."};
  }
  Lines out = lines_of(table.text(columns), columns);
  if (shown < accounts.size()) {
    out.push_back(std::to_string(accounts.size() - shown) + " more: 'asbb account list'");
  }
  if (!note.empty() && out.size() < rows) out.push_back("also counted: " + note);
  return out;
}

std::string age(Span span) {
  const std::int64_t seconds = std::max<std::int64_t>(0, span.microseconds / 1'000'000);
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172'800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86'400) + " days";
}

Lines hold_lines(const TopFigures& figures, std::size_t columns, std::size_t rows) {
  if (figures.holds.empty()) return {"No money is held: no job waits or runs."};
  std::vector<api::OpenHold> holds = figures.holds;
  std::stable_sort(holds.begin(), holds.end(),
                   [](const auto& a, const auto& b) { return b.placed_at < a.placed_at; });
  Table table({{"JOB", "job", Align::right},
               {"CLUSTER", "cluster", Align::left, true},
               {"ACCOUNT", "account", Align::left, true},
               {"USER", "user", Align::left, true},
               {"PARTITION", "partition", Align::left, true},
               {"HELD", "held", Align::decimal},
               {"UNIT", "unit"},
               {"SINCE", "since", Align::right}});
  const std::size_t shown = holds.size() < rows ? holds.size() : rows > 2 ? rows - 2 : 1;
  for (std::size_t i = 0; i < shown; ++i) {
    const api::OpenHold& hold = holds[i];
    table.add({hold.job_id ? std::to_string(*hold.job_id) : "-", hold.cluster, hold.account,
               hold.user, hold.partition, to_display(hold.held), hold.unit,
               age(figures.at - hold.placed_at)});
  }
  Lines out = lines_of(table.text(columns), columns);
  if (shown < holds.size()) {
    out.push_back(std::to_string(holds.size() - shown) +
                  " more: 'asbb transactions list --status=pending'");
  }
  return out;
}

Lines alert_lines(const TopFigures& figures, std::size_t columns, std::size_t rows) {
  Lines all;
  for (const api::Alarm& alarm : figures.service.alarms) {
    all.push_back("alarm     " + alarm.message);
  }
  for (const api::Alert& alert : figures.alerts) {
    if (alert.account.empty() && figures.knows_service) continue;  // an alarm, told above
    std::string severity = alert.severity;
    severity.resize(std::max<std::size_t>(severity.size() + 1, 10), ' ');
    all.push_back(severity + alert.title);
  }
  if (all.empty()) return {"No alert."};
  Lines out{"ALERTS"};
  const std::size_t shown = all.size() < rows ? all.size() : rows > 2 ? rows - 2 : 1;
  for (std::size_t i = 0; i < shown; ++i) out.push_back(cut_line(all[i], columns));
  if (shown < all.size()) {
    out.push_back(std::to_string(all.size() - shown) + " more: 'asbb alerts list'");
  }
  return out;
}

std::string head_line(const TopFigures& figures, std::size_t columns) {
  std::string text = "asbb";
  if (figures.knows_service) {
    const api::ReconcilerStatus& holds = figures.service.reconciler;
    text += "  " + std::to_string(holds.open_holds) + (holds.open_holds == 1 ? " hold" : " holds") +
            " (" + std::to_string(holds.unbound_holds) + " without a job)";
    for (const api::ClusterStatus& cluster : figures.service.clusters) {
      text += "  " + cluster.name + (cluster.reachable ? "" : " away");
    }
  }
  const std::string time = to_second_text(figures.at) + " UTC";
  text = cut_line(text, columns > time.size() + 2 ? columns - time.size() - 2 : 0);
  if (text.size() + time.size() < columns) text.append(columns - text.size() - time.size(), ' ');
  return cut_line(text + time, columns);
}

}  // namespace

std::vector<std::string> top_lines(const TopFigures& figures, ScreenSize size,
                                   const std::string& keys) {
  const std::size_t columns = std::max<std::size_t>(size.columns, 20);
  const std::size_t rows = size.rows == 0 ? 1'000 : size.rows;
  Lines out{head_line(figures, columns)};
  if (!figures.problem.empty()) out.push_back(cut_line(figures.problem, columns));
  const std::size_t bottom = keys.empty() ? 0 : 1;
  const bool has_figures = figures.problem.empty() || !figures.accounts.empty();
  // Three blank lines stand between the parts, and the keys have the last line.
  const std::size_t used = out.size() + 3 + bottom;
  std::size_t left = rows > used ? rows - used : 0;
  const Lines alerts = alert_lines(figures, columns, std::max<std::size_t>(left / 4, 3));
  left -= std::min(left, alerts.size());
  const Lines holds = hold_lines(figures, columns, std::max<std::size_t>(left * 2 / 5, 3));
  left -= std::min(left, holds.size());
  const Lines accounts = account_lines(figures, columns, std::max<std::size_t>(left, 3));
  const std::vector<Lines> parts{accounts, holds, alerts};
  for (const Lines& part : has_figures ? parts : std::vector<Lines>()) {
    out.emplace_back();
    out.insert(out.end(), part.begin(), part.end());
  }
  if (out.size() + bottom > rows) out.resize(rows > bottom ? rows - bottom : 0);
  if (bottom == 1 && size.rows > 0) {
    out.resize(rows - 1);
    out.push_back(cut_line(keys, columns));
  }
  return out;
}

}  // namespace asbb::cli
