// The simple routes of programs that are not Slurm.
#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {
void add_budget_routes(Router& router, service::Operations& operations) {
  const auto check = [&router, &operations](const SharedCall& call) {
    with_body<api::BudgetCheck>(router, call, [&](const api::BudgetCheck& request) {
      operations.check(call->caller, with_key(request, *call),
                       promise_of<api::BudgetCheckAnswer>(router, call));
    });
  };
  router.add({"POST", "/api/v1/budget/check", check});

  const auto quote = [&router, &operations](const SharedCall& call) {
    with_body<api::QuoteRequest>(router, call, [&](const api::QuoteRequest& request) {
      respond(router, call, operations.quote(call->caller, request));
    });
  };
  // It tries many changes of the job; the gate's answers must not wait for it.
  router.add({"POST", "/api/v1/quote", quote, default_body_bytes_max, true});

  const auto reconcile = [&router, &operations](const SharedCall& call) {
    with_body<api::BudgetReconcile>(router, call, [&](const api::BudgetReconcile& request) {
      operations.reconcile(call->caller, with_key(request, *call),
                           promise_of<api::BudgetReconcileAnswer>(router, call));
    });
  };
  router.add({"POST", "/api/v1/budget/reconcile", reconcile, default_body_bytes_max, true});
}

}  // namespace asbb::http
