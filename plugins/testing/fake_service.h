// A service on a unix socket in a folder of its own, as well or as badly behaved as a test wants.
// Every connection is handled by a thread; all are ended and joined before the service is gone.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace asbb::plugins::testing {

// A folder under the temporary one, removed with what is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file of mode 0644 by renaming it into place, and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

// One connection, from the service's side.
class Connection {
 public:
  Connection(int descriptor, const std::atomic<bool>& is_stopping)
      : descriptor_(descriptor), is_stopping_(is_stopping) {}

  // The request's head and body; empty when the peer left before it was complete.
  std::string read_request();
  void send(const std::string& text);
  // Until the peer closes or the service stops.
  void wait_for_end();
  // Sleeps in small steps; false when the service stops.
  bool sleep_ms(int milliseconds);
  [[nodiscard]] bool is_over();

 private:
  int descriptor_;
  const std::atomic<bool>& is_stopping_;
};

class FakeService {
 public:
  using Handler = std::function<void(Connection&)>;

  FakeService(const std::string& socket_path, Handler handler);
  ~FakeService();
  FakeService(const FakeService&) = delete;
  FakeService& operator=(const FakeService&) = delete;

  [[nodiscard]] int connections() const { return connections_.load(); }

 private:
  void accept_all();

  int listener_;
  Handler handler_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<int> connections_{0};
  std::list<std::thread> handlers_;
  std::thread acceptor_;
};

// A complete answer.
std::string answer(int status, const std::string& decision, const std::string& body);

// A handler that reads the request and sends this. GET /health is answered with 200.
FakeService::Handler answering(const std::string& text);

// As the real service: one answer after the other on one connection, each naming its token, until
// the peer leaves. The request of the number late_request, counted over all connections, waits.
FakeService::Handler answering_on(const std::string& decision, const std::string& body,
                                  int late_request = 0, int wait_ms = 0);

// Descriptors this process has open.
int open_descriptors();

}  // namespace asbb::plugins::testing
