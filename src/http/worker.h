// What the listener's own files share: the I/O threads and the interface of a connection. Inside
// src/http only; it includes Asio, and connection.cc alone includes Beast. Everything of a
// connection happens on the one thread of its Worker, so there are no locks but the Door's.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>

#include "http/connection_limits.h"
#include "http/listener.h"
#include "http/sockets.h"

namespace asbb::http {

// Of all workers.
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
  boost::asio::io_context* context = nullptr;  // null once shut

  template <typename Work>
  void post(Work&& work) {
    const std::lock_guard lock(mutex);
    if (context != nullptr) boost::asio::post(*context, std::forward<Work>(work));
  }
};

// One client. Kept alive by its Worker and by the operations that are under way.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  virtual void start() = 0;
  // What is owed is still answered; nothing further is read.
  virtual void drain() = 0;
  virtual void close() = 0;
};

struct Worker {
  boost::asio::io_context context{1};
  std::shared_ptr<Door> door = std::make_shared<Door>();
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::optional<boost::asio::steady_timer> grace;
  bool draining = false;
  std::thread thread;
};

// On the worker's thread. Null when the descriptor cannot be used; the peer has been counted in,
// and is counted out when the connection ends.
[[nodiscard]] std::shared_ptr<Connection> make_connection(Shared& shared, Worker& worker,
                                                          Descriptor descriptor, int family,
                                                          const Peer& peer);

}  // namespace asbb::http
