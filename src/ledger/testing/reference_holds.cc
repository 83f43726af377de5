// Holds: what they are drawn on, the runs that take their parts, and how they end.
#include <algorithm>
#include <map>

#include "ledger/testing/reference.h"

namespace asbb::reference {
namespace {

constexpr Number tasks_max = 10'000'000;
constexpr Number first_federated_job = Number{1} << 26;

// The first `tasks` of so many together, rounded down; each one is what is between two of these.
Amount of_first(Amount whole, Number tasks, Number of) {
  return whole * tasks / of;
}

Amount rounded_up(Amount whole, Number tasks, Number of) {
  return (whole * tasks + of - 1) / of;
}

bool is_same_job(const std::pair<std::string, Number>& job, const std::string& cluster, Number id) {
  return job.second == id && (id >= first_federated_job || job.first == cluster);
}

bool is_run_name(const Hold& hold, const RunName& name) {
  if (!hold.is_slurm) {
    return !name.external.empty() && is_text(name.external) &&
           name == RunName{"", 0, -1, 0, name.external};
  }
  return name.external.empty() && !name.cluster.empty() && is_text(name.cluster) && name.job > 0 &&
         name.task >= -1 && name.run >= 0;
}

bool is_of_another_job(const Hold& hold, const RunName& name) {
  return hold.is_slurm && hold.job && !is_same_job(*hold.job, name.cluster, name.job);
}

bool is_same_task(const RunName& one, const RunName& other) {
  return one.job == other.job && one.task == other.task && one.external == other.external;
}

// Of the task, whatever cluster it ran on; of two runs of the same number the one seen last.
const Run* latest_of(const Hold& hold, const RunName& task) {
  const Run* latest = nullptr;
  for (const Run& run : hold.runs) {
    if (!is_same_task(run.name, task)) continue;
    if (latest == nullptr || run.name.run >= latest->name.run) latest = &run;
  }
  return latest;
}

// Whether the task's latest run was requeued, and the next one has not been seen: on no cluster.
bool is_awaited(const Hold& hold, const RunName& task) {
  std::map<std::string, const Run*> latest;
  for (const Run& run : hold.runs) {
    if (!is_same_task(run.name, task)) continue;
    const Run*& known = latest[run.name.cluster];
    if (known == nullptr || run.name.run >= known->name.run) known = &run;
  }
  return !latest.empty() && std::all_of(latest.begin(), latest.end(), [](const auto& of_cluster) {
    return of_cluster.second->is_settled && of_cluster.second->requeued;
  });
}

Run* find_run(Hold& hold, const RunName& name) {
  for (Run& run : hold.runs) {
    if (run.name == name) return &run;
  }
  return nullptr;
}

Number open_runs(const Hold& hold) {
  return std::count_if(hold.runs.begin(), hold.runs.end(),
                       [](const Run& run) { return !run.is_settled; });
}

Number awaited_tasks(const Hold& hold) {
  return std::count_if(hold.runs.begin(), hold.runs.end(), [&](const Run& run) {
    return latest_of(hold, run.name) == &run && is_awaited(hold, run.name);
  });
}

Number fresh_tasks(const Hold& hold) {
  return hold.tasks - hold.seen;
}

// Whether nothing is left of the hold when so many tasks leave it.
bool ends_with(const Hold& hold, Number leaving) {
  return open_runs(hold) == 0 && leaving == fresh_tasks(hold) + awaited_tasks(hold);
}

}  // namespace

Hold* Reference::find_hold(Number id) {
  const bool exists = id >= 1 && id <= static_cast<Number>(state_.holds.size());
  return exists ? &state_.holds[static_cast<std::size_t>(id - 1)] : nullptr;
}

bool Reference::is_taken(const std::string& name, bool by_slurm) const {
  const Hold* last = nullptr;
  for (const Hold& hold : state_.holds) {
    if (!name.empty() && hold.name == name) last = &hold;
  }
  return last != nullptr && (by_slurm || last->is_slurm || last->is_open);
}

Number Reference::unbound_of(const std::string& user, Number account) const {
  return std::count_if(state_.holds.begin(), state_.holds.end(), [&](const Hold& hold) {
    return hold.is_slurm && hold.is_open && !hold.job && hold.user == user &&
           hold.account == account;
  });
}

Answer Reference::fit(const PlaceHold& ask, const NewPart& part, Number account, Moment at,
                      std::vector<Number>& periods) {
  const std::string why = drawn_on(account, part.unit, at, ask.is_afterwards, periods);
  if (!why.empty()) return no(why);
  Answer answer;
  answer.budget = periods.front();
  answer.amount = part.amount;
  answer.line = tightest(periods, ask.partition);
  if (ask.is_afterwards) return answer;
  if (const auto line = short_of(periods, ask.partition, part.amount, ask.is_running)) {
    answer.refusal = line->partition.empty() ? "insufficient_budget" : "partition_limit_exceeded";
    answer.line = line;
  }
  return answer;
}

Answer Reference::judge(const Asked& asked, const PlaceHold& ask) {
  if (!std::all_of(ask.texts.begin(), ask.texts.end(), is_text)) return no("bad_name");
  std::set<std::string> units;
  for (const NewPart& part : ask.parts) {
    if (!is_unit(part.unit) || !units.insert(part.unit).second) return no("bad_name");
    if (!is_limit(part.amount) || !is_limit(part.estimate)) return no("bad_amount");
  }
  if (ask.parts.empty()) return no("bad_amount");
  if (ask.tasks < 1 || ask.tasks > tasks_max) return no("bad_task_count");
  const Account* known = find_account(ask.account);
  if (known == nullptr) return no("unknown_account");
  const std::string standing = ask.is_afterwards ? "" : why_not_standing(known->id);
  if (!standing.empty()) return no(standing);
  if (ask.deadline && asked.at > *ask.deadline) return no("expired");
  const bool is_capped = ask.is_slurm && !ask.is_afterwards;
  if (is_capped && unbound_of(ask.user, known->id) >= ask.unbound_max) {
    return no("too_many_unbound");
  }
  Hold hold;
  hold.id = static_cast<Number>(state_.holds.size()) + 1;
  hold.name = ask.name.empty() ? asked.id : ask.name;
  if (is_taken(hold.name, ask.is_slurm)) return no("request_id_conflict");
  hold.is_slurm = ask.is_slurm;
  hold.account = known->id;
  hold.user = ask.user;
  hold.partition = ask.partition;
  hold.tasks = ask.tasks;
  std::optional<Answer> first;
  std::optional<Answer> missing;
  for (const NewPart& part : ask.parts) {
    std::vector<Number> periods;
    const Answer fitted = fit(ask, part, known->id, ask.period_at.value_or(asked.at), periods);
    if (fitted.refusal != "none" && !ask.is_any_unit) return fitted;
    if (fitted.refusal != "none") {
      if (!missing) missing = fitted;
      continue;
    }
    if (!first) first = fitted;
    hold.parts.push_back({part.unit, periods, part.amount, part.amount});
  }
  if (!first) return *missing;
  for (const Part& part : hold.parts) count(part.periods, hold.partition, part.granted, 0);
  first->hold = hold.id;
  state_.holds.push_back(hold);
  return *first;
}

Answer Reference::judge(const Asked&, const Bind& ask) {
  Hold* hold = find_hold(ask.hold);
  if (hold == nullptr) return no("unknown_hold");
  if (hold->job && is_same_job(*hold->job, ask.cluster, ask.job)) return {};
  if (hold->job) return no("bound_elsewhere");
  if (!hold->is_open) return no("hold_closed");
  const std::pair job(ask.cluster, ask.job);
  const bool is_anothers = std::any_of(hold->runs.begin(), hold->runs.end(), [&](const Run& run) {
    return !is_same_job(job, run.name.cluster, run.name.job);
  });
  if (hold->is_slurm && is_anothers) return no("bound_elsewhere");
  hold->job = job;
  return {};
}

// The first run of a task takes the task's part; a further one what earlier runs left, but nothing
// of the tasks that are still to come, and no more than a task's part.
Run& Reference::open_run(Hold& hold, const RunName& name) {
  const bool is_new_task = hold.seen < hold.tasks && latest_of(hold, name) == nullptr;
  Run run;
  run.name = name;
  run.seen = ++state_.runs;
  for (Part& part : hold.parts) {
    const Amount of_seen = of_first(part.granted, hold.seen, hold.tasks);
    Amount takes = 0;
    if (hold.is_open && is_new_task) {
      takes = std::min(part.left, of_first(part.granted, hold.seen + 1, hold.tasks) - of_seen);
    } else if (hold.is_open) {
      const Amount of_others = std::min(part.left, part.granted - of_seen);
      takes = std::min(part.left - of_others, rounded_up(part.granted, 1, hold.tasks));
    }
    part.left -= takes;
    run.had.push_back(takes);
  }
  hold.seen += is_new_task ? 1 : 0;
  hold.runs.push_back(run);
  return hold.runs.back();
}

// All of it or nothing: as a new hold, but that budgets lend it.
bool Reference::take_new_money(const Asked& asked, const Hold& hold, const Part& part,
                               Amount amount) {
  const bool all_in_force = std::all_of(part.periods.begin(), part.periods.end(), [&](Number id) {
    return period(id).is_in_force(asked.at);
  });
  if (!all_in_force || !why_not_standing(hold.account).empty() ||
      short_of(part.periods, hold.partition, amount, true) ||
      !can_count(part.periods, hold.partition, amount, 0)) {
    return false;
  }
  count(part.periods, hold.partition, amount, 0);
  return true;
}

// Each unit's money for the awaited runs is brought up by at most a task's part.
void Reference::rearm(const Asked& asked, Hold& hold, const std::string& unit, Answer& answer) {
  for (Part& part : hold.parts) {
    const Amount each = rounded_up(part.granted, 1, hold.tasks);
    const Amount of_others = part.granted - of_first(part.granted, hold.seen, hold.tasks);
    const Amount has = part.left - std::min(part.left, of_others);
    const Amount lacks = std::min(each, each * awaited_tasks(hold) - has);
    if (lacks <= 0) continue;
    const bool is_taken = take_new_money(asked, hold, part, lacks);
    if (is_taken) part.left += lacks;
    if (part.unit == unit) (is_taken ? answer.rearmed : answer.uncovered) = lacks;
  }
}

void Reference::close_if_done(Hold& hold) {
  if (!hold.is_open || hold.seen < hold.tasks || open_runs(hold) > 0 || awaited_tasks(hold) > 0) {
    return;
  }
  for (Part& part : hold.parts) {
    count(part.periods, hold.partition, -part.left, 0);
    part.left = 0;
  }
  hold.is_open = false;
}

Answer Reference::settle_again(const Settle& ask, const Hold& hold, const Run& run) {
  const bool is_same =
      run.unit == ask.unit && run.actual == ask.actual && run.requeued == ask.requeued;
  if (!is_same) return no("settled_differently");
  Answer answer;
  answer.is_repeated = true;
  answer.hold = hold.id;
  answer.amount = run.actual;
  answer.charged = run.charged;
  answer.overrun = run.overrun;
  answer.released = run.released;
  return answer;
}

Answer Reference::judge(const Asked& asked, const Settle& ask) {
  Hold* hold = find_hold(ask.hold);
  if (hold == nullptr) return no("unknown_hold");
  if (!is_run_name(*hold, ask.run)) return no("bad_name");
  if (is_of_another_job(*hold, ask.run)) return no("bound_elsewhere");
  if (!is_limit(ask.actual)) return no("bad_amount");
  const auto paying = std::find_if(hold->parts.begin(), hold->parts.end(),
                                   [&](const Part& part) { return part.unit == ask.unit; });
  if (paying == hold->parts.end()) return no("unit_not_held");
  Run* run = find_run(*hold, ask.run);
  if (run != nullptr && run->is_settled) return settle_again(ask, *hold, *run);
  if (run == nullptr && !hold->is_open && !hold->is_slurm) return no("hold_closed");
  if (!can_count(paying->periods, hold->partition, 0, ask.actual)) return no("overflow");
  if (run == nullptr) run = &open_run(*hold, ask.run);
  run->is_settled = true;
  run->unit = ask.unit;
  run->actual = ask.actual;
  run->requeued = ask.requeued;
  run->settled_at = asked.at;
  Answer answer;
  for (std::size_t i = 0; i < hold->parts.size(); ++i) {
    Part& part = hold->parts[i];
    const Amount cost = part.unit == ask.unit ? ask.actual : 0;
    const Amount charged = std::min(cost, run->had[i]);
    const Amount rest = run->had[i] - charged;
    const bool keeps_rest = ask.requeued && hold->is_open;
    count(part.periods, hold->partition, keeps_rest ? -charged : -run->had[i], cost);
    if (keeps_rest) part.left += rest;
    if (part.unit != ask.unit) continue;
    run->charged = charged;
    run->overrun = cost - charged;
    run->released = rest;
    answer.budget = part.periods.front();
    answer.granted = run->had[i];
  }
  answer.hold = hold->id;
  answer.amount = ask.actual;
  answer.charged = run->charged;
  answer.overrun = run->overrun;
  answer.released = run->released;
  answer.rearmed = answer.uncovered = answer.written_off = 0;
  close_if_done(*hold);
  if (!ask.bearer.empty() && ask.actual > 0)
    answer.written_off = write_off(asked, ask, *hold, *run);
  if (ask.rearms && hold->is_open && is_awaited(*hold, ask.run)) {
    rearm(asked, *hold, ask.unit, answer);
  }
  return answer;
}

Answer Reference::judge(const Asked& asked, const OpenRun& ask) {
  Hold* hold = find_hold(ask.hold);
  if (hold == nullptr) return no("unknown_hold");
  if (!is_run_name(*hold, ask.run)) return no("bad_name");
  if (is_of_another_job(*hold, ask.run)) return no("bound_elsewhere");
  if (!hold->is_open) return no("hold_closed");
  Answer answer;
  answer.hold = hold->id;
  answer.amount = 0;
  if (const Run* known = find_run(*hold, ask.run)) {
    answer.granted = known->had.front();
    return answer;
  }
  const bool is_further = latest_of(*hold, ask.run) != nullptr;
  Run& run = open_run(*hold, ask.run);
  for (std::size_t i = 0; is_further && i < hold->parts.size(); ++i) {
    const Part& part = hold->parts[i];
    const Amount missing = rounded_up(part.granted, 1, hold->tasks) - run.had[i];
    if (missing <= 0 || !take_new_money(asked, *hold, part, missing)) continue;
    run.had[i] += missing;
    if (i == 0) answer.amount = missing;
  }
  answer.granted = run.had.front();
  return answer;
}

Answer Reference::judge(const Asked& asked, const ArmRun& ask) {
  Hold* hold = find_hold(ask.hold);
  if (hold == nullptr) return no("unknown_hold");
  if (!is_run_name(*hold, ask.run)) return no("bad_name");
  if (is_of_another_job(*hold, ask.run)) return no("bound_elsewhere");
  Answer answer;
  answer.hold = hold->id;
  answer.rearmed = answer.uncovered = 0;
  if (hold->is_open && is_awaited(*hold, ask.run) &&
      latest_of(*hold, ask.run)->name.run < ask.run.run) {
    rearm(asked, *hold, hold->parts.front().unit, answer);
  }
  return answer;
}

Answer Reference::judge(const Asked&, const Void& ask) {
  Hold* hold = find_hold(ask.hold);
  if (hold == nullptr) return no("unknown_hold");
  if (!hold->is_open) return no("hold_closed");
  if (hold->job || open_runs(*hold) > 0) return no("hold_is_bound");
  Answer answer;
  answer.hold = hold->id;
  answer.released = hold->parts.front().left;
  for (Part& part : hold->parts) {
    count(part.periods, hold->partition, -part.left, 0);
    part.left = 0;
  }
  hold->seen = hold->tasks;
  hold->is_open = false;
  return answer;
}

// Tasks without a run leave with their part; with the last ones goes whatever is left.
Amount Reference::let_leave(Hold& hold, Number leaving) {
  const bool ends = ends_with(hold, leaving);
  const Number stay = hold.tasks - std::min(leaving, fresh_tasks(hold));
  Amount released = 0;
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    Part& part = hold.parts[i];
    const Amount of_leaving = part.granted - of_first(part.granted, stay, hold.tasks);
    const Amount goes = ends ? part.left : std::min(part.left, of_leaving);
    if (stay > 0) part.granted = rounded_up(part.granted, stay, hold.tasks);
    part.left -= goes;
    count(part.periods, hold.partition, -goes, 0);
    if (i == 0) released = goes;
  }
  if (stay > 0) hold.tasks = stay;
  if (ends) {
    hold.seen = hold.tasks;
    hold.is_open = false;
  }
  return released;
}

