// What everybody may ask: is it there, which version, how does it fare.
#include "api/build_version.h"
#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {

void add_system_routes(Router& router, service::Operations& operations, SystemSources sources) {
  const auto health = [&operations](const SharedCall& call) {
    const api::Health now = operations.health();
    call->responder.send(json_answer(now, now.status == "healthy" ? 200 : 503));
  };
  router.add({"GET", "/health", health});

  const auto version = [](const SharedCall& call) {
    call->responder.send(json_answer(api::build_version()));
  };
  router.add({"GET", "/version", version});

  const auto metrics = [sources](const SharedCall& call) {
    const auto connections =
        sources.connections ? sources.connections() : service::Metrics::Connections{};
    Answer answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = sources.metrics.render(sources.committer, connections,
                                         sources.alarms.list().size(), call->caller.may_read);
    if (sources.advice != nullptr) {
      answer.body += service::metrics_text(sources.advice->figures(), sources.metrics.prefix());
    }
    call->responder.send(std::move(answer));
  };
  if (!sources.metrics_path.empty()) {
    router.add({"GET", sources.metrics_path, metrics, default_body_bytes_max, true});
  }

  const auto status = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.status(call->caller));
  };
  router.add({"GET", "/api/v1/status", status});

  const auto clusters = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.clusters(call->caller));
  };
  router.add({"GET", "/api/v1/clusters", clusters});

  const auto doctor = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.doctor(call->caller));
  };
  router.add({"GET", "/api/v1/doctor", doctor, default_body_bytes_max, true});
}

}  // namespace asbb::http
