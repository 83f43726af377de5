// The auditor's checks of what was done because an account ran dry: it moves no money, and is done
// once before it is over.
#include <algorithm>
#include <array>

#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

bool is_any(const std::string& word, const std::array<const char*, 3>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What it is about: a limit of the account, or a run of a job.
std::string subject_of(const AuditRecord& record, bool is_of_job) {
  if (!is_of_job) {
    return std::to_string(record.account) + " " + audit_text(record.details, "limit");
  }
  return record.cluster + " " + std::to_string(record.job_id) + " " + record.task_run + " " +
         audit_text(record.details, "submit_us");
}

}  // namespace

void Auditor::State::enforcement_entry(const AuditRecord& record) {
  const std::string step = audit_text(record.details, "step");
  const std::string state = audit_text(record.details, "state");
  const std::string start = "the enforcement '" + step + "' ";
  if (record.amount_micros != 0 || record.budget != 0 || record.hold != 0) {
    problem(record.sequence, start + "has money");
  }
  if (!accounts.contains(record.account)) problem(record.sequence, start + "is of no account");
  const bool is_of_job = is_any(step, {"requeue", "signal", "cancel"});
  if (!is_of_job && !is_any(step, {"warn", "stop_new", "credit"})) {
    problem(record.sequence, start + "is a step that nobody knows");
    return;
  }
  if (is_of_job != (record.job_id > 0)) {
    problem(record.sequence, start + (is_of_job ? "names no job" : "names a job"));
  }
  std::string& known = enforced[step + " " + subject_of(record, is_of_job)];
  const bool is_in_force = !known.empty() && known != "ended";
  if (state == "begun" && is_in_force) {
    problem(record.sequence, start + "was begun twice");
  } else if (state != "begun" && !is_in_force) {
    problem(record.sequence, start + "is " + state + " and was not begun");
  } else if (state != "begun" && !is_any(state, {"failed", "done", "ended"})) {
    problem(record.sequence, start + "is in a state that nobody knows");
  }
  known = state;
}

}  // namespace asbb::ledger
