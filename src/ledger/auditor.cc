#include "ledger/auditor.h"

#include <limits>

#include "base/money.h"
#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

AuditFigures figures_of(const AuditedLimit& limit) {
  AuditFigures figures{std::nullopt, audit_narrow(limit.held), audit_narrow(limit.used)};
  if (limit.is_limited) figures.limit_micros = audit_narrow(limit.limit);
  return figures;
}

void keep(std::vector<AuditProblem>& list, std::int64_t sequence, std::string text) {
  if (list.size() < audit_problems_max) list.push_back({sequence, std::move(text)});
}

std::string in_words(const AuditFigures& figures) {
  const std::string limit =
      figures.limit_micros ? "limit " + audit_amount(*figures.limit_micros) : "no limit";
  return limit + ", held " + audit_amount(figures.held_micros) + ", used " +
         audit_amount(figures.used_micros);
}

std::string in_words(std::int64_t micros) {
  return audit_amount(micros) + " held";
}

std::string name_of(std::int64_t id) {
  return std::to_string(id);
}

std::string name_of(const std::pair<std::int64_t, std::string>& hold) {
  return std::to_string(hold.first) + " (" + hold.second + ")";
}

// Both ways: rows of the table, and what the entries say should be rows.
template <typename Map>
void compare_maps(const char* what, const Map& table, const Map& entries,
                  std::vector<AuditProblem>& out) {
  for (const auto& [id, row] : table) {
    const auto found = entries.find(id);
    const std::string start = std::string(what) + " " + name_of(id);
    if (found == entries.end()) {
      keep(out, 0, start + " is in the table (" + in_words(row) + "), but no entry made it");
    } else if (!(found->second == row)) {
      keep(out, 0,
           start + ": the table says " + in_words(row) + ", the entries add up to " +
               in_words(found->second));
    }
  }
  for (const auto& [id, row] : entries) {
    if (table.contains(id)) continue;
    keep(out, 0,
         std::string(what) + " " + name_of(id) + " is missing from the table; " +
             "the entries add up to " + in_words(row));
  }
}

// Rows that no entry made, or otherwise; and those that must be there and are not.
void compare_rows(const AuditRows& table, const AuditRows& entries,
                  std::vector<AuditProblem>& out) {
  for (const auto& [name, facts] : table) {
    const auto found = entries.find(name);
    if (found == entries.end()) {
      if (facts.starts_with(audit_nothing)) continue;
      keep(out, 0, name + " is in the table (" + facts + "), but no entry made it");
    } else if (found->second != facts) {
      keep(out, 0, name + ": the table says " + facts + "; the entries say " + found->second);
    }
  }
  if (table.empty()) return;
  for (const auto& [name, facts] : entries) {
    if (table.contains(name)) continue;
    keep(out, 0, name + " is missing from the table; the entries say " + facts);
  }
}

}  // namespace

std::int64_t audit_narrow(AuditSum micros) {
  if (micros > std::numeric_limits<std::int64_t>::max()) {
    return std::numeric_limits<std::int64_t>::max();
  }
  if (micros < std::numeric_limits<std::int64_t>::min()) {
    return std::numeric_limits<std::int64_t>::min();
  }
  return static_cast<std::int64_t>(micros);
}

std::string audit_amount(AuditSum micros) {
  return to_decimal(Micros(audit_narrow(micros)));
}

Auditor::Auditor() : state_(std::make_unique<State>()) {}
Auditor::~Auditor() = default;
Auditor::Auditor(Auditor&&) noexcept = default;
Auditor& Auditor::operator=(Auditor&&) noexcept = default;

void Auditor::State::problem(std::int64_t sequence, std::string text) {
  ++problem_count;
  keep(problems, sequence, std::move(text));
}

void Auditor::State::note(std::int64_t sequence, std::string text) {
  keep(notes, sequence, std::move(text));
}

void Auditor::add(std::string_view record) {
  ++state_->entries;
  std::string fault;
  const auto read = read_audit_record(record, fault);
  if (!read) {
    state_->problem(++state_->last_sequence, fault);
    return;
  }
  const std::int64_t expected = state_->last_sequence + 1;
  if (read->sequence != expected) {
    state_->problem(read->sequence, "entry " + std::to_string(read->sequence) +
                                        " stands where entry " + std::to_string(expected) +
                                        " must be");
  }
  state_->last_sequence = read->sequence;
  if (read->at_us < state_->last_at_us) {
    state_->note(read->sequence, "its time is before that of the entry before it");
  }
  state_->time_moves(*read);
  state_->last_at_us = read->at_us;
  state_->check_facts(*read);
  state_->settlement_ends(*read);
  state_->apply(*read);
}

AuditReport Auditor::finish() const {
  AuditReport report;
  report.entries = state_->entries;
  report.last_sequence = state_->last_sequence;
  report.problem_count = state_->problem_count;
  report.problems = state_->problems;
  report.notes = state_->notes;
  for (const auto& [id, budget] : state_->budgets) report.budgets[id] = figures_of(budget);
  for (const auto& [id, limit] : state_->limits) report.limits[id] = figures_of(limit);
  for (const auto& [id, hold] : state_->holds) {
    for (const auto& [unit, part] : hold.parts) {
      if (part.held != 0) report.open_holds[{id, unit}] = audit_narrow(part.held);
    }
  }
  state_->add_units(report);
  for (std::string fault : {state_->fault_of_settlement(), state_->carry_left()}) {
    if (fault.empty()) continue;
    ++report.problem_count;
    keep(report.problems, state_->last_sequence, std::move(fault));
  }
  return report;
}

std::vector<AuditProblem> Auditor::compare(const AuditTables& tables) const {
  const AuditReport report = finish();
  std::vector<AuditProblem> out;
  compare_maps("budget", tables.budgets, report.budgets, out);
  compare_maps("partition limit", tables.limits, report.limits, out);
  auto holds = tables.open_holds;
  std::erase_if(holds, [](const auto& hold) { return hold.second == 0; });
  compare_maps("hold", holds, report.open_holds, out);
  compare_rows(tables.rows, state_->rows(), out);
  for (const auto& [id, rows] : tables.hold_rows) {
    compare_rows(rows, state_->rows_of_hold(id), out);
  }
  return out;
}

std::vector<AuditProblem> Auditor::compare_hold(std::int64_t id, const AuditRows& rows) const {
  std::vector<AuditProblem> out;
  compare_rows(rows, state_->rows_of_hold(id), out);
  return out;
}

}  // namespace asbb::ledger
