#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/account_view.h"
#include "cli/commands.h"
#include "cli/usage_view.h"

namespace asbb::cli {
namespace {

struct UsageFlags {
  std::string account;
  std::string unit;
  std::string by;
  std::string period;
  std::optional<std::string> start;
  std::optional<std::string> end;
};

Result<UsageParts> read_parts(const std::string& text) {
  UsageParts out;
  if (text.empty()) return out;
  for (const std::string_view word : split(text, ',')) {
    if (std::find(usage_parts.begin(), usage_parts.end(), word) == usage_parts.end()) {
      return fail(ErrorKind::invalid, "--by: " + in_quotes(std::string(word)) + " is not one of " +
                                          listed(usage_parts));
    }
    out.insert(std::string(word));
  }
  return out;
}

Result<api::UsageQuery> read_query(const UsageFlags& flags) {
  api::UsageQuery out;
  out.unit = flags.unit;
  if (!flags.period.empty()) out.period = flags.period;
  for (const auto& [text, target] :
       {std::pair{&flags.start, &out.start_date}, std::pair{&flags.end, &out.end_date}}) {
    if (!*text) continue;
    const auto date = api::parse_date(**text);
    if (!date) {
      const std::string flag = text == &flags.start ? "--start: " : "--end: ";
      return fail(ErrorKind::invalid, flag + date.error().message);
    }
    *target = *date;
  }
  if (const auto error = reversed(out.start_date, out.end_date)) return tl::unexpected(*error);
  return out;
}

// Why there is nothing to show: no budget at all, or none that covers this moment.
int explain_nothing(Context& context, const std::string& name) {
  const auto account = context.call<api::Account>("GET", account_path(name));
  if (!account) return context.failed(account.error());
  const api::Budget* next = nullptr;
  const api::Budget* last = nullptr;
  for (const api::Budget& budget : account->budgets) {
    const bool is_to_come = context.now() < budget.start_date;
    if (is_to_come && (next == nullptr || budget.start_date < next->start_date)) next = &budget;
    if (!is_to_come && (last == nullptr || last->end_date < budget.end_date)) last = &budget;
  }
  std::ostream& out = context.out();
  out << "Nothing was charged, and there is no budget";
  if (account->budgets.empty()) {
    out << ": jobs draw on the account above it, if there is one.\n";
    return exit_done;
  }
  out << " in force now";
  if (last != nullptr) {
    out << "; the last one, in " << harmless(last->unit) << ", ended on "
        << asbb::to_string(last->last_day);
  }
  if (next != nullptr) {
    out << "; the next one, in " << harmless(next->unit) << ", begins on "
        << asbb::to_string(next->first_day);
  }
  out << ". 'asbb account show " << harmless(name) << "' lists them.\n";
  return exit_done;
}

int show(Context& context, const UsageFlags& flags) {
  const auto query = read_query(flags);
  if (!query) return context.misused(query.error().message);
  const auto parts = read_parts(flags.by);
  if (!parts) return context.misused(parts.error().message);
  const auto usage = context.call<api::Usage>(
      "GET", account_path(flags.account) + "/usage" + api::to_query_string(*query));
  if (!usage) return context.failed(usage.error());
  if (!context.wants_table()) {
    Table table = usage_csv();
    for (const api::UnitUsage& unit : usage->units)
      add_usage_rows(table, usage->account, unit, *parts);
    return context.show(table, api::to_json(*usage));
  }
  std::ostream& out = context.out();
  out << "Account " << harmless(usage->account) << " from " << to_second_text(usage->start_date)
      << " to before " << to_second_text(usage->end_date) << " UTC\n";
  if (usage->units.empty()) return explain_nothing(context, usage->account);
  for (const api::UnitUsage& unit : usage->units) print_usage(out, unit, *parts, context.now());
  return exit_done;
}

Table accounts_csv(const api::UsageSummary& summary) {
  std::vector<Column> columns;
  for (const char* key :
       {"account", "parent", "unit", "limit", "used", "held", "available", "charged", "jobs"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (const api::AccountUsage& row : summary.accounts) {
    const auto figure = [&](Micros amount) { return row.has_budget ? to_decimal(amount) : ""; };
    table.add({row.account, row.parent, row.unit, figure(row.limit), figure(row.used),
               figure(row.held), figure(row.available), to_decimal(row.charged),
               std::to_string(row.jobs)});
  }
  return table;
}

Table summary_table(const api::UsageSummary& summary) {
  std::vector<std::string> units;
  for (const api::AccountUsage& row : summary.accounts) {
    if (!row.unit.empty()) units.push_back(row.unit);
  }
  const std::string unit = common_unit(units);
  std::vector<Column> columns = {
      {"ACCOUNT", "account", Align::left, true},  {"LIMIT" + unit, "limit", Align::decimal},
      {"USED", "used", Align::decimal},           {"HELD", "held", Align::decimal},
      {"AVAILABLE", "available", Align::decimal}, {"USED OF", "share", Align::right},
      {"CHARGED", "charged", Align::decimal},     {"JOBS", "jobs", Align::right}};
  const bool says_unit = unit.empty() && !units.empty();
  if (says_unit) columns.push_back({"UNIT", "unit"});
  Table table(columns);
  for (const api::AccountUsage& row : summary.accounts) {
    const auto figure = [&](Micros amount) {
      return row.has_budget ? to_display(amount) : std::string();
    };
    std::vector<std::string> cells = {row.account,
                                      figure(row.limit),
                                      figure(row.used),
                                      figure(row.held),
                                      figure(row.available),
                                      row.has_budget ? to_share(row.used, row.limit) : "",
                                      to_display(row.charged),
                                      std::to_string(row.jobs)};
    if (says_unit) cells.push_back(row.unit);
    table.add(std::move(cells));
  }
  return table;
}

int summarize(Context& context, const UsageFlags& flags) {
  const auto query = read_query(flags);
  if (!query) return context.misused(query.error().message);
  const auto parts = read_parts(flags.by);
  if (!parts) return context.misused(parts.error().message);
  const auto summary =
      context.call<api::UsageSummary>("GET", "/api/v1/usage" + api::to_query_string(*query));
  if (!summary) return context.failed(summary.error());
  if (flags.by.empty() || summary->accounts.empty()) {
    const int code = context.show(
        context.wants_table() ? summary_table(*summary) : accounts_csv(*summary),
        api::to_json(*summary),
        "No accounts that you may see. An administrator makes one with 'asbb account create "
        "--name=proj001 --budget=50 --start=2025-01-01 --end=2025-12-31'.");
    if (context.wants_table() && !summary->accounts.empty()) {
      context.out() << "\nCHARGED and JOBS: from " << to_second_text(summary->start_date)
                    << " to before " << to_second_text(summary->end_date) << " UTC.\n"
                    << "'asbb usage summary --by=partition,user' shows where it went.\n";
    }
    return code;
  }
  Table table = usage_csv();
  for (const api::UnitUsage& unit : summary->units) add_usage_rows(table, "", unit, *parts);
  if (!context.wants_table()) return context.show(table, api::to_json(*summary));
  context.out() << "All accounts from " << to_second_text(summary->start_date) << " to before "
                << to_second_text(summary->end_date) << " UTC\n";
  for (const api::UnitUsage& unit : summary->units) {
    print_usage(context.out(), unit, *parts, context.now());
  }
  return exit_done;
}

void take_window(Command& command, UsageFlags& flags, const char* start, const char* end) {
  command.take({"--unit", "UNIT", "Of this unit only."}, flags.unit)
      .take({"--by", "WHAT",
             "Only these tables: period, partition, cluster, user, account, job, hold; with "
             "commas."},
            flags.by)
      .take({"--period",
             "PERIOD",
             "What the table of periods counts; month when left out.",
             Presence::optional,
             {"day", "month", "year"}},
            flags.period)
      .take({"--start", "YYYY-MM-DD", start}, flags.start)
      .take({"--end", "YYYY-MM-DD", end}, flags.end);
}

}  // namespace

void add_usage(Command& root, Context& context) {
  Command usage = root.add("usage", "What was spent, what is held, what is left.");
  auto flags = std::make_shared<UsageFlags>();
  Command show_one = usage.add(
      "show", "Shows what an account spent, by period, partition, user, cluster and job.");
  show_one.take({"ACCOUNT", "", "The Slurm account.", Presence::required}, flags->account);
  take_window(show_one, *flags, "From this day on; the start of the budget in force when left out.",
              "Up to this day, included; the end of that budget when left out.");
  show_one
      .note(
          "AVAILABLE is the limit less what is used and what is held. Money that idles in holds is "
          "set "
          "aside for jobs that do not run yet: it comes back when they are cancelled.")
      .example("asbb usage show proj001")
      .example("asbb usage show proj001 --by=period,user --period=day")
      .action([&context, flags] { return show(context, *flags); });
  auto all = std::make_shared<UsageFlags>();
  Command summary =
      usage.add("summary", "Shows all accounts beside each other, with their shares.");
  take_window(summary, *all, "What was charged from this day on; 30 days ago when left out.",
              "Up to this day, included; now when left out.");
  summary
      .note(
          "With --by the totals of all accounts are shown instead. A budget inside another one is "
          "not added again.")
      .example("asbb usage summary")
      .example("asbb usage summary --by=partition,user --start=2025-01-01 --output=csv")
      .action([&context, all] { return summarize(context, *all); });
}

}  // namespace asbb::cli
