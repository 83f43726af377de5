#include "service/reply.h"

#include <algorithm>
#include <utility>

#include "base/money.h"
#include "base/text.h"

namespace asbb::service {
namespace {

using ledger::Refusal;

struct Meaning {
  int status;
  const char* code;
};

Meaning meaning_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_account:
    case Refusal::unknown_budget:
    case Refusal::unknown_hold:
      return {404, "NOT_FOUND"};
    case Refusal::account_exists:
    case Refusal::alias_taken:
      return {409, "DUPLICATE_ACCOUNT"};
    case Refusal::account_inactive:
    case Refusal::account_closed:
      return {402, "ACCOUNT_INACTIVE"};
    case Refusal::budget_not_in_force:
      return {402, "ACCOUNT_EXPIRED"};
    case Refusal::no_budget:
    case Refusal::insufficient_budget:
      return {402, "INSUFFICIENT_BUDGET"};
    case Refusal::partition_limit_exceeded:
      return {402, "PARTITION_LIMIT_EXCEEDED"};
    case Refusal::request_id_conflict:
    case Refusal::budget_overlaps:
    case Refusal::limit_below_committed:
    case Refusal::budget_in_use:
    case Refusal::exceeds_used:
    case Refusal::exceeds_available:
    case Refusal::exceeds_charge:
    case Refusal::limit_too_large:
    case Refusal::budget_ended:
    case Refusal::same_budget:
    case Refusal::conversion_not_allowed:
    case Refusal::no_conversion_rate:
    case Refusal::too_many_unbound:
    case Refusal::hold_closed:
    case Refusal::hold_is_bound:
    case Refusal::bound_elsewhere:
    case Refusal::settled_differently:
      return {409, "CONFLICT"};
    case Refusal::expired:
      return {503, "SERVICE_UNAVAILABLE"};
    case Refusal::none:
    case Refusal::request_too_old:
    case Refusal::bad_amount:
    case Refusal::bad_period:
    case Refusal::bad_name:
    case Refusal::bad_task_count:
    case Refusal::too_many_aliases:
    case Refusal::too_many_owners:
    case Refusal::unknown_parent:
    case Refusal::parent_cycle:
    case Refusal::unit_not_held:
    case Refusal::reason_missing:
    case Refusal::same_unit:
    case Refusal::converts_to_nothing:
    case Refusal::declined:
    case Refusal::overflow:
      break;
  }
  return {400, "VALIDATION_ERROR"};
}

std::string limit_sentence(const ledger::Outcome& outcome) {
  const ledger::LegFigures& leg = outcome.leg;
  return "A limit of " + to_display(outcome.amount, outcome.unit) +
         " would be below what is used and held already: " + to_display(leg.used, outcome.unit) +
         " used, " + to_display(leg.held, outcome.unit) + " held" +
         (outcome.released.is_zero()
              ? "."
              : ", and " + to_display(outcome.released, outcome.unit) + " was carried over.");
}

std::string in_use_sentence(const ledger::Outcome& outcome) {
  const ledger::LegFigures& leg = outcome.leg;
  return "The period must cover this moment, because money is in this budget: " +
         to_display(leg.used, outcome.unit) + " used, " + to_display(leg.held, outcome.unit) +
         " held. A budget for another period is added when its amount, first and last day are "
         "given.";
}

std::string exceeds_used_sentence(const ledger::Outcome& outcome) {
  const ledger::LegFigures& leg = outcome.leg;
  return "At most " + to_display(leg.used, outcome.unit) +
         " can be given back: that is all that account '" + leg.account +
         (leg.partition.empty() ? "'" : "' on partition '" + leg.partition + "'") + " has used.";
}

std::string exceeds_charge_sentence(const ledger::Outcome& outcome) {
  const Micros all = outcome.charged.plus(outcome.released).value_or(outcome.charged);
  std::string text = "At most " + to_display(outcome.charged, outcome.unit) +
                     " can be given back or written off: " + to_display(all, outcome.unit) +
                     " was charged";
  if (outcome.released.is_zero()) return text + ".";
  return text + ", and " + to_display(outcome.released, outcome.unit) + " of it already was.";
}

