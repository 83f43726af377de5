// The one place where the service reads the time of day, so that tests and the simulator can set
// it.
#pragma once

#include <functional>

#include "base/time.h"

namespace asbb::service {

using Clock = std::function<Instant()>;

// The machine's clock, UTC. Never used to measure how long something took.
[[nodiscard]] Instant system_now();

}  // namespace asbb::service
