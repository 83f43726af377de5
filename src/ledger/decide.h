// The parts of decide(), one overload per command; see ledger.h for the rules they share. Inside
// src/ledger only.
#pragma once

#include "ledger/ledger.h"

namespace asbb::ledger {

[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const CreateAccount& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const UpdateAccount& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const CloseAccount& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const AddBudget& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const ImportAccounts& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const SetPartitionLimit& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const PlaceHold& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const BindHold& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const SettleShare& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const OpenShare& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const ArmRun& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const VoidHold& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const ReplaceHold& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const CoverJob& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Adjust& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Deposit& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Withdraw& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Transfer& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Refund& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const RecordPrices& action);

[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const WriteOff& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const CarryOver& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const RecordConversionRate& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Convert& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context, const Decline& action);
[[nodiscard]] Outcome decide_action(Stage& stage, const Context& context,
                                    const RecordEnforcement& action);

// A WriteOff of the one run that has exactly the action's key.
[[nodiscard]] Outcome write_off_run(Stage& stage, const Context& context, const WriteOff& action);

// Carries what the account's ended budgets leave; again does nothing.
void carry_over(Stage& stage, const Context& context, AccountId account);

[[nodiscard]] Outcome refuse(Refusal refusal, std::string field = {});

// With the figures of the leg that decided, its unit, and what was asked.
[[nodiscard]] Outcome refuse_with_figures(const Stage& stage, const Leg& leg, Refusal refusal,
                                          std::string field, Micros asked);

// Of the account's own budgets of that unit: the one in force, else the next to come, else the
// last; nullptr when there is none.
[[nodiscard]] const Budget* nearest_budget(const Stage& stage, AccountId account,
                                           const std::string& unit, Instant at);

// More than blanks, and valid text.
[[nodiscard]] bool has_reason(const Context& context);

// Above zero and not too much, with a reason.
[[nodiscard]] Outcome check_amount(const Context& context, Micros amount);

// The account's budget of that unit that money goes into, in `budget`, or why it cannot.
[[nodiscard]] Outcome find_target(const Stage& stage, const Context& context,
                                  const std::string& name, const std::string& field,
                                  const std::string& unit, Micros amount, const Budget*& budget);

// The budget that money comes out of, in `budget`, or why it cannot.
[[nodiscard]] Outcome find_source(const Stage& stage, const Context& context,
                                  const std::string& name, const std::string& unit, Micros amount,
                                  const Budget*& budget);

// Moves the limit up or down, as the type says, and writes the entry. `other` is the budget at the
// other end; `more` are further lines of its details.
void move_limit(Stage& stage, const Context& context, BudgetId id, EntryType type, Micros amount,
                BudgetId other = {}, const std::string& more = {});

// Letters, digits and -_.@+:, not a dash in front; at most 128.
[[nodiscard]] bool is_valid_name(const std::string& name);
// 0 to max_amount.
[[nodiscard]] bool is_valid_limit(Micros limit);

// Sets the partition limits of the account's period before it on a budget that was just added.
void inherit_limits(Stage& stage, const Context& context, BudgetId id);

// The answer to a move of a limit.
[[nodiscard]] Outcome moved(const Stage& stage, BudgetId id, Micros amount);

// An entry with what the context and the account say already filled in.
[[nodiscard]] Entry account_entry(const Context& context, EntryType type, const Account& account);

// Free text of people and clusters: at most 2000 bytes, and no NUL.
[[nodiscard]] bool is_valid_text(const std::string& text);

// The first leg that has used less than the amount; nullptr when all have used as much.
[[nodiscard]] const Leg* leg_without(const Stage& stage, const std::vector<Leg>& legs, Micros used);

// Adds to held and used of every leg. False, with nothing changed, when a counter would leave its
// bounds.
[[nodiscard]] bool add_to_legs(Stage& stage, const std::vector<Leg>& legs, Micros held,
                               Micros used);

// For a job that runs already, to which budgets lend up to their credit: the leg with the least, if
// that is less than the amount; nullptr when each has it.
[[nodiscard]] const Leg* leg_short_for_running(const Stage& stage, const std::vector<Leg>& legs,
                                               Micros amount);

// New money is set aside for accounts that are open for business, as all above them.
[[nodiscard]] Outcome check_standing(const Stage& stage, const Account* account);

// An entry with what the context and the hold say already filled in.
[[nodiscard]] Entry entry_for(const Stage& stage, const Context& context, EntryType type,
                              const Hold& hold, const HoldPart& part);

// Lets what is left go and closes the hold when nothing more can come of it.
void close_if_done(Stage& stage, const Context& context, HoldId id);

}  // namespace asbb::ledger
