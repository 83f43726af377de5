// Placing a hold, tying it to its job, and ending one whose job never came to be.
#include <algorithm>
#include <set>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"
#include "ledger/same_job.h"

namespace asbb::ledger {
namespace {

constexpr std::int64_t task_count_max = 10'000'000;

Outcome check_texts(const PlaceHold& action) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"user", &action.user},
      {"cluster", &action.cluster},
      {"partition", &action.partition},
      {"group", &action.group},
      {"transaction_id", &action.transaction_id}};
  for (const auto& [field, text] : texts) {
    if (!is_valid_text(*text)) return refuse(Refusal::bad_name, field);
  }
  return {};
}

Outcome check_parts(const PlaceHold& action) {
  std::set<std::string> units;
  for (const PlacePart& part : action.parts) {
    if (!is_valid_unit(part.unit) || !units.insert(part.unit).second) {
      return refuse(Refusal::bad_name, "unit");
    }
    if (part.amount.is_negative() || part.amount > max_amount || part.estimate.is_negative() ||
        part.estimate > max_amount) {
      return refuse(Refusal::bad_amount, "estimated_cost");
    }
    ASBB_ASSERT(!action.backfill || part.amount.is_zero());
  }
  if (action.parts.empty()) return refuse(Refusal::bad_amount, "estimated_cost");
  if (action.task_count < 1 || action.task_count > task_count_max) {
    return refuse(Refusal::bad_task_count, "array");
  }
  return {};
}

// Finds the legs of one part and whether each has the amount; the outcome carries the figures.
Outcome fit_part(const Stage& stage, const Account& account, const PlaceHold& action,
                 const PlacePart& part, Instant at, HoldPart& fitted) {
  const Legs legs = find_legs(stage, account.id, part.unit, action.partition, at, action.backfill);
  Outcome outcome;
  outcome.account = account.id;
  outcome.unit = part.unit;
  outcome.estimate = part.estimate;
  outcome.amount = part.amount;
  if (legs.refusal != Refusal::none) {
    outcome.refusal = legs.refusal;
    return outcome;
  }
  outcome.budget = legs.budget;
  outcome.leg = tightest_leg(stage, legs.legs);
  const Leg* lacks =
      action.running ? leg_short_for_running(stage, legs.legs, part.amount) : nullptr;
  if (lacks != nullptr) outcome.leg = figures_of(stage, *lacks);
  const bool fits = action.running ? lacks == nullptr : part.amount <= outcome.leg.available;
  if (!action.backfill && !fits) {
    outcome.refusal = outcome.leg.partition.empty() ? Refusal::insufficient_budget
                                                    : Refusal::partition_limit_exceeded;
  }
  fitted.unit = part.unit;
  fitted.budget = legs.budget;
  fitted.legs = legs.legs;
  fitted.estimate = part.estimate;
  fitted.granted = fitted.unopened = part.amount;
  fitted.price_version = part.price_version;
  return outcome;
}

void write_hold_entry(Stage& stage, const Context& context, const Hold& hold, const HoldPart& part,
                      Instant period_at, bool is_running) {
  Entry entry = entry_for(stage, context, EntryType::hold, hold, part);
  entry.amount = part.granted;
  entry.details = RecordWriter()
                      .add("kind", to_string(hold.kind))
                      .add("legs", to_string(part.legs))
                      .add("estimate_micros", part.estimate.count())
                      .add("task_count", hold.task_count)
                      .add("group", hold.group)
                      .add("backfilled", hold.backfilled ? 1 : 0)
                      .add("period_us", period_at.microseconds)
                      .add("running", is_running ? 1 : 0)
                      .text();
  stage.add(std::move(entry));
}

// Tokens name one hold for ever; an external caller's name may come again after its hold closed.
bool is_name_taken(const Stage& stage, const Hold& hold) {
  if (hold.request_id.empty()) return false;
  const Hold* known = stage.hold_of_request(hold.request_id);
  return known != nullptr && (known->status == HoldStatus::open || known->kind == HoldKind::slurm ||
                              hold.kind == HoldKind::slurm);
}

