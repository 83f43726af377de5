// POST /recovery: what is open without a plain cause, and a pass that does what can be done.
#include <utility>

#include "service/log.h"
#include "service/operations.h"
#include "service/recovery.h"

namespace asbb::service {

void Operations::recover(const Caller& caller, const api::RecoveryRequest& request,
                         const Promise<api::RecoveryAnswer>& promise) {
  using Answer = api::RecoveryAnswer;
  if (!(request.dry_run ? caller.may_read : caller.may_admin)) {
    return fail_with(promise, not_allowed(caller).value());
  }
  if (!hooks_.ask_about) {
    return fail_with(promise,
                     problem(503, "SERVICE_UNAVAILABLE", "The reconciler does not run.").value());
  }
  const auto before = std::make_shared<const OpenHolds>(open_holds_of(with_.committer));
  const std::int64_t written =
      with_.committer.read([](const ledger::Book& book) { return book.counters().entry; });
  PassQuestion question;
  question.plans = request.dry_run;
  question.explains = question.recovers = true;
  if (!request.dry_run) log_info("asked to recover holds (by " + caller.actor + ")");
  hooks_.ask_about(
      question, [this, request, promise, before, written](const Result<PassReport>& report) {
        if (!report) return fail_with(promise, problem(report.error()).value());
        const auto finish = [this, request, promise, before, written, report = *report] {
          promise([this, request, before, written, report]() -> Reply<Answer> {
            if (report.plan) {
              const RecoveryPlan& plan = *report.plan;
              return tell_recovery(request, *before, plan.entries, plan.findings, plan.problems);
            }
            const auto entries = entries_after(with_.committer.store(), written);
            if (!entries) return problem(entries.error());
            return tell_recovery(request, *before, *entries, report.findings, report.problems);
          });
        };
        if (!with_.work.push(finish)) fail_with(promise, too_busy().value());
      });
}

}  // namespace asbb::service
