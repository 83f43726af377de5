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
  units[record.unit].spent += record.amount_micros;
}

// What one account was charged, on another one that bears it.
void Auditor::State::write_off_entry(const AuditRecord& record) {
  const auto legs = read_audit_legs(audit_text(record.details, "legs"));
  if (!legs || !check_legs(record, *legs)) {
    if (!legs) problem(record.sequence, "the write-off says no budget that bears it");
    return;
  }
  AuditRecord without_partition = record;
  without_partition.partition.clear();
  if (*legs != expected_legs(without_partition, record.at_us) ||
      accounts[record.account].status == "closed") {
    problem(record.sequence, "the write-off is not borne by the budgets in force then");
  }
  move(record, *legs, 0, record.amount_micros);
  units[record.unit].spent += record.amount_micros;
  pair_entry(record);
}

void Auditor::State::refund_of_run(const AuditRecord& record, AuditedHold& hold) {
  const auto settled = hold.settlements.find(record.job);
  if (settled == hold.settlements.end() || settled->second.charged < record.amount_micros) {
    problem(record.sequence,
            "hold " + std::to_string(record.hold) + ": a run got back more than it was charged");
  }
  if (settled == hold.settlements.end()) return;
  settled->second.charged -= record.amount_micros;
  settled->second.refunded += record.amount_micros;
}

}  // namespace asbb::ledger