// Each budget counts what every partition holds and uses inside it from the first hold on, so that
// a limit that is set later knows. Adds the counts that are not there yet to the part's legs.
void count_partition(Stage& stage, const Context& context, const std::string& partition,
                     HoldPart& part) {
  if (partition.empty()) return;
  std::vector<Leg> legs;
  for (std::size_t i = 0; i < part.legs.size(); ++i) {
    const Leg leg = part.legs[i];
    legs.push_back(leg);
    const bool is_counted =
        i + 1 < part.legs.size() && part.legs[i + 1].kind == Leg::Kind::partition_limit;
    if (leg.kind != Leg::Kind::budget || is_counted) continue;
    PartitionLimit fresh;
    fresh.budget = BudgetId{leg.id};
    fresh.partition = partition;
    fresh.held = part.granted;
    fresh.updated_at = context.at;
    legs.push_back({Leg::Kind::partition_limit, stage.add(std::move(fresh)).id.value});
  }
  part.legs = std::move(legs);
}

// Whether a share was opened for another job before the hold was bound.
bool has_runs_of_another(const Stage& stage, const Hold& hold, const JobRef& job) {
  if (hold.kind != HoldKind::slurm || hold.tasks_opened == 0) return false;
  const auto shares = stage.shares_of(hold.id);
  return std::any_of(shares.begin(), shares.end(), [&](const Share* share) {
    return !is_same_job(job, share->key.cluster, share->key.job_id);
  });
}

Hold new_hold(const Context& context, const PlaceHold& action, AccountId account) {
  Hold hold;
  hold.request_id = action.transaction_id.empty() ? context.request_id : action.transaction_id;
  hold.kind = action.kind;
  hold.account = account;
  hold.user = action.user;
  hold.cluster = action.cluster;
  hold.partition = action.partition;
  hold.group = action.group;
  hold.task_count = action.task_count;
  hold.backfilled = action.backfill;
  hold.placed_at = context.at;
  return hold;
}

}  // namespace

Outcome check_standing(const Stage& stage, const Account* account) {
  for (const Account* at = account; at != nullptr; at = stage.account(at->parent)) {
    if (at->status == AccountStatus::closed) return refuse(Refusal::account_closed, "account");
    if (at->status != AccountStatus::active) return refuse(Refusal::account_inactive, "account");
  }
  return {};
}

Outcome decide_action(Stage& stage, const Context& context, const PlaceHold& action) {
  Outcome outcome = check_texts(action);
  if (outcome.accepted()) outcome = check_parts(action);
  if (!outcome.accepted()) return outcome;
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  if (!action.backfill) outcome = check_standing(stage, account);
  if (!outcome.accepted()) return outcome;
  if (action.deadline && *action.deadline < context.at) return refuse(Refusal::expired);
  const bool counts_as_unbound = action.kind == HoldKind::slurm && !action.backfill;
  if (counts_as_unbound && stage.unbound_count(action.user, account->id) >= action.unbound_max) {
    return refuse(Refusal::too_many_unbound, "account");
  }
  Hold hold = new_hold(context, action, account->id);
  if (is_name_taken(stage, hold)) return refuse(Refusal::request_id_conflict, "transaction_id");
  const Instant at = action.period_at.value_or(context.at);
  Outcome answer;
  std::optional<Outcome> left_out;
  for (const PlacePart& part : action.parts) {
    HoldPart fitted;
    outcome = fit_part(stage, *account, action, part, at, fitted);
    if (!outcome.accepted() && action.any_unit) {
      if (!left_out) left_out = outcome;
      continue;
    }
    if (!outcome.accepted()) return outcome;
    if (hold.parts.empty()) answer = outcome;
    hold.parts.push_back(std::move(fitted));
  }
  if (hold.parts.empty()) return *left_out;
  for (HoldPart& part : hold.parts) {
    // It fits a limit, and nothing is ever used below zero: what is held stays within limits.
    const bool added = add_to_legs(stage, part.legs, part.granted, Micros());
    ASBB_ASSERT(added);
    count_partition(stage, context, hold.partition, part);
  }
  const Hold& added = stage.add(std::move(hold));
  if (added.kind == HoldKind::slurm) stage.count_unbound(added.user, added.account, 1);
  for (const HoldPart& part : added.parts) {
    write_hold_entry(stage, context, added, part, at, action.running);
  }
  answer.hold = added.id;
  answer.price_version = added.parts.front().price_version;
  return answer;
}

