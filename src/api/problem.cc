#include "api/problem.h"

namespace asbb::api {
namespace {

Problem with(int status, const char* code, const Error& error) {
  return Problem{status, code, error.message, {}, error.field};
}

}  // namespace

Problem problem_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::invalid:
      return with(400, "VALIDATION_ERROR", error);
    case ErrorKind::not_found:
      return with(404, "NOT_FOUND", error);
    case ErrorKind::conflict:
      return with(409, "CONFLICT", error);
    case ErrorKind::denied:
      return with(403, "FORBIDDEN", error);
    case ErrorKind::unavailable:
    case ErrorKind::unknown_outcome:
      return with(503, "SERVICE_UNAVAILABLE", error);
    case ErrorKind::broken:
      break;
  }
  return with(500, "INTERNAL_ERROR", error);
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 404:
      return ErrorKind::not_found;
    case 401:
    case 403:
      return ErrorKind::denied;
    case 409:
      return ErrorKind::conflict;
    case 429:
    case 502:
    case 503:
    case 504:
      return ErrorKind::unavailable;
    default:
      return status >= 500 ? ErrorKind::broken : ErrorKind::invalid;
  }
}

}  // namespace asbb::api
