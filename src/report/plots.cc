#include "report/plots.h"

#include <algorithm>

#include "report/spans.h"
#include "report/svg.h"
#include "report/text.h"
#include "report/weeks.h"

namespace asbb::report {
namespace {

constexpr std::int64_t width = 7200;  // tenths, as all of these
constexpr std::int64_t left_edge = 720;
constexpr std::int64_t right_edge = 7120;
constexpr std::int64_t letter_drop = 40;  // from the middle of a line of text to its foot
constexpr std::int64_t labels_max = 9;

// Lines across with their amounts at the left.
void draw_ticks(Svg& svg, const std::vector<Micros>& marks, const Scale& scale) {
  for (const Micros mark : marks) {
    const std::int64_t y = scale.place(mark);
    svg.line({left_edge, y}, {right_edge, y}, mark.is_zero() ? "axis" : "grid");
    svg.text({left_edge - 80, y + letter_drop}, tick_text(mark), "tick", Anchor::end);
  }
}

const DaySpan* largest_of(const std::vector<DaySpan>& spans) {
  const DaySpan* largest = nullptr;
  for (const DaySpan& span : spans) {
    if (!span.charged || *span.charged <= Micros()) continue;
    if (largest == nullptr || *largest->charged < *span.charged) largest = &span;
  }
  return largest;
}

struct Share {
  std::string name;
  Micros charged;
};

std::vector<Share> shares_of(const Dual& report, std::size_t unit) {
  constexpr std::size_t names_max = 8;
  std::vector<Share> shares;
  for (const Line& line : report.by_user) {
    const Micros charged = line.charged[unit].value_or(Micros());
    if (charged > Micros()) shares.push_back({line.name.empty() ? "(none)" : line.name, charged});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.charged > b.charged; });
  if (shares.size() <= names_max + 1) return shares;
  Share others{std::to_string(shares.size() - names_max) + " others", Micros()};
  for (std::size_t i = names_max; i < shares.size(); ++i) others.charged += shares[i].charged;
  shares.resize(names_max);
  shares.push_back(others);
  return shares;
}

std::int64_t place_of_day(const BurnDown& of, std::int64_t days) {
  const std::int64_t all = days_between(of.budget.first_day, of.budget.last_day) + 1;
  return left_edge + (right_edge - left_edge) * days / all;
}

void draw_months(Svg& svg, const BurnDown& of, std::int64_t y) {
  const std::int64_t days = days_between(of.budget.first_day, of.budget.last_day) + 1;
  constexpr std::int64_t days_of_a_year = 366;
  const auto label = days > days_of_a_year ? month_year : day_month;
  const std::int64_t step = std::max<std::int64_t>(1, days / 6);
  for (std::int64_t day = 0; day < days; day += step) {
    if (days - day < step * 3 / 4) break;
    svg.text({place_of_day(of, day), y}, label(days_after(of.budget.first_day, day)), "tick",
             day == 0 ? Anchor::start : Anchor::middle);
  }
  svg.text({right_edge, y}, label(of.budget.last_day), "tick", Anchor::end);
}

// From today on, at the rate of the last 30 days, to the end of the money or of the period.
std::vector<Point> pace_ahead(const BurnDown& of, Micros left, const Scale& scale) {
  const std::int64_t done = days_between(of.budget.first_day, of.today) + 1;
  const std::int64_t all = days_between(of.budget.first_day, of.budget.last_day) + 1;
  if (of.per_day <= Micros() || left <= Micros() || done >= all) return {};
  const std::int64_t lasts = left.count() / of.per_day.count();
  const std::int64_t days = std::min(lasts, all - done);
  const Micros then = left - of.per_day.times(days).value_or(Micros());
  return {{place_of_day(of, done), scale.place(left)},
          {place_of_day(of, done + days), scale.place(lasts < all - done ? Micros() : then)}};
}

std::string pace_words(const BurnDown& of) {
  if (of.per_day <= Micros()) return "nothing was spent in the last 30 days";
  return of.runs_out.empty() ? "it lasts beyond the period at the pace of the last 30 days"
                             : "at the pace of the last 30 days it is gone on " + of.runs_out;
}

}  // namespace

