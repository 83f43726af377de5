// A job that Slurm has already gets its hold. Where money was set aside for such jobs in advance,
// it is given up in the same step, so that nobody else can take it in between and it never counts
// twice.
#include <limits>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

Outcome check_source(const Hold* from, Micros drawn) {
  if (from == nullptr || from->kind != HoldKind::external || from->parts.size() != 1) {
    return refuse(Refusal::unknown_hold, "from");
  }
  if (from->status == HoldStatus::closed) return refuse(Refusal::hold_closed, "from");
  if (from->job || from->tasks_opened > 0) return refuse(Refusal::hold_is_bound, "from");
  if (drawn.is_negative() || drawn > from->parts.front().unopened) {
    return refuse(Refusal::bad_amount, "drawn");
  }
  return {};
}

void give_up(Stage& stage, const Context& context, HoldId from, Micros drawn) {
  if (drawn.is_zero()) return;
  Hold& hold = stage.edit(from);
  HoldPart& part = hold.parts.front();
  part.unopened -= drawn;
  Entry entry = entry_for(stage, context, EntryType::release, hold, part);
  entry.amount = drawn;
  entry.details = RecordWriter().add("replaced", 1).text();
  stage.add(std::move(entry));
  const bool added = add_to_legs(stage, part.legs, Micros() - drawn, Micros());
  ASBB_ASSERT(added);
}

}  // namespace

Outcome decide_action(Stage& stage, const Context& context, const CoverJob& action) {
  if (action.place.kind != HoldKind::slurm || action.place.backfill) {
    return refuse(Refusal::bad_name, "kind");
  }
  if (action.from) {
    Outcome outcome = check_source(stage.hold(*action.from), action.drawn);
    if (!outcome.accepted()) return outcome;
  }
  // All of it or nothing: what is refused further down must leave no trace here.
  Stage trial = stage;
  if (action.from) give_up(trial, context, *action.from, action.drawn);
  PlaceHold place = action.place;
  // For the period in force, which may live on what is carried into it.
  if (!place.period_at) {
    for (const AccountId account : trial.take_touched()) carry_over(trial, context, account);
  }
  place.deadline.reset();
  place.unbound_max = std::numeric_limits<std::int64_t>::max();  // it is bound in the same step
  Outcome outcome = decide_action(trial, context, place);
  if (!outcome.accepted()) return outcome;
  const Outcome bound = decide_action(trial, context, BindHold{outcome.hold, action.job});
  ASBB_ASSERT(bound.accepted());
  outcome.released = action.from ? action.drawn : Micros();
  stage = std::move(trial);
  return outcome;
}

}  // namespace asbb::ledger
