// The two clocks of the plugin. Deadlines and pauses are measured on the monotonic one; the other
// is for the token alone.
#pragma once

#include <cstdint>

namespace asbb::plugins {

std::int64_t monotonic_micros();
std::int64_t unix_millis();

}  // namespace asbb::plugins
