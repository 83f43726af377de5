// What slurmctld's log says about silence: at most one line in ten seconds, however many
// submissions were let through or refused without an answer, and one when the service is heard
// again after such a line. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "plugins/channel.h"
#include "plugins/http_answer.h"
#include "plugins/mutex.h"

namespace asbb::plugins {

inline constexpr std::int64_t kSilenceLineMs = 10'000;

class SilenceLog {
 public:
  constexpr SilenceLog() = default;

  // now_ms is a moment of the monotonic clock.
  void silence(Failure failure, Stance stance, std::int64_t now_ms);
  // Costs one read of a flag when there was no silence.
  void answered();

 private:
  std::atomic<bool> is_announced_{false};
  Mutex mutex_;
  bool has_written_ = false;
  std::int64_t next_line_ms_ = 0;
  Failure failure_ = Failure::none;
  unsigned accepted_ = 0;
  unsigned refused_ = 0;
};

}  // namespace asbb::plugins
