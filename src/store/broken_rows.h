// Rows that a store must refuse, one constraint at a time. Tests only.
#pragma once

#include <functional>
#include <vector>

#include "store/store.h"

namespace asbb::store {

// Breaks one constraint in one row of a batch that has a row of every kind (full_batch).
struct Breakage {
  const char* what;
  std::function<void(Batch&)> apply;
};

std::vector<Breakage> breakages();

}  // namespace asbb::store
