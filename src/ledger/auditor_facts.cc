// The auditor's checks of who and what an entry names: its account, hold, job and run; and of what
// a settlement leaves in its hold.
#include <algorithm>

#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

// Federated job ids, which are one job on all clusters, begin where a cluster's own ids end.
constexpr std::int64_t federated_ids = 67'108'864;

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

bool needs_reason(const std::string& type) {
  return type == "adjustment" || type == "deposit" || type == "withdrawal" || type == "refund" ||
         type.starts_with("transfer_") || type.starts_with("write_off_") ||
         type.starts_with("convert_") || type == "enforcement";
}

std::string hold_name(std::int64_t hold) {
  return "hold " + std::to_string(hold);
}

// Whether a share of one task may have had this much: its part of the whole, to the millionth.
bool is_tasks_part(AuditSum taken, AuditSum granted, std::int64_t tasks) {
  const AuditSum slack = tasks > 1 ? tasks : 0;
  return tasks > 0 && taken >= granted / tasks - slack && taken <= granted / tasks + slack;
}

}  // namespace

void Auditor::State::check_facts(const AuditRecord& record) {
  if (is_blank(record.actor)) problem(record.sequence, "the entry names nobody who did it");
  if (needs_reason(record.type) && is_blank(record.reason)) {
    problem(record.sequence, "a " + record.type + " without a reason");
  }
  const auto account = accounts.find(record.account);
  if (account != accounts.end() && account->second.name != record.account_name) {
    problem(record.sequence, "the entry names account '" + record.account_name + "', but account " +
                                 std::to_string(record.account) + " is '" + account->second.name +
                                 "'");
  }
}

void Auditor::State::check_hold_facts(const AuditRecord& record, const AuditedHold& hold,
                                      const AuditedPart* part) {
  if (record.user != hold.user || record.partition != hold.partition ||
      record.request_id != hold.name ||
      (part != nullptr && record.price_version != part->price_version)) {
    problem(record.sequence, "a " + record.type + " of " + hold_name(record.hold) +
                                 " names another user, partition, request or price version");
  }
  const bool is_same_job = record.job_id == hold.job_id &&
                           (record.cluster == hold.cluster || record.job_id >= federated_ids);
  if (hold.kind == "slurm" && hold.bound && !is_same_job) {
    problem(record.sequence, hold_name(record.hold) + " is bound to job " +
                                 std::to_string(hold.job_id) + " of '" + hold.cluster +
                                 "', and the " + record.type + " is of job " +
                                 std::to_string(record.job_id) + " of '" + record.cluster + "'");
  }
}

// A token names one hold for ever; an external caller's name may come again when its hold is over.
void Auditor::State::check_name(const AuditRecord& record, const AuditedHold& hold) {
  if (hold.name.empty()) return;
  const auto [known, is_new] = hold_names.emplace(hold.name, record.hold);
  if (is_new) return;
  const AuditedHold& other = holds[known->second];
  const bool has_money = std::any_of(other.parts.begin(), other.parts.end(),
                                     [](const auto& part) { return part.second.held != 0; });
  if (hold.kind == "slurm" || other.kind == "slurm" || has_money) {
    problem(record.sequence,
            hold_name(record.hold) + " has the request of " + hold_name(known->second));
  }
  known->second = record.hold;
}

// Ids of jobs come back after a wrap; the time of submission tells those apart. Each cluster of a
// federation counts the runs that began there.
void Auditor::State::check_run(const AuditRecord& record, const AuditedHold& hold) {
  if (hold.kind != "slurm") return;
  const std::string run = std::to_string(record.job_id) + "@" + std::to_string(hold.submit_us) +
                          ":" + record.task_run + ":" + record.cluster;
  const auto [known, is_new] = run_holds.emplace(run, record.hold);
  if (!is_new && known->second != record.hold) {
    problem(record.sequence,
            hold_name(record.hold) + ": the same run was settled from " + hold_name(known->second));
  }
}

// What a bound hold has left goes back only when its job changed or its last run was settled.
void Auditor::State::check_bound_release(const AuditRecord& record, const AuditedHold& hold) {
  if (record.type != "release" || record.details.contains("cause")) return;
  const bool is_replaced = record.details.contains("replaced");
  if (is_replaced) holds[record.hold].is_plain = false;
  if (!hold.bound || hold.kind != "slurm" || is_replaced) return;
  const bool follows = hold.last_sequence > 0 && hold.last_sequence + 1 == record.sequence;
  const bool is_done =
      !hold.tasks.empty() &&
      (!hold.is_plain || static_cast<std::int64_t>(hold.tasks.size()) >= hold.task_count);
  if (!follows && !is_done) {
    problem(record.sequence,
            hold_name(record.hold) + " is bound and given back though its job was not settled");
  }
}

void Auditor::State::settlement_ends(const AuditRecord& record) {
  if (settling.hold == 0) return;
  const bool goes_on = record.hold == settling.hold && record.job == settling.job &&
                       record.sequence == settling.sequence + 1 && record.details.contains("cause");
  if (goes_on) return;
  const std::string fault = fault_of_settlement();
  if (!fault.empty()) problem(settling.sequence, fault);
  const auto hold = holds.find(settling.hold);
  if (hold != holds.end() && hold->second.settlements[settling.job].requeued) {
    hold->second.is_plain = false;
  }
  settling = {};
}

// A share's charge and what is released of it are what it held, and it has an overrun only when
// nothing was left of it. What it held is known where a task has its part of the hold; a share may
// have had nothing where another run of the task was seen before, or the hold was over.
std::string Auditor::State::fault_of_settlement() const {
  if (settling.hold == 0) return {};
  const AuditedHold& hold = holds.at(settling.hold);
  if (hold.task_count < 1) return {};
  const auto& settlement = hold.settlements.at(settling.job);
  const std::string start = hold_name(settling.hold) + ": a settlement ";
  const auto taken = [&](const std::string& unit) -> AuditSum {
    const auto found = settlement.taken.find(unit);
    return found == settlement.taken.end() ? 0 : found->second;
  };
  if (settlement.overrun > 0 && taken(settlement.unit) > settlement.charge) {
    return start + "has an overrun and releases money";
  }
  bool had_nothing = settlement.charge == 0;
  bool had_its_part = true;
  for (const auto& [unit, part] : hold.parts) {
    const bool has_part = is_tasks_part(taken(unit), part.granted, hold.task_count);
    had_nothing = had_nothing && taken(unit) == 0;
    had_its_part = had_its_part && (has_part || part.held == 0);
    if (taken(unit) > part.granted / hold.task_count + 1) {
      return start + "takes more than its task's part";
    }
  }
  const bool is_known = settlement.fitted && settlement.is_of_new_task && !settlement.requeued;
  if (!is_known || had_its_part || had_nothing) return {};
  return start +
         "does not charge and release what the task had: " + audit_amount(settlement.charge) +
         " charged, " + audit_amount(taken(settlement.unit) - settlement.charge) + " released, " +
         audit_amount(settlement.overrun) + " overrun";
}

}  // namespace asbb::ledger
