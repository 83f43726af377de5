// What settled runs were charged, taken back from the budget that paid: as a refund, or onto
// another account that bears the cost.
#include <algorithm>
#include <map>
#include <set>

#include "base/assert.h"
#include "ledger/decide.h"
#include "ledger/record.h"

namespace asbb::ledger {
namespace {

// A run and what is taken back of it.
struct Run {
  const Hold* hold = nullptr;
  const HoldPart* paid = nullptr;  // the part of the hold that was charged
  const Share* share = nullptr;
  Micros back;
};

// What is taken back, the run that settled first at first.
struct Claim {
  std::vector<Run> runs;
  Micros amount;
};

// Whether that run is meant: `key` names an external job, or a Slurm job; of it one task, run or
// cluster where it says so.
bool fits(const ShareKey& run, const ShareKey& key) {
  if (!key.external_id.empty()) return run.external_id == key.external_id;
  return run.external_id.empty() && run.job_id == key.job_id &&
         (key.task < 0 || run.task == key.task) && (key.run < 0 || run.run == key.run) &&
         (key.cluster.empty() || run.cluster == key.cluster);
}

const HoldPart* part_in(const Hold& hold, const std::string& unit) {
  const auto found = std::find_if(hold.parts.begin(), hold.parts.end(),
                                  [&](const HoldPart& part) { return part.unit == unit; });
  return found == hold.parts.end() ? nullptr : &*found;
}

// How a key names runs.
enum class Meant {
  job,  // as `fits` reads it
  run   // that one alone: a task of -1 is no array task
};

// Every settled run of the holds that is meant and was charged in that unit, the first settled
// first; or why there can be none.
template <typename Action>
Refusal find_runs(const Stage& stage, const Action& action, Meant meant, std::vector<Run>& runs) {
  std::set<HoldId> holds(action.more.begin(), action.more.end());
  holds.insert(action.hold);
  bool has_unit = false;
  for (const HoldId id : holds) {
    const Hold* hold = stage.hold(id);
    if (hold == nullptr) return Refusal::unknown_hold;
    const HoldPart* paid = part_in(*hold, action.unit);
    if (paid == nullptr) continue;
    has_unit = true;
    for (const Share* share : stage.shares_of(id)) {
      if (share->status != ShareStatus::settled || share->unit != action.unit) continue;
      const bool is_meant = !action.key || (meant == Meant::run ? share->key == *action.key
                                                                : fits(share->key, *action.key));
      if (is_meant) runs.push_back({hold, paid, share, {}});
    }
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    return std::pair(a.share->settled_at, a.share->id) <
           std::pair(b.share->settled_at, b.share->id);
  });
  return has_unit ? Refusal::none : Refusal::unit_not_held;
}

// Shares the amount out over the runs, and drops those that it does not reach. Gives what could be
// taken at most, reckoned no further than the amount: together the runs may have cost more than 64
// bits count.
Micros share_out(std::vector<Run>& runs, Micros amount) {
  Micros most;
  for (Run& run : runs) {
    if (most >= amount) break;
    const Micros left = run.share->actual - run.share->refunded;
    run.back = std::min(left, amount - most);
    most += left;
  }
  std::erase_if(runs, [](const Run& run) { return run.back.is_zero(); });
  return most;
}

// What was given back of these runs before; no further than can be counted.
Micros given_back(const std::vector<Run>& runs) {
  Micros sum;
  for (const Run& run : runs) sum = sum.plus(run.share->refunded).value_or(sum);
  return sum;
}

// What each hold is charged less.
std::map<HoldId, std::pair<const HoldPart*, Micros>> by_hold(const std::vector<Run>& runs) {
  std::map<HoldId, std::pair<const HoldPart*, Micros>> sums;
  for (const Run& run : runs) {
    auto& [paid, sum] = sums[run.hold->id];
    paid = run.paid;
    sum += run.back;
  }
  return sums;
}

// The first leg that has used less than all the runs together take off it.
std::optional<Leg> leg_without_all(const Stage& stage, const std::vector<Run>& runs) {
  std::vector<std::pair<Leg, Micros>> sums;
  for (const auto& [id, sum] : by_hold(runs)) {
    for (const Leg& leg : sum.first->legs) {
      auto known = std::find_if(sums.begin(), sums.end(),
                                [&](const auto& item) { return item.first == leg; });
      if (known == sums.end()) known = sums.insert(sums.end(), {leg, Micros()});
      known->second += sum.second;
    }
  }
  for (const auto& [leg, sum] : sums) {
    if (figures_of(stage, leg).used < sum) return leg;
  }
  return std::nullopt;
}

// The claim of a Refund or WriteOff, or why it cannot be; without an amount it is all there is.
template <typename Action>
Outcome find_claim(const Stage& stage, const Context& context, const Action& action, Meant meant,
                   std::optional<Micros> amount, Claim& claim) {
  const Hold* first = stage.hold(action.hold);
  if (first == nullptr) return refuse(Refusal::unknown_hold, "transaction_id");
  Outcome outcome = check_amount(context, amount.value_or(max_amount));
  if (!outcome.accepted()) return outcome;
  const Refusal refusal = find_runs(stage, action, meant, claim.runs);
  if (refusal == Refusal::unknown_hold) return refuse(refusal, "transaction_id");
  if (refusal != Refusal::none) return refuse(refusal, "unit");
  outcome.account = first->account;
  outcome.hold = first->id;
  outcome.unit = action.unit;
  outcome.released = given_back(claim.runs);
  outcome.charged = share_out(claim.runs, amount.value_or(max_amount));
  claim.amount = outcome.amount = amount.value_or(std::min(outcome.charged, max_amount));
  if (outcome.charged < claim.amount || outcome.charged.is_zero()) {
    outcome.refusal = Refusal::exceeds_charge;
    outcome.field = "amount";
    return outcome;
  }
  if (const auto leg = leg_without_all(stage, claim.runs)) {
    return refuse_with_figures(stage, *leg, Refusal::exceeds_used, "amount", claim.amount);
  }
  outcome.budget = claim.runs.front().paid->budget;
  return outcome;
}

// Takes it off the budgets that paid, marks it on the runs, and calls `write` with each.
template <typename Write>
void take_back(Stage& stage, const Claim& claim, Write write) {
  for (const auto& [id, sum] : by_hold(claim.runs)) {
    const bool added = add_to_legs(stage, sum.first->legs, Micros(), Micros() - sum.second);
    ASBB_ASSERT(added);
  }
  Micros left = claim.amount;
  for (const Run& run : claim.runs) {
    stage.edit(run.share->id).refunded += run.back;
    left -= run.back;
    write(run);
  }
  ASBB_ASSERT(left.is_zero());
}

// The two lines of a run's cost that moves on.
void write_pair(Stage& stage, const Context& context, const Run& run, const Account& to,
                const Legs& target) {
  Entry out = entry_for(stage, context, EntryType::write_off_out, *run.hold, *run.paid);
  out.amount = run.back;
  out.job = run.share->key;
  Entry in = out;
  out.details =
      RecordWriter().add("other_account", to.name).add("other_budget", target.budget.value).text();
  in.type = EntryType::write_off_in;
  in.account = to.id;
  in.account_name = to.name;
  in.budget = target.budget;
  in.details = RecordWriter()
                   .add("legs", to_string(target.legs))
                   .add("other_account", out.account_name)
                   .add("other_budget", run.paid->budget.value)
                   .text();
  stage.add(std::move(out));
  stage.add(std::move(in));
}

Outcome write_off(Stage& stage, const Context& context, const WriteOff& action, Meant meant) {
  Claim claim;
  Outcome outcome = find_claim(stage, context, action, meant, action.amount, claim);
  if (!outcome.accepted()) return outcome;
  const Account* to = stage.account(action.to);
  if (to == nullptr) return refuse(Refusal::unknown_account, "to");
  if (to->status == AccountStatus::closed) return refuse(Refusal::account_closed, "to");
  const Legs target = find_legs(stage, to->id, action.unit, "", context.at);
  if (target.refusal != Refusal::none) {
    outcome.refusal = target.refusal;
    outcome.field = "to";
    return outcome;
  }
  for (const Run& run : claim.runs) {
    if (target.budget == run.paid->budget) return refuse(Refusal::same_budget, "to");
  }
  // This first: it alone can fail, and then nothing has changed.
  if (!add_to_legs(stage, target.legs, Micros(), claim.amount)) return refuse(Refusal::overflow);
  take_back(stage, claim, [&](const Run& run) { write_pair(stage, context, run, *to, target); });
  outcome.leg = figures_of(stage, claim.runs.front().paid->legs.front());
  return outcome;
}

}  // namespace

Outcome decide_action(Stage& stage, const Context& context, const Refund& action) {
  Claim claim;
  Outcome outcome = find_claim(stage, context, action, Meant::job, action.amount, claim);
  if (!outcome.accepted()) return outcome;
  take_back(stage, claim, [&](const Run& run) {
    Entry entry = entry_for(stage, context, EntryType::refund, *run.hold, *run.paid);
    entry.amount = run.back;
    entry.job = run.share->key;
    stage.add(std::move(entry));
  });
  outcome.leg = figures_of(stage, claim.runs.front().paid->legs.front());
  return outcome;
}

Outcome decide_action(Stage& stage, const Context& context, const WriteOff& action) {
  return write_off(stage, context, action, Meant::job);
}

Outcome write_off_run(Stage& stage, const Context& context, const WriteOff& action) {
  return write_off(stage, context, action, Meant::run);
}

}  // namespace asbb::ledger
