// Connections to the service that stay open between two submissions, so that most submissions need
// no new one: to make one and to end it costs both sides more than the conversation. Only one that
// has brought a whole answer, and nothing else, is kept. Any thread; owned by the gate. Never holds
// more than a few descriptors, never waits, never talks.
#pragma once

#include <cstdint>

#include "plugins/mutex.h"

namespace asbb::plugins {

// The service ends a connection that is idle for a minute. One is not used so near to that moment
// that the request could cross the end on its way.
inline constexpr std::int64_t kIdleMicrosMax = 30'000'000;

class IdleConnections {
 public:
  constexpr IdleConnections() = default;
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  // A connected descriptor, the caller's own from now on, or -1 when there is none. One that the
  // service has ended, or on which it has said something unasked, is closed here.
  [[nodiscard]] int take(std::int64_t now_micros);

  // Takes the descriptor over: its last answer has been read to the end.
  void keep(int descriptor, std::int64_t now_micros);

  // After a conversation that failed: what hangs at one end is not asked at another.
  void close_all();

 private:
  static constexpr int kMax = 4;
  struct Idle {
    int descriptor;
    std::int64_t since_micros;
  };

  Mutex mutex_;
  Idle idle_[kMax] = {};
  int count_ = 0;
};

}  // namespace asbb::plugins
