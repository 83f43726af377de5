// A job that was changed gets another hold: its tasks leave the one they had, and what they need
// now is set aside in the same step, so that nobody else can take the money in between.
#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

// Tasks whose share is not open yet.
std::int64_t fresh_tasks(const Hold& hold) {
  return hold.task_count - hold.tasks_opened;
}

// Whether the hold ends with this, the runs that it waits for included.
bool leaves_nothing(const Hold& hold, std::int64_t leaving) {
  return hold.open_shares == 0 && leaving == fresh_tasks(hold) + hold.pending_runs;
}

Outcome check_hold(const Hold* hold, const ReplaceHold& action) {
  if (hold == nullptr || hold->kind != HoldKind::slurm || !hold->job) {
    return refuse(Refusal::unknown_hold, "hold");
  }
  if (hold->status == HoldStatus::closed) return refuse(Refusal::hold_closed, "hold");
  if (!is_valid_text(action.group)) return refuse(Refusal::bad_name, "group");
  if (action.task_count < 1 ||
      (action.task_count > fresh_tasks(*hold) && !leaves_nothing(*hold, action.task_count))) {
    return refuse(Refusal::bad_task_count, "array");
  }
  if (!action.place) return {};
  if (action.place->kind != HoldKind::slurm || action.place->backfill) {
    return refuse(Refusal::bad_name, "kind");
  }
  if (action.place->task_count != action.task_count) {
    return refuse(Refusal::bad_task_count, "array");
  }
  return {};
}

// What the first `count` tasks hold together, cut down as split_part does.
Micros first_parts(const Hold& hold, const HoldPart& part, std::int64_t count) {
  const auto sum = mul_div(-part.granted.count(), count, hold.task_count, Rounding::up);
  ASBB_ASSERT(sum.has_value());
  return Micros() - Micros(*sum);
}

void write_release(Stage& stage, const Context& context, const Hold& hold, const HoldPart& part,
                   Micros amount) {
  Entry entry = entry_for(stage, context, EntryType::release, hold, part);
  entry.amount = amount;
  entry.details = RecordWriter().add("replaced", 1).text();
  stage.add(std::move(entry));
}

// Takes the leaving tasks' money out of the hold, which keeps the parts of those that stay.
Micros let_leave(Stage& stage, const Context& context, const ReplaceHold& action) {
  Hold& hold = stage.edit(action.hold);
  hold.group = action.group;
  const bool ends = leaves_nothing(hold, action.task_count);
  const std::int64_t stay = hold.task_count - std::min(action.task_count, fresh_tasks(hold));
  Micros released;
  for (std::size_t index = 0; index < hold.parts.size(); ++index) {
    HoldPart& part = hold.parts[index];
    const Micros of_leaving = part.granted - first_parts(hold, part, stay);
    const Micros leaves = ends ? part.unopened : std::min(part.unopened, of_leaving);
    // Rounded up, so that no share that is open has more than its task's part.
    const auto granted = mul_div(part.granted.count(), stay, hold.task_count, Rounding::up);
    ASBB_ASSERT(granted.has_value());
    if (stay > 0) part.granted = Micros(*granted);
    part.unopened -= leaves;
    if (index == 0) released = leaves;
    if (leaves.is_zero()) continue;
    write_release(stage, context, hold, part, leaves);
    const bool added = add_to_legs(stage, part.legs, Micros() - leaves, Micros());
    ASBB_ASSERT(added);
  }
  if (stay > 0) hold.task_count = stay;
  if (ends) {
    hold.tasks_opened = hold.task_count;
    hold.pending_runs = 0;
  }
  close_if_done(stage, context, action.hold);
  return released;
}

}  // namespace

Outcome decide_action(Stage& stage, const Context& context, const ReplaceHold& action) {
  const Hold* known = stage.hold(action.hold);
  Outcome outcome = check_hold(known, action);
  if (!outcome.accepted()) return outcome;
  const JobRef job = *known->job;
  outcome.hold = known->id;
  outcome.account = known->account;
  outcome.unit = known->parts.front().unit;
  // All of it or nothing: what is refused further down must leave no trace here.
  Stage trial = stage;
  if (action.proposal) {
    const Outcome voided = decide_action(trial, context, VoidHold{*action.proposal});
    if (!voided.accepted()) return voided;
  }
  const Micros released = let_leave(trial, context, action);
  if (action.place) {
    PlaceHold place = *action.place;
    // For the period in force, which may live on what is carried into it.
    if (!place.period_at) {
      for (const AccountId account : trial.take_touched()) carry_over(trial, context, account);
    }
    place.deadline.reset();
    place.unbound_max = std::numeric_limits<std::int64_t>::max();  // it is bound in the same step
    outcome = decide_action(trial, context, place);
    if (!outcome.accepted()) return outcome;
    const Outcome bound = decide_action(trial, context, BindHold{outcome.hold, job});
    ASBB_ASSERT(bound.accepted());
  }
  outcome.released = released;
  stage = std::move(trial);
  return outcome;
}

}  // namespace asbb::ledger
