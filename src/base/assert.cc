#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace asbb {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "asbb: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace asbb
