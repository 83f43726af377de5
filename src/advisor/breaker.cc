#include "advisor/breaker.h"

#include <algorithm>

namespace asbb::advisor {

bool Breaker::allows(Steady::time_point now) {
  if (!is_open()) return true;
  if (is_probing_ || now < until_) return false;
  is_probing_ = true;
  return true;
}

void Breaker::succeeded() {
  failures_ = 0;
  is_probing_ = false;
  pause_ = pause_min;
}

void Breaker::failed(Steady::time_point now) {
  const bool was_open = is_open();
  failures_ = std::min(failures_ + 1, failures_max);
  if (!is_open()) return;
  // Questions that were under way when it opened say nothing new.
  if (was_open && !is_probing_) return;
  if (was_open) pause_ = std::min(pause_ * 2, pause_max);
  is_probing_ = false;
  until_ = now + pause_;
}

}  // namespace asbb::advisor
