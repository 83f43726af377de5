// One conversation with the service: connect to its unix socket, look who listens there, send a
// request, read the answer, close; all before one deadline, which nothing here can exceed by more
// than the scheduling of its thread. Where the caller keeps connections, it begins on one of those
// and leaves its own to them. Never retries, never raises a signal, leaves no other descriptor
// behind. Any thread; what it needs is on the stack of the caller.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "plugins/http_answer.h"
#include "plugins/idle_connections.h"
#include "plugins/wire.h"

namespace asbb::plugins {

// The users whose processes and files the plugin believes: root, slurmctld's own, the service's.
class TrustedUsers {
 public:
  constexpr TrustedUsers() = default;
  // At most kMax different users are kept; false beyond that.
  bool add(uid_t user);
  [[nodiscard]] bool contains(uid_t user) const;

 private:
  static constexpr int kMax = 3;
  uid_t users_[kMax] = {};
  int count_ = 0;
};

// Why there is no answer.
enum class Failure {
  none,
  not_configured,    // the plugin's arguments name no service it may talk to
  breaker_open,      // it failed just now, and is not asked again yet
  no_socket,         // no such file, or not ours to open
  not_listening,     // nobody accepts connections, or too many are waiting
  untrusted_server,  // the listener runs as a user who is not trusted
  broken_off,        // the connection ended before the answer did
  deadline,
  malformed_answer,
  error_status,  // an answer, and not one of a decision
  no_memory,
  request_too_long,  // the user's request, not the service, is at fault: never taken for silence
};

// For a log line, e.g. "no answer before the deadline".
const char* describe(Failure failure);

struct Endpoint {
  const char* socket_path;  // shorter than sockaddr_un allows
  const TrustedUsers* trusted;
};

struct Request {
  std::string_view head;
  std::string_view body;
};

// The received bytes and the answer that points into them; 6 kB, meant for the stack.
struct Exchange {
  Answer answer;
  char received[wire::kAnswerHeadBytesMax + 4 + wire::kAnswerBodyBytesShown];
};

// deadline_micros is a moment of the monotonic clock; an answer that is not complete and read by
// then is no answer (the service may have given the money back). The answer is valid when the
// result is none. `idle` may be null, for a conversation on a connection of its own; those in it
// were made to the same endpoint.
[[nodiscard]] Failure exchange(const Endpoint& endpoint, const Request& request,
                               std::int64_t deadline_micros, Exchange* exchange,
                               IdleConnections* idle);

}  // namespace asbb::plugins
