// How an operation answers: a value of the REST API, or the Problem that HTTP shows. An operation
// that needs the ledger answers later, on the committer's thread, by handing over a function that
// makes the reply: the caller runs it wherever there is time, once, while the Operations live.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "api/problem.h"
#include "ledger/command.h"

namespace asbb::service {

template <typename T>
using Reply = tl::expected<T, api::Problem>;

template <typename T>
using Promise = std::function<void(std::function<Reply<T>()>)>;

struct Nothing {};

// The answer is known at once, and it is no.
template <typename T>
void fail_with(const Promise<T>& promise, api::Problem why) {
  promise([why = std::move(why)]() -> Reply<T> { return tl::unexpected(why); });
}

// Nor has this one to wait for the ledger.
template <typename T>
void answer_with(const Promise<T>& promise, T answer) {
  promise([answer = std::move(answer)]() -> Reply<T> { return answer; });
}

[[nodiscard]] inline tl::unexpected<api::Problem> problem(const Error& error) {
  return tl::unexpected<api::Problem>(api::problem_of(error));
}

[[nodiscard]] inline tl::unexpected<api::Problem> problem(int status, std::string code,
                                                          std::string message,
                                                          std::string field = {}) {
  return tl::unexpected<api::Problem>(
      api::Problem{status, std::move(code), std::move(message), {}, std::move(field)});
}

// 503: the committer's queue is full. Retry-After goes with it.
[[nodiscard]] tl::unexpected<api::Problem> too_busy();

// 404, the same for an account that does not exist and one that the caller may not know of.
[[nodiscard]] tl::unexpected<api::Problem> no_such_account(const std::string& account);

// The values of a request by the names of their fields, as far as the ledger judges them.
using Given = std::map<std::string, std::string>;

// A conflict that the ledger was not asked about, with its stable code.
[[nodiscard]] tl::unexpected<api::Problem> conflict(std::string details, std::string message,
                                                    std::string field = {});

// What a refusal of the ledger is over HTTP: status, stable code and a sentence, which starts with
// the field and its value when it is about one of `given`. `asked` is the account that was named.
[[nodiscard]] api::Problem problem_of(const ledger::Outcome& outcome, const std::string& asked,
                                      const Given& given = {});

// The sentence alone.
[[nodiscard]] std::string sentence_of(const ledger::Outcome& outcome, const std::string& asked);

// Which account a refusal is about: that of its leg, such as the target of a transfer, or the one
// that was asked for.
[[nodiscard]] const std::string& account_of(const ledger::Outcome& outcome,
                                            const std::string& asked);

}  // namespace asbb::service
