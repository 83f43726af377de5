#include "cli/report_view.h"

#include <algorithm>
#include <ostream>

#include "report/text.h"

namespace asbb::cli {
namespace {

constexpr std::size_t users_shown = 10;
constexpr std::size_t jobs_per_page = 500;

struct Dimension {
  const char* name;
  const char* title;
  const std::vector<report::Line> report::Dual::* lines;  // null: of jobs
};

const std::vector<Dimension>& dimensions() {
  static const std::vector<Dimension> all = {
      {"user", "USER", &report::Dual::by_user},
      {"partition", "PARTITION", &report::Dual::by_partition},
      {"cluster", "CLUSTER", &report::Dual::by_cluster},
      {"day", "DAY", &report::Dual::by_day},
      {"account", "ACCOUNT", &report::Dual::by_account},
      {"job", "JOB", nullptr}};
  return all;
}

const Dimension& dimension(const std::string& name) {
  const auto& all = dimensions();
  return *std::find_if(all.begin(), all.end(),
                       [&](const Dimension& one) { return one.name == name; });
}

bool has_cluster(const Dimension& of) {
  return std::string(of.name) == "partition" || of.lines == nullptr;
}

std::string named_or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string wait_of(const report::Effort& effort) {
  const auto wait = effort.mean_wait_seconds();
  return wait ? report::duration_text(*wait) : "-";
}

std::string used_of(const report::Effort& effort) {
  const auto efficiency = effort.efficiency_permille();
  return efficiency ? report::permille_text(*efficiency) : "-";
}

void add_figure_columns(const report::Dual& report, std::vector<Column>& columns) {
  for (const std::string& unit : report.units) columns.push_back({unit, unit, Align::decimal});
  if (!report.total_unit.empty()) {
    columns.push_back({"IN " + report.total_unit, "total", Align::decimal});
  }
}

void add_figure_cells(const report::Dual& report, const report::Line& line,
                      std::vector<std::string>& cells) {
  for (const auto& amount : line.charged) cells.push_back(shown(amount));
  if (!report.total_unit.empty()) cells.push_back(shown(line.total));
}

Table lines_table(const report::Dual& report, const Dimension& of,
                  const std::vector<report::Line>& lines) {
  std::vector<Column> columns{{of.title, "name", Align::left, true}};
  if (has_cluster(of)) columns.push_back({"CLUSTER", "cluster", Align::left, true});
  columns.push_back({"JOBS", "jobs", Align::right});
  add_figure_columns(report, columns);
  if (report.has_effort()) {
    columns.push_back({"WAIT", "wait", Align::right});
    columns.push_back({"USED", "used", Align::right});
  }
  Table table(columns);
  for (const report::Line& line : lines) {
    std::vector<std::string> cells{named_or_dash(line.name)};
    if (has_cluster(of)) cells.push_back(named_or_dash(line.cluster));
    cells.push_back(std::to_string(line.jobs));
    add_figure_cells(report, line, cells);
    if (report.has_effort()) {
      cells.push_back(wait_of(line.effort));
      cells.push_back(used_of(line.effort));
    }
    table.add(std::move(cells));
  }
  return table;
}

Table units_table(const report::Dual& report) {
  Table table({{"UNIT", "unit"},
               {"CHARGED", "charged", Align::decimal},
               {"HELD NOW", "held", Align::decimal},
               {"LEFT NOW", "left", Align::decimal},
               {"LIMIT", "limit", Align::decimal},
               {"ADJUSTED", "adjusted", Align::decimal}});
  std::vector<std::string> units = report.units;
  for (const report::Standing& one : report.standing) {
    if (std::find(units.begin(), units.end(), one.unit) == units.end()) units.push_back(one.unit);
  }
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto standing =
        std::find_if(report.standing.begin(), report.standing.end(),
                     [&](const report::Standing& one) { return one.unit == units[i]; });
    const bool stands = standing != report.standing.end();
    const bool is_charged = i < report.units.size();
    table.add({units[i], is_charged ? shown(report.all.charged[i]) : "-",
               stands ? to_display(standing->held) : "-", stands ? to_display(standing->left) : "-",
               stands ? to_display(standing->limit) : "-",
               is_charged ? shown(report.adjusted[i]) : "-"});
  }
  return table;
}

std::string head_line(const report::Dual& report) {
  const std::size_t below = report.accounts.size() - (report.accounts.empty() ? 0 : 1);
  std::string who = "all accounts";
  if (!report.account.empty()) {
    who = "account " + harmless(report.account);
    if (below > 0) who += " and " + std::to_string(below) + " below it";
  }
  return "Report of " + who + "\n" + to_string(report.first_day) + " to " +
         to_string(report.last_day) + ", days in " + harmless(report.zone) + "\n";
}

std::string nothing_sentence(const report::Dual& report) {
  const std::string account = harmless(report.account);
  return "Nothing was charged in this period. " +
         (account.empty() ? std::string("'asbb usage summary' shows all accounts.")
                          : "'asbb usage show " + account +
                                "' shows the budget, 'asbb transactions list --account=" + account +
                                "' the entries.") +
         "\n";
}

std::string totals_text(const report::Dual& report) {
  std::string out;
  if (report.all.total) {
    out += "In all " + to_display(*report.all.total, report.total_unit);
    for (const report::Rate& rate : report.rates) {
      out += (&rate == &report.rates.front() ? ", with 1 " : " and 1 ") + rate.from_unit + " = " +
             to_decimal(rate.rate) + " " + rate.to_unit + " (rate of " + to_string(rate.first_day) +
             ")";
    }
    out += ".\n";
  }
  out += report::count_text(report.all.jobs) + (report.all.jobs == 1 ? " job" : " jobs") +
         " charged.\n";
  const report::Effort& effort = report.all.effort;
  if (const auto wait = effort.mean_wait_seconds()) {
    out += "They waited " + report::duration_text(*wait) + " on average, " +
           report::duration_text(effort.longest_wait_seconds) + " at most.\n";
  }
  if (const auto efficiency = effort.efficiency_permille()) {
    out += "They used " + report::permille_text(*efficiency) +
           " of the core-time that they asked for.\n";
  }
  return out;
}

std::string remarks_text(const report::Dual& report) {
  std::string out;
  for (const std::string& remark : report_remarks(report)) out += "* " + harmless(remark) + "\n";
  return out.empty() ? out : "\n" + out;
}

}  // namespace

