#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_audit_routes(Router& router, service::Operations& operations) {
  const auto verify = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.verify_audit(call->caller));
  };
  router.add({"GET", "/api/v1/audit/verify", verify, default_body_bytes_max, true});
}

}  // namespace asbb::http
