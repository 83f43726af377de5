#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_audit_routes(Router& router, service::Operations& operations) {
  const auto entries = [&router, &operations](const SharedCall& call) {
    const auto query = api::parse_audit_query(call->query);
    if (!query) return respond<api::AuditEntry>(router, call, service::problem(query.error()));
    respond(router, call, operations.audit_entries(call->caller, *query));
  };
  router.add({"GET", "/api/v1/audit/entries", entries, default_body_bytes_max, true});
  const auto verify = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.verify_audit(call->caller));
  };
  router.add({"GET", "/api/v1/audit/verify", verify, default_body_bytes_max, true});
}

}  // namespace asbb::http
