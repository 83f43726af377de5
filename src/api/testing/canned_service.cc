#include "api/testing/canned_service.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>

namespace asbb::api::testing {
namespace {

constexpr const char* not_found =
    R"({"error":{"code":"NOT_FOUND","message":"There is nothing here."},"request_id":"r",)"
    R"("timestamp":"2026-01-01T00:00:00Z"})";

// The whole request, as long as its Content-Length says.
std::string read_request(int connection) {
  std::string text;
  std::array<char, 8192> buffer{};
  while (true) {
    const auto end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto length = text.find("Content-Length: ");
      const std::size_t body = length < end ? std::stoul(text.substr(length + 16)) : 0;
      if (text.size() >= end + 4 + body) return text;
    }
    const ssize_t size = read(connection, buffer.data(), buffer.size());
    if (size <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

CannedService::CannedService() {
  std::string name = "/tmp/asbb-canned-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for a test");
  folder_ = name;
}

CannedService::~CannedService() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

CannedService& CannedService::answer(const std::string& request, int status,
                                     const std::string& body) {
  answers_[request] = Answer{status, body, false};
  return *this;
}

CannedService& CannedService::silence(const std::string& request) {
  answers_[request] = Answer{0, {}, true};
  return *this;
}

void CannedService::start() {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket().copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 8) != 0 || pipe(stop_pipe_) != 0) {
    throw std::runtime_error("no socket for a test");
  }
  thread_ = std::thread([this] { serve(); });
}

void CannedService::stop() {
  if (!thread_.joinable()) return;
  close(stop_pipe_[1]);  // the thread sees the end of the pipe
  thread_.join();
  close(stop_pipe_[0]);
  close(listener_);
  unlink(socket().c_str());
}

std::string CannedService::last_body() const {
  for (auto request = received_.rbegin(); request != received_.rend(); ++request) {
    std::string body = request->substr(request->find("\r\n\r\n") + 4);
    if (!body.empty()) return body;
  }
  return {};
}

void CannedService::serve() {
  while (true) {
    std::array<pollfd, 2> waiting = {pollfd{listener_, POLLIN, 0},
                                     pollfd{stop_pipe_[0], POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[1].revents != 0) return;
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    serve_connection(connection);
    close(connection);
  }
}

void CannedService::serve_connection(int connection) {
  const std::string request = read_request(connection);
  received_.push_back(request);
  const auto found = answers_.find(request.substr(0, request.find(" HTTP/1.1")));
  const Answer answer = found == answers_.end() ? Answer{404, not_found, false} : found->second;
  if (answer.is_silent) {
    std::array<pollfd, 2> waiting = {pollfd{connection, POLLIN, 0},
                                     pollfd{stop_pipe_[0], POLLIN, 0}};
    poll(waiting.data(), waiting.size(), -1);
    return;
  }
  const std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                           " Word\r\nContent-Type: application/json\r\nContent-Length: " +
                           std::to_string(answer.body.size()) + "\r\nConnection: close\r\n\r\n" +
                           answer.body;
  static_cast<void>(::send(connection, text.data(), text.size(), MSG_NOSIGNAL));
}

}  // namespace asbb::api::testing
