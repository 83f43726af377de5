#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_insight_routes(Router& router, service::Operations& operations) {
  const auto usage = [&router, &operations](const SharedCall& call) {
    const auto query = api::parse_usage_query(call->query);
    if (!query) return respond<api::Usage>(router, call, service::problem(query.error()));
    respond(router, call, operations.usage(call->caller, call->captures[0], *query));
  };
  router.add({"GET", "/api/v1/accounts/{account}/usage", usage, default_body_bytes_max, true});

  const auto summary = [&router, &operations](const SharedCall& call) {
    const auto query = api::parse_usage_query(call->query);
    if (!query) return respond<api::UsageSummary>(router, call, service::problem(query.error()));
    respond(router, call, operations.usage_summary(call->caller, *query));
  };
  router.add({"GET", "/api/v1/usage", summary, default_body_bytes_max, true});

  const auto charges = [&router, &operations](const SharedCall& call) {
    const auto query = api::parse_charge_query(call->query);
    if (!query) return respond<api::ChargePage>(router, call, service::problem(query.error()));
    respond(router, call, operations.charges(call->caller, *query));
  };
  router.add({"GET", "/api/v1/usage/charges", charges, default_body_bytes_max, true});

  const auto forecast = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.forecast(call->caller, call->captures[0]));
  };
  router.add(
      {"GET", "/api/v1/accounts/{account}/forecast", forecast, default_body_bytes_max, true});

  const auto context = [&router, &operations](const SharedCall& call) {
    const auto cluster = api::parse_cluster_query(call->query);
    if (!cluster) return respond<api::JobContext>(router, call, service::problem(cluster.error()));
    respond(router, call, operations.job_context(call->caller, call->captures[0], *cluster));
  };
  router.add(
      {"GET", "/api/v1/integration/budget-context/{job}", context, default_body_bytes_max, true});
}

}  // namespace asbb::http
