// /accounts/{account}/usage and /usage: what an account and those below it cost in a window, and
// the same of everything that the caller may see.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "service/account_view.h"
#include "service/entry_pages.h"
#include "service/operations.h"
#include "service/usage_sums.h"

namespace asbb::service {
namespace {

constexpr Span summary_window = hours(24 * 30);

// What was asked for of the window, in place of what stands there.
Result<void> set_asked_window(Instant& start, Instant& end, const api::UsageQuery& query,
                              const std::string& zone) {
  if (query.start_date) {
    const auto from = api::period_start(*query.start_date, zone);
    if (!from) return tl::unexpected(from.error());
    start = *from;
  }
  if (query.end_date) {
    const auto until = api::period_end(*query.end_date, zone);
    if (!until) return tl::unexpected(until.error());
    end = *until;
  }
  if (end <= start) {
    return fail(ErrorKind::invalid,
                "end_date: the window must end after it starts, but it would go from " +
                    to_rfc3339(start) + " to " + to_rfc3339(end),
                "end_date");
  }
  return {};
}

store::EntryQuery spending_between(Instant start, Instant end) {
  store::EntryQuery query;
  query.types = spending_types();
  query.from = start;
  query.until = end;
  return query;
}

using SumsByUnit = std::map<std::string, UsageSums>;

void set_budget(api::UnitUsage& usage, const ledger::Budget& budget) {
  usage.limit += budget.limit;
  usage.used += budget.used;
  usage.held += budget.held;
  usage.available += budget.available();
}

const ledger::Budget* in_force(const ledger::Book& book, ledger::AccountId account,
                               const std::string& unit, Instant at) {
  for (const ledger::Budget* budget : book.budgets_of(account)) {
    if (budget->unit == unit && budget->covers(at)) return budget;
  }
  return nullptr;
}

// Whether an account above it that is seen too has a budget of that unit: then this one is inside.
bool is_inside(const ledger::Book& book, const ledger::Account& account, const std::string& unit,
               Instant at, const std::set<std::string>& seen) {
  for (const auto* above = book.account(account.parent); above != nullptr;
       above = book.account(above->parent)) {
    if (seen.contains(above->name) && in_force(book, above->id, unit, at) != nullptr) return true;
  }
  return false;
}

// What the book says of the accounts: their budgets in force and the totals.
void add_budgets(const ledger::Book& book, const std::set<std::string>& seen, Instant at,
                 const std::string& wanted, std::vector<api::AccountUsage>& rows,
                 std::map<std::string, api::UnitUsage>& units) {
  for (const std::string& name : seen) {
    const ledger::Account* account = book.account(name);
    if (account == nullptr) continue;
    const ledger::Account* parent = book.account(account->parent);
    bool has_row = false;
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      if (!budget->covers(at) || (!wanted.empty() && budget->unit != wanted)) continue;
      api::AccountUsage& row = rows.emplace_back();
      has_row = true;
      row.account = name;
      row.parent = parent == nullptr ? "" : parent->name;
      row.unit = budget->unit;
      row.has_budget = true;
      row.limit = budget->limit;
      row.used = budget->used;
      row.held = budget->held;
      row.available = budget->available();
      if (!is_inside(book, *account, budget->unit, at, seen)) {
        set_budget(units[budget->unit], *budget);
      }
    }
    if (has_row || account->status == ledger::AccountStatus::closed) continue;
    api::AccountUsage& row = rows.emplace_back();
    row.account = name;
    row.parent = parent == nullptr ? "" : parent->name;
  }
}

// What each account itself was charged; an account without a budget gets a row for each unit.
void add_charges(std::vector<api::AccountUsage>& rows,
                 const std::map<std::string, api::UnitUsage>& units) {
  for (const auto& [unit, usage] : units) {
    for (const api::UsageLine& line : usage.by_account) {
      auto row = std::find_if(rows.begin(), rows.end(), [&](const api::AccountUsage& candidate) {
        return candidate.account == line.name && (candidate.unit == unit || candidate.unit.empty());
      });
      if (row == rows.end()) {
        rows.emplace_back();
        row = rows.end() - 1;
        row->account = line.name;
      }
      row->unit = unit;
      row->charged = line.charged;
      row->jobs = line.jobs;
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::tie(a.account, a.unit) < std::tie(b.account, b.unit);
  });
}

}  // namespace