// Of money that people move.
std::string move_sentence(const ledger::Outcome& outcome) {
  const ledger::LegFigures& leg = outcome.leg;
  const std::string asked = to_display(outcome.amount, outcome.unit);
  switch (outcome.refusal) {
    case Refusal::exceeds_used:
      return exceeds_used_sentence(outcome);
    case Refusal::exceeds_available:
      return asked + " cannot be taken out of account '" + leg.account + "': of " +
             to_display(leg.limit, outcome.unit) + ", " + to_display(leg.used, outcome.unit) +
             " is used and " + to_display(leg.held, outcome.unit) + " held, so " +
             to_display(std::max(leg.available, Micros()), outcome.unit) + " can.";
    case Refusal::exceeds_charge:
      return exceeds_charge_sentence(outcome);
    case Refusal::limit_too_large:
      return "The budget of " + to_display(leg.limit, outcome.unit) + " of account '" +
             leg.account + "' cannot grow by " + asked + ": a budget is at most " +
             to_display(max_amount, outcome.unit) + ".";
    case Refusal::budget_ended:
      return "The budget of account '" + leg.account + "' in " + outcome.unit +
             " has ended; add one for this time first.";
    default:
      return "This would move money from a budget to itself.";
  }
}

std::string input_sentence(const ledger::Outcome& outcome, const std::string& account) {
  switch (outcome.refusal) {
    case Refusal::bad_amount:
      return "The amount is not one that can be entered: 0 to " + to_decimal(max_amount) +
             " with at most six decimals, and a factor of 1 to 100.";
    case Refusal::bad_period:
      return "The period must end after it starts.";
    case Refusal::bad_name:
      return "The name is not allowed: 1 to 128 letters, digits and _ - . @ + : , not starting "
             "with '-'.";
    case Refusal::bad_task_count:
      return "The number of array tasks is not between 1 and 10000000.";
    case Refusal::unknown_parent:
      return "There is no account of this name, so it cannot be a parent.";
    case Refusal::parent_cycle:
      return "Account '" + account + "' cannot stand below itself.";
    case Refusal::unit_not_held:
      return "Nothing was held in that unit for this transaction.";
    case Refusal::too_many_aliases:
      return "An account has at most 100 aliases.";
    case Refusal::too_many_owners:
      return "An account has at most 20 owners.";
    case Refusal::reason_missing:
      return "A reason of at most 2000 characters is needed: it stays in the ledger.";
    case Refusal::overflow:
      return "The sum would be larger than what can be counted.";
    case Refusal::request_too_old:
      return "The token was made more than 24 hours ago, or in the future.";
    default:
      return "The request cannot be carried out.";
  }
}

std::string conversion_sentence(Refusal refusal, const std::string& account) {
  switch (refusal) {
    case Refusal::same_unit:
      return "A conversion is between two units.";
    case Refusal::conversion_not_allowed:
      return "Account '" + account +
             "' may not pay one unit with another; an administrator can allow it.";
    case Refusal::no_conversion_rate:
      return "No rate between these two units, in this direction, is in force.";
    default:
      return "So little comes to less than a millionth of the other unit.";
  }
}

std::string hold_sentence(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_hold:
      return "There is no such transaction.";
    case Refusal::hold_closed:
      return "This hold has been settled or given back already.";
    case Refusal::hold_is_bound:
      return "This hold belongs to a job that Slurm knows: only the job's end settles it.";
    case Refusal::bound_elsewhere:
      return "This hold belongs to another job already.";
    default:
      return "This job has been settled already, with another amount; an adjustment can correct "
             "it.";
  }
}

}  // namespace

tl::unexpected<api::Problem> too_busy() {
  return problem(503, "SERVICE_UNAVAILABLE",
                 "The budget service has too much to do just now; try again in a moment.");
}

tl::unexpected<api::Problem> no_such_account(const std::string& account) {
  return problem(404, "NOT_FOUND", "There is no account '" + account + "'.", "account");
}

tl::unexpected<api::Problem> conflict(std::string details, std::string message, std::string field) {
  return tl::unexpected(
      api::Problem{409, "CONFLICT", std::move(message), std::move(details), std::move(field)});
}

