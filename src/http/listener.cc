// The only file that includes Beast. Callbacks, no coroutines: g++ 12 destroys temporaries of a
// co_await expression twice. Everything of a connection happens on the one thread of its Worker, so
// there are no locks but the Door's.
#include "http/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>

#include "base/assert.h"
#include "http/connection_limits.h"
#include "http/sockets.h"

namespace asbb::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using Generic = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Generic, asio::io_context::executor_type>;
using Socket = Stream::socket_type;

constexpr std::size_t first_read_bytes = 4096;
constexpr std::size_t buffer_bytes_max = 64 * 1024;
constexpr int linger_ms = 1'000;
constexpr std::size_t linger_bytes_max = 2 * 1024 * 1024;
constexpr auto accept_pause = std::chrono::milliseconds(50);

struct Shared {
  Shared(ListenerOptions given, ListenerCallbacks called)
      : options(std::move(given)),
        callbacks(std::move(called)),
        limits(options.connections_max, options.user_connections_max) {}

  const ListenerOptions options;
  const ListenerCallbacks callbacks;
  ConnectionLimits limits;
  std::atomic<std::int64_t> accepted{0};
  std::atomic<std::int64_t> refused{0};
  std::atomic<std::int64_t> requests{0};
};

// What lets another thread reach a Worker's loop, until the Worker shuts it. Answers outlive
// connections and may outlive the listener.
struct Door {
  std::mutex mutex;
  asio::io_context* context = nullptr;  // null once shut

  template <typename Work>
  void post(Work&& work) {
    const std::lock_guard lock(mutex);
    if (context != nullptr) asio::post(*context, std::forward<Work>(work));
  }
};

class Connection;

struct Worker {
  asio::io_context context{1};
  std::shared_ptr<Door> door = std::make_shared<Door>();
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::optional<asio::steady_timer> grace;
  bool draining = false;
  std::thread thread;
};

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Status and sentence for a request that cannot be read; 0 when there is nobody to tell.
std::pair<int, const char*> explain(const error_code& error) {
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    return {431, "The request's header is too large."};
  }
  if (error == bhttp::error::body_limit) return {413, "The request's body is too large."};
  if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message ||
      error.category() != bhttp::make_error_code(bhttp::error::bad_method).category()) {
    return {0, ""};
  }
  return {400, "The request is not HTTP/1.1 as it should be."};
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, Worker& worker, Socket socket, const Peer& peer)
      : shared_(shared),
        worker_(worker),
        stream_(std::move(socket)),
        buffer_(buffer_bytes_max),
        peer_(peer) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { shared_.limits.leave(peer_); }

  void await_request();
  // What is owed is still answered; nothing further is read.
  void drain();
  void close();

 private:
  void read_header();
  void on_header(const error_code& error);
  void read_body();
  void dispatch();
  void answer(Answer answer);
  void answer_error(int status, std::string_view sentence);
  void write(Answer answer, bool keep);
  void on_written(bool keep, const error_code& error);
  void linger();
  void read_and_drop();
  [[nodiscard]] Responder make_responder();
  [[nodiscard]] Request take_request();

  Shared& shared_;
  Worker& worker_;
  Stream stream_;
  beast::flat_buffer buffer_;
  const Peer peer_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  std::optional<bhttp::response<bhttp::string_body>> response_;
  std::optional<bhttp::response_serializer<bhttp::string_body>> serializer_;
  std::uint64_t turn_ = 0;  // counts requests, so that a late answer never fits the next one
  bool is_idle_ = false;
  bool is_waiting_answer_ = false;
  bool keep_alive_ = false;
  bool is_head_ = false;
  unsigned version_ = 11;
  std::size_t dropped_bytes_ = 0;
};

void Connection::await_request() {
  if (worker_.draining) return linger();
  if (buffer_.size() > 0) return read_header();
  is_idle_ = true;
  stream_.expires_after(std::chrono::milliseconds(shared_.options.idle_timeout_ms));
  stream_.async_read_some(buffer_.prepare(first_read_bytes),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            self->is_idle_ = false;
                            if (error) return self->close();
                            self->buffer_.commit(bytes);
                            self->read_header();
                          });
}

void Connection::drain() {
  if (is_idle_) close();
}

void Connection::close() {
  error_code ignored;
  stream_.socket().close(ignored);
  worker_.connections.erase(shared_from_this());
  if (worker_.draining && worker_.connections.empty() && worker_.grace) worker_.grace->cancel();
}

void Connection::read_header() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
  parser_->body_limit(shared_.options.body_bytes_max);
  stream_.expires_after(std::chrono::milliseconds(shared_.options.read_timeout_ms));
  bhttp::async_read_header(stream_, buffer_, *parser_,
                           [self = shared_from_this()](const error_code& error, std::size_t) {
                             self->on_header(error);
                           });
}

