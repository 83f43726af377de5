#include "cli/progress.h"

#include <unistd.h>

#include <iostream>
#include <ostream>

namespace asbb::cli {
namespace {

constexpr std::chrono::milliseconds between{200};

}  // namespace

Progress::Progress(const Context& context, std::string what)
    : context_(context),
      what_(std::move(what)),
      is_shown_(context.err().rdbuf() == std::cerr.rdbuf() && ::isatty(STDERR_FILENO) != 0),
      next_(std::chrono::steady_clock::now() + between) {}

Progress::~Progress() {
  if (is_written_) context_.err() << "\r\x1b[K" << std::flush;
}

void Progress::at(std::int64_t count, std::int64_t done, std::int64_t all) {
  if (!is_shown_ || std::chrono::steady_clock::now() < next_) return;
  next_ = std::chrono::steady_clock::now() + between;
  context_.err() << "\r\x1b[K" << what_ << ": " << count;
  if (all > 0) context_.err() << " (" << done * 100 / all << " %)";
  context_.err() << std::flush;
  is_written_ = true;
}

}  // namespace asbb::cli
