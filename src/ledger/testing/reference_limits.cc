// What money is drawn on, and whether each line of it has the amount.
#include <algorithm>

#include "ledger/testing/reference.h"

namespace asbb::reference {

// The account's budget in force and those above it. For a job that ran without a hold, when there
// is none: of each account the last that has ended, else the first to come.
std::string Reference::drawn_on(Number id, const std::string& unit, Moment at, bool late_too,
                                std::vector<Number>& periods) {
  std::vector<Number> others;
  for (; id != 0; id = account(id).parent) {
    const Period* best = nullptr;
    for (const Period& each : state_.periods) {
      if (each.account != id || each.unit != unit) continue;
      if (best == nullptr || each.is_in_force(at)) {
        best = &each;
      } else if (!best->is_in_force(at)) {
        const bool has_ended = each.end <= at;
        const bool is_better = has_ended ? best->end > at || each.start > best->start
                                         : best->end > at && each.start < best->start;
        if (is_better) best = &each;
      }
    }
    if (best == nullptr) continue;
    (best->is_in_force(at) ? periods : others).push_back(best->id);
  }
  if (!periods.empty()) return {};
  if (others.empty()) return "no_budget";
  if (!late_too) return "budget_not_in_force";
  periods = others;
  return {};
}

bool Reference::can_count(const std::vector<Number>& periods, const std::string& partition,
                          Amount held, Amount used) {
  const auto fits = [&](Amount held_now, Amount used_now) {
    const Amount most = std::max(held_now + held, used_now + used);
    const Amount least = std::min(held_now + held, used_now + used);
    return most <= count_max && least >= -count_max;
  };
  return std::all_of(periods.begin(), periods.end(), [&](Number id) {
    const Period& each = period(id);
    const auto line = each.partitions.find(partition);
    return fits(each.held, each.used) &&
           (line == each.partitions.end() || fits(line->second.held, line->second.used));
  });
}

void Reference::count(const std::vector<Number>& periods, const std::string& partition, Amount held,
                      Amount used) {
  for (const Number id : periods) {
    Period& each = period(id);
    each.held += held;
    each.used += used;
    if (partition.empty()) continue;
    each.partitions[partition].held += held;
    each.partitions[partition].used += used;
  }
}

Figures Reference::tightest(const std::vector<Number>& periods, const std::string& partition) {
  Figures least = figures(period(periods.front()));
  for (const Number id : periods) {
    const Period& each = period(id);
    if (each.available() < least.available) least = figures(each);
    const auto line = each.partitions.find(partition);
    if (line == each.partitions.end() || !line->second.limit) continue;
    const Figures limited = figures(each, partition);
    if (limited.available < least.available) least = limited;
  }
  return least;
}

// The line that lacks the amount most, if one does. With credit, a budget lends it.
std::optional<Figures> Reference::short_of(const std::vector<Number>& periods,
                                           const std::string& partition, Amount amount,
                                           bool with_credit) {
  std::optional<Figures> found;
  Amount least = amount;
  const auto look = [&](const Figures& line, Amount credit) {
    if (line.available + credit >= least) return;
    least = line.available + credit;
    found = line;
  };
  for (const Number id : periods) {
    const Period& each = period(id);
    look(figures(each), with_credit ? each.credit : 0);
    const auto line = each.partitions.find(partition);
    if (line != each.partitions.end() && line->second.limit) look(figures(each, partition), 0);
  }
  return found;
}

}  // namespace asbb::reference
