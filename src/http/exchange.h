// What the routes_*.cc share: reading a body, answering with a value or a Problem, now or when the
// ledger has decided. Inside src/http only.
#pragma once

#include <string>
#include <utility>

#include "api/json.h"
#include "http/router.h"

namespace asbb::http {

template <typename T>
Answer json_answer(const T& value, int status = 200) {
  return Answer{status, "application/json", api::to_json(value), {}};
}

inline Answer json_answer(const service::Nothing&, int) {
  return Answer{204, "", "", {}};
}

template <typename T>
Answer answer_of(const Router& router, const Call& call, const service::Reply<T>& reply,
                 int status = 200) {
  if (!reply) return router.problem_answer(reply.error(), call.request_id);
  return json_answer(*reply, status);
}

template <typename T>
void respond(const Router& router, const SharedCall& call, const service::Reply<T>& reply,
             int status = 200) {
  call->responder.send(answer_of(router, *call, reply, status));
}

// Kept by the operation when it knows; the JSON is made on the I/O thread.
template <typename T>
service::Promise<T> promise_of(const Router& router, const SharedCall& call, int status = 200) {
  return [&router, call, status](std::function<service::Reply<T>()> make) {
    call->responder.send_made([&router, call, status, make = std::move(make)] {
      return answer_of(router, *call, make(), status);
    });
  };
}

// The Idempotency-Key header wins over the body's request_id.
template <typename T>
T with_key(T request, const Call& call) {
  constexpr std::size_t length_max = 256;
  const std::string_view key = call.request.header("idempotency-key");
  if (!key.empty()) request.request_id = std::string(key.substr(0, length_max));
  return request;
}

// Reads the body as T and calls `use` with it; an empty body counts as {} where `may_be_empty`.
template <typename T, typename Use>
void with_body(const Router& router, const SharedCall& call, Use use, bool may_be_empty = false) {
  const bool is_empty = may_be_empty && call->request.body.empty();
  auto value = api::from_json<T>(is_empty ? std::string_view("{}") : call->request.body);
  if (value) return use(*value);
  call->responder.send(router.problem_answer(api::problem_of(value.error()), call->request_id));
}

}  // namespace asbb::http
