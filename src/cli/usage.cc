#include <ostream>

#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct UsageFlags {
  std::string account;
  std::string unit;
  std::optional<std::string> start;
  std::optional<std::string> end;
};

Result<api::UsageQuery> read_query(const UsageFlags& flags) {
  api::UsageQuery out;
  out.unit = flags.unit;
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
  return out;
}

Table lines_table(const std::string& title, const std::vector<api::UsageLine>& lines,
                  const api::UnitUsage& usage) {
  Table table({{title, "name", Align::left, true},
               {"JOBS", "jobs", Align::right},
               {"CHARGED (" + usage.unit + ")", "charged", Align::decimal},
               {"SHARE", "share", Align::right}});
  for (const api::UsageLine& line : lines) {
    table.add({line.name.empty() ? "-" : line.name, std::to_string(line.jobs),
               to_display(line.charged), to_share(line.charged, usage.charged)});
  }
  return table;
}

void print_unit(std::ostream& out, const api::UnitUsage& usage) {
  Table summary({{"UNIT", "unit"},
                 {"LIMIT", "limit", Align::decimal},
                 {"USED", "used", Align::decimal},
                 {"HELD", "held", Align::decimal},
                 {"AVAILABLE", "available", Align::decimal},
                 {"USED OF LIMIT", "share", Align::right}});
  summary.add({usage.unit, to_display(usage.limit), to_display(usage.used), to_display(usage.held),
               to_display(usage.available), to_share(usage.used, usage.limit)});
  out << "\n" << summary.text();
  if (!usage.adjusted.is_zero()) {
    out << "Adjusted by hand: " << to_display(usage.adjusted) << " " << usage.unit << "\n";
  }
  for (const auto& [title, lines] :
       {std::pair{"PARTITION", &usage.by_partition}, std::pair{"USER", &usage.by_user},
        std::pair{"CLUSTER", &usage.by_cluster}}) {
    if (!lines->empty()) out << "\n" << lines_table(title, *lines, usage).text();
  }
}

Table usage_csv(const api::Usage& usage) {
  Table table(
      {{"", "account"}, {"", "unit"}, {"", "by"}, {"", "name"}, {"", "jobs"}, {"", "charged"}});
  for (const api::UnitUsage& unit : usage.units) {
    table.add(
        {usage.account, unit.unit, "all", "", std::to_string(unit.jobs), to_decimal(unit.charged)});
    for (const auto& [by, lines] :
         {std::pair{"partition", &unit.by_partition}, std::pair{"user", &unit.by_user},
          std::pair{"cluster", &unit.by_cluster}}) {
      for (const api::UsageLine& line : *lines) {
        table.add({usage.account, unit.unit, by, line.name, std::to_string(line.jobs),
                   to_decimal(line.charged)});
      }
    }
  }
  return table;
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
  const auto usage = context.call<api::Usage>(
      "GET", account_path(flags.account) + "/usage" + api::to_query_string(*query));
  if (!usage) return context.failed(usage.error());
  if (!context.wants_table()) return context.show(usage_csv(*usage), api::to_json(*usage));
  std::ostream& out = context.out();
  out << "Account " << harmless(usage->account) << " from " << to_second_text(usage->start_date)
      << " to before " << to_second_text(usage->end_date) << " UTC\n";
  if (usage->units.empty()) return explain_nothing(context, usage->account);
  for (const api::UnitUsage& unit : usage->units) print_unit(out, unit);
  return exit_done;
}

}  // namespace

void add_usage(Command& root, Context& context) {
  Command usage = root.add("usage", "What was spent.");
  auto flags = std::make_shared<UsageFlags>();
  usage.add("show", "Shows what an account spent, by partition, user and cluster.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, flags->account)
      .take({"--unit", "UNIT", "Of this unit only."}, flags->unit)
      .take({"--start", "YYYY-MM-DD",
             "From this day on; the start of the budget in force when left out."},
            flags->start)
      .take({"--end", "YYYY-MM-DD",
             "Up to this day, included; the end of that budget when left out."},
            flags->end)
      .example("asbb usage show proj001")
      .action([&context, flags] { return show(context, *flags); });
}

}  // namespace asbb::cli
