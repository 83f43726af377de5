#include "cli/report_read.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "base/nearest.h"
#include "base/text.h"
#include "base/zone.h"
#include "cli/account_tree.h"
#include "cli/prices_then.h"
#include "cli/progress.h"
#include "cli/report_facts.h"
#include "report/record_sorter.h"

namespace asbb::cli {
namespace {

constexpr int connect_timeout_ms = 2'000;
constexpr int service_timeout_ms = 120'000;  // a forecast reads all of a budget's entries
constexpr std::size_t burn_downs_max = 12;
constexpr std::size_t accounts_one_by_one = 100;

tl::unexpected<api::Problem> bad_question(const std::string& sentence) {
  api::Problem problem;
  problem.code = bad_question_code;
  problem.message = sentence;
  return tl::unexpected(std::move(problem));
}

tl::unexpected<api::Problem> broken(const Error& error) {
  api::Problem problem;
  problem.code = "REPORT";
  problem.message = error.message;
  return tl::unexpected(std::move(problem));
}

Payers payers_of(const std::vector<api::Account>& accounts, const std::set<std::string>& wanted) {
  Payers payers;
  for (const api::Account& account : accounts) {
    const std::string& name = account.slurm_account;
    if (!wanted.contains(name)) continue;
    payers[{"", name}] = name;
    for (const std::string& alias : account.aliases) payers[{"", alias}] = name;
    for (const api::SlurmAccount& other : account.slurm_accounts) {
      payers[{other.cluster, other.account}] = name;
    }
  }
  return payers;
}

api::Reply<const api::Account*> find_account(const std::vector<api::Account>& accounts,
                                             const std::string& name) {
  std::vector<std::string> known{"ALL"};
  for (const api::Account& account : accounts) {
    if (has_name(account, name)) return &account;
    known.push_back(account.slurm_account);
    known.insert(known.end(), account.aliases.begin(), account.aliases.end());
  }
  const std::string near = to_lower(name) == "all" ? "ALL" : nearest_word(name, known);
  return bad_question("--account: there is no account " + in_quotes(name) + " that you may see" +
                      (near.empty() ? "" : "; did you mean '" + near + "'?") +
                      (near.empty() ? "; 'asbb account list' lists them" : ""));
}

// The account, then those below it, each after what is above it.
std::vector<std::string> tree_of(const std::vector<api::Account>& accounts,
                                 const std::string& top) {
  std::vector<std::string> names{top};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const api::Account& account : accounts) {
      if (account.parent == names[i]) names.push_back(account.slurm_account);
    }
  }
  return names;
}

// Into one unit where each of the others has a rate into it: a currency before other units.
void set_total_unit(report::Dual& report, const std::vector<api::ConversionRate>& rates) {
  std::vector<std::string> targets = report.units;
  std::stable_partition(targets.begin(), targets.end(), is_currency);
  for (const std::string& target : targets) {
    std::vector<report::Rate> into;
    for (const std::string& unit : report.units) {
      const api::ConversionRate* best = nullptr;
      for (const api::ConversionRate& rate : rates) {
        const bool fits =
            rate.from_unit == unit && rate.to_unit == target && rate.effective_from < report.end;
        if (fits && (best == nullptr || std::tie(best->effective_from, best->version) <
                                            std::tie(rate.effective_from, rate.version))) {
          best = &rate;
        }
      }
      if (best == nullptr) continue;
      into.push_back({unit, target, best->rate, best->effective_from,
                      day_of(best->effective_from, report.zone).value_or(Day{})});
    }
    if (into.size() + 1 != report.units.size()) continue;
    report.total_unit = target;
    report.rates = std::move(into);
    return;
  }
  report.no_total =
      "There is no one total: no rate was in force at the period's end between these units "
      "('asbb rates list').";
}

