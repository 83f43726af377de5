// The only file that includes Beast. Callbacks, no coroutines: g++ 12 destroys temporaries of a
// co_await expression twice.
#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <ctime>

#include "base/text.h"
#include "http/worker.h"

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

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
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

class HttpConnection final : public Connection,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(Shared& shared, Worker& worker, Socket socket, const Peer& peer)
      : shared_(shared),
        worker_(worker),
        stream_(std::move(socket)),
        buffer_(buffer_bytes_max),
        peer_(peer) {}
  ~HttpConnection() override { shared_.limits.leave(peer_); }

  void start() override { await_request(); }
  void drain() override;
  void close() override;

 private:
  void await_request();
  void read_header();
  void on_header(const error_code& error);
  void read_body();
  void dispatch();
  void answer(const Responder::Make& make);
  [[nodiscard]] Answer error_answer(int status, std::string_view sentence) const;
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

void HttpConnection::await_request() {
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

void HttpConnection::drain() {
  if (is_idle_) close();
}

void HttpConnection::close() {
  error_code ignored;
  stream_.socket().close(ignored);
  worker_.connections.erase(shared_from_this());
  if (worker_.draining && worker_.connections.empty() && worker_.grace) worker_.grace->cancel();
}

void HttpConnection::read_header() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
  parser_->body_limit(shared_.options.body_bytes_max);
  stream_.expires_after(std::chrono::milliseconds(shared_.options.read_timeout_ms));
  bhttp::async_read_header(stream_, buffer_, *parser_,
                           [self = shared_from_this()](const error_code& error, std::size_t) {
                             self->on_header(error);
                           });
}

void HttpConnection::on_header(const error_code& error) {
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

void HttpConnection::read_body() {
  bhttp::async_read(stream_, buffer_, *parser_,
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      if (!error) return self->dispatch();
                      const auto [status, sentence] = explain(error);
                      return status == 0 ? self->close() : self->answer_error(status, sentence);
                    });
}

Request HttpConnection::take_request() {
  auto message = parser_->release();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(to_lower(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  request.peer = peer_;
  request.arrived_at = std::chrono::steady_clock::now();
  return request;
}

// The answer crosses threads as a posted task that holds no ownership: the connection is looked
// for on its own thread, and is not there any more when the client has gone.
Responder HttpConnection::make_responder() {
  return Responder(
      [door = worker_.door, weak = weak_from_this(), turn = turn_](Responder::Make make) {
        door->post([weak, turn, make = std::move(make)]() {
          const auto self = weak.lock();
          if (self && self->is_waiting_answer_ && self->turn_ == turn) self->answer(make);
        });
      });
}

void HttpConnection::dispatch() {
  keep_alive_ = parser_->keep_alive();
  shared_.requests.fetch_add(1, std::memory_order_relaxed);
  ++turn_;
  is_waiting_answer_ = true;
  stream_.expires_never();
  const Responder responder = make_responder();
  try {
    shared_.callbacks.handle(take_request(), responder);
  } catch (...) {
    responder.send(error_answer(500, "The service failed at this request."));
  }
}

void HttpConnection::answer(const Responder::Make& make) {
  is_waiting_answer_ = false;
  Answer made;
  try {
    made = make();
  } catch (...) {
    made = error_answer(500, "The service failed at this request.");
  }
  write(std::move(made), keep_alive_ && !worker_.draining);
}

Answer HttpConnection::error_answer(int status, std::string_view sentence) const {
  if (shared_.callbacks.make_error) return shared_.callbacks.make_error(status, sentence);
  return Answer{status, "text/plain; charset=utf-8", std::string(sentence) + "\n", {}};
}

void HttpConnection::answer_error(int status, std::string_view sentence) {
  write(error_answer(status, sentence), false);
}

void HttpConnection::write(Answer answer, bool keep) {
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

void HttpConnection::on_written(bool keep, const error_code& error) {
  serializer_.reset();
  response_.reset();
  parser_.reset();
  if (error) return close();
  return keep ? await_request() : linger();
}

// Closing while the client still sends would reset the connection and could lose the answer on its
// way: say that nothing more comes, and read what is left for a moment.
void HttpConnection::linger() {
  error_code failed;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, failed);
  if (failed) return close();
  stream_.expires_after(std::chrono::milliseconds(linger_ms));
  buffer_.clear();
  read_and_drop();
}

void HttpConnection::read_and_drop() {
  stream_.async_read_some(buffer_.prepare(first_read_bytes),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            self->dropped_bytes_ += bytes;
                            if (error || self->dropped_bytes_ > linger_bytes_max) {
                              return self->close();
                            }
                            self->read_and_drop();
                          });
}

}  // namespace

std::shared_ptr<Connection> make_connection(Shared& shared, Worker& worker, Descriptor descriptor,
                                            int family, const Peer& peer) {
  Socket socket(worker.context);
  error_code failed;
  socket.assign(Generic(family, 0), descriptor.get(), failed);
  if (failed) {
    shared.limits.leave(peer);
    return nullptr;
  }
  descriptor.release();
  return std::make_shared<HttpConnection>(shared, worker, std::move(socket), peer);
}

}  // namespace asbb::http
