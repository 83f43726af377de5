#include <algorithm>

#include "api/json_writer.h"
#include "cli/report_json.h"
#include "cli/report_view.h"
#include "report/text.h"

namespace asbb::cli {
namespace {

using api::JsonWriter;

void put(JsonWriter& out, const char* key, const std::string& text) {
  out.key(key);
  out.text(text);
}
void put(JsonWriter& out, const char* key, const std::optional<Micros>& amount) {
  out.key(key);
  if (amount) {
    out.decimal(*amount);
  } else {
    out.null();
  }
}
void put(JsonWriter& out, const char* key, std::int64_t number) {
  out.key(key);
  out.number(number);
}
void put_known(JsonWriter& out, const char* key, bool is_known, std::int64_t number) {
  out.key(key);
  if (is_known) {
    out.number(number);
  } else {
    out.null();
  }
}

void put_effort(JsonWriter& out, const report::Effort& effort) {
  const bool is_asked = effort.asked_core_seconds > 0;
  put_known(out, "runs", effort.runs > 0, effort.runs);
  put_known(out, "wait_seconds", effort.waits > 0, effort.wait_seconds);
  put_known(out, "mean_wait_seconds", effort.waits > 0, effort.mean_wait_seconds().value_or(0));
  put_known(out, "longest_wait_seconds", effort.waits > 0, effort.longest_wait_seconds);
  put_known(out, "core_seconds", effort.runs > 0, effort.core_seconds);
  put_known(out, "asked_core_seconds", is_asked, effort.asked_core_seconds);
  put_known(out, "used_core_seconds", is_asked, effort.used_core_seconds);
}

void put_figures(JsonWriter& out, const report::Dual& report, const report::Line& line) {
  out.key("charged");
  out.begin_object();
  for (std::size_t i = 0; i < report.units.size(); ++i) {
    if (line.charged[i]) put(out, report.units[i].c_str(), line.charged[i]);
  }
  out.end_object();
  if (!report.total_unit.empty()) put(out, "total", line.total);
  put(out, "jobs", line.jobs);
  put_effort(out, line.effort);
}

void put_lines(JsonWriter& out, const char* key, const report::Dual& report,
               const std::vector<report::Line>& lines) {
  out.key(key);
  out.begin_array();
  for (const report::Line& line : lines) {
    out.begin_object();
    put(out, "name", line.name);
    if (std::string(key) == "by_partition") put(out, "cluster", line.cluster);
    put_figures(out, report, line);
    out.end_object();
  }
  out.end_array();
}

void put_period(JsonWriter& out, const report::Dual& report) {
  put(out, "account", report.account.empty() ? "ALL" : report.account);
  out.key("accounts");
  out.begin_array();
  for (const std::string& name : report.accounts) out.text(name);
  out.end_array();
  put(out, "first_day", to_string(report.first_day));
  put(out, "last_day", to_string(report.last_day));
  put(out, "time_zone", report.zone);
  put(out, "start_date", to_rfc3339(report.start));
  put(out, "end_date", to_rfc3339(report.end));
  put(out, "made_at", to_rfc3339(report.made_at));
}

void put_rates(JsonWriter& out, const report::Dual& report) {
  if (report.total_unit.empty()) return;
  put(out, "total_unit", report.total_unit);
  out.key("rates");
  out.begin_array();
  for (const report::Rate& rate : report.rates) {
    out.begin_object();
    put(out, "from_unit", rate.from_unit);
    put(out, "to_unit", rate.to_unit);
    put(out, "rate", rate.rate);
    put(out, "effective_from", to_rfc3339(rate.effective_from));
    out.end_object();
  }
  out.end_array();
}

void put_standing(JsonWriter& out, const report::Dual& report) {
  out.key("now");
  out.begin_array();
  for (const report::Standing& one : report.standing) {
    out.begin_object();
    put(out, "unit", one.unit);
    put(out, "limit", one.limit);
    put(out, "used", one.used);
    put(out, "held", one.held);
    put(out, "left", one.left);
    out.end_object();
  }
  out.end_array();
  out.key("budgets");
  out.begin_array();
  for (const report::BudgetLine& budget : report.budgets) {
    out.begin_object();
    put(out, "account", budget.account);
    put(out, "unit", budget.unit);
    put(out, "first_day", to_string(budget.first_day));
    put(out, "last_day", to_string(budget.last_day));
    out.key("in_force");
    out.flag(budget.in_force);
    put(out, "limit", budget.limit);
    put(out, "used", budget.used);
    put(out, "held", budget.held);
    put(out, "left", budget.left);
    out.end_object();
  }
  out.end_array();
}

const char* word_of(report::Price price) {
  switch (price) {
    case report::Price::missing:
      return "missing";
    case report::Price::free:
      return "free";
    case report::Price::priced:
      return "priced";
    default:
      return "unknown";
  }
}

void put_gaps(JsonWriter& out, const report::Dual& report) {
  out.key("not_charged");
  out.begin_array();
  for (const report::Uncharged& line : report.uncharged) {
    out.begin_object();
    put(out, "cluster", line.cluster);
    put(out, "partition", line.partition);
    put(out, "jobs", line.jobs);
    put(out, "core_seconds", line.core_seconds);
    put(out, "price", word_of(line.price));
    out.end_object();
  }
  out.end_array();
  out.key("accounting");
  out.begin_array();
  for (const report::Cluster& cluster : report.clusters) {
    out.begin_object();
    put(out, "cluster", cluster.name);
    out.key("read");
    out.flag(cluster.problem.empty());
    if (!cluster.problem.empty()) put(out, "problem", cluster.problem);
    out.end_object();
  }
  out.end_array();
  put(out, "jobs_without_accounting", report.jobs_without_accounting);
  out.key("remarks");
  out.begin_array();
  for (const std::string& remark : report_remarks(report)) out.text(remark);
  out.end_array();
}

}  // namespace

std::string job_json(const report::Dual& report, const report::JobLine& job) {
  JsonWriter out;
  out.begin_object();
  put(out, "job_id", job.line.name);
  put(out, "cluster", job.line.cluster);
  put(out, "account", job.account);
  put(out, "user", job.user);
  put(out, "partition", job.partition);
  if (job.ended) put(out, "ended_at", to_rfc3339(*job.ended));
  put_figures(out, report, job.line);
  out.end_object();
  return out.take();
}

std::string report_json(const report::Dual& report) {
  JsonWriter out;
  out.begin_object();
  put_period(out, report);
  put_rates(out, report);
  out.key("all");
  out.begin_object();
  put_figures(out, report, report.all);
  out.end_object();
  out.key("adjusted");
  out.begin_object();
  for (std::size_t i = 0; i < report.units.size(); ++i) {
    if (report.adjusted[i]) put(out, report.units[i].c_str(), report.adjusted[i]);
  }
  out.end_object();
  put_standing(out, report);
  put_lines(out, "by_cluster", report, report.by_cluster);
  put_lines(out, "by_partition", report, report.by_partition);
  put_lines(out, "by_user", report, report.by_user);
  put_lines(out, "by_account", report, report.by_account);
  put_lines(out, "by_day", report, report.by_day);
  put_gaps(out, report);
  out.end_object();
  return out.take();
}

}  // namespace asbb::cli
