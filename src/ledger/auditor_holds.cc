// The auditor's checks of holds and of what is taken from them.
#include <algorithm>

#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

std::string name_of(const AuditRecord& record) {
  return "hold " + std::to_string(record.hold) + " (" + record.unit + ")";
}

AuditSum divided_up(AuditSum whole, std::int64_t parts) {
  return parts < 1 ? whole : (whole + parts - 1) / parts;
}

}  // namespace

void Auditor::State::check_standing(const AuditRecord& record) {
  auto account = accounts.find(record.account);
  while (account != accounts.end()) {
    if (account->second.status != "active") {
      problem(record.sequence, "money is set aside though account '" + account->second.name +
                                   "' is " + account->second.status);
    }
    const auto parent = account_names.find(account->second.parent);
    account = parent == account_names.end() ? accounts.end() : accounts.find(parent->second);
  }
}

void Auditor::State::check_available(const AuditRecord& record, const AuditLegs& legs,
                                     bool with_credit) {
  for (const auto& name : legs) {
    const AuditedLimit& limit = *leg(name);
    if (!limit.is_limited) continue;
    const AuditSum available = limit.limit - limit.held - limit.used;
    if (available + (with_credit ? limit.credit : 0) >= record.amount_micros) continue;
    problem(record.sequence, name_of(record) + " sets " + audit_amount(record.amount_micros) +
                                 " aside where only " + audit_amount(available) + " is left");
  }
}

// A partition's count inside a budget begins with the first hold that names it, right after that
// budget.
void Auditor::State::take_in_partitions(const AuditRecord& record, const AuditLegs& legs) {
  for (std::size_t i = 1; i < legs.size(); ++i) {
    const auto& [kind, id] = legs[i];
    const auto& [kind_before, budget] = legs[i - 1];
    if (kind != 'l' || limits.contains(id) || kind_before != 'b' || record.partition.empty()) {
      continue;
    }
    const auto known = budgets.find(budget);
    if (known != budgets.end() && known->second.unit == record.unit) {
      add_partition(record, budget, id);
    }
  }
}

void Auditor::State::hold_entry(const AuditRecord& record) {
  const auto legs = read_audit_legs(audit_text(record.details, "legs"));
  if (!legs || record.hold <= 0 || !accounts.contains(record.account)) {
    problem(record.sequence, "a hold without a number, an account, or budgets to draw on");
    return;
  }
  if (!record.details.contains("run")) take_in_partitions(record, *legs);
  if (!check_legs(record, *legs)) return;
  if (record.details.contains("run")) {
    const auto known = holds.find(record.hold);
    if (known == holds.end() || !known->second.parts.contains(record.unit)) {
      problem(record.sequence, name_of(record) + " gets more money, but was never placed");
      return;
    }
    further_hold_entry(record, known->second, *legs);
    return;
  }
  first_hold_entry(record, *legs);
}

void Auditor::State::first_hold_entry(const AuditRecord& record, const AuditLegs& legs) {
  AuditedHold& hold = holds[record.hold];
  if (hold.parts.contains(record.unit)) {
    problem(record.sequence, name_of(record) + " is placed twice");
    return;
  }
  if (hold.parts.empty()) {
    hold.account = record.account;
    hold.kind = audit_text(record.details, "kind");
    hold.task_count = audit_number(record.details, "task_count").value_or(0);
    hold.backfilled = audit_text(record.details, "backfilled") == "1";
    hold.name = record.request_id;
    hold.user = record.user;
    hold.partition = record.partition;
    check_name(record, hold);
  }
  if (hold.account != record.account || hold.task_count < 1) {
    problem(record.sequence, name_of(record) + " has two accounts, or no tasks");
  }
  if (hold.backfilled) {
    if (record.amount_micros != 0) {
      problem(record.sequence, name_of(record) + " was made afterwards and sets money aside");
    }
  } else {
    check_standing(record);
    check_available(record, legs, audit_text(record.details, "running") == "1");
  }
  const std::int64_t at_us = audit_number(record.details, "period_us").value_or(record.at_us);
  AuditLegs expected = expected_legs(record, at_us);
  if (expected.empty() && hold.backfilled) expected = legs_out_of_force(record, at_us);
  if (legs != expected) {
    problem(record.sequence, name_of(record) + " does not draw on the budgets and limits in force");
  }
  AuditedPart part;
  part.budget = record.budget;
  part.price_version = record.price_version;
  part.legs = legs;
  part.granted = part.held = record.amount_micros;
  hold.parts[record.unit] = part;
  move(record, legs, record.amount_micros, 0);
}