report::BurnDown burn_down_of(const report::Dual& report, const std::string& account,
                              const api::UnitForecast& budget) {
  report::BurnDown out;
  out.budget = {account,      budget.unit, budget.first_day, budget.last_day, true,
                budget.limit, budget.used, budget.held,      budget.available};
  out.today = std::clamp(day_of(report.made_at, report.zone).value_or(budget.first_day),
                         budget.first_day, budget.last_day);
  for (const api::ForecastDay& day : budget.history) out.days.push_back({day.day, day.charged});
  for (const api::ForecastRate& rate : budget.rates) {
    if (rate.days == 30) out.per_day = rate.per_day;
  }
  const auto runs_out = parse_day(budget.runs_out);
  if (runs_out && *runs_out < budget.last_day) out.runs_out = budget.runs_out;
  return out;
}

// Of usage: what is held and left, and no charges.
std::string now_alone(const Context& context) {
  api::UsageQuery query;
  query.start_date = context.now();
  query.end_date = context.now() + seconds(1);
  return api::to_query_string(query);
}

using Parents = std::map<std::string, std::string>;

// The budgets of a report's accounts, by account and unit, and which of them are inside no other.
class BudgetTree {
 public:
  // `parents`, by account, outlive this.
  BudgetTree(const report::Dual& report, const Parents& parents)
      : shown_(report.accounts.begin(), report.accounts.end()), parents_(parents) {}

  void add(const std::string& account, const std::string& unit) {
    if (shown_.contains(account)) budgets_.emplace(account, unit);
  }
  [[nodiscard]] bool is_topmost(const std::string& account, const std::string& unit) const {
    if (!budgets_.contains({account, unit})) return false;
    for (std::string above = parent_of(account); shown_.contains(above); above = parent_of(above)) {
      if (budgets_.contains({above, unit})) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] std::string parent_of(const std::string& account) const {
    const auto found = parents_.find(account);
    return found == parents_.end() ? std::string() : found->second;
  }

  std::set<std::string> shown_;
  const Parents& parents_;
  std::set<std::pair<std::string, std::string>> budgets_;
};

class ReportReader {
 public:
  ReportReader(Context& context, const ReportQuery& query)
      : context_(context), query_(query), prices_(context) {}

  api::Reply<std::vector<report::Dual>> read(const MakeJobUser& make_job_user) {
    using Step = api::Reply<void> (ReportReader::*)();
    for (const Step step :
         {&ReportReader::set_period, &ReportReader::set_accounts, &ReportReader::read_facts,
          &ReportReader::set_rates, &ReportReader::set_standing}) {
      if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());
    }
    if (const auto added = add_up(make_job_user); !added) return broken(added.error());
    for (report::Dual& report : reports_) {
      set_budgets(report);
      set_burn_downs(report);
    }
    return std::move(reports_);
  }

 private:
  api::Reply<void> set_period() {
    const auto start = start_of_day(query_.first_day, query_.zone);
    const auto end = start_of_day(next_day(query_.last_day), query_.zone);
    if (!start || !end) {
      return bad_question("--time-zone: " + (start ? end : start).error().message);
    }
    whole_.zone = query_.zone;
    whole_.first_day = query_.first_day;
    whole_.last_day = query_.last_day;
    whole_.start = *start;
    whole_.end = *end;
    whole_.made_at = context_.now();
    context_.set_timeouts(connect_timeout_ms, service_timeout_ms);
    return {};
  }

  api::Reply<void> set_accounts() {
    auto accounts = accounts_ever(context_);
    if (!accounts) return tl::unexpected(accounts.error());
    accounts_ = std::move(*accounts);
    for (const api::Account& account : accounts_) parents_[account.slurm_account] = account.parent;
    for (const std::string& name : query_.accounts) {
      report::Dual& report = reports_.emplace_back(whole_);
      if (name.empty()) {
        for (const api::Account& account : accounts_) {
          report.accounts.push_back(account.slurm_account);
        }
        continue;
      }
      const auto found = find_account(accounts_, to_lower(name));
      if (!found) return tl::unexpected(found.error());
      report.account = (*found)->slurm_account;
      report.display_name = (*found)->name;
      report.accounts = tree_of(accounts_, report.account);
    }
    return {};
  }

