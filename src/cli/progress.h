// One line on a terminal that says how far a long command is, and is gone when it is done. Where
// standard error is no terminal nothing is said. One thread.
#pragma once

#include <chrono>
#include <string>

#include "cli/context.h"

namespace asbb::cli {

class Progress {
 public:
  Progress(const Context& context, std::string what);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // `done` of `all` in whatever they are counted in; 0 of 0: not known. Cheap: most calls write
  // nothing.
  void at(std::int64_t count, std::int64_t done, std::int64_t all);

 private:
  const Context& context_;
  const std::string what_;
  const bool is_shown_;
  bool is_written_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace asbb::cli