void Auditor::State::further_hold_entry(const AuditRecord& record, AuditedHold& hold,
                                        const AuditLegs& legs) {
  AuditedPart& part = hold.parts[record.unit];
  if (part.legs != legs || hold.account != record.account) {
    problem(record.sequence, name_of(record) + " gets more money from elsewhere");
  }
  if (record.amount_micros > divided_up(part.granted, hold.task_count)) {
    problem(record.sequence, name_of(record) + " gets more for a run than a task's part");
  }
  check_hold_facts(record, hold, &part);
  check_standing(record);
  for (const auto& name : part.legs) {
    const AuditedLimit& limit = *leg(name);
    if (name.first == 'b' && (record.at_us < limit.start_us || record.at_us >= limit.end_us)) {
      problem(record.sequence, name_of(record) + " gets more money from a budget out of force");
    }
  }
  hold.is_plain = false;
  check_available(record, part.legs, true);
  part.held += record.amount_micros;
  move(record, part.legs, record.amount_micros, 0);
}

void Auditor::State::bind_entry(const AuditRecord& record) {
  const auto known = holds.find(record.hold);
  if (known == holds.end() || known->second.account != record.account || known->second.bound) {
    problem(record.sequence,
            "hold " + std::to_string(record.hold) + " is bound twice, or was never placed");
    return;
  }
  AuditedHold& hold = known->second;
  check_hold_facts(record, hold, nullptr);
  hold.bound = true;
  hold.cluster = record.cluster;
  hold.job_id = record.job_id;
  hold.submit_us = audit_number(record.details, "submit_us").value_or(0);
}

// Charge, overrun and release of one settlement follow each other; a later one is a second
// settlement of the same run.
void Auditor::State::check_settlement(const AuditRecord& record, AuditedHold& hold,
                                      const AuditedPart& part) {
  if (!record.details.contains("cause")) {
    if (record.type != "release" && record.type != "refund" && record.type != "write_off_out") {
      problem(record.sequence, "a " + record.type + " that no settlement made");
    }
    return;
  }
  const bool is_new = !hold.settlements.contains(record.job);
  AuditedHold::Settlement& settlement = hold.settlements[record.job];
  if (is_new) {
    settlement.is_of_new_task = hold.tasks.insert(record.task).second;
    settlement.fitted = hold.is_plain;
    check_run(record, hold);
  }
  settling = {record.hold, record.sequence, record.job};
  const std::string what = record.type + " " + record.unit;
  const bool is_continued =
      settlement.last_sequence == 0 || settlement.last_sequence + 1 == record.sequence;
  if (!is_continued ||
      std::find(settlement.seen.begin(), settlement.seen.end(), what) != settlement.seen.end()) {
    problem(record.sequence, name_of(record) + ": the same run is settled twice");
  }
  settlement.last_sequence = record.sequence;
  settlement.seen.push_back(what);
  settlement.requeued = audit_text(record.details, "requeued") == "1";
  if (record.type == "charge" || record.type == "overrun") {
    settlement.charged += record.amount_micros;
    settlement.unit = record.unit;
    (record.type == "charge" ? settlement.charge : settlement.overrun) += record.amount_micros;
  }
  if (record.type != "overrun") settlement.taken[record.unit] += record.amount_micros;
  const AuditSum most = divided_up(part.granted, hold.task_count);
  if ((record.type == "charge" || record.type == "release") && record.amount_micros > most) {
    problem(record.sequence, name_of(record) + ": a " + record.type + " of " +
                                 audit_amount(record.amount_micros) + " from a share of at most " +
                                 audit_amount(most));
  }
}

void Auditor::State::hold_money_entry(const AuditRecord& record) {
  const auto known = holds.find(record.hold);
  if (known == holds.end() || !known->second.parts.contains(record.unit)) {
    problem(record.sequence,
            "a " + record.type + " on " + name_of(record) + ", which was never placed");
    return;
  }
  AuditedHold& hold = known->second;
  AuditedPart& part = hold.parts[record.unit];
  if (hold.account != record.account || part.budget != record.budget) {
    problem(record.sequence, "a " + record.type + " of " + name_of(record) +
                                 " is posted on another account or budget");
  }
  check_hold_facts(record, hold, &part);
  check_bound_release(record, hold);
  check_settlement(record, hold, part);
  const AuditSum amount = record.amount_micros;
  const bool leaves_hold = record.type == "charge" || record.type == "release";
  if (leaves_hold || record.type == "overrun") hold.last_sequence = record.sequence;
  if (leaves_hold && amount > part.held) {
    problem(record.sequence, "a " + record.type + " of " + audit_amount(amount) + " from " +
                                 name_of(record) + ", of which only " + audit_amount(part.held) +
                                 " is left");
  }
  AuditSum used = 0;
  if (record.type == "charge" || record.type == "overrun") used = amount;
  if (record.type == "refund" || record.type == "write_off_out") {
    used = -amount;
    refund_of_run(record, hold);
  }
  units[record.unit].spent += used;
  part.charged += used;
  if (part.charged < 0) {
    problem(record.sequence, name_of(record) + " got back more than it was charged");
  }
  if (leaves_hold) part.held -= amount;
  move(record, part.legs, leaves_hold ? -amount : 0, used);
  if (record.type == "write_off_out") pair_entry(record);
}

}  // namespace asbb::ledger