  api::Reply<void> read_facts() {
    std::set<std::string> names;
    bool is_all = false;
    for (const report::Dual& report : reports_) {
      is_all = is_all || report.account.empty();
      names.insert(report.accounts.begin(), report.accounts.end());
    }
    // Of many accounts one stream; an account's own entries have an index.
    is_all = is_all || names.size() > accounts_one_by_one;
    LedgerFacts facts(context_, whole_.start, whole_.end, sorter_);
    std::vector<std::string> asked;
    if (!is_all) asked.assign(names.begin(), names.end());
    if (auto read = facts.read(asked); !read) return read;
    auto clusters =
        read_accounting(context_, whole_.start, whole_.end, payers_of(accounts_, names), sorter_);
    if (!clusters) return broken(clusters.error());
    for (report::Dual& report : reports_) {
      facts.set_units(report);
      report.clusters = *clusters;
    }
    return {};
  }

  api::Reply<void> set_rates() {
    std::optional<std::vector<api::ConversionRate>> rates;
    for (report::Dual& report : reports_) {
      if (report.units.size() < 2) continue;
      if (!rates) {
        auto listed =
            context_.call<std::vector<api::ConversionRate>>("GET", "/api/v1/conversion-rates");
        if (!listed) return tl::unexpected(listed.error());
        rates = std::move(*listed);
      }
      set_total_unit(report, *rates);
    }
    return {};
  }

  // What is held and left is as of now, whatever the period.
  api::Reply<void> set_standing() {
    const std::string query = now_alone(context_);
    std::optional<api::UsageSummary> all;
    for (report::Dual& report : reports_) {
      const bool is_alone = !report.account.empty() && report.accounts.size() == 1;
      if (!all && !is_alone) {
        auto summary = context_.call<api::UsageSummary>("GET", "/api/v1/usage" + query);
        if (!summary) return tl::unexpected(summary.error());
        all = std::move(*summary);
      }
      std::vector<api::UnitUsage> units;
      if (report.account.empty()) {
        units = all->units;
      } else {
        auto one =
            context_.call<api::Usage>("GET", account_path(report.account) + "/usage" + query);
        if (!one) return tl::unexpected(one.error());
        units = std::move(one->units);
      }
      if (!report.account.empty() && !is_alone) add_below(report, all->accounts, units);
      for (const api::UnitUsage& unit : units) {
        report.standing.push_back({unit.unit, unit.limit, unit.used,
                                   std::max(unit.held, unit.held_running + unit.held_waiting),
                                   unit.available});
      }
    }
    return {};
  }

  // Of units in which the account has no budget itself, those of the accounts below it.
  void add_below(const report::Dual& report, const std::vector<api::AccountUsage>& rows,
                 std::vector<api::UnitUsage>& units) const {
    BudgetTree tree(report, parents_);
    for (const api::AccountUsage& row : rows) {
      if (row.has_budget) tree.add(row.account, row.unit);
    }
    for (const api::AccountUsage& row : rows) {
      if (row.account == report.account || !tree.is_topmost(row.account, row.unit)) continue;
      auto sum = std::find_if(units.begin(), units.end(),
                              [&](const auto& unit) { return unit.unit == row.unit; });
      if (sum == units.end()) {
        sum = units.emplace(units.end());
        sum->unit = row.unit;
      }
      sum->limit += row.limit;
      sum->used += row.used;
      sum->held += row.held;
      sum->available += row.available;
    }
  }

  // Those of a closed account belong to the periods in which it was charged.
  void set_budgets(report::Dual& report) const {
    const std::set<std::string> shown(report.accounts.begin(), report.accounts.end());
    std::set<std::string> charged;
    for (const report::Line& line : report.by_account) charged.insert(line.name);
    for (const api::Account& account : accounts_) {
      if (!shown.contains(account.slurm_account)) continue;
      if (cli::is_closed(account) && !charged.contains(account.slurm_account)) continue;
      for (const api::Budget& budget : account.budgets) {
        const bool overlaps = budget.start_date < report.end && report.start < budget.end_date;
        if (!overlaps && !budget.in_force) continue;
        report.budgets.push_back({account.slurm_account, budget.unit, budget.first_day,
                                  budget.last_day, budget.in_force, budget.limit, budget.used,
                                  budget.held, budget.available});
      }
    }
    std::stable_sort(report.budgets.begin(), report.budgets.end(),
                     [](const auto& a, const auto& b) {
                       return std::tie(a.account, a.unit, a.first_day) <
                              std::tie(b.account, b.unit, b.first_day);
                     });
  }

