#include <ostream>

#include "base/text.h"
#include "cli/chart.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

constexpr std::size_t forecast_width = 80;

std::string or_never(const std::string& day) {
  return day.empty() ? "never" : day;
}

Table burn_table(const api::UnitForecast& budget) {
  Table table({{"OVER", "window"},
               {"SPENT (" + budget.unit + ")", "spent", Align::decimal},
               {"A DAY", "per_day", Align::decimal},
               {"OF THE EXPECTED RATE", "share", Align::right}});
  for (const api::ForecastRate& rate : budget.rates) {
    table.add({"the last " + std::to_string(rate.days) + " days", to_display(rate.spent),
               to_display(rate.per_day), to_share(rate.per_day, budget.expected_per_day)});
  }
  table.add({"the days left", "", to_display(budget.expected_per_day), "expected"});
  return table;
}

void print_budget(std::ostream& out, const api::UnitForecast& budget) {
  out << "\nBudget in " << harmless(budget.unit) << ", " << asbb::to_string(budget.first_day)
      << " to " << asbb::to_string(budget.last_day) << ", " << budget.days_left
      << (budget.days_left == 1 ? " day left\n\n" : " days left\n\n");
  for (const std::string& sentence : budget.summary)
    out << wrapped(harmless(sentence), forecast_width, "* ");
  out << "\n" << burn_table(budget).text() << "\n" << budget_chart(budget);
}

Table forecast_csv(const api::Forecast& forecast) {
  std::vector<Column> columns;
  for (const char* key : {"account",
                          "unit",
                          "outlook",
                          "first_day",
                          "last_day",
                          "limit",
                          "used",
                          "held",
                          "available",
                          "held_running",
                          "held_waiting",
                          "per_day_7",
                          "per_day_30",
                          "per_day_90",
                          "expected_per_day",
                          "holds_take",
                          "runs_out_earliest",
                          "runs_out",
                          "runs_out_latest",
                          "unused_at_end",
                          "carried_over",
                          "expires"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (const api::UnitForecast& budget : forecast.budgets) {
    std::vector<std::string> cells = {forecast.account, budget.unit, budget.outlook,
                                      asbb::to_string(budget.first_day),
                                      asbb::to_string(budget.last_day)};
    for (const Micros amount : {budget.limit, budget.used, budget.held, budget.available,
                                budget.held_running, budget.held_waiting}) {
      cells.push_back(to_decimal(amount));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      cells.push_back(i < budget.rates.size() ? to_decimal(budget.rates[i].per_day) : "");
    }
    cells.push_back(to_decimal(budget.expected_per_day));
    cells.push_back(to_decimal(budget.holds_take));
    cells.push_back(or_never(budget.runs_out_earliest));
    cells.push_back(or_never(budget.runs_out));
    cells.push_back(or_never(budget.runs_out_latest));
    for (const Micros amount : {budget.unused_at_end, budget.carried_over, budget.expires}) {
      cells.push_back(to_decimal(amount));
    }
    table.add(std::move(cells));
  }
  return table;
}

int show_forecast(Context& context, const std::string& account) {
  const auto forecast = context.call<api::Forecast>("GET", account_path(account) + "/forecast");
  if (!forecast) return context.failed(forecast.error());
  if (!context.wants_table()) return context.show(forecast_csv(*forecast), api::to_json(*forecast));
  std::ostream& out = context.out();
  const std::string name = harmless(forecast->account);
  if (forecast->budgets.empty()) {
    out << "Account " << name << " has no budget in force";
    if (!forecast->draws_on.empty()) {
      out << "; it draws on account " << harmless(forecast->draws_on) << ": 'asbb forecast "
          << harmless(forecast->draws_on) << "'.\n";
    } else {
      out << ". 'asbb account update " << name
          << " --budget=AMOUNT --start=DAY --end=DAY' adds one.\n";
    }
    return exit_done;
  }
  out << "Forecast for account " << name << " as of " << to_second_text(forecast->as_of)
      << " UTC\n";
  for (const api::UnitForecast& budget : forecast->budgets) {
    print_budget(out, budget);
  }
  return exit_done;
}

}  // namespace

void add_forecast(Command& root, Context& context) {
  auto account = std::make_shared<std::string>();
  root.add("forecast", "Says how long an account's money lasts, and what of it expires.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, *account)
      .note(
          "From what was spent over the last 7, 30 and 90 days, what open holds will take, and the "
          "days that are left. docs/concepts/forecast.md has the method.")
      .example("asbb forecast proj001")
      .example("asbb forecast proj001 --output=json")
      .action([&context, account] { return show_forecast(context, *account); });
}

}  // namespace asbb::cli
