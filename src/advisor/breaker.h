// Leaves an advisor alone that failed several times in a row: for 5 s, then after one more question
// that fails twice as long, up to 60 s. Time comes in. Not thread-safe; its owner locks.
#pragma once

#include <chrono>

namespace asbb::advisor {

class Breaker {
 public:
  using Steady = std::chrono::steady_clock;

  // Whether to ask now. After a pause one question may, until its end is told.
  [[nodiscard]] bool allows(Steady::time_point now);
  void succeeded();
  void failed(Steady::time_point now);

  [[nodiscard]] bool is_open() const { return failures_ >= failures_max; }

 private:
  static constexpr int failures_max = 3;
  static constexpr std::chrono::seconds pause_min{5};
  static constexpr std::chrono::seconds pause_max{60};

  int failures_ = 0;
  bool is_probing_ = false;
  std::chrono::seconds pause_ = pause_min;
  Steady::time_point until_;
};

}  // namespace asbb::advisor
