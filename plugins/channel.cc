#include "plugins/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "plugins/clock.h"

namespace asbb::plugins {
namespace {

// Closes its descriptor at the end of the scope.
class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() { reset(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void reset(int number) {
    if (number_ >= 0) close(number_);
    number_ = number;
  }
  int release() {
    const int number = number_;
    number_ = -1;
    return number;
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// False when the deadline passes first.
bool wait_for(int descriptor, short events, std::int64_t deadline_micros) {
  for (;;) {
    const std::int64_t left = deadline_micros - monotonic_micros();
    if (left <= 0) return false;
    const timespec timeout{left / 1'000'000, static_cast<long>(left % 1'000'000) * 1'000};
    pollfd watched{descriptor, events, 0};
    const int ready = ppoll(&watched, 1, &timeout, nullptr);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Failure connect_to(const Endpoint& endpoint, int descriptor) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(endpoint.socket_path);
  if (length >= sizeof address.sun_path) return Failure::no_socket;
  std::memcpy(address.sun_path, endpoint.socket_path, length);
  // On a unix socket a connect that does not block is done at once or fails: unix(7), EAGAIN.
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return Failure::none;
  }
  const bool has_no_socket = errno == ENOENT || errno == EACCES || errno == ENOTDIR;
  return has_no_socket ? Failure::no_socket : Failure::not_listening;
}

// A path alone proves little: who listens behind it does.
Failure check_server(const Endpoint& endpoint, int descriptor) {
  ucred server{};
  socklen_t size = sizeof server;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0) {
    return Failure::untrusted_server;
  }
  return endpoint.trusted->contains(server.uid) ? Failure::none : Failure::untrusted_server;
}

Failure open_new(const Endpoint& endpoint, Descriptor* descriptor) {
  descriptor->reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!descriptor->is_open()) return Failure::no_memory;
  const Failure failure = connect_to(endpoint, descriptor->number());
  return failure == Failure::none ? check_server(endpoint, descriptor->number()) : failure;
}

Failure send_all(const Request& request, int descriptor, std::int64_t deadline_micros) {
  std::string_view parts[] = {request.head, request.body};
  while (!parts[0].empty() || !parts[1].empty()) {
    iovec pieces[] = {{const_cast<char*>(parts[0].data()), parts[0].size()},
                      {const_cast<char*>(parts[1].data()), parts[1].size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    const ssize_t sent = sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return Failure::broken_off;
    if (sent < 0) {
      if (!wait_for(descriptor, POLLOUT, deadline_micros)) return Failure::deadline;
      continue;
    }
    auto left = static_cast<std::size_t>(sent);
    for (std::string_view& part : parts) {
      const std::size_t taken = left < part.size() ? left : part.size();
      part.remove_prefix(taken);
      left -= taken;
    }
  }
  return Failure::none;
}

Failure receive_answer(int descriptor, std::int64_t deadline_micros, Exchange* exchange) {
  std::size_t length = 0;
  for (;;) {
    if (!wait_for(descriptor, POLLIN, deadline_micros)) return Failure::deadline;
    const ssize_t got = recv(descriptor, exchange->received + length,
                             sizeof exchange->received - length, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return Failure::broken_off;
    length += static_cast<std::size_t>(got);
    const bool ended = got == 0;
    const std::string_view received(exchange->received, length);
    switch (parse_answer(received, ended, &exchange->answer)) {
      case ParseState::complete:
        // This thread may have been away since the bytes came.
        return monotonic_micros() < deadline_micros ? Failure::none : Failure::deadline;
      case ParseState::malformed:
        return ended ? Failure::broken_off : Failure::malformed_answer;
      case ParseState::incomplete:
        break;
    }
  }
}

}  // namespace

bool TrustedUsers::add(uid_t user) {
  if (contains(user)) return true;
  if (count_ == kMax) return false;
  users_[count_++] = user;
  return true;
}

bool TrustedUsers::contains(uid_t user) const {
  for (int at = 0; at < count_; ++at) {
    if (users_[at] == user) return true;
  }
  return false;
}

const char* describe(Failure failure) {
  switch (failure) {
    case Failure::none:
      return "answered";
    case Failure::not_configured:
      return "no usable address of the service is configured";
    case Failure::breaker_open:
      return "it failed just now and is not asked again yet";
    case Failure::no_socket:
      return "its socket is not there";
    case Failure::not_listening:
      return "nobody accepts connections on its socket";
    case Failure::untrusted_server:
      return "its socket belongs to a user who is not trusted";
    case Failure::broken_off:
      return "the connection ended before the answer";
    case Failure::deadline:
      return "no answer before the deadline";
    case Failure::malformed_answer:
      return "its answer cannot be read";
    case Failure::error_status:
      return "it answered with an error";
    case Failure::no_memory:
      return "memory is short";
    case Failure::request_too_long:
      return "the request is too long";
  }
  return "unknown";
}

Failure exchange(const Endpoint& endpoint, const Request& request, std::int64_t deadline_micros,
                 Exchange* exchange, IdleConnections* idle) {
  Descriptor descriptor;
  if (idle != nullptr) descriptor.reset(idle->take(monotonic_micros()));
  Failure failure = Failure::none;
  if (!descriptor.is_open()) failure = open_new(endpoint, &descriptor);
  if (failure == Failure::none) failure = send_all(request, descriptor.number(), deadline_micros);
  if (failure == Failure::none) {
    failure = receive_answer(descriptor.number(), deadline_micros, exchange);
  }
  if (idle == nullptr) return failure;
  if (failure != Failure::none) {
    idle->close_all();
  } else if (exchange->answer.keeps_connection) {
    idle->keep(descriptor.release(), monotonic_micros());
  }
  return failure;
}

}  // namespace asbb::plugins
