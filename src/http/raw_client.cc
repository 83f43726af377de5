#include "http/raw_client.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace asbb::http {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string RawAnswer::header(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line(head.data() + begin,
                                (at == std::string::npos ? head.size() : at) - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), name)) {
      continue;
    }
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return std::string(value);
  }
  return {};
}

RawClient RawClient::connect_unix(const std::string& path) {
  RawClient client;
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    client.descriptor_ = std::move(made);
  }
  return client;
}

RawClient RawClient::connect_tcp(std::uint16_t port) {
  RawClient client;
  Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    client.descriptor_ = std::move(made);
  }
  return client;
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::finish_sending() {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

bool RawClient::fill(int wait_ms) {
  if (ended_) return false;
  pollfd waiting{descriptor_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, wait_ms) <= 0) return false;
  char bytes[16 * 1024];
  const ssize_t got = ::recv(descriptor_.get(), bytes, sizeof(bytes), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  pending_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<RawAnswer> RawClient::receive(bool head_only, int wait_ms) {
  std::size_t end = std::string::npos;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(wait_ms)) return std::nullopt;
  }
  RawAnswer answer;
  answer.head = pending_.substr(0, end);
  pending_.erase(0, end + 4);
  if (answer.head.size() < 12) return std::nullopt;
  answer.status = std::atoi(answer.head.c_str() + 9);
  const std::size_t length =
      head_only ? 0 : std::strtoul(answer.header("Content-Length").c_str(), nullptr, 10);
  while (pending_.size() < length) {
    if (!fill(wait_ms)) return std::nullopt;
  }
  answer.body = pending_.substr(0, length);
  pending_.erase(0, length);
  return answer;
}

bool RawClient::is_at_end(int wait_ms) {
  while (fill(wait_ms)) {
  }
  return ended_ && pending_.empty();
}

std::optional<RawAnswer> RawClient::ask(std::string_view method, std::string_view target,
                                        std::string_view body, std::string_view headers) {
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(headers);
  if (!body.empty() || method == "POST" || method == "PUT") {
    request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  request.append("\r\n").append(body);
  if (!send(request)) return std::nullopt;
  return receive(method == "HEAD");
}

}  // namespace asbb::http
