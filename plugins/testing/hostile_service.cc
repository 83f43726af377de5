#include "plugins/testing/hostile_service.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "plugins/testing/fake_service.h"

namespace asbb::plugins::testing {
namespace {

constexpr int kWorkersOfAWay = 2;
// How long a way that hangs would hold a caller who waited for it.
constexpr int kHangMs = 2'000;
constexpr auto kBetweenBytes = std::chrono::microseconds(300);
constexpr int kHugePieces = 4;

void wait_for_end(int descriptor) {
  pollfd watched{descriptor, POLLRDHUP, 0};
  poll(&watched, 1, kHangMs);
}

// The request as far as it is sent at once; empty when the peer has gone.
std::string read_some(int descriptor) {
  pollfd watched{descriptor, POLLIN, 0};
  char bytes[16'384];
  if (poll(&watched, 1, kHangMs) <= 0) return "";
  const ssize_t got = recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
  return got <= 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(got));
}

bool say(int descriptor, const std::string& text) {
  const ssize_t sent = send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent == static_cast<ssize_t>(text.size());
}

void say_and_hang(int descriptor, const std::string& text) {
  say(descriptor, text);
  wait_for_end(descriptor);
}

void say_slowly(int descriptor, const std::string& text) {
  for (const char byte : text) {
    if (!say(descriptor, std::string(1, byte))) return;
    std::this_thread::sleep_for(kBetweenBytes);
  }
}

void say_much(int descriptor, const std::string& first, const std::string& piece) {
  say(descriptor, first);
  for (int at = 0; at < kHugePieces; ++at) {
    if (!say(descriptor, piece)) break;
  }
  wait_for_end(descriptor);
}

// What each way says once it has the request.
void answer_badly(int descriptor, Way way, int late_ms) {
  const std::string allow = answer(200, "allow", "");
  switch (way) {
    case Way::allows:
      say(descriptor, allow);
      return;
    case Way::denies:
      say(descriptor, answer(200, "deny", "Not enough."));
      return;
    case Way::half_a_head:
      return say_and_hang(descriptor, "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nContent-Le");
    case Way::half_a_body:
      return say_and_hang(
          descriptor, "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nContent-Length: 9\r\n\r\nhalf");
    case Way::byte_by_byte:
      return say_slowly(descriptor, allow);
    case Way::garbage:
      return say_and_hang(descriptor, std::string(3, '\0') + "\x80\xff allow\r\n\r\n\r\n");
    case Way::huge_head:
      return say_much(descriptor, "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\n",
                      "X: " + std::string(4'000, 'x') + "\r\n");
    case Way::huge_body:
      return say_much(descriptor,
                      "HTTP/1.1 200 OK\r\nAsbb-Decision: deny\r\nContent-Length: 999999999\r\n\r\n",
                      std::string(4'000, 'x'));
    case Way::allows_with_an_error:
      say(descriptor, answer(503, "allow", ""));
      return;
    case Way::allows_and_denies:
      say(descriptor,
          "HTTP/1.1 200 OK\r\nAsbb-Decision: deny\r\nAsbb-Decision: allow\r\n"
          "Content-Length: 0\r\n\r\n");
      return;
    case Way::allows_too_late:
      std::this_thread::sleep_for(std::chrono::milliseconds(late_ms));
      say(descriptor, allow);
      return;
    case Way::allows_another_token:
      say(descriptor, "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nAsbb-Token: " +
                          std::string(44, '0') + "\r\nContent-Length: 0\r\n\r\n");
      return;
    case Way::allows_after_interim:
      say(descriptor, "HTTP/1.1 100 Continue\r\n\r\n" + allow);
      return;
    case Way::hangs:
    case Way::hangs_after_reading:
      return wait_for_end(descriptor);
    case Way::closes_at_once:
    case Way::closes_after_reading:
    case Way::kCount:
      return;
  }
}

}  // namespace

const char* describe(Way way) {
  constexpr const char* kNames[] = {"allows",
                                    "denies",
                                    "hangs",
                                    "hangs after reading",
                                    "half a head",
                                    "half a body",
                                    "byte by byte",
                                    "closes at once",
                                    "closes after reading",
                                    "garbage",
                                    "huge head",
                                    "huge body",
                                    "allows with an error",
                                    "allows and denies",
                                    "allows too late",
                                    "allows another token",
                                    "allows after an interim answer"};
  static_assert(sizeof kNames / sizeof *kNames == kWays);
  return kNames[static_cast<int>(way)];
}

HostileService::HostileService(const std::string& folder, int late_ms)
    : folder_(folder), late_ms_(late_ms) {
  for (int way = 0; way < kWays; ++way) {
    const int listener = listen_on(socket_path(static_cast<Way>(way)));
    for (int worker = 0; worker < kWorkersOfAWay; ++worker) {
      workers_.emplace_back([this, listener, way] { serve(listener, static_cast<Way>(way)); });
    }
  }
}

HostileService::~HostileService() {
  // accept returns from a socket that is shut down, not from one that is closed.
  for (const int listener : listeners_) shutdown(listener, SHUT_RDWR);
  for (std::thread& worker : workers_) worker.join();
  for (const int listener : listeners_) close(listener);
}

std::string HostileService::socket_path(Way way) const {
  return folder_ + "/" + std::to_string(static_cast<int>(way)) + ".sock";
}

int HostileService::listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  listeners_.push_back(listener);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 256) != 0) {
    throw std::runtime_error("cannot listen on " + path);
  }
  return listener;
}

void HostileService::serve(int listener, Way way) const {
  for (;;) {
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (descriptor < 0) return;
    const bool reads = way != Way::hangs && way != Way::closes_at_once;
    if (!reads || !read_some(descriptor).empty()) answer_badly(descriptor, way, late_ms_);
    close(descriptor);
  }
}

}  // namespace asbb::plugins::testing
