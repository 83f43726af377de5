#include "base/text.h"
#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_alert_routes(Router& router, service::Operations& operations) {
  const auto list = [&router, &operations](const SharedCall& call) {
    const auto query = api::parse_alert_query(call->query);
    if (!query) {
      return respond<std::vector<api::Alert>>(router, call, service::problem(query.error()));
    }
    respond(router, call, operations.alerts(call->caller, *query));
  };
  router.add({"GET", "/api/v1/alerts", list});

  const auto rules = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.alert_rules(call->caller));
  };
  router.add({"GET", "/api/v1/alerts/rules", rules});

  // Blocking: the state file is written before the answer.
  const auto acknowledge = [&router, &operations](const SharedCall& call) {
    with_body<api::AlertAcknowledgement>(
        router, call,
        [&](const api::AlertAcknowledgement& request) {
          const auto id = parse_count(call->captures[0]);
          if (!id) {
            return respond<api::Alert>(
                router, call,
                service::problem(
                    Error{ErrorKind::invalid,
                          in_quotes(call->captures[0]) + " is not the number of an alert", "id"}));
          }
          respond(router, call, operations.acknowledge_alert(call->caller, *id, request));
        },
        true);
  };
  router.add(
      {"POST", "/api/v1/alerts/{id}/acknowledge", acknowledge, default_body_bytes_max, true});
}

}  // namespace asbb::http
