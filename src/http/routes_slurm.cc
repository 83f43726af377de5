// What slurmctld's plugin and hooks send (docs/reference/plugin-protocol.md).
#include "base/token.h"
#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {
namespace {

constexpr std::size_t submission_bytes_max = 262'144;

// Text with the decision in a header, as the plugin reads it; JSON for who asks for it.
Answer decision_answer(const api::SubmissionAnswer& decided, const std::string& token,
                       bool as_json) {
  Answer answer;
  if (as_json) {
    answer.body = api::to_json(decided);
  } else {
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = decided.message;
  }
  answer.headers.emplace_back("Asbb-Decision", decided.decision);
  if (!decided.cluster_features.empty()) {
    answer.headers.emplace_back("Asbb-Cluster-Features", decided.cluster_features);
  }
  if (is_token(token)) answer.headers.emplace_back("Asbb-Token", token);
  return answer;
}

}  // namespace

void add_slurm_routes(Router& router, service::Operations& operations) {
  const auto answering = [&router](const SharedCall& call) {
    const bool as_json =
        call->request.header("accept").find("application/json") != std::string_view::npos;
    return [&router, call, as_json](std::function<service::Reply<api::SubmissionAnswer>()> make) {
      call->responder.send_made([&router, call, as_json, make = std::move(make)] {
        const auto reply = make();
        if (!reply) return router.problem_answer(reply.error(), call->request_id);
        const bool has_token = !call->captures.empty();
        return decision_answer(*reply, has_token ? call->captures.front() : "", as_json);
      });
    };
  };
  const auto submit = [&operations, answering](const SharedCall& call) {
    operations.submit_job(call->caller, call->captures.front(), call->request.body,
                          answering(call));
  };
  router.add({"PUT", "/api/v1/slurm/submissions/{token}", submit, submission_bytes_max});

  const auto change = [&operations, answering](const SharedCall& call) {
    operations.change_job(call->caller, call->request.body, answering(call));
  };
  router.add({"POST", "/api/v1/slurm/changes", change, submission_bytes_max});

  const auto notify = [&router, &operations](const SharedCall& call) {
    with_body<api::Notify>(router, call, [&](const api::Notify& request) {
      respond(router, call, operations.notify(call->caller, request));
    });
  };
  router.add({"POST", "/api/v1/slurm/notify", notify});
}

}  // namespace asbb::http
