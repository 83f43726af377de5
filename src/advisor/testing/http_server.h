// An HTTP server on loopback that answers as a test says, well or badly. Owned by the test; a
// thread for each connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace asbb::advisor::testing {

struct HttpReply {
  int status = 200;
  std::string body = {};
  int delay_ms = 0;        // before it begins
  bool is_half = false;    // the connection ends in the middle of the body
  bool is_silent = false;  // nothing comes, until the server goes
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const std::string& path, const std::string& head,
                                          const std::string& body)>;

  explicit HttpServer(Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int requests() const { return requests_.load(); }

 private:
  void accept_all();
  void serve(int descriptor);
  [[nodiscard]] bool sleep(int milliseconds);

  const Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::condition_variable ends_;
  bool is_ending_ = false;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace asbb::advisor::testing
