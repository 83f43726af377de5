#include "advisor/testing/http_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/assert.h"

namespace asbb::advisor::testing {
namespace {

// The whole request, header and body; empty when the other side went.
std::string read_request(int descriptor, std::size_t& head_size) {
  std::string text;
  for (;;) {
    const auto end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      head_size = end + 4;
      const auto length = text.find("Content-Length: ");
      const std::size_t body =
          length > end ? 0 : std::strtoul(text.c_str() + length + 16, nullptr, 10);
      if (text.size() >= head_size + body) return text;
    }
    char bytes[4096];
    const ssize_t count = ::recv(descriptor, bytes, sizeof bytes, 0);
    if (count <= 0) return {};
    text.append(bytes, static_cast<std::size_t>(count));
  }
}

void send_all(int descriptor, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(descriptor, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

}  // namespace

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASBB_ASSERT(::bind(listener_, any, size) == 0 && ::listen(listener_, 64) == 0);
  ASBB_ASSERT(::getsockname(listener_, any, &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  ends_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (std::thread& thread : threads_) thread.join();
  for (const int descriptor : open_) ::close(descriptor);
}

void HttpServer::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const std::lock_guard lock(mutex_);
    if (is_ending_) {
      ::close(descriptor);
      return;
    }
    open_.push_back(descriptor);
    threads_.emplace_back([this, descriptor] { serve(descriptor); });
  }
}

// False when the server goes.
bool HttpServer::sleep(int milliseconds) {
  std::unique_lock lock(mutex_);
  return !ends_.wait_for(lock, std::chrono::milliseconds(milliseconds),
                         [this] { return is_ending_; });
}

void HttpServer::serve(int descriptor) {
  constexpr int for_ever_ms = 600'000;
  for (;;) {
    std::size_t head_size = 0;
    const std::string request = read_request(descriptor, head_size);
    if (request.empty()) break;
    ++requests_;
    const auto from = request.find(' ') + 1;
    const std::string path = request.substr(from, request.find(' ', from) - from);
    const HttpReply reply = handler_(path, request.substr(0, head_size), request.substr(head_size));
    if (reply.is_silent && !sleep(for_ever_ms)) break;
    if (reply.delay_ms > 0 && !sleep(reply.delay_ms)) break;
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                       " X\r\nContent-Type: application/json\r\nContent-Length: " +
                       std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
    if (reply.is_half) text.resize(text.size() - reply.body.size() / 2);
    send_all(descriptor, text);
    if (reply.is_half) break;
  }
  ::shutdown(descriptor, SHUT_RDWR);
}

}  // namespace asbb::advisor::testing