const std::vector<std::string>& report_dimensions() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const Dimension& one : dimensions()) out.emplace_back(one.name);
    return out;
  }();
  return names;
}

std::vector<std::string> report_remarks(const report::Dual& report) {
  std::vector<std::string> out;
  for (const report::Uncharged& line : report.uncharged) {
    out.push_back("Not charged here: " + std::to_string(line.jobs) +
                  (line.jobs == 1 ? " job" : " jobs") + " on partition " +
                  named_or_dash(line.partition) + " of " + line.cluster + ", " +
                  report::core_hours_text(line.core_seconds) + ": " +
                  report::why_uncharged(line.price) + ".");
  }
  for (const report::Cluster& cluster : report.clusters) {
    if (cluster.problem.empty()) continue;
    out.push_back("Wait and efficiency of the jobs of " + cluster.name +
                  " are missing, and what was not charged there: " + cluster.problem);
  }
  if (report.jobs_without_accounting > 0 && report.has_effort()) {
    out.push_back(std::to_string(report.jobs_without_accounting) + " of " +
                  std::to_string(report.all.jobs) +
                  " charged jobs have no run in Slurm's accounting that ended in this period; "
                  "wait and efficiency leave them out.");
  }
  if (!report.no_total.empty()) out.push_back(report.no_total);
  out.insert(out.end(), report.notes.begin(), report.notes.end());
  return out;
}

std::string report_text(const report::Dual& report, const std::string& by) {
  std::string out = head_line(report);
  if (report.units.empty()) {
    out += "\n" + nothing_sentence(report);
    if (!report.standing.empty()) out += "\n" + units_table(report).text();
    return out + remarks_text(report);
  }
  out += "\n" + units_table(report).text() + "\n" + totals_text(report);
  if (!by.empty()) {
    const Dimension& of = dimension(by);
    if (of.lines != nullptr) out += "\n" + lines_table(report, of, report.*of.lines).text();
    return out + remarks_text(report);
  }
  for (const char* name : {"cluster", "partition", "account", "user"}) {
    const Dimension& of = dimension(name);
    std::vector<report::Line> lines = report.*of.lines;
    if (lines.empty() || (std::string(name) == "account" && lines.size() < 2)) continue;
    const std::size_t count = lines.size();
    const bool is_cut = std::string(name) == "user" && count > users_shown;
    if (is_cut) lines.resize(users_shown);
    out += "\n" + lines_table(report, of, lines).text();
    if (is_cut) out += "The first of " + std::to_string(count) + "; --by=user lists all.\n";
  }
  return out + remarks_text(report);
}

