// POST /jobs/{id}/reconcile with an actual cost: an administrator sets what a job is charged. What
// is open is settled, and what was charged before is made up to the figure by a refund or an
// adjustment. The ledger keeps what slurmdbd said of the job at that time, so that the reconciler
// raises no alarm about what the administrator knew.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ledger/same_job.h"
#include "service/job_holds.h"
#include "service/log.h"
#include "service/moves.h"
#include "service/operations.h"
#include "service/reconciler_pass.h"

namespace asbb::service {

// The figure, and all that is known of its job.
struct Operations::Figure {
  std::string actor;
  std::string job;  // "7" or "7_4"
  ledger::ShareKey key;
  Micros amount;
  std::string unit;
  std::string reason;  // as the ledger keeps it
  std::vector<store::HoldRecord> holds;
  ledger::HoldId hold;      // that pays for it
  std::string account;      // of that
  std::string unread;       // clusters that could not be read
  bool is_open = false;     // a run is to be settled
  bool is_written = false;  // an entry of the ledger has the reason
  Micros before;            // what was charged
  api::JobOutcome outcome;
};

namespace {

using Holds = std::vector<store::HoldRecord>;

bool is_of_task(const slurm::AccountingRecord& record, std::int64_t task) {
  const Tasks tasks = tasks_of(record);
  return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

template <typename Row>
bool is_of(const Holds& holds, const Row& row) {
  return std::any_of(holds.begin(), holds.end(),
                     [&](const auto& record) { return is_row_of(*record.hold.job, row); });
}

// "7" does not name an array's task, and only arrays have tasks.
std::optional<api::Problem> check_task(const Holds& holds, const JobSight& sight,
                                       const std::string& job, std::int64_t task) {
  bool has_tasks = false;
  bool is_whole = false;
  for (const store::HoldRecord& record : holds) {
    if (record.hold.task_count > 1) has_tasks = true;
    for (const ledger::Share& share : record.shares) {
      (share.key.task < 0 ? is_whole : has_tasks) = true;
    }
  }
  for (const slurm::AccountingRecord& row : sight.records) {
    if (!is_of(holds, row)) continue;
    (row.array_job_id == 0 ? is_whole : has_tasks) = true;
  }
  for (const slurm::QueueJob& row : sight.rows) {
    if (!is_of(holds, row)) continue;
    (row.array_job_id == 0 ? is_whole : has_tasks) = true;
  }
  if (task < 0 && has_tasks) {
    return conflict("several_tasks",
                    "Job " + job + " is an array: say which task is meant, as in " + job + "_0.",
                    "job_id")
        .value();
  }
  if (task >= 0 && is_whole && !has_tasks) {
    return conflict("no_such_task", "The job of " + job + " is no array and has no tasks.",
                    "job_id")
        .value();
  }
  return std::nullopt;
}

// What waits or runs is charged when it ends.
std::optional<api::Problem> check_over(const Holds& holds, const JobSight& sight,
                                       const std::string& job, std::int64_t task) {
  for (const slurm::QueueJob& row : sight.rows) {
    if (!is_live(row) || !is_of(holds, row)) continue;
    const Tasks tasks = tasks_of(row);
    if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) continue;
    return conflict("job_is_not_over",
                    "Job " + job + " is " + row.status.text + " on cluster " + row.cluster +
                        ": what it costs is known when it has ended. End it with 'scancel -M " +
                        row.cluster + " " + job + "' first, or wait.",
                    "job_id")
        .value();
  }
  return std::nullopt;
}

Reply<std::string> unit_of(const Holds& holds, const ledger::Hold& hold,
                           const ledger::ShareKey& key, const std::string& asked) {
  std::set<std::string> units;
  for (const store::HoldRecord& record : holds) {
    for (const ledger::Share& share : record.shares) {
      const bool is_charged = share.status == ledger::ShareStatus::settled &&
                              share.key.task == key.task && !share.actual.is_zero();
      if (is_charged) units.insert(share.unit);
    }
  }
  if (units.empty()) {
    for (const ledger::HoldPart& part : hold.parts) units.insert(part.unit);
  }
  if (!asked.empty()) return asked;
  if (units.size() == 1) return *units.begin();
  return conflict("several_units",
                  "The job counts in " + *units.begin() + " and " + *units.rbegin() +
                      ": say which unit is meant.",
                  "unit");
}

// The cluster of its latest run, as far as it is known.
std::string cluster_of(const Holds& holds, const JobSight& sight, const store::HoldRecord& paying,
                       std::int64_t task) {
  const ledger::Share* latest = nullptr;
  for (const ledger::Share& share : paying.shares) {
    if (share.key.task == task && (latest == nullptr || latest->key.run < share.key.run)) {
      latest = &share;
    }
  }
  if (latest != nullptr) return latest->key.cluster;
  for (const slurm::AccountingRecord& row : sight.records) {
    if (is_of(holds, row) && is_of_task(row, task) && !row.status.revoked) return row.cluster;
  }
  return paying.hold.job->cluster;
}

const ledger::Share* share_of(const Holds& holds, const slurm::AccountingRecord& row,
                              std::int64_t task) {
  for (const store::HoldRecord& record : holds) {
    const bool is_its_own = record.hold.request_id == unheld_id(row);
    if (record.hold.backfilled != is_its_own) continue;
    const std::int64_t run = is_its_own ? 0 : row.run - 1;
    const ledger::ShareKey key{row.cluster, root_id(row), task, run, ""};
    if (const ledger::Share* share = settled_share(record.shares, key)) return share;
  }
  return nullptr;
}

}  // namespace

// Of each run that has ended, where it is not what was charged for it.
std::vector<ToldCost> Operations::costs_told(const Figure& figure, const JobSight& sight) const {
  std::vector<ToldCost> told;
  const Span grace = ReconcilerOptions{}.pieces_grace;
  const auto history = with_.prices.history();
  const auto paying = std::find_if(figure.holds.begin(), figure.holds.end(),
                                   [&](const auto& one) { return one.hold.id == figure.hold; });
  for (const slurm::AccountingRecord& row : sight.records) {
    if (!is_of(figure.holds, row) || !is_of_task(row, figure.key.task) ||
        !is_complete(row, now(), grace)) {
      continue;
    }
    slurm::AccountingRecord whole = row;
    if (whole.partition.empty()) whole.partition = paying->hold.partition;
    const auto* part = paying_part(paying->hold, *history, row.cluster, whole.partition);
    if (part == nullptr) part = &paying->hold.parts.front();
    const bool is_in_force = paying->hold.backfilled && row.start.has_value();
    const pricing::PriceBook* book =
        is_in_force ? history->in_force(*row.start) : history->by_version(part->price_version);
    if (book == nullptr) continue;
    const auto charge = charge_of(*book, whole, with_.view);
    if (!charge) continue;
    const ledger::Share* share = share_of(figure.holds, row, figure.key.task);
    const bool is_charged = share != nullptr && share->actual == charge->amount &&
                            (charge->amount.is_zero() || share->unit == charge->unit);
    if (!is_charged) told.push_back({row.db_index, charge->amount, charge->unit});
  }
  return told;
}

Reply<Operations::Figure> Operations::read_figure(const Caller& caller, const std::string& job,
                                                  const api::JobReconcile& request,
                                                  const JobSight& sight) const {
  Figure figure;
  api::BudgetReconcile sought;
  sought.job_id = job;
  for (const std::string& cluster : options_.clusters) {
    if (to_lower(cluster) == to_lower(request.cluster)) sought.cluster = cluster;
  }
  auto found = find_holds(sought);
  if (!found && found.error().status == 404) {
    return problem(404, "NOT_FOUND",
                   "No hold and no charge is known for job " + job +
                       (request.cluster.empty() ? "" : " of cluster " + request.cluster) +
                       ": there is nothing to set.",
                   "job_id");
  }
  if (!found) return tl::unexpected(found.error());
  figure.holds = std::move(*found);
  figure.key = slurm_key(job).value();
  for (const auto check : {check_task, check_over}) {
    if (auto wrong = check(figure.holds, sight, job, figure.key.task)) {
      return tl::unexpected(std::move(*wrong));
    }
  }
  const store::HoldRecord& paying = hold_for(figure.holds, job);
  const auto unit = unit_of(figure.holds, paying.hold, figure.key, request.unit);
  if (!unit) return tl::unexpected(unit.error());
  figure.actor = caller.actor;
  figure.job = job;
  figure.amount = *request.actual_cost;
  figure.unit = *unit;
  figure.hold = paying.hold.id;
  figure.key.cluster = cluster_of(figure.holds, sight, paying, figure.key.task);
  figure.key.run = run_to_settle(paying, figure.key);
  figure.is_open = paying.hold.status == ledger::HoldStatus::open &&
                   settled_share(paying.shares, figure.key) == nullptr;
  figure.account = with_.committer.read(
      [&](const ledger::Book& book) { return book.account(paying.hold.account)->name; });
  for (const std::string& cluster : sight.unread) {
    figure.unread += (figure.unread.empty() ? "" : ", ") + cluster;
  }
  figure.outcome.transaction_id = paying.hold.request_id;
  figure.reason =
      figure_reason(figure_prefix(figure.key.cluster, figure.key.job_id, figure.key.task),
                    figure.amount, figure.unit, costs_told(figure, sight), request.reason);
  const auto adjusted =
      adjusted_for(with_.committer, figure.holds, figure.key.cluster, figure.key, figure.unit);
  if (!adjusted) return problem(adjusted.error());
  figure.before = charged_of(figure.holds, figure.key.task, figure.unit) + *adjusted;
  return figure;
}

Reply<ledger::Outcome> Operations::run(const Figure& figure, ledger::Action action) {
  ledger::Command made;
  made.context.actor = figure.actor;
  made.context.reason = figure.reason;
  made.action = std::move(action);
  const auto outcome = with_.committer.run(std::move(made));
  if (!outcome) return problem(outcome.error());
  if (!outcome->accepted()) return tl::unexpected(problem_of(*outcome, figure.account));
  return *outcome;
}

// What the runs before it were charged less than the figure is charged for the one that is open.
std::optional<api::Problem> Operations::settle_rest(Figure& figure) {
  ledger::SettleShare settle;
  settle.hold = figure.hold;
  settle.key = figure.key;
  settle.unit = figure.unit;
  settle.actual = std::max(figure.amount - figure.before, Micros());
  settle.cause = "set";
  const auto outcome = run(figure, settle);
  if (!outcome) return outcome.error();
  figure.outcome.released = outcome->released;
  figure.outcome.overrun = outcome->overrun;
  figure.is_written =
      !(outcome->charged.is_zero() && outcome->overrun.is_zero() && outcome->released.is_zero());
  figure.before += settle.actual;
  return std::nullopt;
}

// To the budgets that paid, as far as the runs were charged so much; the rest was adjusted before.
std::optional<api::Problem> Operations::give_back(Figure& figure, Micros amount) {
  for (auto record = figure.holds.rbegin(); record != figure.holds.rend(); ++record) {
    const Micros charged = charged_of({*record}, figure.key.task, figure.unit);
    const Micros part = std::min(amount, charged);
    if (part <= Micros()) continue;
    ledger::ShareKey runs = figure.key;
    runs.cluster.clear();
    runs.run = -1;
    const auto outcome = run(figure, ledger::Refund{record->hold.id, runs, figure.unit, part, {}});
    if (!outcome) return outcome.error();
    figure.is_written = true;
    amount -= part;
  }
  if (amount.is_zero()) return std::nullopt;
  const auto outcome =
      run(figure, ledger::Adjust{figure.account, figure.unit, Micros() - amount, figure.key});
  if (!outcome) return outcome.error();
  figure.is_written = true;
  return std::nullopt;
}

// Each step is entered by itself: where one is refused, asking again does what is left.
Reply<api::JobReconcileAnswer> Operations::enter_figure(Figure figure) {
  const Micros before = figure.before;
  if (figure.is_open) {
    if (auto wrong = settle_rest(figure)) return tl::unexpected(std::move(*wrong));
  }
  const Micros missing = figure.amount - figure.before;
  if (missing.is_negative()) {
    if (auto wrong = give_back(figure, Micros() - missing)) {
      return tl::unexpected(std::move(*wrong));
    }
  } else if (!missing.is_zero() || !figure.is_written) {
    const auto outcome =
        run(figure, ledger::Adjust{figure.account, figure.unit, missing, figure.key});
    if (!outcome) return tl::unexpected(outcome.error());
  }
  api::JobReconcileAnswer answer;
  answer.success = true;
  api::JobOutcome& job = answer.jobs.emplace_back(figure.outcome);
  job.job_id = figure.job;
  job.cluster = figure.key.cluster;
  job.action = figure.is_open ? "settled" : "set";
  job.unit = figure.unit;
  job.charged = figure.amount;
  answer.message = "Job " + figure.job + " of cluster " + figure.key.cluster + " is charged " +
                   to_display(figure.amount, figure.unit) + " to account " + figure.account +
                   (figure.is_open && before.is_zero()
                        ? "."
                        : "; before it was " + to_display(before, figure.unit) + ".");
  if (!figure.unread.empty()) {
    answer.message += " Slurm could not be asked on " + figure.unread + ".";
  }
  log_info("set the charge of " + figure.key.cluster + " job " + figure.job + " to " +
           to_display(figure.amount, figure.unit) + " (by " + figure.actor + ")");
  return answer;
}

void Operations::set_figure(const Caller& caller, const std::string& job,
                            const api::JobReconcile& request,
                            const Promise<api::JobReconcileAnswer>& promise) {
  using Answer = api::JobReconcileAnswer;
  if (!caller.may_admin) return fail_with(promise, not_allowed(caller).value());
  if (!hooks_.ask_about) {
    return fail_with(promise,
                     problem(503, "SERVICE_UNAVAILABLE", "The reconciler does not run.").value());
  }
  const std::int64_t job_id = slurm_key(job)->job_id;
  hooks_.ask_about(
      {job_id}, [this, caller, job, request, promise, job_id](const Result<PassReport>& report) {
        if (!report) return fail_with(promise, problem(report.error()).value());
        const auto seen = report->sights.find(job_id);
        const JobSight sight = seen == report->sights.end() ? JobSight{} : seen->second;
        const auto finish = [this, caller, job, request, promise, sight] {
          auto figure = read_figure(caller, job, request, sight);
          auto reply = figure ? enter_figure(std::move(*figure))
                              : Reply<Answer>(tl::unexpected(figure.error()));
          promise([reply] { return reply; });
        };
        if (!with_.work.push(finish)) fail_with(promise, too_busy().value());
      });
}

}  // namespace asbb::service
