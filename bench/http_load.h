// Clients for benchmarks: connections to one unix socket, each with one request under way, driven
// by one thread. Knows just enough HTTP to find where an answer ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace asbb::bench {

struct LoadResult {
  double seconds = 0;
  std::int64_t requests = 0;               // sent in all the time
  std::int64_t answers = 0;                // of the measured time
  std::int64_t failures = 0;               // not status 200, or without `expected` in the body
  std::vector<std::int64_t> latencies_us;  // sorted

  [[nodiscard]] double rate() const { return static_cast<double>(answers) / seconds; }
  // p from 0 to 100.
  [[nodiscard]] double percentile_ms(int p) const;
};

// Requests until `duration` has passed, one of `requests` after the other and round again; those of
// the first fifth are not counted. An answer counts when it has status 200 and contains `expected`.
// Exits the program when a connection breaks.
[[nodiscard]] LoadResult run_load(const std::string& socket_path, int connections,
                                  std::chrono::milliseconds duration,
                                  const std::vector<std::string>& requests,
                                  const std::string& expected);

// The answer to one request, whole. Exits the program when there is none.
[[nodiscard]] std::string ask(const std::string& socket_path, const std::string& request);

}  // namespace asbb::bench
