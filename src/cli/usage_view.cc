#include "cli/usage_view.h"

#include <ostream>
#include <utility>

namespace asbb::cli {
namespace {

// What the lines of a table are of, its title, and where they are.
struct Part {
  const char* name;
  const char* title;
  const std::vector<api::UsageLine> api::UnitUsage::* lines;
};

const std::vector<Part>& line_parts() {
  static const std::vector<Part> parts = {{"period", "PERIOD", &api::UnitUsage::by_period},
                                          {"partition", "PARTITION", &api::UnitUsage::by_partition},
                                          {"user", "USER", &api::UnitUsage::by_user},
                                          {"cluster", "CLUSTER", &api::UnitUsage::by_cluster},
                                          {"account", "ACCOUNT", &api::UnitUsage::by_account}};
  return parts;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string titled(const char* title, const std::string& unit) {
  return std::string(title) + " (" + unit + ")";
}

Table lines_table(const Part& part, const api::UnitUsage& usage) {
  Table table({{part.title, "name", Align::left, true},
               {"JOBS", "jobs", Align::right},
               {titled("CHARGED", usage.unit), "charged", Align::decimal},
               {"SHARE", "share", Align::right}});
  for (const api::UsageLine& line : usage.*part.lines) {
    table.add({or_dash(line.name), std::to_string(line.jobs), to_display(line.charged),
               to_share(line.charged, usage.charged)});
  }
  return table;
}

Table jobs_table(const api::UnitUsage& usage) {
  Table table({{"LARGEST JOBS", "job_id", Align::left, true},
               {"CLUSTER", "cluster", Align::left, true},
               {"USER", "user", Align::left, true},
               {"PARTITION", "partition", Align::left, true},
               {titled("CHARGED", usage.unit), "charged", Align::decimal},
               {"SHARE", "share", Align::right}});
  for (const api::UsageJob& job : usage.largest_jobs) {
    table.add({job.job_id, or_dash(job.cluster), or_dash(job.user), or_dash(job.partition),
               to_display(job.charged), to_share(job.charged, usage.charged)});
  }
  return table;
}

Table holds_table(const api::UnitUsage& usage, Instant now) {
  Table table({{"IDLE IN HOLDS", "job_id", Align::left, true},
               {"CLUSTER", "cluster", Align::left, true},
               {"USER", "user", Align::left, true},
               {"PARTITION", "partition", Align::left, true},
               {titled("HELD", usage.unit), "held", Align::decimal},
               {"WAITS FOR", "age", Align::right}});
  for (const api::OpenHold& hold : usage.idle_holds) {
    table.add({hold.job_id ? std::to_string(*hold.job_id) : "no job yet", or_dash(hold.cluster),
               or_dash(hold.user), or_dash(hold.partition), to_display(hold.held),
               age_text(hold.placed_at, now)});
  }
  return table;
}

void print_held(std::ostream& out, const api::UnitUsage& usage) {
  if (usage.held_running.is_zero() && usage.held_waiting.is_zero()) return;
  out << "Held: " << to_display(usage.held_running) << " for jobs that run, "
      << to_display(usage.held_waiting) << " idle for " << usage.holds_waiting
      << (usage.holds_waiting == 1 ? " that waits.\n" : " that wait.\n");
}

}  // namespace

std::string age_text(Instant since, Instant now) {
  const std::int64_t hours_old = (now - since).microseconds / hours(1).microseconds;
  if (hours_old < 1) return "under an hour";
  const std::int64_t days = hours_old / 24;
  if (days < 1) return std::to_string(hours_old) + (hours_old == 1 ? " hour" : " hours");
  return std::to_string(days) + (days == 1 ? " day" : " days");
}

void print_usage(std::ostream& out, const api::UnitUsage& usage, const UsageParts& wanted,
                 Instant now) {
  Table summary({{"UNIT", "unit"},
                 {"LIMIT", "limit", Align::decimal},
                 {"USED", "used", Align::decimal},
                 {"HELD", "held", Align::decimal},
                 {"AVAILABLE", "available", Align::decimal},
                 {"USED OF LIMIT", "share", Align::right}});
  summary.add({usage.unit, to_display(usage.limit), to_display(usage.used), to_display(usage.held),
               to_display(usage.available), to_share(usage.used, usage.limit)});
  out << "\n" << summary.text();
  print_held(out, usage);
  if (!usage.adjusted.is_zero()) {
    out << "Adjusted by hand: " << to_display(usage.adjusted) << " " << harmless(usage.unit)
        << "\n";
  }
  const auto is_wanted = [&](const char* name) { return wanted.empty() || wanted.contains(name); };
  for (const Part& part : line_parts()) {
    // One account alone is no table of accounts.
    const bool is_trivial =
        std::string(part.name) == "account" && wanted.empty() && (usage.*part.lines).size() < 2;
    if (!is_wanted(part.name) || is_trivial || (usage.*part.lines).empty()) continue;
    out << "\n" << lines_table(part, usage).text();
  }
  if (is_wanted("job") && !usage.largest_jobs.empty()) out << "\n" << jobs_table(usage).text();
  if (is_wanted("hold") && !usage.idle_holds.empty()) {
    out << "\n" << holds_table(usage, now).text();
  }
}

Table usage_csv() {
  return Table({{"", "account"},
                {"", "unit"},
                {"", "by"},
                {"", "name"},
                {"", "jobs"},
                {"", "charged"},
                {"", "held"}});
}

void add_usage_rows(Table& table, const std::string& account, const api::UnitUsage& usage,
                    const UsageParts& wanted) {
  const auto add = [&](const char* by, const std::string& name, std::int64_t jobs, Micros charged,
                       const std::string& held) {
    if (!wanted.empty() && !wanted.contains(by)) return;
    table.add({account, usage.unit, by, name, std::to_string(jobs), to_decimal(charged), held});
  };
  add("all", "", usage.jobs, usage.charged, to_decimal(usage.held));
  for (const Part& part : line_parts()) {
    for (const api::UsageLine& line : usage.*part.lines) {
      add(part.name, line.name, line.jobs, line.charged, "");
    }
  }
  for (const api::UsageJob& job : usage.largest_jobs) add("job", job.job_id, 1, job.charged, "");
  for (const api::OpenHold& hold : usage.idle_holds) {
    add("hold", hold.job_id ? std::to_string(*hold.job_id) : hold.transaction_id, 1, Micros(),
        to_decimal(hold.held));
  }
}

}  // namespace asbb::cli
