#include <memory>
#include <ostream>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/new_file.h"
#include "cli/report_json.h"
#include "cli/report_read.h"
#include "cli/report_view.h"
#include "cli/report_weekly.h"
#include "report/html.h"

namespace asbb::cli {
namespace {

struct ReportFlags {
  std::string account;
  std::string start;
  std::string end;
  std::string zone;
  std::string by;
  std::string file;
  bool force = false;
};

// The form that the name of the file says, where another one would be written into it.
std::optional<std::string> fault_of_file(const Context& context, const std::string& file) {
  const std::size_t dot = file.rfind('.');
  const std::string ending = dot == std::string::npos ? "" : to_lower(file.substr(dot + 1));
  const std::string& form = context.flags.output;
  const bool is_form = ending == "html" || ending == "csv" || ending == "json";
  if (!is_form || ending == form) return std::nullopt;
  return "--file: " + in_quotes(file) + " is the name of a " + ending + " file, and --output is " +
         (form.empty() ? "table" : form) + ": --output=" + ending + " is needed";
}

// All but the zone, which only the service may know.
Result<ReportQuery> read_question(const Context& context, const ReportFlags& flags) {
  ReportQuery query;
  query.accounts = {flags.account == "ALL" ? "" : flags.account};
  if (flags.account.empty()) {
    return fail(ErrorKind::invalid, "--account: the name of an account, or ALL, is expected");
  }
  for (const auto& [flag, text, target] : {std::tuple{"--start: ", &flags.start, &query.first_day},
                                           std::tuple{"--end: ", &flags.end, &query.last_day}}) {
    const auto day = parse_day(*text);
    if (!day) return fail(ErrorKind::invalid, flag + day.error().message);
    *target = *day;
  }
  if (query.last_day < query.first_day) {
    return fail(ErrorKind::invalid, "--end: " + to_string(query.last_day) + " is before --start " +
                                        to_string(query.first_day) +
                                        "; both days belong to the period");
  }
  query.wants_burn_downs = context.flags.output == "html";
  return query;
}

ReportForm report_form_of(const Context& context) {
  if (context.flags.output == "csv") return ReportForm::csv;
  return context.flags.output == "json" ? ReportForm::json : ReportForm::table;
}

// Jobs are printed while they are added up.
class JobStream {
 public:
  JobStream(std::ostream& out, ReportForm form) : out_(out), form_(form) {}

  report::Adder::UseJob start(const report::Dual& report) {
    if (form_ == ReportForm::json) {
      out_ << "{\"job_lines\":[";
      return [this, report](const report::JobLine& job) {
        out_ << (is_first_ ? "\n" : ",\n") << job_json(report, job);
        is_first_ = false;
      };
    }
    printer_ = std::make_unique<JobPrinter>(out_, form_, report);
    return [this](const report::JobLine& job) { printer_->print(job); };
  }

  void finish(const report::Dual& report) {
    if (form_ == ReportForm::json) {
      out_ << "],\n" << std::string_view(report_json(report)).substr(1) << "\n";
      return;
    }
    printer_->finish();
    if (form_ == ReportForm::table) out_ << "\n" << report_text(report, "job");
  }

