// The auditor's checks of money that people moved.
#include "ledger/auditor_state.h"

namespace asbb::ledger {

void Auditor::State::adjustment_entry(const AuditRecord& record) {
  const auto legs = read_audit_legs(audit_text(record.details, "legs"));
  if (!legs || !check_legs(record, *legs)) {
    if (!legs) problem(record.sequence, "the adjustment says no budget that it changes");
    return;
  }
  AuditRecord without_partition = record;
  without_partition.partition.clear();
  if (*legs != expected_legs(without_partition, record.at_us)) {
    problem(record.sequence, "the adjustment does not change the budgets in force then");
  }
  move(record, *legs, 0, record.amount_micros);
}

void Auditor::State::moved_limit_entry(const AuditRecord& record) {
  const auto known = budgets.find(record.budget);
  if (known == budgets.end() || known->second.account != record.account ||
      known->second.unit != record.unit) {
    problem(record.sequence, "a " + record.type + " on a budget that is not the account's");
    return;
  }
  AuditedLimit& budget = known->second;
  const bool leaves = record.type == "withdrawal" || record.type == "transfer_out";
  const AuditSum available = budget.limit - budget.held - budget.used;
  if (leaves && record.amount_micros > available) {
    problem(record.sequence, "a " + record.type + " of " + audit_amount(record.amount_micros) +
                                 " where only " + audit_amount(available) + " is left");
  }
  if (!leaves && (record.at_us >= budget.end_us || accounts[record.account].status == "closed")) {
    problem(record.sequence, "a " + record.type +
                                 " into a budget that is over, or of a closed "
                                 "account");
  }
  budget.limit += leaves ? -AuditSum(record.amount_micros) : AuditSum(record.amount_micros);
  if (audit_number(record.details, "limit_micros") != audit_narrow(budget.limit)) {
    problem(record.sequence, "budget " + std::to_string(record.budget) + " has a limit of " +
                                 audit_amount(budget.limit) +
                                 " after it, and the entry says "
                                 "otherwise");
  }
  if (record.type == "transfer_out" || record.type == "transfer_in") transfer_entry(record);
}

// What is sent arrives with the next entry.
void Auditor::State::transfer_entry(const AuditRecord& record) {
  const std::int64_t other = audit_number(record.details, "other_budget").value_or(0);
  if (record.type == "transfer_out") {
    sent = {record.sequence, record.budget, other, record.unit, record.amount_micros};
    return;
  }
  const bool matches = sent.sequence + 1 == record.sequence && sent.budget == other &&
                       sent.other_budget == record.budget && sent.budget != record.budget &&
                       sent.unit == record.unit && sent.amount_micros == record.amount_micros;
  if (!matches) problem(record.sequence, "a transfer arrives that nobody sent so");
  sent = {};
}

void Auditor::State::refund_of_run(const AuditRecord& record, AuditedHold& hold) {
  const auto settled = hold.settlements.find(record.job);
  if (settled == hold.settlements.end() || settled->second.charged < record.amount_micros) {
    problem(record.sequence,
            "hold " + std::to_string(record.hold) + ": a run got back more than it was charged");
  }
  if (settled != hold.settlements.end()) settled->second.charged -= record.amount_micros;
}

}  // namespace asbb::ledger
