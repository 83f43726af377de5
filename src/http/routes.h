// All routes of the REST API (api/openapi.yaml), a file for each noun. Thin: JSON in, one function
// of the Operations, JSON out. Functions, called once before the listener starts; what they are
// given must outlive the router.
#pragma once

#include "http/listener.h"
#include "http/router.h"
#include "service/operations.h"

namespace asbb::http {

void add_slurm_routes(Router& router, service::Operations& operations);
void add_budget_routes(Router& router, service::Operations& operations);
void add_account_routes(Router& router, service::Operations& operations);
void add_transaction_routes(Router& router, service::Operations& operations);
void add_price_routes(Router& router, service::Operations& operations);
void add_alert_routes(Router& router, service::Operations& operations);
void add_audit_routes(Router& router, service::Operations& operations);
void add_job_routes(Router& router, service::Operations& operations);
void add_insight_routes(Router& router, service::Operations& operations);

// What the system routes show besides; `connections` may be empty.
struct SystemSources {
  const service::Committer& committer;
  const service::Metrics& metrics;
  const service::Alarms& alarms;
  std::function<service::Metrics::Connections()> connections;
  std::string metrics_path;  // empty: they are not shown
  const service::AdviceSeam* advice = nullptr;
};
void add_system_routes(Router& router, service::Operations& operations, SystemSources sources);

}  // namespace asbb::http
