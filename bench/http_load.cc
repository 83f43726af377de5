#include "bench/http_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace asbb::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("connect");
  }
  return descriptor;
}

// Bytes of the first answer in the buffer; 0 when it is not whole.
std::size_t answer_size(const std::string& buffer) {
  const std::size_t head_end = buffer.find("\r\n\r\n");
  if (head_end == std::string::npos) return 0;
  const std::size_t field = buffer.find("Content-Length: ");
  if (field == std::string::npos || field > head_end) return head_end + 4;
  const char* const begin = buffer.data() + field + std::strlen("Content-Length: ");
  std::size_t length = 0;
  std::from_chars(begin, buffer.data() + head_end, length);
  const std::size_t size = head_end + 4 + length;
  return buffer.size() < size ? 0 : size;
}

struct Connection {
  int descriptor = -1;
  std::string input;
  SteadyClock::time_point sent_at;
};

class Load {
 public:
  Load(const std::string& socket_path, int connections, const std::vector<std::string>& requests,
       const std::string& expected)
      : requests_(requests),
        expected_(expected),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        connections_(static_cast<std::size_t>(connections)) {
    for (Connection& connection : connections_) {
      connection.descriptor = connect_to(socket_path);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &connection;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.descriptor, &event);
    }
  }
  ~Load() {
    for (const Connection& connection : connections_) ::close(connection.descriptor);
    ::close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult run(std::chrono::milliseconds duration) {
    const auto begin = SteadyClock::now();
    counted_from_ = begin + duration / 5;
    const auto end = begin + duration;
    for (Connection& connection : connections_) send(connection);
    std::array<epoll_event, 64> events{};
    while (SteadyClock::now() < end) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), 100);
      for (int i = 0; i < count; ++i) {
        receive(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
      }
    }
    result_.seconds = std::chrono::duration<double>(SteadyClock::now() - counted_from_).count();
    std::sort(result_.latencies_us.begin(), result_.latencies_us.end());
    return std::move(result_);
  }

 private:
  void send(Connection& connection) {
    const auto next = static_cast<std::size_t>(result_.requests++) % requests_.size();
    const std::string& request = requests_[next];
    connection.sent_at = SteadyClock::now();
    if (::send(connection.descriptor, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      give_up("send");
    }
  }

  void receive(Connection& connection) {
    std::array<char, 16'384> buffer;
    const ssize_t count = ::recv(connection.descriptor, buffer.data(), buffer.size(), 0);
    if (count <= 0) give_up("recv");
    connection.input.append(buffer.data(), static_cast<std::size_t>(count));
    const std::size_t size = answer_size(connection.input);
    if (size == 0) return;
    const auto now = SteadyClock::now();
    if (now >= counted_from_) {
      using std::chrono::microseconds;
      ++result_.answers;
      result_.latencies_us.push_back(
          std::chrono::duration_cast<microseconds>(now - connection.sent_at).count());
      const bool fine = connection.input.starts_with("HTTP/1.1 200") &&
                        connection.input.find(expected_) != std::string::npos;
      result_.failures += fine ? 0 : 1;
    }
    connection.input.erase(0, size);
    send(connection);
  }

  const std::vector<std::string>& requests_;
  const std::string& expected_;
  const int epoll_;
  std::vector<Connection> connections_;
  SteadyClock::time_point counted_from_;
  LoadResult result_;
};

}  // namespace

double LoadResult::percentile_ms(int p) const {
  if (latencies_us.empty()) return 0;
  const std::size_t index = (latencies_us.size() - 1) * static_cast<std::size_t>(p) / 100;
  return static_cast<double>(latencies_us[index]) / 1000;
}

LoadResult run_load(const std::string& socket_path, int connections,
                    std::chrono::milliseconds duration, const std::vector<std::string>& requests,
                    const std::string& expected) {
  return Load(socket_path, connections, requests, expected).run(duration);
}

std::string ask(const std::string& socket_path, const std::string& request) {
  const int descriptor = connect_to(socket_path);
  std::string input;
  if (::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) < 0) give_up("send");
  while (answer_size(input) == 0) {
    std::array<char, 16'384> buffer;
    const ssize_t count = ::recv(descriptor, buffer.data(), buffer.size(), 0);
    if (count <= 0) give_up("recv");
    input.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  return input;
}

}  // namespace asbb::bench
