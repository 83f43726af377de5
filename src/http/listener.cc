#include "http/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <functional>

#include "base/assert.h"
#include "http/worker.h"

namespace asbb::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto accept_pause = std::chrono::milliseconds(50);

Peer read_peer(int descriptor) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  Peer peer;
  peer.is_local_user = true;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    peer.user_id = UINT32_MAX;  // nobody at all
    return peer;
  }
  peer.user_id = credentials.uid;
  peer.process_id = credentials.pid;
  return peer;
}

void send_and_forget(int descriptor, std::string_view text) {
  (void)!::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

// One listening socket; lives on the first worker and deals connections to all.
class Acceptor {
 public:
  using Deal = std::function<void(int descriptor)>;
  Acceptor(asio::io_context& context, int descriptor, Deal deal)
      : descriptor_(context, descriptor), pause_(context), deal_(std::move(deal)) {}

  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this](const error_code& error) {
                             if (!error) accept_all();
                           });
  }

  void close() {
    error_code ignored;
    descriptor_.close(ignored);
    pause_.cancel();
  }

 private:
  void accept_all() {
    while (descriptor_.is_open()) {
      const int accepted =
          ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) {
        deal_(accepted);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return wait();
      } else if (errno != EINTR && errno != ECONNABORTED) {
        return wait_a_moment();  // no descriptors or no memory: the backlog keeps the callers
      }
    }
  }

  void wait_a_moment() {
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](const error_code& error) {
      if (!error) wait();
    });
  }

  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer pause_;
  const Deal deal_;
};

class Listener::Implementation {
 public:
  Implementation(ListenerOptions options, ListenerCallbacks callbacks)
      : shared_(std::move(options), std::move(callbacks)) {}
  ~Implementation() { stop(0); }

  Result<void> start();
  void stop(int grace_ms);

  Shared shared_;
  std::vector<std::string> addresses_;
  bool is_narrowed_ = false;
  std::uint16_t tcp_port_ = 0;

 private:
  void add_acceptor(Descriptor descriptor, int family);
  void deal(int descriptor, int family);
  void drain_worker(Worker& worker, int grace_ms);

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::optional<UnixSocket> unix_socket_;
  std::size_t next_worker_ = 0;
};

Result<void> Listener::Implementation::start() {
  ASBB_ASSERT(workers_.empty());
  const auto& options = shared_.options;
  TcpSockets tcp;
  if (!options.listen_addr.empty()) {
    const auto address = parse_listen_address(options.listen_addr);
    if (!address) return tl::unexpected(address.error());
    auto made = listen_tcp(*address);
    if (!made) return tl::unexpected(made.error());
    tcp = std::move(*made);
    is_narrowed_ = address->is_narrowed;
    tcp_port_ = tcp.port;
  }
  if (!options.socket_path.empty()) {
    auto made = listen_unix(options.socket_path, options.socket_mode);
    if (!made) return tl::unexpected(made.error());
    unix_socket_ = std::move(*made);
    addresses_.push_back(options.socket_path);
  }
  for (int i = 0; i < std::max(1, options.thread_count); ++i) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->door->context = &workers_.back()->context;
  }
  if (unix_socket_) add_acceptor(std::move(unix_socket_->descriptor), AF_UNIX);
  for (auto& socket : tcp.sockets) {
    addresses_.push_back(socket.name);
    add_acceptor(std::move(socket.descriptor), AF_INET);
  }
  for (auto& worker : workers_) {
    worker->thread = std::thread([context = &worker->context] {
      const auto guard = asio::make_work_guard(*context);
      context->run();
    });
  }
  return {};
}

void Listener::Implementation::add_acceptor(Descriptor descriptor, int family) {
  acceptors_.push_back(
      std::make_unique<Acceptor>(workers_.front()->context, descriptor.release(),
                                 [this, family](int accepted) { deal(accepted, family); }));
  acceptors_.back()->wait();
}

void Listener::Implementation::deal(int accepted, int family) {
  Descriptor descriptor(accepted);
  const Peer peer = family == AF_UNIX ? read_peer(accepted) : Peer{};
  const auto& is_trusted = shared_.callbacks.is_trusted;
  const bool trusted = family == AF_UNIX && is_trusted && is_trusted(peer);
  if (!shared_.limits.enter(peer, trusted)) {
    shared_.refused.fetch_add(1, std::memory_order_relaxed);
    send_and_forget(accepted,
                    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n");
    return;
  }
  shared_.accepted.fetch_add(1, std::memory_order_relaxed);
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  Worker& worker = *workers_[next_worker_];
  next_worker_ = (next_worker_ + 1) % workers_.size();
  auto owned = std::make_shared<Descriptor>(std::move(descriptor));
  asio::post(worker.context, [this, &worker, owned, family, peer] {
    const auto connection = make_connection(shared_, worker, std::move(*owned), family, peer);
    if (!connection) return;
    worker.connections.insert(connection);
    if (worker.draining) return connection->close();
    connection->start();
  });
}

void Listener::Implementation::drain_worker(Worker& worker, int grace_ms) {
  worker.draining = true;
  const auto copies = worker.connections;
  for (const auto& connection : copies) connection->drain();
  if (worker.connections.empty()) return worker.context.stop();
  worker.grace.emplace(worker.context, std::chrono::milliseconds(grace_ms));
  worker.grace->async_wait([&worker](const error_code&) { worker.context.stop(); });
}

void Listener::Implementation::stop(int grace_ms) {
  if (workers_.empty()) return;
  asio::post(workers_.front()->context, [this] {
    for (const auto& acceptor : acceptors_) acceptor->close();
  });
  for (const auto& worker : workers_) {
    asio::post(worker->context,
               [this, &worker = *worker, grace_ms] { drain_worker(worker, grace_ms); });
  }
  for (const auto& worker : workers_) worker->thread.join();
  for (const auto& worker : workers_) {
    const std::lock_guard lock(worker->door->mutex);
    worker->door->context = nullptr;
  }
  acceptors_.clear();
  for (const auto& worker : workers_) {
    worker->grace.reset();
    worker->connections.clear();
  }
  workers_.clear();
  if (unix_socket_) remove_socket_file(*unix_socket_);
  unix_socket_.reset();
  addresses_.clear();
}

Listener::Listener(ListenerOptions options, ListenerCallbacks callbacks)
    : implementation_(std::make_unique<Implementation>(std::move(options), std::move(callbacks))) {}

Listener::~Listener() = default;

Result<void> Listener::start() {
  return implementation_->start();
}

void Listener::stop(int grace_ms) {
  implementation_->stop(grace_ms);
}

std::vector<std::string> Listener::addresses() const {
  return implementation_->addresses_;
}

bool Listener::is_narrowed() const {
  return implementation_->is_narrowed_;
}

std::uint16_t Listener::tcp_port() const {
  return implementation_->tcp_port_;
}

ListenerFigures Listener::figures() const {
  const Shared& shared = implementation_->shared_;
  return {shared.accepted.load(), shared.refused.load(), shared.requests.load(),
          static_cast<std::int64_t>(shared.limits.open())};
}

}  // namespace asbb::http
