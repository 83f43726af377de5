#include "cli/chart.h"

#include <algorithm>
#include <vector>

namespace asbb::cli {
namespace {

constexpr std::size_t chart_width = 60;
constexpr std::size_t chart_height = 8;

// Days since 1970.
std::int64_t day_number(Day day) {
  const auto at = parse_rfc3339(asbb::to_string(day) + "T00:00:00Z");
  return at ? at->unix_seconds() / 86'400 : 0;
}

struct Bar {
  Micros amount;
  bool is_expected = false;
};

// What is spent, or expected to be, at the end of each column.
std::vector<Bar> bars_of(const api::UnitForecast& budget, std::int64_t today) {
  const std::int64_t first = day_number(budget.first_day);
  const std::int64_t days = std::max<std::int64_t>(day_number(budget.last_day) - first + 1, 1);
  const Micros per_day = budget.rates.size() > 1 ? budget.rates[1].per_day : Micros();
  std::vector<Bar> out;
  for (std::size_t i = 0; i < chart_width; ++i) {
    const auto part = static_cast<std::int64_t>(i) + 1;
    const std::int64_t until = first + (days * part) / static_cast<std::int64_t>(chart_width);
    Bar column{budget.used, until > today + 1};
    if (column.is_expected) {
      const auto more = mul_div(per_day.count(), until - today - 1, 1, Rounding::half_even);
      const Micros most = std::max(budget.limit, budget.used);
      const auto sum = (budget.used + budget.holds_take).plus(Micros(more.value_or(most.count())));
      column.amount = std::min(sum.value_or(most), most);
    } else {
      for (const api::ForecastDay& day : budget.history) {
        if (day_number(day.day) >= until) column.amount -= day.charged + day.adjusted;
      }
    }
    out.push_back(column);
  }
  return out;
}

std::string padded(const std::string& text, std::size_t to) {
  return std::string(to - std::min(to, text.size()), ' ') + text;
}

// How many of the rows an amount fills, rounded up.
std::int64_t rows_of(Micros amount, Micros top) {
  if (amount <= Micros() || top <= Micros()) return 0;
  return mul_div(amount.count(), static_cast<std::int64_t>(chart_height), top.count(), Rounding::up)
      .value_or(0);
}

}  // namespace

std::string budget_chart(const api::UnitForecast& budget) {
  // In the service's zone, as the other days.
  const std::int64_t today = day_number(budget.last_day) - budget.days_left;
  const auto today_text = to_rfc3339(Instant::from_unix_seconds(today * 86'400)).substr(0, 10);
  const auto columns = bars_of(budget, today);
  const Micros top = std::max(budget.limit, budget.used);
  const std::string top_label = to_display(top);
  const std::size_t margin = std::max<std::size_t>(top_label.size(), 4);
  const std::int64_t limit_row = rows_of(budget.limit, top);
  std::string out;
  for (auto row = static_cast<std::int64_t>(chart_height); row > 0; --row) {
    const bool is_top = row == static_cast<std::int64_t>(chart_height);
    std::string line = padded(is_top ? top_label : "", margin) + " |";
    for (const Bar& column : columns) {
      const std::int64_t filled = rows_of(column.amount, top);
      if (!column.is_expected && filled >= row) {
        line += '#';
      } else if (column.is_expected && filled == row) {
        line += '+';
      } else {
        line += row == limit_row ? '-' : ' ';
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  out += padded("0.00", margin) + " +" + std::string(chart_width, '-') + "\n";
  const std::string first = asbb::to_string(budget.first_day);
  const std::string last = asbb::to_string(budget.last_day);
  std::string axis(chart_width, ' ');
  axis.replace(0, first.size(), first);
  axis.replace(chart_width - last.size(), last.size(), last);
  const auto now_at = static_cast<std::size_t>(std::count_if(
      columns.begin(), columns.end(), [](const Bar& column) { return !column.is_expected; }));
  const std::string mark = "^ " + today_text;
  const std::size_t at = now_at == 0 ? 0 : now_at - 1;
  if (at > first.size() && at + mark.size() + 1 < chart_width - last.size()) {
    axis.replace(at, mark.size(), mark);
  }
  out += std::string(margin + 2, ' ') + axis + "\n";
  out += std::string(margin + 2, ' ') +
         "# spent   + expected at the rate of the last 30 days   - limit\n";
  return out;
}

}  // namespace asbb::cli
