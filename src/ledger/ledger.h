// The rules of money (DESIGN section 4): judges one command on a stage. Pure: no I/O, no clock, no
// threads; the caller passes the time in. A refused command changes nothing on the stage but the
// memory of its answer.
#pragma once

#include "ledger/book.h"
#include "ledger/command.h"

namespace asbb::ledger {

// How old a token may be, and how far ahead of our clock; answers are kept longer than a token is
// good for.
inline constexpr Span token_age_max = hours(24);
inline constexpr Span token_ahead_max = seconds(600);
inline constexpr Span answer_memory = hours(26);

// Bound of every counter (held, used) either way, so that available never leaves 64 bits.
inline constexpr Micros counter_max{4'000'000'000'000'000'000};

// On whose account the memory of an answer goes: the user of a submission, or else who sent it.
[[nodiscard]] const std::string& asker_of(const Command& command);

// Decides the command, stages its effects and its entries, and remembers the answer under its
// request id.
[[nodiscard]] Outcome decide(Stage& stage, const Command& command);

// The legs of money drawn by `account` for `unit` on `partition` at `at`: the paying budget first.
struct Legs {
  Refusal refusal = Refusal::none;  // no_budget or budget_not_in_force when there are none
  BudgetId budget;
  std::vector<Leg> legs;
};
[[nodiscard]] Legs find_legs(const Stage& stage, AccountId account, const std::string& unit,
                             const std::string& partition, Instant at, bool ended_too = false);

// What a leg has at this moment; all zero but `held` and `used` where a partition has no limit.
[[nodiscard]] LegFigures figures_of(const Stage& stage, const Leg& leg);

// The leg with the least available, of those that have a limit: the paying budget at least.
[[nodiscard]] LegFigures tightest_leg(const Stage& stage, const std::vector<Leg>& legs);

// What the part lacks for the runs that the hold awaits to have all of their tasks' parts.
[[nodiscard]] Micros lack_for_runs(const Hold& hold, const HoldPart& part);

}  // namespace asbb::ledger