std::string style_of(const std::string& unit) {
  if (unit == "core-hours") return "a";
  if (is_currency(unit)) return "b";
  return unit == "gpu-hours" ? "c" : "d";
}

std::string usage_plot(const Dual& report, std::size_t unit) {
  constexpr std::int64_t height = 2200;
  constexpr std::int64_t top = 220;
  constexpr std::int64_t bottom = 1860;
  const std::string& name = report.units[unit];
  const auto spans = spans_of(report.first_day, report.last_day, report.by_day, unit);
  Micros low;
  Micros high;
  for (const DaySpan& span : spans) {
    low = std::min(low, span.charged.value_or(Micros()));
    high = std::max(high, span.charged.value_or(Micros()));
  }
  if (low == high) high = Micros(1'000'000);
  const auto marks = ticks(low, high);
  const Scale scale(marks.front(), marks.back(), bottom, top);
  const DaySpan* largest = largest_of(spans);
  std::string said = money_text(report.all.charged[unit].value_or(Micros()), name) + " in all";
  if (largest != nullptr) {
    said += "; the most on " + largest->name + " with " + money_text(*largest->charged, name);
  }
  Svg svg(width, height, "use-" + std::to_string(unit), "Usage over time in " + name, said + ".");
  draw_ticks(svg, marks, scale);
  const auto count = static_cast<std::int64_t>(spans.size());
  const std::int64_t bar = std::min<std::int64_t>((right_edge - left_edge) * 7 / (count * 10), 360);
  const std::int64_t every = (count + labels_max - 1) / labels_max;
  for (std::int64_t i = 0; i < count; ++i) {
    const DaySpan& span = spans[static_cast<std::size_t>(i)];
    const std::int64_t middle = left_edge + (right_edge - left_edge) * (2 * i + 1) / (2 * count);
    if (i % every == 0) svg.text({middle, bottom + 200}, span.label, "tick", Anchor::middle);
    if (!span.charged || span.charged->is_zero()) continue;
    const std::int64_t zero = scale.place(Micros());
    const std::int64_t y = scale.place(*span.charged);
    const std::int64_t tall = std::max<std::int64_t>(zero < y ? y - zero : zero - y, 8);
    svg.box({middle - bar / 2, std::min(zero, y)}, bar, tall, "bar " + style_of(name),
            span.name + ": " + money_text(*span.charged, name));
    if (&span != largest) continue;
    // Near an edge it stands beside that edge.
    const std::string amount = money_text(*span.charged, name);
    const std::int64_t room = text_width(amount) / 2;
    const bool is_late = middle > right_edge - room;
    const bool is_early = !is_late && middle < left_edge + room;
    svg.text({is_late    ? right_edge
              : is_early ? left_edge + 20
                         : middle,
              y - 60},
             amount, "value",
             is_late    ? Anchor::end
             : is_early ? Anchor::start
                        : Anchor::middle);
  }
  return svg.take();
}

