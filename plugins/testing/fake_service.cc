#include "plugins/testing/fake_service.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace asbb::plugins::testing {
namespace {

constexpr int kTickMs = 5;

std::size_t content_length(const std::string& head) {
  const std::string name = "Content-Length: ";
  const std::size_t at = head.find(name);
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
}

bool is_complete(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  return request.size() >= end + 4 + content_length(request.substr(0, end));
}

}  // namespace

Folder::Folder() {
  std::string name = std::filesystem::temp_directory_path() / "asbb-plugin-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& text) const {
  const std::string fresh = path(name + ".new");
  std::ofstream(fresh) << text;
  std::filesystem::permissions(fresh, std::filesystem::perms(0644));
  std::filesystem::rename(fresh, path(name));
  return path(name);
}

std::string Connection::read_request() {
  std::string request;
  while (!is_complete(request)) {
    pollfd watched{descriptor_, POLLIN, 0};
    if (is_stopping_) return "";
    if (poll(&watched, 1, kTickMs) == 0) continue;
    char bytes[65'536];
    const ssize_t got = recv(descriptor_, bytes, sizeof bytes, 0);
    if (got <= 0) return "";
    request.append(bytes, static_cast<std::size_t>(got));
  }
  return request;
}

void Connection::send(const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size() && !is_stopping_) {
    pollfd watched{descriptor_, POLLOUT, 0};
    if (poll(&watched, 1, kTickMs) == 0) continue;
    const ssize_t count =
        ::send(descriptor_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

bool Connection::is_over() {
  if (is_stopping_) return true;
  pollfd watched{descriptor_, POLLRDHUP, 0};
  return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP)) != 0;
}

void Connection::wait_for_end() {
  while (!is_over()) sleep_ms(kTickMs);
}

bool Connection::sleep_ms(int milliseconds) {
  for (int slept = 0; slept < milliseconds && !is_stopping_; slept += kTickMs) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(kTickMs, milliseconds)));
  }
  return !is_stopping_;
}

FakeService::FakeService(const std::string& socket_path, Handler handler)
    : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      handler_(std::move(handler)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  unlink(socket_path.c_str());
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 4'096) != 0) {
    throw std::runtime_error("cannot listen on " + socket_path);
  }
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeService::~FakeService() {
  is_stopping_ = true;
  acceptor_.join();
  for (std::thread& handler : handlers_) handler.join();
  close(listener_);
}

void FakeService::accept_all() {
  while (!is_stopping_) {
    pollfd watched{listener_, POLLIN, 0};
    if (poll(&watched, 1, kTickMs) <= 0) continue;
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) continue;
    ++connections_;
    handlers_.emplace_back([this, descriptor] {
      Connection connection(descriptor, is_stopping_);
      handler_(connection);
      close(descriptor);
    });
  }
}

std::string answer(int status, const std::string& decision, const std::string& body) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
  if (!decision.empty()) text += "Asbb-Decision: " + decision + "\r\n";
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

FakeService::Handler answering(const std::string& text) {
  return [text](Connection& connection) {
    const std::string request = connection.read_request();
    connection.send(request.starts_with("GET /health ") ? answer(200, "", "{}") : text);
  };
}

FakeService::Handler answering_on(const std::string& decision, const std::string& body,
                                  int late_request, int wait_ms) {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  return [=](Connection& connection) {
    for (;;) {
      const std::string request = connection.read_request();
      if (request.empty()) return;
      if (++*asked == late_request) connection.sleep_ms(wait_ms);
      const std::string path = "PUT /api/v1/slurm/submissions/";
      std::string text = answer(200, decision, body);
      if (request.starts_with(path)) {
        text.insert(text.find("Content-Length"),
                    "Asbb-Token: " + request.substr(path.size(), 44) + "\r\n");
      }
      connection.send(text);
    }
  };
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

}  // namespace asbb::plugins::testing
