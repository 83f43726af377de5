// To which period each charge belongs, and what every budget must have used and carried over.
#include <algorithm>

#include "simulation/truth.h"

namespace asbb::simulation {
namespace {

constexpr Span slack = seconds(1'200);  // clocks that step, and databases that take their time
constexpr std::int64_t whole = 1'000'000;

std::string parent_of(const std::string& account) {
  return account == "proj001" || account == "proj002" ? "lab" : "";
}

}  // namespace

void Truth::add_money(const ledger::Entry& entry) {
  using ledger::EntryType;
  const std::int64_t micros = entry.amount.count();
  const auto budget = budgets_.find(entry.budget.value);
  if (entry.type == EntryType::hold && entry.reason.starts_with("let through on an allowance")) {
    covers_[entry.hold] = micros;
  }
  if (entry.type == EntryType::budget_create) {
    BudgetFacts& made = budgets_[entry.budget.value];
    made.account = entry.account_name;
    made.unit = entry.unit;
    made.granted = micros;
    // In the order in which the centre makes them: two units in each period.
    std::int64_t same = 0;
    for (const auto& [id, other] : budgets_) {
      if (other.account == made.account && other.unit == made.unit) ++same;
    }
    made.period = same - 1;
    return;
  }
  if (budget == budgets_.end()) return;
  BudgetFacts& facts = budget->second;
  const bool is_after_end = period_start(facts.period + 1) <= entry.at;
  switch (entry.type) {
    case EntryType::overrun:
    case EntryType::adjustment:
    case EntryType::write_off_in:
      facts.is_late = facts.is_late || is_after_end;
      [[fallthrough]];
    case EntryType::charge:
      facts.used += micros;
      break;
    // Of a job that was let through in that period, and found later.
    case EntryType::hold:
      facts.is_late = facts.is_late || is_after_end;
      break;
    case EntryType::refund: {
      facts.used -= micros;
      std::int64_t charged = 0;
      bool is_payer = false;
      for (const auto& [key, charge] : charges_) {
        if (charge.hold != entry.hold) continue;
        charged += charge.micros;
        is_payer = is_payer || charge.budget == entry.budget;
      }
      refunded_[entry.hold] += micros;
      require(is_payer, "a refund goes to a budget that did not pay");
      require(refunded_[entry.hold] <= charged, "more is refunded than was charged");
      ++coverage_.happened[is_after_end ? "a refund after the period's end" : "a refund"];
      break;
    }
    case EntryType::write_off_out:
      facts.used -= micros;
      break;
    case EntryType::deposit:
      facts.granted += micros;
      break;
    default:
      break;
  }
}

std::optional<Truth::Charged> Truth::something_charged(Chance& chance) const {
  std::map<ledger::HoldId, std::int64_t> count;
  for (const auto& [key, charge] : charges_) ++count[charge.hold];
  std::vector<Charged> found;
  for (const auto& [key, charge] : charges_) {
    const bool is_alone = count[charge.hold] == 1 && !refunded_.contains(charge.hold);
    if (!is_alone || charge.written_off != 0 || charge.micros == 0) continue;
    found.push_back({charge.hold, charge.account, charge.unit, charge.micros, charge.budget});
  }
  if (found.empty()) return std::nullopt;
  return chance.of(found);
}

void Truth::check_period(const Job& job, const Task& task, const Run& run, bool is_first,
                         const Charge& charge) const {
  const Asked& asked = *asked_of(job);
  const BudgetFacts& budget = budgets_.at(charge.budget.value);
  const std::string name = name_of(job, task);
  require(budget.account == charge.account && budget.unit == charge.unit,
          name + " is charged to another's budget");
  const bool may_be_anew = job.is_changed || job.is_acted_on || job.request.is_federated;
  Instant latest = rules_.moves_running || may_be_anew ? run.over_at : run.start;
  if (!rules_.moves_waiting && !rules_.moves_running && !may_be_anew && asked.is_promised) {
    latest = asked.at;
  }
  // A message that is late, or whose answer is, may place the hold when its job is over.
  if (!asked.is_promised) latest = std::max(latest, asked.at + message_late);
  // An allowance's array is held at once, when the first of its tasks is seen: for those that wait
  // as well, in the period of that moment.
  if (asked.offline_micros != 0) {
    for (const Task& other : job.tasks) {
      const bool may_wait = other.runs.empty() || other.restarts > 0;
      latest = std::max(latest, may_wait ? charge.at : other.runs.back().start);
    }
  }
  const std::int64_t first = period_of(asked.at - slack);
  const std::int64_t last = period_of(latest + slack);
  require(first <= budget.period && budget.period <= last,
          name + " is charged to period " + std::to_string(budget.period) + ", not to " +
              std::to_string(first) + " to " + std::to_string(last));
  if (asked.is_promised && !may_be_anew) check_moved(job, task, run, is_first, budget.period);
}

// While it waited its hold went into each period that began, as soon as somebody looked.
void Truth::check_moved(const Job& job, const Task& task, const Run& run, bool is_first,
                        std::int64_t period) const {
  const bool stays_with_array = job.is_array() && !is_first;
  const std::string alarm = "change " + job.cluster + " job " + std::to_string(job.id);
  if (stays_with_array || was_alarmed(alarm)) return;
  // Nothing is held for a run of a job that had ended: it is its old hold's.
  const std::set<std::string> by_slurm{"NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REQUEUED",
                                       "RESIZING"};
  const bool was_over = std::any_of(task.runs.begin(), task.runs.end(), [&](const Run& before) {
    return before.end && *before.end <= run.start && !by_slurm.contains(before.state);
  });
  if (was_over) return;
  // The run before it is charged first, by a pass of its own.
  const std::int64_t passes = is_first ? 1 : 2;
  const auto was_seen_since = [&](Instant from, Instant until) {
    return std::count_if(good_passes_.begin(), good_passes_.end(), [&](Instant at) {
             return from + slack < at && at + slack < until;
           }) >= passes;
  };
  const std::int64_t asked = period_of(asked_of(job)->at);
  const std::int64_t started = period_of(run.start);
  if (rules_.moves_waiting && asked < started) {
    require(started <= period, name_of(job, task) + " waited for period " +
                                   std::to_string(started) + ", and is charged to " +
                                   std::to_string(period));
    ++coverage_.happened["a job that waits goes on into the next period"];
  }
  if (!rules_.moves_waiting && asked < started) {
    ++coverage_.happened["a job that waits stays in its period"];
  }
  const std::int64_t ended = period_of(*run.end);
  if (started == ended) return;
  const Instant at_end = std::max(run.start, period_start(ended));
  if (rules_.moves_running && was_seen_since(at_end, *run.end)) {
    require(period == ended, name_of(job, task) + " ran into period " + std::to_string(ended) +
                                 ", and is charged to " + std::to_string(period));
    ++coverage_.happened["a job that runs goes on into the next period"];
  }
  if (!rules_.moves_running) ++coverage_.happened["a job that runs stays in its period"];
}

void Truth::check_budgets(const ledger::Book& book, Instant now) const {
  std::map<std::int64_t, std::int64_t> used;
  std::map<std::int64_t, bool> is_late;
  for (const auto& [id, facts] : budgets_) {
    for (const auto& [other, above] : budgets_) {
      const bool counts = other == id || above.account == parent_of(facts.account);
      if (!counts || above.unit != facts.unit || above.period != facts.period) continue;
      used[other] += facts.used;
      is_late[other] = is_late[other] || facts.is_late;
    }
  }
  std::map<std::pair<std::string, std::string>, std::int64_t> carried_in;
  for (const auto& [id, facts] : budgets_) {
    const ledger::Budget* budget = book.budget(ledger::BudgetId{id});
    const std::string name =
        facts.account + " " + facts.unit + " in period " + std::to_string(facts.period);
    require(budget->start == period_start(facts.period), name + " begins at another time");
    require(budget->used.count() == used[id], name + " has used " + std::to_string(used[id]) +
                                                  ", and says " +
                                                  std::to_string(budget->used.count()));
    std::int64_t& in = carried_in[{facts.account, facts.unit}];
    require(budget->carried_in.count() == in, name + " was given " + std::to_string(in) +
                                                  ", and says " +
                                                  std::to_string(budget->carried_in.count()));
    const std::int64_t carried = budget->carried.count();
    in = carried;
    const bool has_ended = period_start(facts.period + 1) <= now;
    if (carried == 0 && !has_ended) continue;
    require(has_ended, name + " is carried over before its end");
    const std::int64_t left =
        facts.granted + budget->carried_in.count() - used[id] - budget->held.count();
    const std::int64_t rule = rules_.carry_over_millionths.at(facts.account);
    const auto due = static_cast<std::int64_t>(
        static_cast<__int128>(std::max<std::int64_t>(0, left)) * rule / whole);
    // What was used after the end, beyond what was held, takes nothing back.
    const bool fits = is_late[id] ? due <= carried : due == carried;
    require(fits, name + " has " + std::to_string(left) + " left, and carries " +
                      std::to_string(carried) + " over, not " + std::to_string(due));
    if (carried > 0)
      ++coverage_.happened[rule == whole ? "all is carried over" : "a part is carried over"];
  }
}

}  // namespace asbb::simulation