std::string report_csv(const report::Dual& report, const std::string& by) {
  const Dimension& of = dimension(by.empty() ? "user" : by);
  std::vector<Column> columns{{"", of.name}};
  if (has_cluster(of)) columns.push_back({"", "cluster"});
  columns.push_back({"", "jobs"});
  for (const std::string& unit : report.units) columns.push_back({"", "charged_" + unit});
  if (!report.total_unit.empty()) columns.push_back({"", "total_" + report.total_unit});
  for (const char* key : {"runs", "mean_wait_seconds", "longest_wait_seconds", "core_seconds",
                          "asked_core_seconds", "used_core_seconds"}) {
    columns.push_back({"", key});
  }
  Table table(columns);
  for (const report::Line& line : report.*of.lines) {
    std::vector<std::string> cells{line.name};
    if (has_cluster(of)) cells.push_back(line.cluster);
    cells.push_back(std::to_string(line.jobs));
    for (const auto& amount : line.charged) cells.push_back(exact(amount));
    if (!report.total_unit.empty()) cells.push_back(exact(line.total));
    const report::Effort& effort = line.effort;
    const auto known = [](bool is_known, std::int64_t value) {
      return is_known ? std::to_string(value) : std::string();
    };
    cells.push_back(known(effort.runs > 0, effort.runs));
    cells.push_back(known(effort.waits > 0, effort.mean_wait_seconds().value_or(0)));
    cells.push_back(known(effort.waits > 0, effort.longest_wait_seconds));
    cells.push_back(known(effort.runs > 0, effort.core_seconds));
    cells.push_back(known(effort.asked_core_seconds > 0, effort.asked_core_seconds));
    cells.push_back(known(effort.asked_core_seconds > 0, effort.used_core_seconds));
    table.add(std::move(cells));
  }
  return table.csv();
}

struct JobPrinter::Page {
  Table table;
  std::size_t count = 0;
};

namespace {

Table job_table(const report::Dual& report, ReportForm form) {
  const bool is_csv = form == ReportForm::csv;
  std::vector<Column> columns{{"JOB", "job", Align::right, true, job_least},
                              {"CLUSTER", "cluster", Align::left, true},
                              {"USER", "user", Align::left, true},
                              {"PARTITION", "partition", Align::left, true}};
  if (is_csv) columns.insert(columns.begin() + 2, {"ACCOUNT", "account", Align::left, true});
  if (is_csv) columns.push_back({"ENDED", "ended"});
  for (const std::string& unit : report.units) {
    columns.push_back({unit, "charged_" + unit, Align::decimal});
  }
  if (is_csv && !report.total_unit.empty()) columns.push_back({"", "total_" + report.total_unit});
  if (is_csv) {
    for (const char* key :
         {"runs", "wait_seconds", "core_seconds", "asked_core_seconds", "used_core_seconds"}) {
      columns.push_back({"", key});
    }
  } else {
    columns.push_back({"WAIT", "wait", Align::right});
    columns.push_back({"USED", "used", Align::right});
  }
  return Table(columns);
}

std::vector<std::string> job_cells(const report::Dual& report, const report::JobLine& job,
                                   ReportForm form) {
  const report::Effort& effort = job.line.effort;
  if (form == ReportForm::table) {
    std::vector<std::string> cells{named_or_dash(job.line.name), named_or_dash(job.line.cluster),
                                   named_or_dash(job.user), named_or_dash(job.partition)};
    for (const auto& amount : job.line.charged) cells.push_back(shown(amount));
    cells.push_back(wait_of(effort));
    cells.push_back(used_of(effort));
    return cells;
  }
  std::vector<std::string> cells{job.line.name, job.line.cluster,
                                 job.account,   job.user,
                                 job.partition, job.ended ? to_rfc3339(*job.ended) : ""};
  for (const auto& amount : job.line.charged) cells.push_back(exact(amount));
  if (!report.total_unit.empty()) cells.push_back(exact(job.line.total));
  const auto known = [](bool is_known, std::int64_t value) {
    return is_known ? std::to_string(value) : std::string();
  };
  cells.push_back(known(effort.runs > 0, effort.runs));
  cells.push_back(known(effort.waits > 0, effort.wait_seconds));
  cells.push_back(known(effort.runs > 0, effort.core_seconds));
  cells.push_back(known(effort.asked_core_seconds > 0, effort.asked_core_seconds));
  cells.push_back(known(effort.asked_core_seconds > 0, effort.used_core_seconds));
  return cells;
}

}  // namespace

JobPrinter::JobPrinter(std::ostream& out, ReportForm form, report::Dual report)
    : out_(out), form_(form), report_(std::move(report)) {}

JobPrinter::~JobPrinter() = default;

void JobPrinter::print(const report::JobLine& job) {
  if (page_ == nullptr) page_ = std::make_unique<Page>(Page{job_table(report_, form_), 0});
  page_->table.add(job_cells(report_, job, form_));
  if (++page_->count == jobs_per_page) flush();
}

void JobPrinter::flush() {
  if (page_ == nullptr) return;
  const std::string text = form_ == ReportForm::csv ? page_->table.csv() : page_->table.text();
  const std::size_t end = text.find('\n') + 1;
  // A header again only when it differs.
  const bool is_same = !is_first_ && text.compare(0, end, header_) == 0;
  header_ = text.substr(0, end);
  out_ << std::string_view(text).substr(is_same ? end : 0);
  is_first_ = false;
  page_.reset();
}

void JobPrinter::finish() {
  flush();
  if (is_first_ && form_ == ReportForm::csv) out_ << job_table(report_, form_).csv();
}

}  // namespace asbb::cli
