// Assertions for programmers' errors. They are on in every build: a ledger that has met a state
// which cannot be must stop before it writes anything. Never used for bad input or failing
// hardware.
#pragma once

namespace asbb {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

#define ASBB_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::asbb::assertion_failed(#expression, __FILE__, __LINE__))
