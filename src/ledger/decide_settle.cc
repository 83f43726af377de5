// Shares: opening the share of a run, and settling it exactly once (DESIGN 4.3, 4.4).
#include <algorithm>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"
#include "ledger/same_job.h"

namespace asbb::ledger {
namespace {

// What the tasks not seen yet will need; the rest of `unopened` was given back by requeued runs.
Micros reserved_for_others(const Hold& hold, const HoldPart& part) {
  // What the opened ones took is cut down by split_part: minus the rounded-up negative.
  const auto opened =
      mul_div(-part.granted.count(), hold.tasks_opened, hold.task_count, Rounding::up);
  ASBB_ASSERT(opened.has_value());
  return std::min(part.unopened, part.granted + Micros(*opened));
}

Micros largest_part(const Hold& hold, const HoldPart& part) {
  const auto each = mul_div(part.granted.count(), 1, hold.task_count, Rounding::up);
  ASBB_ASSERT(each.has_value());
  return Micros(*each);
}

// What a run takes from the hold: its task's part at first, then what earlier runs gave back.
Micros take_from_hold(const Hold& hold, const HoldPart& part, bool is_new_task) {
  if (hold.status == HoldStatus::closed) return Micros();
  if (is_new_task) {
    return std::min(part.unopened, split_part(part.granted, hold.task_count, hold.tasks_opened));
  }
  return std::min(part.unopened - reserved_for_others(hold, part), largest_part(hold, part));
}

// Whether the latest run of that task was requeued and the next one has not been seen, on whichever
// cluster it was. It is asked before and after each change of a share, because runs may be seen
// late and in any order.
bool awaits_next_run(const Stage& stage, HoldId hold, const ShareKey& key) {
  const auto latest = stage.latest_runs(hold, key);
  return !latest.empty() && std::all_of(latest.begin(), latest.end(), [](const Share* share) {
    return share->status == ShareStatus::settled && share->requeued;
  });
}

void count_awaited(const Stage& stage, Hold& hold, const ShareKey& key, bool before) {
  const bool after = awaits_next_run(stage, hold.id, key);
  if (before != after) hold.pending_runs += after ? 1 : -1;
}

Share& open_share(Stage& stage, const Context& context, HoldId id, const ShareKey& key) {
  Hold& hold = stage.edit(id);
  const bool is_new_task =
      hold.tasks_opened < hold.task_count && stage.latest_run(id, key) == nullptr;
  Share share;
  share.hold = id;
  share.key = key;
  share.opened_at = context.at;
  for (HoldPart& part : hold.parts) {
    const Micros taken = take_from_hold(hold, part, is_new_task);
    part.unopened -= taken;
    share.held.push_back(taken);
  }
  if (is_new_task) ++hold.tasks_opened;
  if (hold.status == HoldStatus::open) ++hold.open_shares;
  return stage.add(std::move(share));
}

// New money comes from where a new hold could have it: budgets that have not ended, and accounts
// that are open for business. Without it the run is paid from what is left, and by overruns.
bool gives_new_money(const Stage& stage, const Context& context, const Hold& hold,
                     const HoldPart& part) {
  const bool in_force = std::all_of(part.legs.begin(), part.legs.end(), [&](const Leg& leg) {
    return leg.kind != Leg::Kind::budget || stage.budget(BudgetId{leg.id})->covers(context.at);
  });
  return in_force && check_standing(stage, stage.account(hold.account)).accepted();
}

// Sets so much new money aside for a further run, where every leg has all of it.
bool take_new_money(Stage& stage, const Context& context, const Hold& hold, const HoldPart& part,
                    const ShareKey& run, Micros amount) {
  if (!gives_new_money(stage, context, hold, part) ||
      leg_short_for_running(stage, part.legs, amount) != nullptr ||
      !add_to_legs(stage, part.legs, amount, Micros())) {
    return false;
  }
  Entry entry = entry_for(stage, context, EntryType::hold, hold, part);
  entry.amount = amount;
  entry.job = run;
  entry.details = RecordWriter()
                      .add("kind", to_string(hold.kind))
                      .add("legs", to_string(part.legs))
                      .add("run", run.run)
                      .text();
  stage.add(std::move(entry));
  return true;
}

// Tops a further run's share up to its task's part with new money.
Micros top_up(Stage& stage, const Context& context, Hold& hold, std::size_t index, Share& share) {
  const HoldPart& part = hold.parts[index];
  const Micros missing = largest_part(hold, part) - share.held[index];
  if (missing <= Micros() || !take_new_money(stage, context, hold, part, share.key, missing)) {
    return Micros();
  }
  share.held[index] += missing;
  return missing;
}

// Brings what the hold has for the awaited runs up by at most one task's part, for the run `next`,
// each unit by itself.
void rearm(Stage& stage, const Context& context, Hold& hold, const ShareKey& next,
           const std::string& unit, Outcome& outcome) {
  for (HoldPart& part : hold.parts) {
    const Micros missing = std::min(largest_part(hold, part), lack_for_runs(hold, part));
    if (missing.is_zero()) continue;
    const bool taken = take_new_money(stage, context, hold, part, next, missing);
    if (taken) part.unopened += missing;
    if (part.unit == unit) (taken ? outcome.rearmed : outcome.uncovered) = missing;
  }
}

bool is_valid_key(const Hold& hold, const ShareKey& key) {
  if (hold.kind == HoldKind::external) {
    ShareKey only_external;
    only_external.external_id = key.external_id;
    return !key.external_id.empty() && is_valid_text(key.external_id) && key == only_external;
  }
  return key.external_id.empty() && !key.cluster.empty() && is_valid_text(key.cluster) &&
         key.job_id > 0 && key.task >= -1 && key.run >= 0;
}

// Whether the hold is tied to another job than the share's.
bool is_of_another_job(const Hold& hold, const ShareKey& key) {
  return hold.kind == HoldKind::slurm && hold.job &&
         !is_same_job(*hold.job, key.cluster, key.job_id);
}

Outcome settled_outcome(const Hold& hold, const Share& share) {
  Outcome outcome;
  outcome.hold = hold.id;
  outcome.account = hold.account;
  outcome.unit = share.unit;
  outcome.amount = share.actual;
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    if (hold.parts[i].unit != share.unit) continue;
    outcome.budget = hold.parts[i].budget;
    outcome.granted = share.held[i];
  }
  outcome.charged = share.charged;
  outcome.overrun = share.overrun;
  outcome.released = share.released;
  return outcome;
}

void write_settlement(Stage& stage, const Context& context, const Hold& hold, const HoldPart& part,
                      const Share& share, const SettleShare& action, EntryType type,
                      Micros amount) {
  Entry entry = entry_for(stage, context, type, hold, part);
  entry.amount = amount;
  entry.job = share.key;
  entry.details =
      RecordWriter().add("cause", action.cause).add("requeued", action.requeued ? 1 : 0).text();
  stage.add(std::move(entry));
}

// Whether each leg can take the settlement; nothing is changed.
bool settlement_fits(const Stage& stage, const HoldPart& part, Micros actual) {
  return std::all_of(part.legs.begin(), part.legs.end(), [&](const Leg& leg) {
    const auto sum = figures_of(stage, leg).used.plus(actual);
    return sum && *sum <= counter_max;
  });
}

void settle_part(Stage& stage, const Context& context, Hold& hold, std::size_t index, Share& share,
                 const SettleShare& action) {
  HoldPart& part = hold.parts[index];
  const bool paying = part.unit == action.unit;
  const Micros actual = paying ? action.actual : Micros();
  const Micros held = share.held[index];
  const Micros charged = std::min(actual, held);
  const Micros rest = held - charged;
  const Micros overrun = actual - charged;
  const bool back_to_hold = action.requeued && hold.status == HoldStatus::open;
  const Micros leaves = back_to_hold ? charged : held;
  const bool added = add_to_legs(stage, part.legs, Micros() - leaves, actual);
  ASBB_ASSERT(added);
  if (back_to_hold) part.unopened += rest;
  if (paying) {
    share.charged = charged;
    share.overrun = overrun;
    share.released = rest;
  }
  if (!charged.is_zero()) {
    write_settlement(stage, context, hold, part, share, action, EntryType::charge, charged);
  }
  if (!overrun.is_zero()) {
    write_settlement(stage, context, hold, part, share, action, EntryType::overrun, overrun);
  }
  if (!back_to_hold && (!rest.is_zero() || (paying && actual.is_zero()))) {
    write_settlement(stage, context, hold, part, share, action, EntryType::release, rest);
  }
}

}  // namespace

