// The REST client of the command line: one call at a time over the service's unix socket or a URL.
// Blocking; one object per thread. It never retries (whether a change was made is the service's to
// know), never follows redirects, and sends its token only over the socket, to loopback or over
// TLS.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "api/json.h"
#include "api/problem.h"

namespace asbb::api {

struct Endpoint {
  std::string socket = "/run/asbb/asbb.sock";
  std::string url;         // "http://127.0.0.1:8080"; used instead of the socket when set
  std::string token_file;  // bearer token for a URL; must not be readable by others
  int connect_timeout_ms = 2'000;
  int timeout_ms = 30'000;
};

// Codes of Problems that the client makes itself; their status is 0.
inline constexpr const char* unreachable_code = "UNREACHABLE";
// In an unreachable problem's field: the token is why, or no answer came in time.
inline constexpr const char* token_field = "token_file";
inline constexpr const char* late_field = "time";
inline constexpr const char* bad_answer_code = "BAD_ANSWER";

template <typename T>
using Reply = tl::expected<T, Problem>;

struct RawAnswer {
  int status = 0;
  std::string body;
};

class Client {
 public:
  explicit Client(Endpoint endpoint);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Any status is an answer here. `path` begins with '/', its segments are percent-encoded already.
  [[nodiscard]] Reply<RawAnswer> raw(const std::string& method, const std::string& path,
                                     const std::string& body = {});

  // A status of 200 to 299 read as T; every other one is the Problem in its body.
  template <typename T>
  [[nodiscard]] Reply<T> call(const std::string& method, const std::string& path,
                              const std::string& body = {}) {
    const auto answer = expect_success(method, path, body);
    if (!answer) return tl::unexpected(answer.error());
    auto read = from_json<T>(answer->body);
    if (!read) return tl::unexpected(bad_answer(read.error().message));
    return std::move(*read);
  }

  // The same without reading a body.
  [[nodiscard]] Reply<RawAnswer> expect_success(const std::string& method, const std::string& path,
                                                const std::string& body = {});

  // Where calls go, for messages: the socket's path or the URL.
  [[nodiscard]] const std::string& where() const;

 private:
  [[nodiscard]] Problem bad_answer(const std::string& why) const;

  const Endpoint endpoint_;
  void* curl_ = nullptr;  // CURL*, kept so that a second call reuses the connection
};

// The token in a file, without surrounding blanks. Refused: a file that others may read, or text
// that is not a token.
[[nodiscard]] Result<std::string> read_token_file(const std::string& path);

}  // namespace asbb::api
