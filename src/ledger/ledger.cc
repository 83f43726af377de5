#include "ledger/ledger.h"

#include "base/assert.h"
#include "base/token.h"
#include "ledger/decide.h"

namespace asbb::ledger {
namespace {

// The account's budget of that unit that covers the moment.
const Budget* budget_in_force(const Stage& stage, AccountId account, const std::string& unit,
                              Instant at) {
  for (const BudgetId id : stage.budgets_of(account)) {
    const Budget* budget = stage.budget(id);
    if (budget->unit == unit && budget->covers(at)) return budget;
  }
  return nullptr;
}

// The last one that ended before the moment, else the first to come.
const Budget* budget_out_of_force(const Stage& stage, AccountId account, const std::string& unit,
                                  Instant at) {
  const Budget* ended = nullptr;
  const Budget* coming = nullptr;
  for (const BudgetId id : stage.budgets_of(account)) {
    const Budget* budget = stage.budget(id);
    if (budget->unit != unit) continue;
    if (budget->end <= at) {
      if (ended == nullptr || ended->start < budget->start) ended = budget;
    } else if (coming == nullptr || budget->start < coming->start) {
      coming = budget;
    }
  }
  return ended != nullptr ? ended : coming;
}

using FindBudget = const Budget* (*)(const Stage&, AccountId, const std::string&, Instant);

Legs legs_of(const Stage& stage, AccountId account, const std::string& unit,
             const std::string& partition, Instant at, FindBudget find) {
  Legs out;
  for (AccountId id = account; id.is_set(); id = stage.account(id)->parent) {
    const Budget* budget = find(stage, id, unit, at);
    if (budget == nullptr) continue;
    if (!out.budget.is_set()) out.budget = budget->id;
    out.legs.push_back({Leg::Kind::budget, budget->id.value});
    for (const LimitId limit : stage.limits_of(budget->id)) {
      if (stage.limit(limit)->partition == partition) {
        out.legs.push_back({Leg::Kind::partition_limit, limit.value});
      }
    }
  }
  return out;
}

bool within_bounds(std::optional<Micros> counter) {
  return counter && *counter <= counter_max && Micros(-counter_max.count()) <= *counter;
}

// Both sums for one leg; nothing when one leaves its bounds.
std::optional<std::pair<Micros, Micros>> sums(Micros held, Micros used, Micros more_held,
                                              Micros more_used) {
  const auto new_held = held.plus(more_held);
  const auto new_used = used.plus(more_used);
  if (!within_bounds(new_held) || !within_bounds(new_used)) return std::nullopt;
  return std::pair(*new_held, *new_used);
}

Outcome check_request_id(const Stage& stage, const Context& context, bool& answered) {
  answered = true;
  if (const RememberedAnswer* known = stage.answer(context.request_id)) {
    if (known->body_digest != context.body_digest) return refuse(Refusal::request_id_conflict);
    auto outcome = decode_outcome(known->outcome);
    ASBB_ASSERT(outcome.has_value());
    outcome->replayed = true;
    return *outcome;
  }
  answered = false;
  return {};
}

// A token carries its time: too old, or too far ahead of our clock.
bool is_out_of_time(const Context& context) {
  if (!is_token(context.request_id)) return false;
  const Instant minted = token_time(context.request_id);
  return minted + token_age_max < context.at || context.at + token_ahead_max < minted;
}

}  // namespace

Outcome refuse(Refusal refusal, std::string field) {
  Outcome outcome;
  outcome.refusal = refusal;
  outcome.field = std::move(field);
  return outcome;
}

bool is_valid_text(const std::string& text) {
  constexpr std::size_t length_max = 2000;
  return text.size() <= length_max && text.find('\0') == std::string::npos;
}

const std::string& asker_of(const Command& command) {
  const auto* decline = std::get_if<Decline>(&command.action);
  if (decline != nullptr && !decline->user.empty()) return decline->user;
  const auto* place = std::get_if<PlaceHold>(&command.action);
  return place != nullptr && !place->user.empty() ? place->user : command.context.actor;
}

Outcome decide_action(Stage&, const Context&, const Decline& action) {
  Outcome outcome = refuse(Refusal::declined);
  outcome.code = action.code;
  outcome.message = action.message;
  return outcome;
}

Outcome decide(Stage& stage, const Command& command) {
  const Context& context = command.context;
  if (!context.request_id.empty()) {
    bool answered = false;
    Outcome known = check_request_id(stage, context, answered);
    if (answered) return known;
  }
  const auto entries_before = static_cast<std::int64_t>(stage.entries().size());
  Outcome outcome = refuse(Refusal::request_too_old);
  if (!is_out_of_time(context)) {
    outcome = std::visit([&](const auto& action) { return decide_action(stage, context, action); },
                         command.action);
  }
  for (const AccountId account : stage.take_touched()) carry_over(stage, context, account);
  (void)stage.take_touched();  // what carrying over itself has touched
  if (static_cast<std::int64_t>(stage.entries().size()) > entries_before) {
    ASBB_ASSERT(outcome.accepted());
    outcome.sequence = stage.entries()[static_cast<std::size_t>(entries_before)].sequence;
  }
  if (!context.request_id.empty() && (outcome.accepted() || context.remembers_refusals)) {
    outcome.asked_by = asker_of(command);
    stage.remember({context.request_id, context.body_digest, context.at, encode(outcome)});
  }
  return outcome;
}

Legs find_legs(const Stage& stage, AccountId account, const std::string& unit,
               const std::string& partition, Instant at, bool ended_too) {
  Legs in_force = legs_of(stage, account, unit, partition, at, budget_in_force);
  if (in_force.budget.is_set()) return in_force;
  Legs others = legs_of(stage, account, unit, partition, at, budget_out_of_force);
  if (ended_too && others.budget.is_set()) return others;
  in_force.refusal = others.budget.is_set() ? Refusal::budget_not_in_force : Refusal::no_budget;
  return in_force;
}

LegFigures figures_of(const Stage& stage, const Leg& leg) {
  LegFigures figures;
  BudgetId budget_id{leg.id};
  if (leg.kind == Leg::Kind::partition_limit) {
    const PartitionLimit* limit = stage.limit(LimitId{leg.id});
    budget_id = limit->budget;
    const Micros most = limit->limit.value_or(Micros());
    const Micros available = limit->limit ? most - limit->held - limit->used : Micros();
    figures = {"", limit->partition, most, limit->held, limit->used, available};
  } else {
    const Budget* budget = stage.budget(budget_id);
    figures = {"", "", budget->limit, budget->held, budget->used, budget->available()};
  }
  figures.account = stage.account(stage.budget(budget_id)->account)->name;
  return figures;
}

LegFigures tightest_leg(const Stage& stage, const std::vector<Leg>& legs) {
  ASBB_ASSERT(!legs.empty());
  LegFigures tightest = figures_of(stage, legs.front());
  for (const Leg& leg : legs) {
    if (leg.kind == Leg::Kind::partition_limit && !stage.limit(LimitId{leg.id})->limit) continue;
    LegFigures figures = figures_of(stage, leg);
    if (figures.available < tightest.available) tightest = std::move(figures);
  }
  return tightest;
}

bool add_to_legs(Stage& stage, const std::vector<Leg>& legs, Micros held, Micros used) {
  for (const Leg& leg : legs) {
    const LegFigures now = figures_of(stage, leg);
    if (!sums(now.held, now.used, held, used)) return false;
  }
  for (const Leg& leg : legs) {
    const auto apply = [&](auto& counter) {
      counter.held += held;
      counter.used += used;
      ASBB_ASSERT(!counter.held.is_negative());
    };
    if (leg.kind == Leg::Kind::budget) {
      apply(stage.edit(BudgetId{leg.id}));
    } else {
      apply(stage.edit(LimitId{leg.id}));
    }
  }
  return true;
}

Entry entry_for(const Stage& stage, const Context& context, EntryType type, const Hold& hold,
                const HoldPart& part) {
  Entry entry;
  entry.at = context.at;
  entry.type = type;
  entry.actor = context.actor;
  entry.reason = context.reason;
  entry.request_id = hold.request_id;
  entry.account = hold.account;
  entry.account_name = stage.account(hold.account)->name;
  entry.budget = part.budget;
  entry.unit = part.unit;
  entry.hold = hold.id;
  entry.user = hold.user;
  entry.partition = hold.partition;
  if (hold.job) {
    entry.job.cluster = hold.job->cluster;
    entry.job.job_id = hold.job->job_id;
  } else {
    entry.job.cluster = hold.cluster;
  }
  entry.price_version = part.price_version;
  return entry;
}

}  // namespace asbb::ledger
