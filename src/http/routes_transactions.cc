#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_transaction_routes(Router& router, service::Operations& operations) {
  const auto list = [&router, &operations](const SharedCall& call) {
    const auto query = api::parse_transaction_query(call->query);
    if (!query) return respond<api::Transaction>(router, call, service::problem(query.error()));
    respond(router, call, operations.transactions(call->caller, *query));
  };
  router.add({"GET", "/api/v1/transactions", list, default_body_bytes_max, true});

  const auto show = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.transaction(call->caller, call->captures[0]));
  };
  router.add({"GET", "/api/v1/transactions/{transaction}", show, default_body_bytes_max, true});
}

}  // namespace asbb::http
