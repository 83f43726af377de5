// POST /jobs/{id}/reconcile: look at a job now, and say what became of it.
#include <utility>

#include "base/text.h"
#include "ledger/same_job.h"
#include "service/job_holds.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

struct JobName {
  std::int64_t job_id = 0;
  std::optional<std::int64_t> task;
};

// "123" or "123_4".
std::optional<JobName> parse_job(const std::string& text) {
  const auto parts = split(text, '_');
  const auto job = parse_count(parts.front());
  if (!job || *job < 1 || parts.size() > 2) return std::nullopt;
  JobName name{*job, std::nullopt};
  if (parts.size() == 2) {
    name.task = parse_count(parts.back());
    if (!name.task) return std::nullopt;
  }
  return name;
}

api::JobOutcome waiting_outcome(const ledger::Hold& hold) {
  api::JobOutcome outcome;
  outcome.job_id = std::to_string(hold.job->job_id);
  outcome.cluster = hold.job->cluster;
  outcome.action = "bound";
  outcome.transaction_id = hold.request_id;
  outcome.unit = hold.parts.front().unit;
  outcome.message = "Slurm's accounting has no end of this job yet; its hold waits with it.";
  return outcome;
}

api::JobOutcome share_outcome(const ledger::Hold& hold, const ledger::Share& share) {
  api::JobOutcome outcome;
  outcome.job_id = share_name(share.key);
  outcome.cluster = share.key.cluster;
  outcome.transaction_id = hold.request_id;
  outcome.unit = share.unit.empty() ? hold.parts.front().unit : share.unit;
  if (share.status == ledger::ShareStatus::open) {
    outcome.action = "unchanged";
    outcome.message = "This run has not ended yet.";
    return outcome;
  }
  outcome.action = "settled";
  outcome.charged = share.charged;
  outcome.overrun = share.overrun;
  outcome.released = share.released;
  outcome.message = to_display(share.actual, share.unit) + " charged.";
  return outcome;
}

}  // namespace

void Operations::reconcile_job(const Caller& caller, const std::string& job,
                               const api::JobReconcile& request,
                               const Promise<api::JobReconcileAnswer>& promise) {
  using Answer = api::JobReconcileAnswer;
  const auto fail_with = [&](tl::unexpected<api::Problem> why) {
    promise([why]() -> Reply<Answer> { return why; });
  };
  if (!caller.may_submit) return fail_with(not_allowed(caller));
  if (!parse_job(job)) {
    return fail_with(problem(400, "VALIDATION_ERROR",
                             "job_id: " + in_quotes(job) +
                                 " is not a Slurm job id such as 123, or 123_4 for an array task",
                             "job_id"));
  }
  if (!request.cluster.empty()) {
    if (auto unknown = check_cluster(request.cluster)) {
      return fail_with(tl::unexpected(std::move(*unknown)));
    }
  }
  if (request.actual_cost) return set_figure(caller, job, request, promise);
  if (!hooks_.ask_for_pass) {
    return fail_with(problem(503, "SERVICE_UNAVAILABLE", "The reconciler does not run."));
  }
  hooks_.ask_for_pass(
      [this, job, cluster = request.cluster, promise](const Result<PassReport>& report) {
        if (!report) {
          const auto late = problem(report.error());
          return promise([late]() -> Reply<Answer> { return late; });
        }
        const auto finish = [this, job, cluster, promise, report = *report] {
          const auto reply = tell_job(job, cluster, report);
          promise([reply] { return reply; });
        };
        if (!with_.work.push(finish)) promise([]() -> Reply<Answer> { return too_busy(); });
      });
}

Reply<api::JobReconcileAnswer> Operations::tell_job(const std::string& job,
                                                    const std::string& cluster,
                                                    const PassReport& report) const {
  const auto name = parse_job(job);
  api::JobReconcileAnswer answer;
  for (const std::string& known : options_.clusters) {
    const bool is_asked = cluster.empty() || to_lower(cluster) == to_lower(known) ||
                          ledger::is_federated(name->job_id);
    if (!is_asked) continue;
    const auto found = with_.committer.find_job_holds(known, name->job_id);
    if (!found) return problem(found.error());
    for (const store::HoldRecord& record : *found) {
      if (record.shares.empty()) answer.jobs.push_back(waiting_outcome(record.hold));
      for (const ledger::Share& share : record.shares) {
        if (name->task && share.key.task != *name->task) continue;
        answer.jobs.push_back(share_outcome(record.hold, share));
      }
    }
  }
  answer.success = !answer.jobs.empty();
  answer.message = answer.success ? "" : "No hold is known for job " + job + ".";
  for (const std::string& found : report.problems) {
    answer.message += (answer.message.empty() ? "" : " ") + found;
  }
  return answer;
}

}  // namespace asbb::service