Outcome decide_action(Stage& stage, const Context& context, const BindHold& action) {
  const Hold* known = stage.hold(action.hold);
  if (known == nullptr) return refuse(Refusal::unknown_hold, "hold");
  Outcome outcome;
  outcome.hold = known->id;
  outcome.account = known->account;
  if (known->job) {
    if (is_same_job(*known->job, action.job.cluster, action.job.job_id)) return outcome;
    return refuse(Refusal::bound_elsewhere, "job_id");
  }
  if (known->status == HoldStatus::closed) return refuse(Refusal::hold_closed, "hold");
  if (has_runs_of_another(stage, *known, action.job)) {
    return refuse(Refusal::bound_elsewhere, "job_id");
  }
  Hold& hold = stage.edit(action.hold);
  hold.job = action.job;
  if (hold.kind == HoldKind::slurm) stage.count_unbound(hold.user, hold.account, -1);
  Entry entry = entry_for(stage, context, EntryType::bind, hold, hold.parts.front());
  entry.unit.clear();
  entry.budget = {};
  entry.details = RecordWriter().add("submit_us", action.job.submit_time.microseconds).text();
  stage.add(std::move(entry));
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const VoidHold& action) {
  const Hold* known = stage.hold(action.hold);
  if (known == nullptr) return refuse(Refusal::unknown_hold, "hold");
  if (known->status == HoldStatus::closed) return refuse(Refusal::hold_closed, "hold");
  if (known->job) return refuse(Refusal::hold_is_bound, "hold");
  // Open shares exist only where a job or an external caller has begun: settle those first.
  if (known->open_shares > 0) return refuse(Refusal::hold_is_bound, "hold");
  Hold& hold = stage.edit(action.hold);
  Outcome outcome;
  outcome.hold = hold.id;
  outcome.account = hold.account;
  outcome.unit = hold.parts.front().unit;
  outcome.released = hold.parts.front().unopened;
  hold.tasks_opened = hold.task_count;
  hold.pending_runs = 0;
  close_if_done(stage, context, hold.id);
  ASBB_ASSERT(hold.status == HoldStatus::closed);
  return outcome;
}

void close_if_done(Stage& stage, const Context& context, HoldId id) {
  const Hold* known = stage.hold(id);
  if (known->status == HoldStatus::closed || known->tasks_opened < known->task_count ||
      known->open_shares > 0 || known->pending_runs > 0) {
    return;
  }
  Hold& hold = stage.edit(id);
  for (HoldPart& part : hold.parts) {
    if (part.unopened.is_zero()) continue;
    Entry entry = entry_for(stage, context, EntryType::release, hold, part);
    entry.amount = part.unopened;
    stage.add(std::move(entry));
    const bool added = add_to_legs(stage, part.legs, Micros() - part.unopened, Micros());
    ASBB_ASSERT(added);
    part.unopened = Micros();
  }
  if (hold.kind == HoldKind::slurm && !hold.job) {
    stage.count_unbound(hold.user, hold.account, -1);
  }
  hold.status = HoldStatus::closed;
  hold.closed_at = context.at;
}

}  // namespace asbb::ledger