Reply<api::Usage> Operations::usage(const Caller& caller, const std::string& account,
                                    const api::UsageQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!may_see(caller, account)) return no_such_account(account);
  auto shown = show_account(account);
  if (!shown) return tl::unexpected(shown.error());
  api::Usage usage;
  usage.account = account;
  usage.start_date = shown->start_date.value_or(shown->created_at);
  usage.end_date = shown->end_date.value_or(now() + Span{1});
  if (auto window = set_asked_window(usage.start_date, usage.end_date, query, options_.zone);
      !window) {
    return problem(window.error());
  }
  const Instant at = now();
  std::map<std::string, api::UnitUsage> units;
  std::set<std::string> names;
  const std::int64_t last = with_.committer.read([&](const ledger::Book& book) {
    for (std::string& name : subtree(book, account)) names.insert(std::move(name));
    for (const ledger::Budget* budget : book.budgets_of(book.account(account)->id)) {
      if (budget->covers(at)) set_budget(units[budget->unit], *budget);
    }
    add_holds(book, names, units);
    return book.counters().entry;
  });
  store::EntryQuery entries = spending_between(usage.start_date, usage.end_date);
  if (auto bound = bound_by_sequence(with_.committer.store(), last, entries); !bound) {
    return problem(bound.error());
  }
  SumsByUnit sums;
  PeriodNames periods(query.period, options_.zone);
  for (const std::string& name : names) {
    entries.account = name;
    const auto added = for_each_entry(
        with_.committer.store(), entries,
        [&](const ledger::Entry& entry) { sums[entry.unit].add(entry, periods.name(entry.at)); });
    if (!added) return problem(added.error());
  }
  for (const auto& [unit, of_unit] : sums) of_unit.fill(units[unit]);
  for (auto& [unit, line] : units) {
    if (!query.unit.empty() && query.unit != unit) continue;
    line.unit = unit;
    usage.units.push_back(std::move(line));
  }
  return usage;
}

Reply<api::UsageSummary> Operations::usage_summary(const Caller& caller,
                                                   const api::UsageQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const Instant at = now();
  api::UsageSummary summary;
  summary.time_zone = options_.zone;
  summary.start_date = at - summary_window;
  summary.end_date = at + Span{1};
  if (auto window = set_asked_window(summary.start_date, summary.end_date, query, options_.zone);
      !window) {
    return problem(window.error());
  }
  const auto visible = visible_accounts(caller);
  const std::set<std::string> seen(visible.begin(), visible.end());
  std::map<std::string, api::UnitUsage> units;
  const std::int64_t last = with_.committer.read([&](const ledger::Book& book) {
    add_budgets(book, seen, at, query.unit, summary.accounts, units);
    add_holds(book, seen, units);
    return book.counters().entry;
  });
  store::EntryQuery entries = spending_between(summary.start_date, summary.end_date);
  if (auto bound = bound_by_sequence(with_.committer.store(), last, entries); !bound) {
    return problem(bound.error());
  }
  SumsByUnit sums;
  PeriodNames periods(query.period, options_.zone);
  const auto add = [&](const ledger::Entry& entry) {
    if (seen.contains(entry.account_name)) sums[entry.unit].add(entry, periods.name(entry.at));
  };
  // Who may see everything reads the ledger once; a user's few accounts have an index.
  const std::vector<std::string> read_by = caller.may_read ? std::vector<std::string>{""} : visible;
  for (const std::string& name : read_by) {
    entries.account = name;
    const auto added = for_each_entry(with_.committer.store(), entries, add);
    if (!added) return problem(added.error());
  }
  for (const auto& [unit, of_unit] : sums) of_unit.fill(units[unit]);
  if (!query.unit.empty())
    std::erase_if(units, [&](const auto& u) { return u.first != query.unit; });
  add_charges(summary.accounts, units);
  for (auto& [unit, line] : units) {
    line.unit = unit;
    summary.units.push_back(std::move(line));
  }
  return summary;
}

}  // namespace asbb::service
