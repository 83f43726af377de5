// The auditor's checks of limits that move: by deposits and withdrawals, by transfers, to the next
// period, and into another unit.
#include <algorithm>

#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

bool leaves(const std::string& type) {
  return type == "withdrawal" || type.ends_with("_out");
}

}  // namespace

void Auditor::State::moved_limit_entry(const AuditRecord& record) {
  const auto known = budgets.find(record.budget);
  if (known == budgets.end() || known->second.account != record.account ||
      known->second.unit != record.unit) {
    problem(record.sequence, "a " + record.type + " on a budget that is not the account's");
    return;
  }
  AuditedLimit& budget = known->second;
  const AuditSum available = budget.limit - budget.held - budget.used;
  if (leaves(record.type) && record.amount_micros > available) {
    problem(record.sequence, "a " + record.type + " of " + audit_amount(record.amount_micros) +
                                 " where only " + audit_amount(available) + " is left");
  }
  const bool is_carried = record.type == "carry_out" || record.type == "carry_in";
  const bool is_over = record.at_us >= budget.end_us && !is_carried;
  const bool is_closed = accounts[record.account].status == "closed";
  if (!leaves(record.type) && (is_over || is_closed)) {
    problem(record.sequence,
            "a " + record.type + " into a budget that is over, or of a closed account");
  }
  if (record.type == "carry_out") check_carry(record, budget);
  if (record.type == "carry_in") budget.carried_in += record.amount_micros;
  if (record.type == "convert_out") check_conversion(record);
  budget.limit +=
      leaves(record.type) ? -AuditSum(record.amount_micros) : AuditSum(record.amount_micros);
  may_carry(record.account, record.at_us);
  if (budget.limit > audit_limit_edge) {
    problem(record.sequence, "the budget is beyond what can be entered");
  }
  if (audit_number(record.details, "limit_micros") != audit_narrow(budget.limit)) {
    problem(record.sequence, "budget " + std::to_string(record.budget) + " has a limit of " +
                                 audit_amount(budget.limit) +
                                 " after it, and the entry says otherwise");
  }
  count_in_unit(record);
  if (record.type != "deposit" && record.type != "withdrawal") pair_entry(record);
}

void Auditor::State::count_in_unit(const AuditRecord& record) {
  AuditedUnit& unit = units[record.unit];
  const AuditSum change =
      leaves(record.type) ? -AuditSum(record.amount_micros) : AuditSum(record.amount_micros);
  if (record.type == "deposit" || record.type == "withdrawal") {
    unit.funded += change;
  } else if (record.type == "convert_in" || record.type == "convert_out") {
    unit.converted += change;
  } else {
    unit.moved += change;
  }
}

// Carried is, all in all, the rule's part of what came free in the budget, and no more than the
// next one can take.
void Auditor::State::check_carry(const AuditRecord& record, AuditedLimit& budget) {
  std::int64_t next_id = 0;
  const AuditedLimit* next = next_of(budget, next_id);
  if (record.at_us < budget.end_us || next == nullptr ||
      audit_number(record.details, "other_budget") != next_id) {
    problem(record.sequence,
            "a budget carries over before its end, or not to the account's next budget");
    return;
  }
  const AuditSum due = due_of(budget);
  if (record.amount_micros <= 0 || record.amount_micros != due) {
    problem(record.sequence, "budget " + std::to_string(record.budget) + " carries " +
                                 audit_amount(record.amount_micros) + " over where " +
                                 audit_amount(due) + " is due");
  }
  budget.carried += record.amount_micros;
}

