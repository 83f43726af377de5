// A small HTTP server on a unix socket in a folder of its own, with fixed answers, for tests of the
// client and of the command line. It owns one thread, which serves one connection after the other;
// `received` may be read when no call is under way.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace asbb::api::testing {

class CannedService {
 public:
  CannedService();
  CannedService(const CannedService&) = delete;
  CannedService& operator=(const CannedService&) = delete;
  ~CannedService();

  // What is answered to "GET /health" and the like; everything else gets a 404 of this API. Before
  // the first call.
  CannedService& answer(const std::string& request, int status, const std::string& body);
  // Reads that request and never answers.
  CannedService& silence(const std::string& request);
  void start();
  // Nobody listens any more; the folder stays until the object goes.
  void stop();

  [[nodiscard]] std::string socket() const { return folder_ + "/service.sock"; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  // Whole requests, in order.
  [[nodiscard]] const std::vector<std::string>& received() const { return received_; }
  [[nodiscard]] std::string last_body() const;  // of the last request that had one

 private:
  void serve();
  void serve_connection(int connection);

  struct Answer {
    int status = 404;
    std::string body;
    bool is_silent = false;
  };
  std::string folder_;
  std::map<std::string, Answer> answers_;
  std::vector<std::string> received_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace asbb::api::testing
