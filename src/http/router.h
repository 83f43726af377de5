// From a request to what answers it: finds the route, the caller and the parameters, refuses what
// no route should see, and gives every answer its request id and its place in the metrics. Filled
// before the listener starts, then only read; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/transaction.h"
#include "http/message.h"
#include "http/responder.h"
#include "service/authority.h"
#include "service/clock.h"
#include "service/metrics.h"
#include "service/reply.h"
#include "service/work_queue.h"

namespace asbb::http {

inline constexpr std::size_t default_body_bytes_max = 64 * 1024;

// One request on its way through a route.
struct Call {
  Request request;
  service::Caller caller;
  std::vector<std::string> captures;  // what stands for {name} in the pattern, in order, decoded
  api::QueryParameters query;         // decoded, in order
  std::string request_id;
  Responder responder;
};
using SharedCall = std::shared_ptr<const Call>;

struct Route {
  std::string method;
  std::string pattern;  // "/api/v1/accounts/{account}"
  std::function<void(const SharedCall&)> handle;
  std::size_t body_bytes_max = default_body_bytes_max;
  bool blocking = false;  // runs on a worker thread
};

class Router {
 public:
  Router(const service::Authority& authority, service::Metrics& metrics, service::WorkQueue& work,
         service::Clock clock);

  void add(Route route);

  // The listener's callbacks.
  void handle(Request request, const Responder& responder) const;
  [[nodiscard]] std::size_t body_limit(std::string_view method, std::string_view target) const;
  [[nodiscard]] Answer make_error(int status, std::string_view sentence) const;

  [[nodiscard]] Answer problem_answer(const api::Problem& problem,
                                      const std::string& request_id) const;

  // "GET /health" of every route, for tests against the contract.
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  struct Match;
  [[nodiscard]] Match find(std::string_view method, std::string_view path) const;
  [[nodiscard]] tl::expected<service::Caller, api::Problem> identify(const Request& request) const;
  [[nodiscard]] std::string request_id_of(const Request& request) const;
  [[nodiscard]] Responder measured(const Responder& responder, const Request& request,
                                   const std::string& route, const std::string& request_id) const;
  void run(const Route& route, const SharedCall& call) const;

  const service::Authority& authority_;
  service::Metrics& metrics_;
  service::WorkQueue& work_;
  const service::Clock clock_;
  const std::string id_prefix_;
  std::vector<Route> routes_;
};

}  // namespace asbb::http
