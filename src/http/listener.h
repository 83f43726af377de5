// The HTTP/1.1 server: a unix socket whose peers the kernel names, and loopback TCP. It owns its
// threads (each with the connections that were dealt to it), reads one request at a time from each
// connection, hands it to the handler on an I/O thread together with a Responder, and writes what
// the Responder is given, from whatever thread. It bounds everything a client can send or hold
// open, and knows nothing of routes or of money. Created, started, stopped and destroyed by one
// thread, which is none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "http/responder.h"

namespace asbb::http {

struct ListenerOptions {
  std::string socket_path;  // empty: no unix socket
  unsigned socket_mode = 0666;
  std::string listen_addr;  // ":8080", see parse_listen_address; empty: no TCP
  int thread_count = 2;
  std::size_t header_bytes_max = 8 * 1024;
  std::size_t body_bytes_max = 1024 * 1024;  // no route may ask for more
  std::size_t connections_max = 2048;        // of each face; beyond it 503 and closed
  std::size_t user_connections_max = 64;     // of one user who is not trusted
  int idle_timeout_ms = 60'000;              // for the first byte of a request
  int read_timeout_ms = 10'000;              // from its first byte to its last
  int write_timeout_ms = 10'000;
};

struct ListenerCallbacks {
  // On an I/O thread, once per request; must not block. An exception becomes a 500.
  std::function<void(Request, Responder)> handle;
  // Largest body of that request in bytes; asked when its header has been read. May be empty: then
  // body_bytes_max is.
  std::function<std::size_t(std::string_view method, std::string_view target)> body_limit;
  // Whether a peer of the unix socket is exempt from user_connections_max. May be empty: nobody is.
  std::function<bool(const Peer&)> is_trusted;
  // The body of an answer that the listener gives itself (400, 413, 431, 500, 503). May be
  // empty: then the sentence alone is sent, as plain text.
  std::function<Answer(int status, std::string_view sentence)> make_error;
};

struct ListenerFigures {
  std::int64_t accepted = 0;
  std::int64_t refused = 0;  // no room
  std::int64_t requests = 0;
  std::int64_t open = 0;
};

class Listener {
 public:
  Listener(ListenerOptions options, ListenerCallbacks callbacks);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Binds and starts the threads. Nothing is left behind when it fails.
  [[nodiscard]] Result<void> start();

  // No new connection and no new request; answers that are owed are waited for up to `grace_ms`,
  // then everything is closed and the socket file removed. Responders that are still around do
  // nothing afterwards. Idempotent.
  void stop(int grace_ms);

  // Where it listens, for the log: "/run/asbb/asbb.sock", "127.0.0.1:8080".
  [[nodiscard]] std::vector<std::string> addresses() const;
  // True when the address named every interface and was narrowed to loopback.
  [[nodiscard]] bool is_narrowed() const;
  [[nodiscard]] std::uint16_t tcp_port() const;
  [[nodiscard]] ListenerFigures figures() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace asbb::http
