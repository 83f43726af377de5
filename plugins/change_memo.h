// Slurm asks about a change of an array once for each task that has a record of its own, one after
// the other, while it keeps everybody else waiting. The answer that the service gave for the whole
// command holds for all of them: it is kept for as long as the same command goes on. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/mutex.h"

namespace asbb::plugins {

// A command is over when it was not heard of for this long; and no answer is older than that.
inline constexpr std::int64_t kSameCommandMs = 1'000;
inline constexpr std::int64_t kMemoAgeMaxMs = 5'000;

class ChangeMemo {
 public:
  constexpr ChangeMemo() = default;

  // The code that the same request was answered with; false when it is another one, or too long
  // ago. now_ms is a moment of the monotonic clock.
  [[nodiscard]] bool recall(std::string_view request, std::int64_t now_ms, int* code,
                            FixedText<512>* message);
  // A request or message that is too long is not kept.
  void keep(std::string_view request, std::int64_t now_ms, int code, std::string_view message);

 private:
  Mutex mutex_;
  FixedText<4'096> request_;
  FixedText<512> message_;
  std::int64_t made_ms_ = 0;
  std::int64_t heard_ms_ = 0;
  int code_ = 0;
};

}  // namespace asbb::plugins
