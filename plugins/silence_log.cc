#include "plugins/silence_log.h"

#include "plugins/log.h"

namespace asbb::plugins {

void SilenceLog::silence(Failure failure, Stance stance, std::int64_t now_ms) {
  const Locked locked(mutex_);
  is_silent_.store(true, std::memory_order_relaxed);
  // That the breaker is open explains nothing: the reason before it does.
  if (failure != Failure::breaker_open) failure_ = failure;
  ++(stance == Stance::allow ? accepted_ : refused_);
  if (has_written_ && now_ms < next_line_ms_) return;
  has_written_ = true;
  next_line_ms_ = now_ms + kSilenceLineMs;
  write_line();
}

void SilenceLog::answered() {
  if (!is_silent_.load(std::memory_order_relaxed)) return;
  const Locked locked(mutex_);
  if (!is_silent_.exchange(false, std::memory_order_relaxed)) return;
  if (accepted_ + refused_ > 0) write_line();
  log_info("the budget service answers again");
}

void SilenceLog::write_line() {
  log_error(
      "the budget service is silent (%s): jobs without its answer since the last such line: "
      "%u accepted, %u refused",
      describe(failure_), accepted_, refused_);
  accepted_ = 0;
  refused_ = 0;
}

}  // namespace asbb::plugins
