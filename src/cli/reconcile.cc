#include <ostream>

#include "base/text.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct ReconcileFlags {
  std::string job;
  std::string cluster;
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

// "123" or "123_4".
bool is_job_id(const std::string& text) {
  const auto parts = split(text, '_');
  const auto job = parse_count(parts.front());
  return job && *job > 0 && parts.size() <= 2 && parse_count(parts.back()).has_value();
}

int reconcile(Context& context, const ReconcileFlags& flags) {
  if (!is_job_id(flags.job)) {
    return context.misused("JOB: " + in_quotes(flags.job) +
                           " is not a Slurm job id such as 123, or 123_4 for an array task");
  }
  context.set_timeouts(2'000, 120'000);
  const api::JobReconcile request{flags.cluster};
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
  root.add("reconcile", "Looks at a job now: binds its hold, charges it when it has ended.")
      .take({"JOB", "", "Slurm's job id, 123, or of an array task, 123_4.", Presence::required},
            flags->job)
      .take({"--cluster", "CLUSTER", "On which cluster; all of them when left out."},
            flags->cluster)
      .note(
          "The service does this by itself every few seconds; what counts is what Slurm's own "
          "accounting says.")
      .example("asbb reconcile 4711 --cluster=onprem")
      .action([&context, flags] { return reconcile(context, *flags); });
}

}  // namespace asbb::cli
