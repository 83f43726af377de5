// The circuit breaker: after a few silences in a row the service is left alone for a while, then
// asked once, so that a service that hangs costs slurmctld one short wait every few seconds and not
// one per submission (DESIGN 4.10). It reads no clock: the caller says what time it is, so that a
// test can. Any thread.
#pragma once

#include <cstdint>

#include "plugins/mutex.h"

namespace asbb::plugins {

inline constexpr int kSilencesBeforeOpening = 3;
inline constexpr std::int64_t kFirstPauseMs = 5'000;
inline constexpr std::int64_t kLongestPauseMs = 60'000;
inline constexpr std::int64_t kProbeMs = 10;

class Breaker {
 public:
  enum class Leave {
    call,            // go on; report the outcome
    probe_and_call,  // first see, within kProbeMs, that the service answers at all; report
    silence,         // do not call, do not report
  };
  enum class Outcome {
    answered,
    silent,
    not_asked,  // the call turned out not to be needed: nothing was learnt
  };

  constexpr Breaker() = default;

  // now_ms is a moment of the monotonic clock. One caller at a time is told to probe.
  Leave leave(std::int64_t now_ms);
  // Exactly once for each leave that was not silence.
  void report(Leave leave, Outcome outcome, std::int64_t now_ms);

 private:
  enum class State { closed, open, probing };

  void open(std::int64_t now_ms);

  Mutex mutex_;
  State state_ = State::closed;
  int silences_ = 0;
  std::int64_t pause_ms_ = 0;
  std::int64_t open_until_ms_ = 0;
};

}  // namespace asbb::plugins
