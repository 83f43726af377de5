#include "service/submission_messages.h"

#include <algorithm>

#include "service/reply.h"

namespace asbb::service {
namespace {

using ledger::Refusal;

// The part that the outcome is about, at the prices that it was decided at; null when prices have
// changed since.
const PlannedPart* part_of(const HoldPlan& plan, const ledger::Outcome& outcome) {
  for (const PlannedPart& part : plan.parts) {
    if (part.estimate.unit == outcome.unit && part.estimate.total == outcome.estimate &&
        part.amount == outcome.amount) {
      return &part;
    }
  }
  return nullptr;
}

std::string limit_name(const ledger::LegFigures& leg) {
  if (!leg.partition.empty()) {
    return "the limit of account " + leg.account + " for partition " + leg.partition;
  }
  return "the budget of account " + leg.account;
}

// Whoever may spend from an account need not be one who may spend from those above it
// (DESIGN 4.11): neither what is left there nor a time that would fit, from which it could be
// reckoned.
std::string above_sentence(const HoldPlan& plan, const ledger::LegFigures& leg) {
  return limit_name(leg) + ", above account " + plan.account +
         ", has less than that left: ask who manages it\n";
}

std::string fitting_sentence(const HoldPlan& plan, const PlannedPart& part, Micros available) {
  const auto minutes = pricing::longest_fitting_minutes(plan.request, part.shapes, *plan.book,
                                                        available, plan.factor);
  if (!minutes) return "No time limit fits: even one minute of it would have to hold more.\n";
  return "The longest time limit that fits is --time=" +
         pricing::to_string(pricing::TimeLimit{*minutes, false}) + "\n";
}

}  // namespace

namespace {

// "$1.20 of account proj001 (estimate $1.00)"
std::string amounts_of(const std::string& account, const std::vector<ledger::PlacePart>& parts) {
  std::string held;
  std::string estimated;
  for (const ledger::PlacePart& part : parts) {
    const std::string between = held.empty() ? "" : " and ";
    held += between + to_display(part.amount, part.unit);
    estimated += between + to_display(part.estimate, part.unit);
  }
  return held + " of account " + account + " (estimate " + estimated + ")\n";
}

}  // namespace

bool is_for_money(Refusal refusal) {
  return refusal == Refusal::insufficient_budget || refusal == Refusal::partition_limit_exceeded;
}

bool may_pay_elsewhere(Refusal refusal) {
  return is_for_money(refusal) || refusal == Refusal::no_budget;
}

api::SubmissionAnswer allowed() {
  api::SubmissionAnswer answer;
  answer.decision = "allow";
  return answer;
}

api::SubmissionAnswer denied(const std::string& code, const std::string& message) {
  api::SubmissionAnswer answer;
  answer.decision = "deny";
  answer.code = code;
  answer.message = message;
  return answer;
}

std::string held_message(const std::string& account, const std::vector<ledger::PlacePart>& parts) {
  return "held " + amounts_of(account, parts);
}

std::string restricted_message(const HoldPlan& plan, const ledger::Hold& hold) {
  std::set<std::string> units;
  for (const ledger::HoldPart& part : hold.parts) units.insert(part.unit);
  std::string lacking;
  for (const PlannedPart& part : plan.parts) {
    if (units.contains(part.estimate.unit)) continue;
    lacking += (lacking.empty() ? "" : " and ") + to_display(part.amount, part.estimate.unit);
  }
  if (lacking.empty()) return {};
  std::string where;
  for (const ClusterChoice& cluster : plan.clusters) {
    if (!cluster.is_viable || !is_paid(cluster, units)) continue;
    where += (where.empty() ? "" : " or ") + cluster.name;
  }
  return "account " + plan.slurm_account + " has no " + lacking +
         " left for the other clusters: this job runs on " + where + " only\n";
}

std::string would_hold_message(const HoldPlan& plan) {
  return "This job would hold " + amounts_of(plan.account, parts_of(plan));
}

std::string refused_message(const HoldPlan& plan, const ledger::Outcome& outcome) {
  if (!is_for_money(outcome.refusal)) {
    ledger::Outcome told = outcome;
    if (told.unit.empty() && !plan.parts.empty()) told.unit = plan.parts.front().estimate.unit;
    return sentence_of(told, plan.account) + "\n";
  }
  const std::string& unit = outcome.unit;
  const bool is_above = outcome.leg.account != plan.account;
  const Micros available = std::max(outcome.leg.available, Micros());
  std::string text = "account " + plan.slurm_account + ": this job may cost " +
                     to_display(outcome.estimate, unit) + ", and " +
                     to_display(outcome.amount, unit) + " must be held for it\n";
  if (is_above) return text + above_sentence(plan, outcome.leg);
  text +=
      "only " + to_display(available, unit) + " is available in " + limit_name(outcome.leg) + "\n";
  const PlannedPart* part = part_of(plan, outcome);
  return part == nullptr ? text : text + fitting_sentence(plan, *part, available);
}

}  // namespace asbb::service
