#include "plugins/silence_log.h"

#include "plugins/log.h"

namespace asbb::plugins {

void SilenceLog::silence(Failure failure, Stance stance, std::int64_t now_ms) {
  const Locked locked(mutex_);
  // That the breaker is open explains nothing: the reason before it does.
  if (failure != Failure::breaker_open) failure_ = failure;
  ++(stance == Stance::allow ? accepted_ : refused_);
  if (has_written_ && now_ms < next_line_ms_) return;
  has_written_ = true;
  next_line_ms_ = now_ms + kSilenceLineMs;
  is_announced_.store(true, std::memory_order_relaxed);
  log_error(
      "the budget service is silent (%s); without its answer since the last such line: "
      "%u submissions accepted, %u refused",
      describe(failure_), accepted_, refused_);
  accepted_ = 0;
  refused_ = 0;
}

void SilenceLog::answered() {
  if (!is_announced_.load(std::memory_order_relaxed)) return;
  const Locked locked(mutex_);
  if (!is_announced_.exchange(false, std::memory_order_relaxed)) return;
  log_info(
      "the budget service answers again; until then and since the last line: "
      "%u submissions accepted without its answer, %u refused",
      accepted_, refused_);
  accepted_ = 0;
  refused_ = 0;
}

}  // namespace asbb::plugins
