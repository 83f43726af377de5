// /accounts/{account}/forecast: how long each budget in force lasts. The arithmetic is
// src/insight's; here are the sums it needs.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/zone.h"
#include "insight/forecast.h"
#include "insight/forecast_words.h"
#include "service/account_view.h"
#include "service/entry_pages.h"
#include "service/operations.h"
#include "service/usage_sums.h"

namespace asbb::service {
namespace {

constexpr Span longest_window = hours(24 * insight::rate_days.back());

// A budget in force, as the book says, and what is added up for it.
struct Forecasting {
  Forecasting(const ledger::Budget& from, Instant now, Instant since) : meter(now, since) {
    facts.now = now;
    facts.start = from.start;
    facts.end = from.end;
    facts.limit = from.limit;
    facts.used = from.used;
    facts.held = from.held;
    facts.carry_over_millionths = from.carry_over_millionths;
  }

  insight::BudgetFacts facts;
  insight::HeldParts held;
  insight::BurnMeter meter;
  std::map<Day, api::ForecastDay> history;
  std::set<std::int64_t> other_periods;  // the account's budgets of that unit for other periods
};
using ForecastByUnit = std::map<std::string, Forecasting>;

// What the open holds that are drawn on these budgets hold, for runs and for waiting.
void split_held(const ledger::Book& book, const std::map<std::int64_t, std::string>& budgets,
                ForecastByUnit& units) {
  for (const ledger::Hold* hold : book.open_holds()) {
    for (std::size_t i = 0; i < hold->parts.size(); ++i) {
      for (const ledger::Leg& leg : hold->parts[i].legs) {
        if (leg.kind != ledger::Leg::Kind::budget) continue;
        const auto budget = budgets.find(leg.id);
        if (budget == budgets.end()) continue;
        insight::HeldParts& held = units.at(budget->second).held;
        held.running += held_by_runs(book, *hold, i);
        held.waiting += hold->parts[i].unopened;
      }
    }
  }
}

void add_entry(Forecasting& unit, const ledger::Entry& entry, PeriodNames& days) {
  const insight::BudgetFacts& facts = unit.facts;
  const bool is_recent = facts.now - longest_window <= entry.at;
  if (entry.type == ledger::EntryType::release) {
    // Of a run that ended; what a sweep gives back says nothing about the cost of jobs.
    const bool is_run =
        entry.job.task >= 0 || entry.job.job_id > 0 || !entry.job.external_id.empty();
    if (is_recent && is_run) unit.facts.settled_held += entry.amount;
    return;
  }
  if (is_recent && entry.type == ledger::EntryType::charge) {
    unit.facts.settled_held += entry.amount;
    unit.facts.settled_cost += entry.amount;
  }
  if (is_recent && entry.type == ledger::EntryType::overrun) {
    unit.facts.settled_cost += entry.amount;
  }
  // What changed this budget's used; a late charge may belong to the period before.
  const bool is_of_period =
      facts.start <= entry.at && !unit.other_periods.contains(entry.budget.value);
  if (entry.type == ledger::EntryType::adjustment) {
    if (is_of_period) unit.history[days.day(entry.at)].adjusted += entry.amount;
    return;
  }
  const auto spent = spent_by(entry);
  if (!spent) return;
  unit.meter.add(entry.at, *spent);
  if (is_of_period) unit.history[days.day(entry.at)].charged += *spent;
}

std::string day_text(const std::optional<Instant>& at, const std::string& zone) {
  if (!at) return {};
  const auto day = day_of(*at, zone);
  return day ? asbb::to_string(*day) : std::string();
}

void set_found(api::UnitForecast& out, const insight::BudgetForecast& found,
               const std::string& zone) {
  out.outlook = insight::to_string(found.outlook);
  out.available = found.available;
  out.expected_per_day = found.expected_per_day;
  out.usual_part = found.usual_part;
  out.holds_take = found.holds_take;
  out.left_after_holds = found.left_after_holds;
  out.runs_out_earliest = day_text(found.runs_out_earliest, zone);
  out.runs_out = day_text(found.runs_out, zone);
  out.runs_out_latest = day_text(found.runs_out_latest, zone);
  out.used_at_end = found.used_at_end;
  out.unused_at_end = found.unused_at_end;
  out.carried_over = found.carried_over;
  out.expires = found.expires;
}

api::UnitForecast forecast_view(const std::string& unit, Forecasting& from,
                                const std::string& zone) {
  insight::BudgetFacts& facts = from.facts;
  facts.rates = from.meter.rates();
  const insight::BudgetForecast found = insight::forecast(facts);
  api::UnitForecast out;
  out.unit = unit;
  out.start_date = facts.start;
  out.end_date = facts.end;
  out.first_day = day_of(facts.start, zone).value_or(Day{});
  out.last_day = day_of(facts.end - Span{1}, zone).value_or(Day{});
  out.days_left = insight::whole_days(facts.now, facts.end);
  out.limit = facts.limit;
  out.used = facts.used;
  out.held = facts.held;
  out.held_running = from.held.running;
  out.held_waiting = from.held.waiting;
  for (const insight::Rate& rate : facts.rates) {
    out.rates.push_back({rate.days, rate.spent, rate.per_day});
  }
  set_found(out, found, zone);
  out.summary = insight::explain(facts, from.held, found, unit,
                                 [&](Instant at) { return day_text(at, zone); });
  for (const auto& [day, change] : from.history) {
    out.history.push_back({day, change.charged, change.adjusted});
  }
  return out;
}

// The nearest account above that has a budget in force.
std::string payer_above(const ledger::Book& book, const ledger::Account& account, Instant at) {
  for (const auto* above = book.account(account.parent); above != nullptr;
       above = book.account(above->parent)) {
    for (const ledger::Budget* budget : book.budgets_of(above->id)) {
      if (budget->covers(at)) return above->name;
    }
  }
  return {};
}

}  // namespace

Reply<api::Forecast> Operations::forecast(const Caller& caller, const std::string& name) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!may_see(caller, name)) return no_such_account(name);
  const Instant at = now();
  api::Forecast answer;
  answer.as_of = at;
  ForecastByUnit units;
  std::vector<std::string> names;
  Instant since = at - longest_window;
  std::int64_t last = 0;
  const bool is_known = with_.committer.read([&](const ledger::Book& book) {
    const ledger::Account* account = book.account(name);
    if (account == nullptr) return false;
    answer.account = account->name;
    names = subtree(book, account->name);
    last = book.counters().entry;
    std::map<std::int64_t, std::string> budgets;
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      if (!budget->covers(at)) continue;
      units.emplace(budget->unit, Forecasting(*budget, at, account->created_at));
      budgets[budget->id.value] = budget->unit;
      since = std::min(since, budget->start);
    }
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      const auto unit = units.find(budget->unit);
      if (unit != units.end() && !budget->covers(at)) {
        unit->second.other_periods.insert(budget->id.value);
      }
    }
    if (units.empty()) answer.draws_on = payer_above(book, *account, at);
    split_held(book, budgets, units);
    return true;
  });
  if (!is_known) return no_such_account(name);
  if (units.empty()) return answer;
  store::EntryQuery entries;
  entries.types = spending_types();
  entries.types.push_back(ledger::EntryType::release);
  entries.types.push_back(ledger::EntryType::adjustment);
  entries.from = since;
  if (auto bound = bound_by_sequence(with_.committer.store(), last, entries); !bound) {
    return problem(bound.error());
  }
  PeriodNames days("day", options_.zone);
  for (const std::string& one : names) {
    entries.account = one;
    const auto added =
        for_each_entry(with_.committer.store(), entries, [&](const ledger::Entry& entry) {
          const auto unit = units.find(entry.unit);
          if (unit != units.end()) add_entry(unit->second, entry, days);
        });
    if (!added) return problem(added.error());
  }
  for (auto& [unit, from] : units) {
    answer.budgets.push_back(forecast_view(unit, from, options_.zone));
  }
  return answer;
}

}  // namespace asbb::service