Micros lack_for_runs(const Hold& hold, const HoldPart& part) {
  if (hold.status == HoldStatus::closed) return Micros();
  const auto needed = mul_div(largest_part(hold, part).count(), hold.pending_runs, 1, Rounding::up);
  ASBB_ASSERT(needed.has_value());
  const Micros has = part.unopened - reserved_for_others(hold, part);
  return std::max(Micros(), Micros(*needed) - has);
}

const Leg* leg_short_for_running(const Stage& stage, const std::vector<Leg>& legs, Micros amount) {
  const Leg* lacks = nullptr;
  Micros least = amount;
  for (const Leg& leg : legs) {
    if (leg.kind == Leg::Kind::partition_limit && !stage.limit(LimitId{leg.id})->limit) continue;
    const Micros credit =
        leg.kind == Leg::Kind::budget ? stage.budget(BudgetId{leg.id})->credit_limit : Micros();
    const Micros has = figures_of(stage, leg).available + credit;
    if (has >= least) continue;
    least = has;
    lacks = &leg;
  }
  return lacks;
}

Outcome decide_action(Stage& stage, const Context& context, const SettleShare& action) {
  const Hold* known = stage.hold(action.hold);
  if (known == nullptr) return refuse(Refusal::unknown_hold, "transaction_id");
  if (!is_valid_key(*known, action.key)) return refuse(Refusal::bad_name, "job_id");
  if (is_of_another_job(*known, action.key)) return refuse(Refusal::bound_elsewhere, "job_id");
  if (action.actual.is_negative() || action.actual > max_amount) {
    return refuse(Refusal::bad_amount, "actual_cost");
  }
  const auto paying = std::find_if(known->parts.begin(), known->parts.end(),
                                   [&](const HoldPart& part) { return part.unit == action.unit; });
  if (paying == known->parts.end()) return refuse(Refusal::unit_not_held, "unit");
  const Share* share = stage.share(action.hold, action.key);
  if (share != nullptr && share->status == ShareStatus::settled) {
    const bool same = share->unit == action.unit && share->actual == action.actual &&
                      share->requeued == action.requeued;
    if (!same) return refuse(Refusal::settled_differently, "actual_cost");
    Outcome outcome = settled_outcome(*known, *share);
    outcome.replayed = true;
    return outcome;
  }
  if (share == nullptr && known->status == HoldStatus::closed &&
      known->kind == HoldKind::external) {
    return refuse(Refusal::hold_closed, "transaction_id");
  }
  if (!settlement_fits(stage, *paying, action.actual)) {
    return refuse(Refusal::overflow, "actual_cost");
  }
  const bool awaited = awaits_next_run(stage, action.hold, action.key);
  Share& settled = share == nullptr ? open_share(stage, context, action.hold, action.key)
                                    : stage.edit(share->id);
  Hold& hold = stage.edit(action.hold);
  settled.status = ShareStatus::settled;
  settled.unit = action.unit;
  settled.actual = action.actual;
  settled.requeued = action.requeued;
  settled.settled_at = context.at;
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    settle_part(stage, context, hold, i, settled, action);
  }
  Outcome outcome = settled_outcome(hold, settled);
  if (hold.status == HoldStatus::open) {
    --hold.open_shares;
    count_awaited(stage, hold, action.key, awaited);
    close_if_done(stage, context, hold.id);
  }
  if (!action.bearer.empty() && action.actual > Micros()) {
    const Outcome moved = write_off_run(
        stage, context, WriteOff{action.hold, action.key, action.unit, {}, action.bearer});
    if (moved.accepted()) outcome.written_off = moved.amount;
  }
  // With what was just written off, if it was.
  if (action.rearms && hold.status == HoldStatus::open &&
      awaits_next_run(stage, hold.id, action.key)) {
    ShareKey next = action.key;
    ++next.run;
    rearm(stage, context, hold, next, action.unit, outcome);
  }
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const OpenShare& action) {
  const Hold* known = stage.hold(action.hold);
  if (known == nullptr) return refuse(Refusal::unknown_hold, "hold");
  if (!is_valid_key(*known, action.key)) return refuse(Refusal::bad_name, "job_id");
  if (is_of_another_job(*known, action.key)) return refuse(Refusal::bound_elsewhere, "job_id");
  if (known->status == HoldStatus::closed) return refuse(Refusal::hold_closed, "hold");
  Outcome outcome;
  outcome.hold = known->id;
  outcome.account = known->account;
  outcome.unit = known->parts.front().unit;
  if (const Share* share = stage.share(action.hold, action.key)) {
    outcome.granted = share->held.front();
    return outcome;
  }
  const bool is_further_run = stage.latest_run(action.hold, action.key) != nullptr;
  const bool awaited = awaits_next_run(stage, action.hold, action.key);
  Share& share = open_share(stage, context, action.hold, action.key);
  Hold& hold = stage.edit(action.hold);
  count_awaited(stage, hold, action.key, awaited);
  for (std::size_t i = 0; is_further_run && i < hold.parts.size(); ++i) {
    const Micros added = top_up(stage, context, hold, i, share);
    if (i == 0) outcome.amount = added;
  }
  outcome.granted = share.held.front();
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const ArmRun& action) {
  const Hold* known = stage.hold(action.hold);
  if (known == nullptr) return refuse(Refusal::unknown_hold, "hold");
  if (!is_valid_key(*known, action.key)) return refuse(Refusal::bad_name, "job_id");
  if (is_of_another_job(*known, action.key)) return refuse(Refusal::bound_elsewhere, "job_id");
  Outcome outcome;
  outcome.hold = known->id;
  outcome.account = known->account;
  outcome.unit = known->parts.front().unit;
  if (known->status == HoldStatus::closed || !awaits_next_run(stage, known->id, action.key) ||
      stage.latest_run(known->id, action.key)->key.run >= action.key.run) {
    return outcome;
  }
  rearm(stage, context, stage.edit(known->id), action.key, outcome.unit, outcome);
  return outcome;
}

}  // namespace asbb::ledger
