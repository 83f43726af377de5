#include "report/html_parts.h"

#include <algorithm>

#include "report/plots.h"
#include "report/spans.h"
#include "report/svg.h"
#include "report/text.h"

namespace asbb::report {
namespace {

const std::string none = "<span title=\"nothing in this unit\">\xE2\x80\x93</span>";
const std::string unknown = "<span title=\"not known\">?</span>";

std::string cell(const std::string& html, const char* kind = "") {
  return std::string("<td") + (*kind == '\0' ? "" : std::string(" class=\"") + kind + "\"") + ">" +
         html + "</td>";
}

std::string amount_cell(const std::optional<Micros>& amount) {
  return cell(amount ? money_data(*amount, "") : none);
}

std::string heads(const std::vector<std::string>& titles) {
  std::string out = "<thead><tr>";
  for (const std::string& title : titles) out += "<th scope=\"col\">" + escaped(title) + "</th>";
  return out + "</tr></thead>";
}

std::string table_of(const std::string& caption, const std::string& inside) {
  return "<div class=\"table\"><table>" +
         (caption.empty() ? "" : "<caption>" + escaped(caption) + "</caption>") + inside +
         "</table></div>\n";
}

std::string behind(const std::string& titles, const std::string& rows) {
  return "<details><summary>The figures as a table</summary><table>" + titles + "<tbody>" + rows +
         "</tbody></table></details>";
}

// "onprem", "onprem and cloud": where that unit was spent.
std::string clusters_of(const Dual& report, std::size_t unit) {
  std::string out;
  for (const Line& line : report.by_cluster) {
    if (!line.charged[unit] || line.name.empty()) continue;
    out += (out.empty() ? "" : ", ") + line.name;
  }
  return out;
}

// Used and held of a limit, as a bar that is told in words under it.
std::string meter(const Standing& standing) {
  constexpr std::int64_t length = 10'000;
  const auto part = [&](Micros amount) {
    const auto share = mul_div(amount.count(), length, standing.limit.count(), Rounding::half_even);
    return std::clamp<std::int64_t>(share.value_or(length), 0, length);
  };
  const std::int64_t used = part(standing.used);
  const std::int64_t held = std::min(part(standing.held), length - used);
  const std::string style = style_of(standing.unit);
  const auto box = [](std::int64_t from, std::int64_t width, const std::string& kind) {
    return "<rect x=\"" + std::to_string(from) + "\" width=\"" + std::to_string(width) +
           "\" height=\"10\" class=\"" + kind + "\"/>";
  };
  return "<svg class=\"meter\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\">" +
         box(0, used, "part " + style) + box(used, held, "part held " + style) + "</svg>";
}

std::string standing_text(const Dual& report, const std::string& unit) {
  for (const Standing& one : report.standing) {
    if (one.unit != unit) continue;
    const bool has_limit = one.limit > Micros();
    std::string out = has_limit ? meter(one) : "";
    // The unit stands above; a dollar's sign is short.
    const std::string shown = unit == "USD" ? unit : "";
    out += "<p>Held now " + money_data(one.held, shown);
    if (has_limit) {
      out += " \xC2\xB7 left " + std::string(one.left.is_negative() ? "<b class=\"bad\">" : "<b>") +
             money_data(one.left, shown) + "</b> of " + money_data(one.limit, shown);
    }
    return out + "</p>";
  }
  return {};
}

std::string unit_tile(const Dual& report, std::size_t unit) {
  const std::string& name = report.units[unit];
  const Micros charged = report.all.charged[unit].value_or(Micros());
  const std::string where = clusters_of(report, unit);
  std::string out = "<div class=\"tile " + style_of(name) + "\"><h3>Spent" +
                    (where.empty() ? "" : " on " + escaped(where)) + "</h3><p class=\"big\">";
  const std::string sign = name == "USD" && charged.is_negative() ? "-$" : name == "USD" ? "$" : "";
  const Micros shown = sign == "-$" ? Micros() - charged : charged;
  out += "<data value=\"" + to_decimal(charged) + "\">" + sign + amount_text(shown) + "</data>";
  if (name != "USD") out += " <small>" + escaped(name) + "</small>";
  out += "</p>" + standing_text(report, name);
  if (report.adjusted[unit]) {
    out += "<p>Adjusted by hand: " + money_data(*report.adjusted[unit], name) + "</p>";
  }
  return out + "</div>";
}

std::string effort_cells(const Dual& report, const Effort& effort) {
  if (!report.has_effort()) return {};
  const auto wait = effort.mean_wait_seconds();
  const auto efficiency = effort.efficiency_permille();
  return cell(wait ? duration_text(*wait) : unknown) +
         cell(efficiency ? permille_text(*efficiency) : unknown);
}

std::string line_cells(const Dual& report, const Line& line) {
  std::string out;
  for (const auto& amount : line.charged) out += amount_cell(amount);
  if (!report.total_unit.empty()) out += cell(line.total ? money_data(*line.total, "") : unknown);
  return out + cell(count_text(line.jobs)) + effort_cells(report, line.effort);
}

Line sum_of(const std::vector<Line>& lines, std::size_t from) {
  Line sum;
  sum.name = std::to_string(lines.size() - from) + " others";
  sum.charged.resize(lines[from].charged.size());
  for (std::size_t i = from; i < lines.size(); ++i) {
    for (std::size_t unit = 0; unit < sum.charged.size(); ++unit) {
      const auto& amount = lines[i].charged[unit];
      if (amount) sum.charged[unit] = sum.charged[unit].value_or(Micros()) + *amount;
    }
    if (lines[i].total) sum.total = sum.total.value_or(Micros()) + *lines[i].total;
    sum.jobs += lines[i].jobs;
    sum.effort.add(lines[i].effort);
  }
  return sum;
}

std::string name_of(const Line& line) {
  std::string name = line.name.empty() ? "(none)" : line.name;
  return line.cluster.empty() ? name : name + " on " + line.cluster;
}

std::string row_of(const Dual& report, const Line& line, const std::string& name) {
  return "<tr><th scope=\"row\">" + escaped(name) + "</th>" + line_cells(report, line) + "</tr>\n";
}

std::string key_item(const char* style, const std::string& words) {
  return std::string(
             "<span><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><line x1=\"0\" y1=\"5\" "
             "x2=\"30\" y2=\"5\" class=\"") +
         style + "\"/></svg>" + escaped(words) + "</span>";
}

}  // namespace

std::string title_of(const Dual& report) {
  return report.account.empty() ? "All accounts" : report.account;
}

std::string tiles(const Dual& report) {
  std::string out = "<div class=\"tiles\">";
  for (std::size_t i = 0; i < report.units.size(); ++i) out += unit_tile(report, i);
  if (report.all.total && report.units.size() > 1) {
    out += "<div class=\"tile\"><h3>All of it in " + escaped(report.total_unit) +
           "</h3><p class=\"big\">" + money_data(*report.all.total, report.total_unit) + "</p>";
    for (const Rate& rate : report.rates) {
      out += "<p>1 " + escaped(rate.from_unit) + " = " + escaped(to_decimal(rate.rate)) + " " +
             escaped(rate.to_unit) + ", the rate of " + to_string(rate.first_day) + "</p>";
    }
    out += "</div>";
  }
  const Effort& effort = report.all.effort;
  out += "<div class=\"tile\"><h3>Jobs charged</h3><p class=\"big\">" +
         count_text(report.all.jobs) + "</p>";
  if (const auto wait = effort.mean_wait_seconds()) {
    out += "<p>Waited " + duration_text(*wait) + " on average, " +
           duration_text(effort.longest_wait_seconds) + " at most</p>";
  }
  if (const auto efficiency = effort.efficiency_permille()) {
    out += "<p>Used " + permille_text(*efficiency) + " of the time they asked for</p>";
  }
  if (!report.has_effort()) out += "<p>How they waited and ran is not known</p>";
  return out + "</div></div>\n";
}

std::string usage_figures(const Dual& report) {
  std::string out;
  const std::string word = span_word(report.first_day, report.last_day);
  for (std::size_t unit = 0; unit < report.units.size(); ++unit) {
    std::string rows;
    for (const DaySpan& span : spans_of(report.first_day, report.last_day, report.by_day, unit)) {
      rows += "<tr><th scope=\"row\">" + span.name + "</th>" + amount_cell(span.charged) + "</tr>";
    }
    out += "<figure><figcaption>" + escaped(report.units[unit]) + " <span>by " + word +
           "</span></figcaption>" + usage_plot(report, unit) +
           behind(heads({word, report.units[unit]}), rows) + "</figure>\n";
  }
  return out;
}

std::string user_figures(const Dual& report) {
  std::string out;
  for (std::size_t unit = 0; unit < report.units.size(); ++unit) {
    const std::string plot = users_plot(report, unit);
    if (plot.empty()) continue;
    out += "<figure><figcaption>" + escaped(report.units[unit]) +
           " <span>by user</span></figcaption>" + plot + "</figure>\n";
  }
  return out;
}

std::string burn_down_figures(const Dual& report) {
  std::string out;
  for (std::size_t i = 0; i < report.burn_downs.size(); ++i) {
    const BurnDown& of = report.burn_downs[i];
    std::string rows;
    for (const LeftOn& day : left_by_day(of)) {
      rows += "<tr><th scope=\"row\">" + to_string(day.day) + "</th>" +
              cell(money_data(day.left, "")) + "</tr>";
    }
    const std::string curve = "curve " + style_of(of.budget.unit);
    const std::string ahead = "ahead " + style_of(of.budget.unit);
    out += "<figure><figcaption>" + escaped(of.budget.account) + ": " + escaped(of.budget.unit) +
           " <span>left of " + escaped(money_text(of.budget.limit, of.budget.unit)) + ", " +
           to_string(of.budget.first_day) + " to " + to_string(of.budget.last_day) +
           "</span></figcaption>" + burn_down_plot(of, i) + "<p class=\"key\">" +
           key_item(curve.c_str(), "not spent") + key_item("even", "an even pace") +
           key_item(ahead.c_str(),
                    "the pace of the last 30 days: " + money_text(of.per_day, of.budget.unit) +
                        " a day" + (of.runs_out.empty() ? "" : ", gone on " + of.runs_out)) +
           "</p>" + behind(heads({"at the end of", "left, " + of.budget.unit}), rows) +
           "</figure>\n";
  }
  return out;
}

std::string budget_table(const Dual& report) {
  std::string rows;
  for (const BudgetLine& budget : report.budgets) {
    const bool is_over = budget.left <= Micros();
    rows += "<tr><th scope=\"row\">" + escaped(budget.account) + "</th>" +
            cell(escaped(budget.unit), "text") +
            cell(to_string(budget.first_day) + " to " + to_string(budget.last_day) +
                     (budget.in_force ? "" : " (not in force now)"),
                 "text") +
            cell(money_data(budget.limit, "")) + cell(money_data(budget.used, "")) +
            cell(money_data(budget.held, "")) +
            cell(money_data(budget.left, "") + (is_over ? " \xE2\x9A\xA0 none" : ""),
                 is_over ? "bad" : "") +
            "</tr>\n";
  }
  if (rows.empty()) return {};
  return table_of("",
                  "<thead><tr><th scope=\"col\">Account</th><th scope=\"col\" class=\"text\">"
                  "Unit</th><th scope=\"col\" class=\"text\">Period</th><th scope=\"col\">Limit"
                  "</th><th scope=\"col\">Used</th><th scope=\"col\">Held</th><th "
                  "scope=\"col\">Left</th></tr></thead><tbody>" +
                      rows + "</tbody>");
}

std::string lines_table(const Dual& report, const std::vector<Line>& lines, const std::string& what,
                        std::size_t most) {
  std::vector<std::string> titles{what};
  titles.insert(titles.end(), report.units.begin(), report.units.end());
  if (!report.total_unit.empty()) titles.push_back("in " + report.total_unit);
  titles.emplace_back("Jobs");
  if (report.has_effort()) titles.insert(titles.end(), {"Mean wait", "Time used"});
  std::string rows;
  const std::size_t shown = lines.size() > most + 1 ? most : lines.size();
  for (std::size_t i = 0; i < shown; ++i) rows += row_of(report, lines[i], name_of(lines[i]));
  if (shown < lines.size()) {
    const Line rest = sum_of(lines, shown);
    rows += row_of(report, rest, rest.name);
  }
  return table_of("", heads(titles) + "<tbody>" + rows + "</tbody><tfoot>" +
                          row_of(report, report.all, "In all") + "</tfoot>");
}

std::string uncharged_table(const Dual& report) {
  std::string rows;
  for (const Uncharged& line : report.uncharged) {
    rows += "<tr><th scope=\"row\">" +
            escaped((line.partition.empty() ? "(none)" : line.partition) + " on " + line.cluster) +
            "</th>" + cell(count_text(line.jobs)) + cell(core_hours_text(line.core_seconds)) +
            cell(why_uncharged(line.price), "text") + "</tr>\n";
  }
  return table_of("",
                  "<thead><tr><th scope=\"col\">Partition</th><th scope=\"col\">Jobs</th><th "
                  "scope=\"col\">Used</th><th scope=\"col\" class=\"text\">Why</th></tr>"
                  "</thead><tbody>" +
                      rows + "</tbody>");
}

}  // namespace asbb::report