  Result<void> add_up(const MakeJobUser& make_job_user) {
    std::vector<std::unique_ptr<report::Adder>> adders;
    std::map<std::string, std::vector<report::Adder*>> by_account;
    std::vector<report::Adder*> of_all;
    for (report::Dual& report : reports_) {
      adders.push_back(std::make_unique<report::Adder>(
          report, make_job_user ? make_job_user(report) : nullptr,
          [this](const std::string& cluster, const std::string& partition, Instant at) {
            return prices_.of(cluster, partition, at);
          }));
      if (report.account.empty()) of_all.push_back(adders.back().get());
      if (report.account.empty()) continue;
      for (const std::string& name : report.accounts) {
        by_account[name].push_back(adders.back().get());
      }
    }
    const auto added = sorter_.for_each([&](std::string_view record) -> Result<void> {
      const report::Fact fact = report::read_fact(record);
      for (report::Adder* adder : of_all) adder->add(fact);
      const auto found =
          by_account.find(fact.spending ? fact.spending->account : fact.run->account);
      if (found != by_account.end()) {
        for (report::Adder* adder : found->second) adder->add(fact);
      }
      // Nobody reads on: a closed pipe or a full disk.
      if (!context_.out()) return fail(ErrorKind::unavailable, "the output cannot be written");
      return {};
    });
    if (!added) return added;
    for (const auto& adder : adders) adder->finish();
    return {};
  }

  // Of the budgets that are inside no other of the report.
  void set_burn_downs(report::Dual& report) {
    if (!query_.wants_burn_downs) return;
    BudgetTree tree(report, parents_);
    for (const report::BudgetLine& budget : report.budgets) {
      if (budget.in_force) tree.add(budget.account, budget.unit);
    }
    std::map<std::string, std::set<std::string>> units_of;
    for (const report::BudgetLine& budget : report.budgets) {
      const bool is_wanted = budget.account == report.account || !is_closed(budget.account);
      if (is_wanted && budget.in_force && tree.is_topmost(budget.account, budget.unit)) {
        units_of[budget.account].insert(budget.unit);
      }
    }
    Progress progress(context_, "burn-downs");
    for (const auto& [name, units] : units_of) {
      const auto forecast = context_.call<api::Forecast>("GET", account_path(name) + "/forecast");
      if (!forecast) {
        report.notes.push_back("The burn-down of " + name +
                               " is missing: " + forecast.error().message);
        if (forecast.error().code == api::unreachable_code) return;
        continue;
      }
      progress.at(static_cast<std::int64_t>(report.burn_downs.size()), 0, 0);
      for (const api::UnitForecast& budget : forecast->budgets) {
        if (!units.contains(budget.unit)) continue;
        if (report.burn_downs.size() == burn_downs_max) {
          report.notes.push_back("Burn-downs are shown of the first " +
                                 std::to_string(burn_downs_max) + " budgets only.");
          return;
        }
        report.burn_downs.push_back(burn_down_of(report, name, budget));
      }
    }
  }

  [[nodiscard]] bool is_closed(const std::string& name) const {
    return std::any_of(accounts_.begin(), accounts_.end(), [&](const api::Account& account) {
      return account.slurm_account == name && cli::is_closed(account);
    });
  }

  Context& context_;
  const ReportQuery& query_;
  report::Dual whole_;  // the period, which all have in common
  std::vector<report::Dual> reports_;
  report::RecordSorter sorter_;
  std::vector<api::Account> accounts_;
  Parents parents_;
  PricesThen prices_;
};

}  // namespace

api::Reply<std::string> report_zone(Context& context, const std::string& asked) {
  if (!asked.empty()) return asked;
  const auto summary = context.call<api::UsageSummary>("GET", "/api/v1/usage" + now_alone(context));
  if (!summary) return tl::unexpected(summary.error());
  return summary->time_zone;
}

api::Reply<std::vector<report::Dual>> read_reports(Context& context, const ReportQuery& query,
                                                   const MakeJobUser& make_job_user) {
  return ReportReader(context, query).read(make_job_user);
}

}  // namespace asbb::cli