void Connection::on_header(const error_code& error) {
  is_head_ = false;
  version_ = 11;
  if (error) {
    const auto [status, sentence] = explain(error);
    return status == 0 ? close() : answer_error(status, sentence);
  }
  const auto& message = parser_->get();
  is_head_ = message.method() == bhttp::verb::head;
  version_ = message.version();
  std::size_t limit = shared_.options.body_bytes_max;
  if (shared_.callbacks.body_limit) {
    limit =
        std::min(limit, shared_.callbacks.body_limit(message.method_string(), message.target()));
  }
  const auto length = parser_->content_length();
  if (length && *length > limit) return answer_error(413, "The request's body is too large.");
  parser_->body_limit(limit);
  if (parser_->is_done()) return dispatch();
  if (beast::iequals(message[bhttp::field::expect], "100-continue")) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(go_on),
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                        return failed ? self->close() : self->read_body();
                      });
    return;
  }
  read_body();
}

void Connection::read_body() {
  bhttp::async_read(stream_, buffer_, *parser_,
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      if (!error) return self->dispatch();
                      const auto [status, sentence] = explain(error);
                      return status == 0 ? self->close() : self->answer_error(status, sentence);
                    });
}

Request Connection::take_request() {
  auto message = parser_->release();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  request.peer = peer_;
  request.arrived_at = std::chrono::steady_clock::now();
  return request;
}

// The answer crosses threads as a posted task that holds no ownership: the connection is looked
// for on its own thread, and is not there any more when the client has gone.
Responder Connection::make_responder() {
  return Responder([door = worker_.door, weak = weak_from_this(), turn = turn_](Answer given) {
    door->post([weak, turn, answer = std::move(given)]() mutable {
      const auto self = weak.lock();
      if (self && self->is_waiting_answer_ && self->turn_ == turn) self->answer(std::move(answer));
    });
  });
}

void Connection::dispatch() {
  keep_alive_ = parser_->keep_alive();
  shared_.requests.fetch_add(1, std::memory_order_relaxed);
  ++turn_;
  is_waiting_answer_ = true;
  stream_.expires_never();
  const Responder responder = make_responder();
  try {
    shared_.callbacks.handle(take_request(), responder);
  } catch (...) {
    Answer failed{500, "text/plain; charset=utf-8", "The service failed at this request.\n", {}};
    if (shared_.callbacks.make_error) {
      failed = shared_.callbacks.make_error(500, "The service failed at this request.");
    }
    responder.send(std::move(failed));
  }
}

void Connection::answer(Answer answer) {
  is_waiting_answer_ = false;
  write(std::move(answer), keep_alive_ && !worker_.draining);
}

void Connection::answer_error(int status, std::string_view sentence) {
  Answer answer{status, "text/plain; charset=utf-8", std::string(sentence) + "\n", {}};
  if (shared_.callbacks.make_error) answer = shared_.callbacks.make_error(status, sentence);
  write(std::move(answer), false);
}

void Connection::write(Answer answer, bool keep) {
  const bool has_body = answer.status >= 200 && answer.status != 204 && answer.status != 304;
  auto& response = response_.emplace();
  response.version(version_ == 10 ? 10 : 11);
  response.result(static_cast<unsigned>(answer.status));
  response.set(bhttp::field::date, http_date());
  response.set(bhttp::field::server, "asbb");
  if (has_body && !answer.content_type.empty()) {
    response.set(bhttp::field::content_type, answer.content_type);
  }
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.keep_alive(keep);
  if (has_body) {
    response.content_length(answer.body.size());
    response.body() = std::move(answer.body);
  }
  serializer_.emplace(response);
  stream_.expires_after(std::chrono::milliseconds(shared_.options.write_timeout_ms));
  const auto done = [self = shared_from_this(), keep](const error_code& error, std::size_t) {
    self->on_written(keep, error);
  };
  if (is_head_) {
    bhttp::async_write_header(stream_, *serializer_, done);
  } else {
    bhttp::async_write(stream_, *serializer_, done);
  }
}

void Connection::on_written(bool keep, const error_code& error) {
  serializer_.reset();
  response_.reset();
  parser_.reset();
  if (error) return close();
  return keep ? await_request() : linger();
}

// Closing while the client still sends would reset the connection and could lose the answer on its
// way: say that nothing more comes, and read what is left for a moment.
void Connection::linger() {
  error_code failed;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, failed);
  if (failed) return close();
  stream_.expires_after(std::chrono::milliseconds(linger_ms));
  buffer_.clear();
  read_and_drop();
}

void Connection::read_and_drop() {
  stream_.async_read_some(buffer_.prepare(first_read_bytes),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            self->dropped_bytes_ += bytes;
                            if (error || self->dropped_bytes_ > linger_bytes_max) {
                              return self->close();
                            }
                            self->read_and_drop();
                          });
}

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
    Socket socket(worker.context);
    error_code failed;
    socket.assign(Generic(family, 0), owned->get(), failed);
    if (failed) return shared_.limits.leave(peer);
    owned->release();
    auto connection = std::make_shared<Connection>(shared_, worker, std::move(socket), peer);
    worker.connections.insert(connection);
    if (worker.draining) return connection->close();
    connection->await_request();
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
