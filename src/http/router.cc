#include "http/router.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "api/json.h"
#include "base/text.h"
#include "http/target.h"
#include "service/digest.h"
#include "service/log.h"

namespace asbb::http {
namespace {

constexpr std::size_t request_id_length_max = 64;
constexpr const char* json_type = "application/json";

bool is_capture(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// What the captures of the pattern stand for, undecoded; false when the path is another one. Every
// request asks this of every route, so nothing is allocated on the way.
bool fits(std::string_view pattern, std::string_view path,
          std::vector<std::string_view>& captures) {
  captures.clear();
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (is_capture(wanted)) {
      if (given.empty()) return false;
      captures.push_back(given);
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

bool is_plain_id(std::string_view text) {
  return !text.empty() && text.size() <= request_id_length_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

api::Problem bad_request(std::string message) {
  return {400, "VALIDATION_ERROR", std::move(message), {}, {}};
}

const char* code_of(int status) {
  switch (status) {
    case 413:
    case 431:
      return "REQUEST_TOO_LARGE";
    case 503:
      return "SERVICE_UNAVAILABLE";
    case 500:
      return "INTERNAL_ERROR";
    default:
      return "VALIDATION_ERROR";
  }
}

// A page of another site that a browser shows must not reach a service on this machine.
bool is_cross_site(const Request& request) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos || origin.substr(scheme + 3) != request.header("host");
}

bool has_json_body(const Request& request) {
  const std::string_view type = request.header("content-type");
  return request.body.empty() || type.empty() || type.starts_with(json_type);
}

std::string milliseconds_text(std::chrono::steady_clock::duration span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(span).count()) +
         " ms";
}

}  // namespace

struct Router::Match {
  const Route* route = nullptr;
  std::vector<std::string_view> captures;
  std::vector<std::string> methods;  // of the path, when no route has the method
};

Router::Router(const service::Authority& authority, service::Metrics& metrics,
               service::WorkQueue& work, service::Clock clock)
    : authority_(authority),
      metrics_(metrics),
      work_(work),
      clock_(std::move(clock)),
      id_prefix_(service::fresh_token(clock_()).substr(0, 20)) {}

void Router::add(Route route) {
  routes_.push_back(std::move(route));
}

std::vector<std::string> Router::list() const {
  std::vector<std::string> names;
  for (const Route& route : routes_) names.push_back(route.method + " " + route.pattern);
  return names;
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  std::vector<std::string_view> captures;
  for (const Route& route : routes_) {
    if (!fits(route.pattern, path, captures)) continue;
    match.methods.push_back(route.method);
    if (route.method == "GET") match.methods.emplace_back("HEAD");
    if (route.method != wanted) continue;
    match.route = &route;
    match.captures = captures;
    return match;
  }
  return match;
}

std::size_t Router::body_limit(std::string_view method, std::string_view target) const {
  const Match match = find(method, path_of(target));
  return match.route == nullptr ? default_body_bytes_max : match.route->body_bytes_max;
}

std::string Router::request_id_of(const Request& request) const {
  static std::atomic<std::uint64_t> counter{0};
  const std::string_view given = request.header("request-id");
  if (is_plain_id(given)) return std::string(given);
  return "req_" + id_prefix_ + "_" + std::to_string(counter.fetch_add(1));
}

Answer Router::problem_answer(const api::Problem& problem, const std::string& request_id) const {
  Answer answer;
  answer.status = problem.status;
  answer.body = api::to_json(api::ErrorBody{problem, request_id, clock_()});
  if (problem.status == 503) answer.headers.emplace_back("Retry-After", "1");
  if (problem.status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

Answer Router::make_error(int status, std::string_view sentence) const {
  return problem_answer({status, code_of(status), std::string(sentence), {}, {}},
                        request_id_of(Request{}));
}

tl::expected<service::Caller, api::Problem> Router::identify(const Request& request) const {
  if (request.peer.is_local_user) return authority_.local(request.peer.user_id);
  if (is_cross_site(request)) {
    return tl::unexpected(api::Problem{
        403, "FORBIDDEN", "Requests of pages from elsewhere are not answered.", {}, {}});
  }
  auto caller = authority_.remote(request.header("authorization"));
  if (caller) return *caller;
  return tl::unexpected(api::Problem{401, "UNAUTHORIZED", caller.error().message, {}, {}});
}

Responder Router::measured(const Responder& responder, const Request& request,
                           const std::string& route, const std::string& request_id) const {
  struct Seen {
    Responder responder;
    std::string route;
    std::string request_id;
    std::string method;
    std::chrono::steady_clock::time_point arrived_at;
  };
  // Shared, because the functions that carry it to the answer are copied and moved on their way.
  const auto seen = std::make_shared<const Seen>(
      Seen{responder, route, request_id, request.method, request.arrived_at});
  return Responder([this, seen](Responder::Make make) {
    seen->responder.send_made([this, seen, make = std::move(make)] {
      Answer answer = make();
      answer.headers.emplace_back("Request-Id", seen->request_id);
      const auto took = std::chrono::steady_clock::now() - seen->arrived_at;
      metrics_.observe_request(seen->route, answer.status, took);
      service::log_debug(seen->request_id + ": " + seen->method + " " + seen->route +
                         " answered with status " + std::to_string(answer.status) + " after " +
                         milliseconds_text(took));
      if (answer.status >= 500) {
        service::log_warning(seen->request_id + ": " + seen->route + " answered with status " +
                             std::to_string(answer.status) + ": " + answer.body);
      }
      return answer;
    });
  });
}

void Router::handle(Request request, const Responder& responder) const {
  const std::string path(path_of(request.target));
  Match match = find(request.method, path);
  const std::string request_id = request_id_of(request);
  const std::string name = match.route == nullptr ? "other" : match.route->pattern;
  auto call = std::make_shared<Call>(Call{
      std::move(request), {}, {}, {}, request_id, measured(responder, request, name, request_id)});
  const auto refuse = [&](const api::Problem& problem) {
    call->responder.send(problem_answer(problem, request_id));
  };
  if (match.route == nullptr) {
    if (match.methods.empty()) {
      return refuse({404, "NOT_FOUND", "There is nothing at " + in_quotes(path) + ".", {}, {}});
    }
    std::string allowed;
    for (const std::string& method : match.methods) allowed += method + ", ";
    allowed += "OPTIONS";
    const bool asks = call->request.method == "OPTIONS";
    Answer answer{204, "", "", {}};
    if (!asks) {
      answer = problem_answer(
          {405,
           "METHOD_NOT_ALLOWED",
           in_quotes(call->request.method) + " is not possible here, only " + allowed + ".",
           {},
           {}},
          request_id);
    }
    answer.headers.emplace_back("Allow", allowed);
    return call->responder.send(std::move(answer));
  }
  const auto caller = identify(call->request);
  if (!caller) return refuse(caller.error());
  call->caller = *caller;
  if (!has_json_body(call->request)) {
    return refuse({415,
                   "UNSUPPORTED_MEDIA_TYPE",
                   "The body must be JSON: Content-Type: application/json.",
                   {},
                   {}});
  }
  for (const std::string_view capture : match.captures) {
    const auto decoded = percent_decode(capture);
    if (!decoded) return refuse(bad_request(decoded.error().message));
    call->captures.push_back(*decoded);
  }
  const auto query = parse_query(call->request.target);
  if (!query) return refuse(bad_request(query.error().message));
  call->query = *query;
  run(*match.route, call);
}

void Router::run(const Route& route, const SharedCall& call) const {
  if (!route.blocking) return route.handle(call);
  const auto work = [this, &route, call] {
    try {
      route.handle(call);
    } catch (...) {
      call->responder.send(make_error(500, "The service failed at this request."));
    }
  };
  if (!work_.push(work)) {
    call->responder.send(problem_answer(service::too_busy().value(), call->request_id));
  }
}

}  // namespace asbb::http
