#include "insight/budget_rules.h"

#include <algorithm>

namespace asbb::insight {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t critical_percent = 100;
constexpr std::int64_t warning_percent = 90;

std::string name_of(const WatchedBudget& budget) {
  return "budget " + std::to_string(budget.id);
}

std::string figures_of(const WatchedBudget& budget) {
  const Micros left = budget.limit - budget.used - budget.held;
  return to_display(budget.used, budget.unit) + " of " + to_display(budget.limit, budget.unit) +
         " are spent, " + to_display(budget.held, budget.unit) +
         " are set aside for jobs that wait or run, and " + to_display(left, budget.unit) +
         " are left for new ones until " + budget.last_day + ".";
}

// 128 bits: both sides may have 63.
bool is_spent(const WatchedBudget& budget, std::int64_t percent) {
  return static_cast<Wide>(budget.used.count()) * 100 >=
         static_cast<Wide>(budget.limit.count()) * percent;
}

std::optional<BudgetNotice> threshold_of(const WatchedBudget& budget, const BudgetRules& rules) {
  const auto passed = std::find_if(rules.thresholds.rbegin(), rules.thresholds.rend(),
                                   [&](std::int64_t percent) { return is_spent(budget, percent); });
  if (passed == rules.thresholds.rend()) return std::nullopt;
  BudgetNotice notice;
  notice.key = name_of(budget) + " spent " + std::to_string(*passed) + " %";
  notice.urgency = *passed >= critical_percent  ? Urgency::critical
                   : *passed >= warning_percent ? Urgency::warning
                                                : Urgency::notice;
  notice.title = budget.account + " has spent " + std::to_string(*passed) + " % of its " +
                 budget.unit + " budget";
  notice.message = figures_of(budget);
  if (*passed >= critical_percent) {
    notice.message +=
        " New jobs on partitions with a price are refused. An administrator can put "
        "more into it with: asbb deposit " +
        budget.account + " --unit=" + budget.unit + " --amount=... --reason=...";
  }
  return notice;
}

// Whole hundredths, rounded down: "2.5".
std::string times(std::int64_t hundredths) {
  std::string out = std::to_string(hundredths / 100);
  if (const auto rest = hundredths % 100; rest != 0) {
    out += "." + std::to_string(rest / 10) + (rest % 10 != 0 ? std::to_string(rest % 10) : "");
  }
  return out;
}

std::optional<BudgetNotice> haste_of(const WatchedBudget& budget, const BudgetRules& rules) {
  const Wide period = (budget.end - budget.start).microseconds;
  // per_day / (limit / days of the period), without a division that rounds.
  const Wide spending = static_cast<Wide>(budget.late->per_day.count()) * period;
  const Wide even = static_cast<Wide>(budget.limit.count()) * day_span.microseconds;
  if (rules.burn_rate.is_zero() || spending * 1'000'000 < even * rules.burn_rate.count()) {
    return std::nullopt;
  }
  BudgetNotice notice;
  notice.key = name_of(budget) + " spends fast";
  notice.urgency = Urgency::warning;
  notice.title = budget.account + " spends its " + budget.unit + " budget " +
                 times(static_cast<std::int64_t>(spending * 100 / even)) +
                 " times faster than it lasts";
  notice.message = "In the last " + std::to_string(budget.late->days) + " days " +
                   to_display(budget.late->per_day, budget.unit) + " a day were spent. " +
                   figures_of(budget) + " See: asbb forecast " + budget.account;
  return notice;
}

std::optional<BudgetNotice> shortfall_of(const WatchedBudget& budget, Instant now) {
  const Micros left = budget.limit - budget.used;
  if (left <= Micros() || budget.late->per_day.is_zero()) return std::nullopt;
  const Wide rest = (budget.end - now).microseconds;
  const Wide lasts =
      static_cast<Wide>(left.count()) * day_span.microseconds / budget.late->per_day.count();
  if (lasts >= rest) return std::nullopt;
  const std::int64_t days = static_cast<std::int64_t>(lasts / day_span.microseconds);
  const std::int64_t early = static_cast<std::int64_t>((rest - lasts) / day_span.microseconds);
  if (early == 0) return std::nullopt;
  BudgetNotice notice;
  notice.key = name_of(budget) + " ends early";
  notice.urgency = Urgency::warning;
  notice.title = budget.account + " will have spent its " + budget.unit + " budget in " +
                 std::to_string(days) + (days == 1 ? " day, " : " days, ") + std::to_string(early) +
                 (early == 1 ? " day" : " days") + " too early";
  notice.message = "At the rate of the last " + std::to_string(budget.late->days) + " days, " +
                   to_display(budget.late->per_day, budget.unit) +
                   " a day, nothing is left then. " + figures_of(budget) + " See: asbb forecast " +
                   budget.account;
  return notice;
}

}  // namespace

std::vector<BudgetNotice> notices_of(const WatchedBudget& budget, const BudgetRules& rules,
                                     Instant now) {
  std::vector<BudgetNotice> out;
  if (budget.limit <= Micros()) return out;
  if (auto notice = threshold_of(budget, rules)) out.push_back(std::move(*notice));
  if (!budget.late || budget.late->covered < least_covered) return out;
  if (auto notice = haste_of(budget, rules)) out.push_back(std::move(*notice));
  if (rules.looks_ahead) {
    if (auto notice = shortfall_of(budget, now)) out.push_back(std::move(*notice));
  }
  return out;
}

}  // namespace asbb::insight