// By the rate in force, rounded down, and only where the account may.
void Auditor::State::check_conversion(const AuditRecord& record) {
  if (!accounts[record.account].may_convert) {
    problem(record.sequence, "account '" + record.account_name + "' may not convert");
  }
  const std::string to_unit = audit_text(record.details, "other_unit");
  const AuditedRate* in_force = nullptr;
  for (const AuditedRate& rate : rates) {
    const bool fits = rate.from_unit == record.unit && rate.to_unit == to_unit &&
                      rate.effective_us <= record.at_us;
    if (fits && (in_force == nullptr || in_force->effective_us <= rate.effective_us)) {
      in_force = &rate;
    }
  }
  const std::int64_t version = in_force == nullptr ? 0 : in_force - rates.data() + 1;
  if (version == 0 || audit_number(record.details, "rate_version") != version ||
      audit_number(record.details, "rate_micros") != audit_narrow(in_force->rate)) {
    problem(record.sequence, "a conversion from " + record.unit + " to '" + to_unit +
                                 "' at another rate than the one in force");
    return;
  }
  const AuditSum arrives = AuditSum(record.amount_micros) * in_force->rate / audit_whole;
  if (arrives <= 0 || audit_number(record.details, "other_amount_micros") != arrives) {
    problem(record.sequence, "a conversion of " + audit_amount(record.amount_micros) +
                                 " comes to " + audit_amount(arrives) + " " + to_unit +
                                 ", and the entry says otherwise");
  }
}

void Auditor::State::rate_entry(const AuditRecord& record) {
  AuditedRate rate;
  rate.from_unit = audit_text(record.details, "from_unit");
  rate.to_unit = audit_text(record.details, "to_unit");
  rate.rate = audit_number(record.details, "rate_micros").value_or(0);
  rate.effective_us = audit_number(record.details, "effective_from_us").value_or(0);
  rates.push_back(rate);
  const auto version = static_cast<std::int64_t>(rates.size());
  if (audit_number(record.details, "version") != version || rate.rate <= 0 ||
      rate.from_unit == rate.to_unit) {
    problem(record.sequence, "conversion rate " + std::to_string(version) +
                                 " has another number, is nothing, or converts nothing");
  }
}

// What is sent arrives with the next entry: on the budget that was named, in the unit and amount
// that were, and for the same run.
void Auditor::State::pair_entry(const AuditRecord& record) {
  const std::int64_t other = audit_number(record.details, "other_budget").value_or(0);
  const bool is_write_off = record.type.starts_with("write_off");
  if (is_write_off) {
    units[record.unit].written_off +=
        leaves(record.type) ? -AuditSum(record.amount_micros) : AuditSum(record.amount_micros);
  }
  if (leaves(record.type)) {
    const bool converts = record.type == "convert_out";
    sent = {record.type.substr(0, record.type.size() - 4),
            record.sequence,
            record.budget,
            other,
            converts ? audit_text(record.details, "other_unit") : record.unit,
            converts ? audit_number(record.details, "other_amount_micros").value_or(0)
                     : record.amount_micros,
            record.hold,
            record.job};
    return;
  }
  const bool has_one_account = record.type == "carry_in" || record.type == "convert_in";
  const bool matches = record.type == sent.kind + "_in" && sent.sequence + 1 == record.sequence &&
                       sent.budget == other && sent.other_budget == record.budget &&
                       sent.budget != record.budget && sent.unit == record.unit &&
                       sent.amount_micros == record.amount_micros && sent.hold == record.hold &&
                       sent.job == record.job &&
                       (!has_one_account || budgets[other].account == record.account);
  if (!matches) {
    problem(record.sequence,
            "a " + record.type.substr(0, record.type.size() - 3) + " arrives that nobody sent so");
  }
  sent = {};
}

void Auditor::State::add_units(AuditReport& report) const {
  const auto add_problem = [&](const std::string& unit, const std::string& text) {
    ++report.problem_count;
    if (report.problems.size() < audit_problems_max) report.problems.push_back({0, unit + text});
  };
  std::map<std::string, AuditSum> limits_now;
  for (const auto& [id, budget] : budgets) limits_now[budget.unit] += budget.limit;
  for (const auto& [unit, sums] : units) {
    const AuditSum limit = limits_now[unit];
    report.units[unit] = {audit_narrow(limit), audit_narrow(sums.funded),
                          audit_narrow(sums.converted), audit_narrow(sums.spent)};
    if (!sent.kind.empty()) continue;  // cut between two halves: tables and heads tell
    if (sums.moved != 0 || limit != sums.funded + sums.converted) {
      add_problem(unit, ": the budgets have " + audit_amount(limit) + ", but " +
                            audit_amount(sums.funded + sums.converted) + " was put into them");
    }
    if (sums.written_off != 0) {
      add_problem(unit, ": " + audit_amount(sums.written_off) +
                            " more was written off than taken from those who paid");
    }
  }
}

}  // namespace asbb::ledger