const std::string& account_of(const ledger::Outcome& outcome, const std::string& asked) {
  return outcome.leg.account.empty() ? asked : outcome.leg.account;
}

std::string sentence_of(const ledger::Outcome& outcome, const std::string& asked) {
  const std::string& account = account_of(outcome, asked);
  const std::string named = "Account '" + account + "'";
  switch (outcome.refusal) {
    case Refusal::none:
      return "Accepted.";
    case Refusal::unknown_account:
      return "There is no account '" + account + "'.";
    case Refusal::account_exists:
      return named + " exists already.";
    case Refusal::alias_taken:
      return "One of the aliases names account '" + outcome.leg.account + "' already.";
    case Refusal::account_inactive:
      return named + ", or one above it, is not active.";
    case Refusal::account_closed:
      return named + ", or one above it, is closed.";
    case Refusal::no_budget:
      return named + " has no budget in " + outcome.unit + ", nor has an account above it.";
    case Refusal::budget_not_in_force:
      return "No budget of account '" + account + "' in " + outcome.unit + " covers this moment.";
    case Refusal::budget_overlaps:
      return named + " has a budget of that unit in this period already.";
    case Refusal::unknown_budget:
      return named + " has no budget " +
             (outcome.unit.empty() ? "of that unit." : "in " + outcome.unit + ".");
    case Refusal::insufficient_budget:
      return "Insufficient budget: " + to_display(outcome.amount, outcome.unit) + " needed, " +
             to_display(outcome.leg.available, outcome.unit) + " available.";
    case Refusal::partition_limit_exceeded:
      return "The limit for partition '" + outcome.leg.partition +
             "' is exceeded: " + to_display(outcome.amount, outcome.unit) + " needed, " +
             to_display(outcome.leg.available, outcome.unit) + " available.";
    case Refusal::limit_below_committed:
      return limit_sentence(outcome);
    case Refusal::budget_in_use:
      return in_use_sentence(outcome);
    case Refusal::exceeds_used:
    case Refusal::exceeds_available:
    case Refusal::exceeds_charge:
    case Refusal::limit_too_large:
    case Refusal::budget_ended:
    case Refusal::same_budget:
      return move_sentence(outcome);
    case Refusal::too_many_unbound:
      return "Too many submissions of this user and account have not become jobs yet; try again "
             "in a minute.";
    case Refusal::request_id_conflict:
      return "This request id was used for another request.";
    case Refusal::expired:
      return "The answer was not ready in the time that the caller gave.";
    case Refusal::same_unit:
    case Refusal::conversion_not_allowed:
    case Refusal::no_conversion_rate:
    case Refusal::converts_to_nothing:
      return conversion_sentence(outcome.refusal, account);
    case Refusal::unknown_hold:
    case Refusal::hold_closed:
    case Refusal::hold_is_bound:
    case Refusal::bound_elsewhere:
    case Refusal::settled_differently:
      return hold_sentence(outcome.refusal);
    default:
      return input_sentence(outcome, account);
  }
}

api::Problem problem_of(const ledger::Outcome& outcome, const std::string& asked,
                        const Given& given) {
  const Meaning meaning = meaning_of(outcome.refusal);
  ledger::Outcome told = outcome;
  if (const auto unit = given.find("unit"); told.unit.empty() && unit != given.end()) {
    told.unit = unit->second;  // a refusal before the budget was found has none
  }
  std::string message = sentence_of(told, asked);
  if (const auto id = given.find("request_id");
      outcome.refusal == Refusal::request_id_conflict && id != given.end()) {
    return api::Problem{meaning.status, meaning.code,
                        "The request id " + in_quotes(id->second) +
                            " was used for another request: give this one an id of its own.",
                        ledger::to_string(outcome.refusal), "request_id"};
  }
  const auto value = given.find(outcome.field);
  if (meaning.status == 400 && value != given.end()) {
    message = outcome.field + " " + in_quotes(value->second) + ": " + message;
  }
  return api::Problem{meaning.status, meaning.code, std::move(message),
                      ledger::to_string(outcome.refusal), outcome.field};
}

}  // namespace asbb::service