 private:
  std::ostream& out_;
  const ReportForm form_;
  std::unique_ptr<JobPrinter> printer_;
  bool is_first_ = true;
};

std::string text_of(const Context& context, const report::Dual& report, const std::string& by) {
  if (context.flags.output == "html") return report::to_html(report);
  switch (report_form_of(context)) {
    case ReportForm::csv:
      return report_csv(report, by);
    case ReportForm::json:
      return report_json(report) + "\n";
    default:
      return report_text(report, by);
  }
}

int report_failed(Context& context, const api::Problem& problem) {
  return problem.code == bad_question_code ? context.misused(problem.message)
                                           : context.failed(problem);
}

int write_report(Context& context, const ReportFlags& flags, const ReportQuery& query,
                 std::ostream& out) {
  const bool is_by_job = flags.by == "job" && context.flags.output != "html";
  JobStream jobs(out, report_form_of(context));
  const auto reports = read_reports(
      context, query,
      is_by_job ? MakeJobUser([&](const report::Dual& begun) { return jobs.start(begun); })
                : MakeJobUser());
  if (!reports) return report_failed(context, reports.error());
  const report::Dual& report = reports->front();
  if (is_by_job) {
    jobs.finish(report);
  } else {
    out << text_of(context, report, flags.by);
  }
  if (context.flags.output == "csv") {
    for (const std::string& remark : report_remarks(report)) context.warn(remark);
    if (report.is_empty()) context.warn("nothing was charged in this period");
  }
  return exit_done;
}

int dual(Context& context, const ReportFlags& flags) {
  if (context.flags.output == "html" && !flags.by.empty()) {
    return context.misused("--by: a page has all its tables; leave it out with --output=html");
  }
  if (const auto fault = fault_of_file(context, flags.file)) return context.misused(*fault);
  auto query = read_question(context, flags);
  if (!query) return context.misused(query.error().message);
  auto zone = report_zone(context, flags.zone);
  if (!zone) return context.failed(zone.error());
  query->zone = std::move(*zone);
  if (flags.file.empty()) return write_report(context, flags, *query, context.out());
  NewFile file(flags.file);
  if (const auto opened = file.open(flags.force); !opened) return context.failed(opened.error());
  const int code = write_report(context, flags, *query, file.stream());
  if (code != exit_done) return code;
  if (const auto done = file.finish(flags.force); !done) return context.failed(done.error());
  context.err() << "Wrote " << harmless(flags.file) << ".\n";
  return exit_done;
}

void add_dual(Command& report, Context& context) {
  auto flags = std::make_shared<ReportFlags>();
  report.add("dual", "Reports what was spent, held and left in every unit, and how the jobs went.")
      .take({"--account", "ACCOUNT", "The account with those below it; ALL for all you may see.",
             Presence::required},
            flags->account)
      .take({"--start", "YYYY-MM-DD", "The first day.", Presence::required}, flags->start)
      .take({"--end", "YYYY-MM-DD", "The last day, included.", Presence::required}, flags->end)
      .take({"--time-zone", "ZONE",
             "Where days begin, such as Europe/Paris; service.timezone when left out."},
            flags->zone)
      .take({"--by", "WHAT", "What the lines are of; in a table what matters most when left out.",
             Presence::optional, report_dimensions()},
            flags->by)
      .take({"--output",
             "FORM",
             "How it is printed; html is one page that needs nothing else.",
             Presence::optional,
             {"table", "csv", "json", "html"}},
            context.flags.output)
      .take({"--file", "PATH", "Into this file, which then is complete or not there."}, flags->file)
      .take({"--force", "", "Replaces the file when there is one."}, flags->force)
      .note(
          "A charge belongs to the day on which the ledger recorded it, as in 'asbb usage "
          "summary'. "
          "Transfers, deposits and corrections are no usage. HELD and LEFT are as of now.")
      .note(
          "WAIT and USED (of the core-time asked for) come from sacct of each cluster of the "
          "settings. Where it cannot be asked they are missing, and the report says so. Jobs that "
          "ran and have no charge are named with their partition.")
      .example("asbb report dual --account=proj001 --start=2025-06-01 --end=2025-06-30")
      .example(
          "asbb report dual --account=ALL --start=2025-06-01 --end=2025-06-30 --by=user "
          "--output=csv")
      .example(
          "asbb report dual --account=proj001 --start=2025-06-01 --end=2025-06-30 "
          "--output=html --file=proj001.html")
      .action([&context, flags] { return dual(context, *flags); });
}

}  // namespace

void add_report(Command& root, Context& context) {
  Command report = root.add("report", "Reports over accounts, units and clusters, also by mail.");
  add_dual(report, context);
  add_report_weekly(report, context);
}

}  // namespace asbb::cli