std::string users_plot(const Dual& report, std::size_t unit) {
  constexpr std::int64_t row = 280;
  constexpr std::int64_t names_width = 1500;
  const std::string& name = report.units[unit];
  const auto shares = shares_of(report, unit);
  if (shares.empty()) return {};
  Micros all;
  Micros most;
  std::int64_t words_width = 0;
  for (const Share& share : shares) {
    all += share.charged;
    most = std::max(most, share.charged);
    words_width = std::max(words_width, text_width(money_text(share.charged, name)));
  }
  words_width += text_width(" \xC2\xB7 100.0 %");
  const std::int64_t bars_width =
      std::clamp<std::int64_t>(width - names_width - words_width - 100, 400, 3200);
  Svg svg(
      width, row * static_cast<std::int64_t>(shares.size()) + 40, "who-" + std::to_string(unit),
      "Share of each user in " + name,
      shares.front().name + " spent the most: " + money_text(shares.front().charged, name) + ".");
  std::int64_t y = 20;
  for (const Share& share : shares) {
    const std::int64_t long_by =
        mul_div(share.charged.count(), bars_width, most.count(), Rounding::half_even).value_or(0);
    const std::int64_t part =
        mul_div(share.charged.count(), 1000, all.count(), Rounding::half_even).value_or(0);
    const std::int64_t foot = y + row / 2 + letter_drop;
    svg.text({names_width - 100, foot}, fitted(share.name, names_width - 110), "name", Anchor::end);
    svg.box({names_width, y + 40}, std::max<std::int64_t>(long_by, 8), row - 80,
            "bar " + style_of(name), share.name + ": " + money_text(share.charged, name));
    svg.text({names_width + long_by + 80, foot},
             money_text(share.charged, name) + " \xC2\xB7 " + permille_text(part), "value");
    y += row;
  }
  return svg.take();
}

std::vector<LeftOn> left_by_day(const BurnDown& of) {
  Micros left = of.budget.limit - of.budget.used;
  std::vector<LeftOn> out;
  for (auto day = of.days.rbegin(); day != of.days.rend(); ++day) {
    if (out.empty() && day->day < of.today) out.push_back({of.today, left});
    out.push_back({day->day, left});
    left += day->charged;
  }
  if (out.empty()) out.push_back({of.today, left});
  out.push_back({days_after(of.budget.first_day, -1), left});
  std::reverse(out.begin(), out.end());
  return out;
}

std::string burn_down_plot(const BurnDown& of, std::size_t number) {
  constexpr std::int64_t height = 2300;
  constexpr std::int64_t top = 200;
  constexpr std::int64_t bottom = 1940;
  const auto days = left_by_day(of);
  const Micros now = days.back().left;
  Micros low;
  Micros high = std::max(of.budget.limit, Micros(1));
  for (const LeftOn& day : days) {
    low = std::min(low, day.left);
    high = std::max(high, day.left);
  }
  const auto marks = ticks(low, high);
  const Scale scale(marks.front(), marks.back(), bottom, top);
  const std::string title = "What is left of the " + of.budget.unit + " of " + of.budget.account;
  Svg svg(width, height, "left-" + std::to_string(number), title,
          money_text(now, of.budget.unit) + " of " + money_text(of.budget.limit, of.budget.unit) +
              " are not spent on " + to_string(of.today) + "; " + pace_words(of) + ".");
  draw_ticks(svg, marks, scale);
  draw_months(svg, of, bottom + 200);
  const std::int64_t zero = scale.place(Micros());
  std::vector<Point> steps;
  for (const LeftOn& day : days) {
    const std::int64_t x = place_of_day(of, days_between(of.budget.first_day, day.day) + 1);
    if (!steps.empty()) steps.push_back({x, steps.back().y});
    steps.push_back({x, scale.place(day.left)});
  }
  std::vector<Point> area = steps;
  area.push_back({steps.back().x, zero});
  area.push_back({steps.front().x, zero});
  svg.path(area, "area " + style_of(of.budget.unit), true);
  svg.line({left_edge, scale.place(of.budget.limit)}, {right_edge, zero}, "even");
  const auto ahead = pace_ahead(of, now, scale);
  if (!ahead.empty()) svg.path(ahead, "ahead " + style_of(of.budget.unit));
  svg.path(steps, "curve " + style_of(of.budget.unit));
  svg.dot(steps.back(), 45, "dot " + style_of(of.budget.unit));
  const std::string words = money_text(now, of.budget.unit) + " today";
  const bool is_late = steps.back().x + 90 + text_width(words) > width;
  svg.text({steps.back().x + (is_late ? -90 : 90), steps.back().y - 90}, words, "value",
           is_late ? Anchor::end : Anchor::start);
  return svg.take();
}

}  // namespace asbb::report
