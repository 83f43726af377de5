// The command line. Everything is in src/cli; this reads the process.
#include <sys/time.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace {

asbb::Instant system_now() {
  timeval now{};
  gettimeofday(&now, nullptr);
  return asbb::Instant{std::int64_t{now.tv_sec} * 1'000'000 + now.tv_usec};
}

}  // namespace

int main(int argument_count, char** arguments) {
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> words(arguments + (argument_count > 0 ? 1 : 0),
                                       arguments + argument_count);
  return asbb::cli::run_program(words, std::cout, std::cerr, asbb::config::process_environment(),
                                system_now);
}