// All of it or nothing.
Answer Reference::judge(const Asked& asked, const Replace& ask) {
  Hold* hold = find_hold(ask.hold);
  if (hold == nullptr || !hold->is_slurm || !hold->job) return no("unknown_hold");
  if (!hold->is_open) return no("hold_closed");
  if (!is_text(ask.group)) return no("bad_name");
  if (ask.tasks < 1) return no("bad_task_count");
  if (ask.tasks > fresh_tasks(*hold) && !ends_with(*hold, ask.tasks)) return no("bad_task_count");
  if (ask.place && (!ask.place->is_slurm || ask.place->is_afterwards)) return no("bad_name");
  if (ask.place && ask.place->tasks != ask.tasks) return no("bad_task_count");
  State before = state_;
  Answer answer;
  answer.hold = ask.hold;
  if (ask.proposal) {
    Answer voided = judge(asked, Void{*ask.proposal});
    if (voided.refusal != "none") return voided;
  }
  const Amount released = let_leave(*hold, ask.tasks);
  if (ask.place) {
    PlaceHold place = *ask.place;
    place.deadline.reset();
    place.unbound_max = tasks_max;
    const auto job = hold->job;
    answer = judge(asked, place);
    if (answer.refusal != "none") {
      state_ = std::move(before);
      return answer;
    }
    state_.holds.back().job = job;
  }
  answer.released = released;
  return answer;
}

// All of it or nothing.
Answer Reference::judge(const Asked& asked, const Cover& ask) {
  if (!ask.place.is_slurm || ask.place.is_afterwards) return no("bad_name");
  Hold* from = ask.from ? find_hold(*ask.from) : nullptr;
  if (ask.from) {
    if (from == nullptr || from->is_slurm || from->parts.size() != 1) return no("unknown_hold");
    if (!from->is_open) return no("hold_closed");
    if (from->job || from->seen > 0) return no("hold_is_bound");
    if (ask.drawn < 0 || ask.drawn > from->parts.front().left) return no("bad_amount");
  }
  State before = state_;
  if (from != nullptr) {
    from->parts.front().left -= ask.drawn;
    count(from->parts.front().periods, from->partition, -ask.drawn, 0);
  }
  PlaceHold place = ask.place;
  place.deadline.reset();
  place.unbound_max = tasks_max;
  Answer answer = judge(asked, place);
  if (answer.refusal != "none") {
    state_ = std::move(before);
    return answer;
  }
  state_.holds.back().job = std::pair(ask.cluster, ask.job);
  answer.released = ask.from ? ask.drawn : 0;
  return answer;
}

}  // namespace asbb::reference
