#include "service/clock.h"

#include <chrono>

namespace asbb::service {

Instant system_now() {
  return Instant{std::chrono::duration_cast<std::chrono::microseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count()};
}

}  // namespace asbb::service
