#include <ostream>

#include "base/text.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct ReconcileFlags {
  std::string job;
  std::string cluster;
  std::string actual_cost;
  std::string unit;
  std::string reason;
};

Table outcomes_table(const api::JobReconcileAnswer& answer) {
  Table table({{"JOB", "job_id", Align::right},
               {"CLUSTER", "cluster", Align::left, true},
               {"STATE", "state"},
               {"ACTION", "action"},
               {"UNIT", "unit"},
               {"CHARGED", "charged", Align::decimal},
               {"RELEASED", "released", Align::decimal},
               {"OVERRUN", "overrun", Align::decimal}});
  for (const api::JobOutcome& job : answer.jobs) {
    table.add({job.job_id, job.cluster, job.state, job.action, job.unit, to_display(job.charged),
               to_display(job.released), to_display(job.overrun)});
  }
  return table;
}

int reconcile(Context& context, const ReconcileFlags& flags) {
  if (!is_job_id(flags.job)) {
    return context.misused("JOB: " + in_quotes(flags.job) +
                           " is not a Slurm job id such as 123, or 123_4 for an array task");
  }
  api::JobReconcile request{flags.cluster};
  if (flags.actual_cost.empty()) {
    if (!flags.reason.empty() || !flags.unit.empty()) {
      return context.misused("--actual-cost: an amount is expected with --reason or --unit");
    }
  } else {
    const auto amount = read_limit("--actual-cost", flags.actual_cost);
    if (!amount) return context.misused(amount.error().message);
    if (flags.reason.empty()) {
      return context.misused("--reason: a reason is expected: it stays in the ledger");
    }
    request.actual_cost = *amount;
    request.unit = flags.unit;
    request.reason = flags.reason;
  }
  context.set_timeouts(2'000, 120'000);
  const auto answer = context.call<api::JobReconcileAnswer>(
      "POST", "/api/v1/jobs/" + api::percent_encode(flags.job) + "/reconcile",
      api::to_json(request));
  if (!answer) return context.failed(answer.error());
  const int code = answer->success ? exit_done : exit_failed;
  if (!context.wants_table()) {
    static_cast<void>(context.show(outcomes_table(*answer), api::to_json(*answer)));
    return code;
  }
  if (!answer->jobs.empty()) context.out() << outcomes_table(*answer).text();
  for (const api::JobOutcome& job : answer->jobs) {
    if (!job.message.empty()) context.out() << harmless_lines(job.message) << "\n";
  }
  (answer->success ? context.out() : context.err()) << harmless_lines(answer->message) << "\n";
  return code;
}

}  // namespace

void add_reconcile(Command& root, Context& context) {
  auto flags = std::make_shared<ReconcileFlags>();
  root.add("reconcile",
           "Looks at a job now: binds its hold, charges it when it has ended; or sets its charge.")
      .take({"JOB", "", "Slurm's job id, 123, or of an array task, 123_4.", Presence::required},
            flags->job)
      .take({"--cluster", "CLUSTER", "On which cluster; all of them when left out."},
            flags->cluster)
      .take({"--actual-cost", "AMOUNT",
             "Sets what the job, or the array task, is charged in all. For administrators."},
            flags->actual_cost)
      .take({"--unit", "UNIT", "Of the amount; the one that was charged or held when left out."},
            flags->unit)
      .take({"--reason", "TEXT", "Why it is set; stays in the ledger."}, flags->reason)
      .note(
          "The service does this by itself every few seconds; what counts is what Slurm's own "
          "accounting says.")
      .note(
          "With --actual-cost it is what the administrator says: a job that Slurm has lost ends, "
          "less than was charged gives the rest back to the budgets that paid, more is charged to "
          "the budget in force. The same amount again keeps the charge as it is, and ends the "
          "alarm about a record that was changed. A job that waits or runs is charged when it has "
          "ended.")
      .example("asbb reconcile 4711 --cluster=onprem")
      .example(
          "asbb reconcile 4711 --cluster=onprem --actual-cost=12.50 --reason='invoice 2025-07'")
      .action([&context, flags] { return reconcile(context, *flags); });
}

}  // namespace asbb::cli
