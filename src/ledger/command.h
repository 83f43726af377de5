// What can be asked of the ledger, and what it answers. Commands are plain values made by the
// service from checked input; `decide` (ledger.h) judges them one after the other. Amounts are in
// micros of the named unit; times are UTC. Nothing here does I/O.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ledger/types.h"

namespace asbb::ledger {

// Why the ledger said no. Each has a stable code (to_string) that clients see; `none` means yes.
enum class Refusal {
  none,
  request_id_conflict,  // same id, other body
  request_too_old,      // a token older than 24 hours
  expired,              // the caller's deadline passed while it was queued
  bad_amount,           // negative, or beyond what can be counted
  bad_period,           // end not after start
  bad_name,
  bad_task_count,
  unknown_account,
  account_exists,
  alias_taken,       // it names an account already
  too_many_aliases,  // of one account
  too_many_owners,   // of one account
  account_inactive,  // inactive or suspended
  account_closed,
  unknown_parent,
  parent_cycle,
  no_budget,            // no budget of that unit on the account or above it
  budget_not_in_force,  // there is one, but not at this moment
  budget_overlaps,      // one budget per account, unit and instant
  unknown_budget,
  insufficient_budget,
  partition_limit_exceeded,
  limit_below_committed,  // a limit cannot go below held + used
  budget_in_use,          // money is held or used: its period cannot leave this moment out
  exceeds_used,           // more would be given back than was ever used
  exceeds_available,      // more would be taken out than is neither held nor used
  exceeds_charge,         // a refund beyond what was charged less what was refunded
  limit_too_large,        // a limit cannot go beyond what can be entered
  budget_ended,           // nothing can be put into it any more
  same_budget,            // a transfer from a budget to itself
  reason_missing,         // money is not moved by hand without a reason
  too_many_unbound,       // submissions of this user and account that never became jobs
  unknown_hold,
  hold_closed,
  hold_is_bound,           // only settlement ends it
  bound_elsewhere,         // already tied to another job
  settled_differently,     // the share was settled with other facts
  unit_not_held,           // the hold has no part in that unit
  same_unit,               // a conversion from a unit to itself
  conversion_not_allowed,  // the account may not convert
  no_conversion_rate,      // none for these two units is in force
  converts_to_nothing,     // less than a millionth would arrive
  declined,                // before money was looked at; the outcome has the words
  overflow                 // a sum would leave 64 bits
};
[[nodiscard]] const char* to_string(Refusal refusal);
[[nodiscard]] std::optional<Refusal> parse_refusal(std::string_view text);

// Who asks, why, when, and under which id. An empty request_id is not remembered.
struct Context {
  std::string request_id;
  std::string body_digest;  // tells the same request from another one under the same id
  std::string actor;
  std::string reason;
  Instant at;
  bool remembers_refusals = true;  // false: a refusal is not kept, and judged anew when asked again
};

struct NewBudget {
  std::string unit = "USD";
  Instant start;
  Instant end;
  Micros limit;
  Micros credit_limit;
  std::int64_t carry_over_millionths = 0;  // 0 to carry_all
};

struct CreateAccount {
  std::string name;
  std::string display_name;
  std::string description;
  std::string parent;  // account name, empty for none
  std::optional<std::int64_t> hold_factor_millionths;
  std::vector<NewBudget> budgets;
  std::vector<std::string> aliases{};
  std::vector<std::string> owners{};
};

// Only what is set changes, all of it or nothing. `limit` is what is granted: what was carried into
// the budget comes on top, and what was carried out of it goes off, so that the same update again
// changes nothing. `unit` names the budget whose limit and period
// change: the one in force at context.at, or the nearest one to come, or the last. With limit,
// start and end all set it is the one that the period overlaps; a period that overlaps none is
// added as a new budget.
struct UpdateAccount {
  std::string name;
  std::optional<std::string> display_name;
  std::optional<std::string> description;
  std::optional<std::string> parent;
  std::optional<AccountStatus> status;
  std::optional<std::int64_t> hold_factor_millionths;
  std::string unit = "USD";
  std::optional<Micros> limit;
  std::optional<Instant> start;
  std::optional<Instant> end;
  std::optional<Micros> credit_limit;
  std::optional<std::vector<std::string>> aliases;  // all of them; empty for none
  std::optional<std::vector<std::string>> owners;   // all of them; empty for none
  std::optional<std::int64_t> carry_over_millionths;
  std::optional<bool> may_convert;
};

struct CloseAccount {
  std::string name;
};

struct AddBudget {
  std::string account;
  NewBudget budget;
};

// New accounts, parents first, and further budgets of accounts that are there, in one step: all of
// it or nothing. The outcome's field says at which of them it was refused: "accounts[3].parent".
struct ImportAccounts {
  std::vector<CreateAccount> accounts;
  std::vector<AddBudget> budgets;
};

struct SetPartitionLimit {
  std::string account;
  std::string unit = "USD";
  std::string partition;
  Micros limit;
};

struct PlacePart {
  std::string unit;
  Micros estimate;  // of all tasks together
  Micros amount;    // to set aside for all tasks together
  std::int64_t price_version = 0;
};

struct PlaceHold {
  std::string transaction_id;  // the hold's public name, unique for ever; empty: context.request_id
  HoldKind kind = HoldKind::slurm;
  std::string account;
  std::string user;
  std::string cluster;
  std::string partition;
  std::string group;
  std::int64_t task_count = 1;
  std::vector<PlacePart> parts;
  std::optional<Instant> deadline;  // refused as expired when context.at is later
  std::optional<Instant>
      period_at;  // whose period pays; context.at unless set (backfill: the job's start)
  std::int64_t unbound_max = 10'000;  // per user and account
  bool backfill = false;  // for a job that ran without a hold: amounts are zero, no cap,
                          // closed accounts and ended budgets still pay
  bool running = false;   // for a job that runs already: budgets lend it up to their credit
  bool any_unit = false;  // parts for which there is no money are left out, as long as one is held
};

struct BindHold {
  HoldId hold;
  JobRef job;
};

struct SettleShare {
  HoldId hold;
  ShareKey key;
  std::string unit;
  Micros actual;          // >= 0
  bool requeued = false;  // another run follows: what is left stays with the hold
  std::string cause;      // Slurm's state, or the caller's word
  // The run that follows begins anew and may need all of its task's part: what is missing is set
  // aside in the same step, with new money, where there is enough of it.
  bool rearms = false;
  std::string bearer = {};  // an account that the cost is written off to at once; empty: none
};

// Opens the share of a further run while it runs: from what is left of the hold, then from new
// money.
struct OpenShare {
  HoldId hold;
  ShareKey key;
};

// Sets aside, with new money where there is all of it, what the awaited run `key` lacks of its
// task's part. Where nothing is lacking, or that run is not awaited, it changes nothing.
struct ArmRun {
  HoldId hold;
  ShareKey key;
};

// Ends a hold whose job never came to be, or an external caller's. All of it goes back.
struct VoidHold {
  HoldId hold;
};

// Tasks of a bound hold leave it because their job was changed: what they held goes back and, with
// `place`, is set aside anew, on whatever account and partition the job has now, all in one step.
// The new hold is bound to the same job. Tasks without a share leave first; those that wait for
// their next run leave only together with all others.
struct ReplaceHold {
  HoldId hold;
  std::int64_t task_count = 1;     // how many leave
  std::string group;               // of the hold they leave, from now on
  std::optional<HoldId> proposal;  // an unbound hold that was placed for this change: given back
  std::optional<PlaceHold> place;  // of as many tasks
};

// A job that Slurm has and that was let through without a hold gets one and is bound, in one step.
// Money that an external hold keeps for such jobs is given up first: `drawn` of it, at most what it
// has left. That hold has one unit and nothing else was taken from it.
struct CoverJob {
  std::optional<HoldId> from;
  Micros drawn;     // 0 without `from`
  PlaceHold place;  // of Slurm's kind, not made afterwards
  JobRef job;
};

// An administrator's correction of what was used, on the budget in force; signed, and never below
// nothing used. With `job` it is of that job's charge, or of one of its tasks; then it may be of
// nothing, which writes down that somebody looked at the charge and lets it stand.
struct Adjust {
  std::string account;
  std::string unit = "USD";
  Micros amount;
  std::optional<ShareKey> job{};
};

// Moves the limit of one of the account's own budgets up or down: the one in force at context.at,
// or the nearest one to come, or the last; nothing is put into one that has ended. amount > 0; a
// reason is needed. Limits of ancestors and partitions do not move.
struct Deposit {
  std::string account;
  std::string unit = "USD";
  Micros amount;
};

struct Withdraw {
  std::string account;
  std::string unit = "USD";
  Micros amount;  // at most what is available
};

// A withdrawal and a deposit in one: neither happens without the other.
struct Transfer {
  std::string from;
  std::string to;
  std::string unit = "USD";
  Micros amount;  // at most what is available
};

// Gives back what settled shares of one or several holds were charged, to the budgets that paid,
// also after their end: all of it or nothing, the first settled first. amount > 0; a reason is
// needed.
struct Refund {
  HoldId hold;
  std::optional<ShareKey> key;  // the runs of that job alone, on every cluster where it names none,
                                // of every task and every run where these are below 0
  std::string unit;
  Micros amount;               // at most what was charged less what was refunded
  std::vector<HoldId> more{};  // further holds whose runs are meant
};

// Moves what settled shares were charged, as for a refund, to another account, which bears it from
// then on like a cost of its own: also beyond its limit. Reason as for a refund.
struct WriteOff {
  HoldId hold;
  std::optional<ShareKey> key;  // as for a refund
  std::string unit;
  std::optional<Micros> amount;  // at most what was charged less what was refunded; all of it
  std::string to;                // on whose budget in force it is counted
  std::vector<HoldId> more{};    // as for a refund
};

// Carries what budgets that have ended by context.at leave into the next ones. Once is enough, but
// again does no harm. What comes back to such a budget later is carried by the command that gives
// it back.
struct CarryOver {};

// A rate is in force from its moment until a later one of the same two units.
struct RecordConversionRate {
  std::string from_unit;
  std::string to_unit;
  Micros rate;  // of to_unit for one of from_unit; above 0, at most 1'000'000 units
  Instant effective_from;
};

// Moves money of an account from its budget in one unit to its budget in another, at the rate in
// force, rounded down. amount > 0; a reason is needed, and that the account may convert.
struct Convert {
  std::string account;
  std::string from_unit;
  std::string to_unit;
  Micros amount;  // of from_unit; at most what is available
};

struct RecordPrices {
  Instant effective_from;
  std::string text;
};

// What was refused before the ledger had a part in it: kept, so that the same id gets the same
// answer. `user` is whose share of the memory it takes; the context's actor's when empty.
struct Decline {
  std::string code;
  std::string message;
  std::string user;
};

// What is done because an account ran dry while jobs ran (docs/concepts/job-life.md), written down
// before it is done. Moves no money.
enum class EnforcementStep { warn, stop_new, credit, requeue, signal, cancel };
enum class EnforcementState {
  begun,   // it is in force, or is being done
  failed,  // it could not be done, and is tried again
  done,    // after it had failed, or what takes several steps
  ended    // the account has money again, or no job needs it
};
[[nodiscard]] const char* to_string(EnforcementStep step);
[[nodiscard]] const char* to_string(EnforcementState state);
[[nodiscard]] std::optional<EnforcementStep> parse_enforcement_step(std::string_view text);
[[nodiscard]] std::optional<EnforcementState> parse_enforcement_state(std::string_view text);

// warn, stop_new and credit are an account's; the others a job's, which `job` and `submit` name. A
// reason is needed.
struct RecordEnforcement {
  std::string account;
  EnforcementStep step = EnforcementStep::warn;
  EnforcementState state = EnforcementState::begun;
  std::string unit;
  std::string user;
  std::string partition;
  ShareKey job;
  Instant submit;     // of that run: job ids come back
  std::string limit;  // what has run dry: "b3" or "l7" (to_string of legs)
  std::string how;    // the signal that is sent, or the partition that the job goes to
  Micros missing;     // in that limit at that time
  Micros gives_back;  // what is expected of the job's end, of the money of that limit
  bool operator==(const RecordEnforcement&) const = default;
};

using Action = std::variant<CreateAccount, UpdateAccount, CloseAccount, AddBudget,
                            SetPartitionLimit, PlaceHold, BindHold, SettleShare, OpenShare,
                            VoidHold, ReplaceHold, Adjust, Deposit, Withdraw, Transfer, Refund,
                            RecordPrices, WriteOff, CarryOver, RecordConversionRate, Convert,
                            ArmRun, CoverJob, Decline, RecordEnforcement, ImportAccounts>;

struct Command {
  Context context;
  Action action;
};

// The limit that decided, or the tightest one, as it was before the command.
struct LegFigures {
  std::string account;
  std::string partition;  // empty for a budget
  Micros limit;
  Micros held;
  Micros used;
  Micros available;
  bool operator==(const LegFigures&) const = default;
};

struct Outcome {
  Refusal refusal = Refusal::none;
  bool replayed = false;  // answered from memory
  std::string field;      // the input at fault, when there is one
  AccountId account;
  BudgetId budget;
  HoldId hold;
  std::string unit;
  Micros estimate;
  Micros amount;   // held, charged or set
  LegFigures leg;  // for holds: the leg with the least available
  Micros granted;  // settlement: what the share had held
  Micros charged;  // a refund: what was charged less what was refunded before
  Micros overrun;
  Micros released;            // a refund: what was refunded before; a limit: what was carried out
  Micros converted;           // what arrived, in the other unit
  Micros rearmed;             // settlement: new money for the run that follows, of that unit
  Micros uncovered;           // and what it lacks
  Micros written_off;         // settlement: borne by another account
  std::int64_t sequence = 0;  // of the first entry written, 0 when none
  std::int64_t price_version = 0;
  std::int64_t rate_version = 0;  // of a conversion, or recorded
  std::string asked_by;           // asker_of the command, in remembered answers
  std::string code;               // of what was declined, and what people were told
  std::string message;
  bool operator==(const Outcome&) const = default;
  [[nodiscard]] bool accepted() const { return refusal == Refusal::none; }
};

// One line that a table can keep and that reads back identically; nothing when it is not such a
// line.
[[nodiscard]] std::string encode(const Outcome& outcome);
[[nodiscard]] std::optional<Outcome> decode_outcome(std::string_view text);

// An answer kept so that the same request id is answered the same way.
struct RememberedAnswer {
  std::string request_id;
  std::string body_digest;
  Instant at;
  std::string outcome;  // encode(Outcome)
  bool operator==(const RememberedAnswer&) const = default;
};

}  // namespace asbb::ledger
