#include "report/html.h"

#include "report/html_parts.h"
#include "report/page_style.h"
#include "report/text.h"
#include "report/weeks.h"

namespace asbb::report {
namespace {

constexpr std::size_t names_in_table = 20;

std::string minute_text(Instant at) {
  std::string text = to_rfc3339(at).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

std::string period_text(const Dual& report) {
  const std::int64_t days = days_between(report.first_day, report.last_day) + 1;
  return "<b>" + to_string(report.first_day) + "</b> to <b>" + to_string(report.last_day) +
         "</b>, " + count_text(days) + (days == 1 ? " day" : " days");
}

std::string head(const Dual& report) {
  const std::string title = title_of(report);
  std::string out =
      "<header><div><p class=\"kicker\">Usage report</p><h1>" + escaped(title) + "</h1>";
  if (!report.display_name.empty() && report.display_name != title) {
    out += "<p class=\"sub\">" + escaped(report.display_name) + "</p>";
  }
  if (!report.account.empty() && report.accounts.size() > 1) {
    out += "<p class=\"sub\">with " +
           count_text(static_cast<std::int64_t>(report.accounts.size()) - 1) + " below it</p>";
  }
  return out + "</div><p class=\"when\">" + period_text(report) + "<br>days in " +
         escaped(report.zone) + " \xC2\xB7 made " + minute_text(report.made_at) + "</p></header>\n";
}

std::string section(const std::string& title, const std::string& inside,
                    const std::string& words = {}) {
  if (inside.empty()) return {};
  return "<section><h2>" + escaped(title) + "</h2>" +
         (words.empty() ? "" : "<p>" + escaped(words) + "</p>") + inside + "</section>\n";
}

std::string notes(const Dual& report) {
  std::string out;
  for (const Cluster& cluster : report.clusters) {
    if (cluster.problem.empty()) continue;
    out += "<p><b>The accounting of " + escaped(cluster.name) +
           " could not be read</b>, so wait and efficiency leave its jobs out: " +
           escaped(cluster.problem) + "</p>";
  }
  for (const std::string& note : report.notes) out += "<p>" + escaped(note) + "</p>";
  return out.empty() ? out : "<div class=\"note\" role=\"note\">" + out + "</div>\n";
}

std::string footer(const Dual& report) {
  std::string out =
      "<footer><dl><dt>Spent</dt><dd>What the ledger charged in the period, overruns included, "
      "less "
      "what was refunded or written off, by the time of each entry. Transfers and deposits are no "
      "usage.</dd><dt>Held</dt><dd>Set aside now for jobs that wait or run.</dd><dt>Left</dt><dd>"
      "The limit less what is used and held now, whatever the period of this report.</dd>";
  if (report.has_effort()) {
    out +=
        "<dt>Wait</dt><dd>From when a job could start to its start, of runs that ended in the "
        "period.</dd><dt>Time used</dt><dd>Of the core-time that jobs asked for by their time "
        "limits, the part that they ran.</dd>";
  }
  out += "</dl><p>Amounts are rounded to two decimals here; CSV and JSON have them exactly.";
  if (!report.no_total.empty()) out += " " + escaped(report.no_total);
  if (report.has_effort() && report.jobs_without_accounting > 0) {
    out += " Of " + count_text(report.jobs_without_accounting) +
           " charged jobs no run that ended in the period is in Slurm's accounting; wait and time "
           "used leave them out.";
  }
  return out + "</p></footer>\n";
}

constexpr const char* as_they_stand = "As they stand now, not at the period's end.";

std::string body(const Dual& report) {
  if (report.units.empty()) {
    return "<p class=\"empty\">Nothing was charged in this period.</p>\n" +
           section("Budgets", burn_down_figures(report) + budget_table(report), as_they_stand) +
           section("Not charged here", report.uncharged.empty() ? "" : uncharged_table(report));
  }
  std::string out = tiles(report);
  out += section("Usage over time", usage_figures(report));
  out += section("Who used it", user_figures(report) +
                                    lines_table(report, report.by_user, "User", names_in_table));
  out += section("Where it ran",
                 lines_table(report, report.by_cluster, "Cluster", names_in_table) +
                     lines_table(report, report.by_partition, "Partition", names_in_table));
  if (report.by_account.size() > 1) {
    out +=
        section("Accounts", lines_table(report, report.by_account, "Account", names_in_table * 5),
                report.account.empty() ? ""
                                       : "What was charged to the account itself and to each "
                                         "below it.");
  }
  out += section("Budgets", burn_down_figures(report) + budget_table(report), as_they_stand);
  if (!report.uncharged.empty()) {
    out += section("Not charged here", uncharged_table(report),
                   "Jobs that ended in the period and have no charge in it. They are in none of "
                   "the sums above.");
  }
  return out;
}

}  // namespace

std::string to_html(const Dual& report) {
  const std::string title =
      title_of(report) + ", " + to_string(report.first_day) + " to " + to_string(report.last_day);
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\">\n"
         "<meta name=\"generator\" content=\"asbb\">\n<title>" +
         escaped(title) + "</title>\n<style>" + std::string(page_style()) +
         "</style></head>\n<body><main>\n" + head(report) + notes(report) + body(report) +
         footer(report) + "</main></body></html>\n";
}

}  // namespace asbb::report
