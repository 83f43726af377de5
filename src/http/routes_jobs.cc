#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_job_routes(Router& router, service::Operations& operations) {
  const auto reconcile = [&router, &operations](const SharedCall& call) {
    const auto use = [&](const api::JobReconcile& request) {
      operations.reconcile_job(call->caller, call->captures[0], request,
                               promise_of<api::JobReconcileAnswer>(router, call));
    };
    with_body<api::JobReconcile>(router, call, use, true);
  };
  router.add({"POST", "/api/v1/jobs/{job}/reconcile", reconcile});

  const auto recover = [&router, &operations](const SharedCall& call) {
    const auto use = [&](const api::RecoveryRequest& request) {
      operations.recover(call->caller, request, promise_of<api::RecoveryAnswer>(router, call));
    };
    with_body<api::RecoveryRequest>(router, call, use, true);
  };
  router.add({"POST", "/api/v1/recovery", recover});
}

}  // namespace asbb::http
