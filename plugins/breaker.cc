#include "plugins/breaker.h"

#include <algorithm>

namespace asbb::plugins {

Breaker::Leave Breaker::leave(std::int64_t now_ms) {
  const Locked locked(mutex_);
  if (state_ == State::closed) return Leave::call;
  if (state_ == State::probing || now_ms < open_until_ms_) return Leave::silence;
  state_ = State::probing;
  return Leave::probe_and_call;
}

void Breaker::report(Leave leave, Outcome outcome, std::int64_t now_ms) {
  const Locked locked(mutex_);
  if (leave == Leave::probe_and_call) {
    switch (outcome) {
      case Outcome::answered:
        state_ = State::closed;
        silences_ = 0;
        pause_ms_ = 0;
        return;
      case Outcome::silent:
        open(now_ms);
        return;
      case Outcome::not_asked:
        state_ = State::open;  // and the pause is over: the next caller probes
        return;
    }
  }
  // A call that began while the breaker was closed says nothing about the probe under way.
  if (state_ != State::closed || outcome == Outcome::not_asked) return;
  silences_ = outcome == Outcome::silent ? silences_ + 1 : 0;
  if (silences_ >= kSilencesBeforeOpening) open(now_ms);
}

void Breaker::open(std::int64_t now_ms) {
  pause_ms_ = pause_ms_ == 0 ? kFirstPauseMs : std::min(pause_ms_ * 2, kLongestPauseMs);
  open_until_ms_ = now_ms + pause_ms_;
  state_ = State::open;
}

}  // namespace asbb::plugins
