// How a route says no: the error body of every status of 400 and above. Plain values.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace asbb::api {

struct Problem {
  int status = 500;     // HTTP
  std::string code;     // stable, upper case: VALIDATION_ERROR, NOT_FOUND, ...
  std::string message;  // a sentence
  std::string details;  // left out when empty
  std::string field;    // the input at fault, left out when empty
  bool operator==(const Problem&) const = default;
};

// Status and code of an Error: invalid 400 VALIDATION_ERROR, not_found 404 NOT_FOUND, conflict 409
// CONFLICT, denied 403 FORBIDDEN, unavailable and unknown_outcome 503 SERVICE_UNAVAILABLE, broken
// 500 INTERNAL_ERROR.
[[nodiscard]] Problem problem_of(const Error& error);

// The kind a client takes from a status it received.
[[nodiscard]] ErrorKind kind_of_status(int status);

struct ErrorBody {
  Problem error;  // its status is not part of the body
  std::string request_id;
  Instant timestamp;
  bool operator==(const ErrorBody&) const = default;
};

}  // namespace asbb::api
