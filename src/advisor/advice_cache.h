// What was advised of late, so that the same job submitted again need not be asked about. Bounded;
// the oldest goes first. Time comes in. Not thread-safe; its owner locks.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "advisor/advice.h"

namespace asbb::advisor {

class AdviceCache {
 public:
  using Steady = std::chrono::steady_clock;

  AdviceCache(std::chrono::microseconds life, std::size_t entries_max)
      : life_(life), entries_max_(entries_max) {}

  [[nodiscard]] std::optional<Advice> find(const std::string& question, Steady::time_point now);
  void put(const std::string& question, const Advice& advice, Steady::time_point now);

 private:
  struct Kept {
    Advice advice;
    Steady::time_point until;
  };

  const std::chrono::microseconds life_;
  const std::size_t entries_max_;
  std::unordered_map<std::string, Kept> kept_;
  std::deque<std::string> order_;  // of kept_, as they came
};

}  // namespace asbb::advisor
