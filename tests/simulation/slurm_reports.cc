// What the simulated controllers tell slurmdbd, and what they and slurmdbd answer the service.
#include <utility>

#include "simulation/slurm_model.h"

namespace asbb::simulation {
namespace {

tl::unexpected<Error> no_answer(const std::string& who) {
  return fail(ErrorKind::unavailable, who + " does not answer");
}

}  // namespace

void Slurm::send(Task* task, const slurm::AccountingRecord& row, Accounting::Part part) {
  const bool is_overtaken = part == Accounting::Part::start && tells_in_pieces;
  const Span late =
      is_overtaken ? seconds(120 + chance_.below(180)) : milliseconds(chance_.below(3'000));
  if (is_overtaken) count("slurmdbd is told in pieces");
  if (accounting_.send(row, part, now_ + late, is_overtaken)) return;
  if (task != nullptr) task->is_untold = true;
  count("slurmdbd is never told of something");
}

void Slurm::tell(Job& job, Task& task, Accounting::Part part) {
  slurm::AccountingRecord row = record_of(job, task);
  if (part == Accounting::Part::end) {
    row.end = task.has_nodes() ? task.runs.back().end : now_;
    // Nobody had told slurmdbd of it before it was cancelled: its start is its end.
    if (!task.has_nodes() && now_ <= task.submit + seconds(1)) row.start = now_;
    row.status = slurm::parse_job_status(task.last_state);
    if (chance_.one_in(10)) send(&task, row, part);
  }
  send(&task, row, part);
}

void Slurm::tell_rest(Job& job, Accounting::Part part, const std::string& state) {
  slurm::AccountingRecord row = rest_record_of(job);
  if (part == Accounting::Part::end) {
    row.end = now_;
    row.status = slurm::parse_job_status(state);
  }
  const bool was_full = accounting_.is_full;
  send(nullptr, row, part);
  for (Task& task : job.tasks) {
    if (was_full && task.job_id == 0) task.is_untold = true;
  }
}

// Of a federated job that another cluster runs.
void Slurm::tell_loser(Job& job, Task& task) {
  const std::string winner = task.cluster;
  task.cluster = winner == "onprem" ? "cloud" : "onprem";
  slurm::AccountingRecord row = record_of(job, task);
  task.cluster = winner;
  row.end = now_;
  row.status = slurm::parse_job_status("REVOKED");
  send(nullptr, row, Accounting::Part::end);
}

Result<slurm::QueueList> Slurm::list_queue(const std::string& cluster) {
  const Controller& controller = controllers_.at(cluster);
  if (!controller.is_up || !controller.is_reachable) return no_answer("slurmctld of " + cluster);
  slurm::QueueList list;
  list.cluster = cluster;
  list.read_at = service_now();
  list.proven_operator = controller.shows_all;
  list.operator_proof = controller.shows_all ? "an operator" : "no operator any more";
  if (!controller.shows_all) return list;
  for (const auto& job : jobs_) {
    for (slurm::QueueJob& row : queue_rows(*job, cluster, now_))
      list.jobs.push_back(std::move(row));
  }
  if (controller.is_garbled && !list.jobs.empty()) {
    list.jobs.pop_back();
    list.problems.emplace_back("a row cannot be read");
  }
  return list;
}

Result<slurm::AccountingList> Slurm::list_accounting(const std::string& cluster,
                                                     const slurm::AccountingQuery& query) {
  if (!accounting_.is_up || !is_accounting_reachable) return no_answer("slurmdbd");
  slurm::AccountingList list;
  list.cluster = cluster;
  list.read_at = service_now();
  list.proven_operator = true;
  list.operator_proof = "an operator";
  list.records = accounting_.rows(cluster, query, now_);
  return list;
}

Result<std::int64_t> Slurm::accounting_queue_length(const std::string& cluster) {
  const Controller& controller = controllers_.at(cluster);
  if (!controller.is_up || !controller.is_reachable) return no_answer("slurmctld of " + cluster);
  return accounting_.waiting(cluster);
}

}  // namespace asbb::simulation
