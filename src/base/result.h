// How operations say that they failed. A business refusal ("no money") is not an Error: it is an
// enum of the ledger with its own name. An Error is bad input, or something that broke; `kind`
// tells a caller what to do next and HTTP which status to give. Plain values, no threads, no
// ownership beyond strings.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace asbb {

enum class ErrorKind {
  invalid,          // the input is wrong; a retry with the same input never helps
  not_found,        // what is named does not exist, or the caller may not know it
  conflict,         // contradicts what is already recorded (same id, other body)
  denied,           // the caller may not do this
  unavailable,      // something is away, full or late; a retry later may help
  unknown_outcome,  // a commit may or may not have happened; resolve by request id, never guess
  broken            // data or a program is not as it must be; a person has to look
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::broken;
  std::string message;  // a sentence: what was asked, what is wrong, what is allowed
  std::string field;    // the input field at fault, empty when there is none

  [[nodiscard]] bool retry_helps() const { return kind == ErrorKind::unavailable; }
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message, std::string field = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(message), std::move(field)});
}

}  // namespace asbb
