// A service that is out to hold slurmctld up, to confuse it or to get a job past it: every way of
// behaving badly has a socket of its own, so that a test knows what each call met. One process,
// a few threads for each way; meant for a hundred thousand conversations.
#pragma once

#include <string>
#include <thread>
#include <vector>

namespace asbb::plugins::testing {

enum class Way {
  allows,  // the two that behave
  denies,
  hangs,
  hangs_after_reading,
  half_a_head,
  half_a_body,
  byte_by_byte,
  closes_at_once,
  closes_after_reading,
  garbage,
  huge_head,
  huge_body,
  allows_with_an_error,
  allows_and_denies,
  allows_too_late,
  allows_another_token,
  allows_after_interim,
  kCount,
};
inline constexpr int kWays = static_cast<int>(Way::kCount);

const char* describe(Way way);

class HostileService {
 public:
  // Sockets <folder>/<number of the way>.sock; too late is so many milliseconds after the request.
  HostileService(const std::string& folder, int late_ms);
  ~HostileService();
  HostileService(const HostileService&) = delete;
  HostileService& operator=(const HostileService&) = delete;

  [[nodiscard]] std::string socket_path(Way way) const;

 private:
  int listen_on(const std::string& path);
  void serve(int listener, Way way) const;

  std::string folder_;
  int late_ms_;
  std::vector<int> listeners_;
  std::vector<std::thread> workers_;
};

}  // namespace asbb::plugins::testing
