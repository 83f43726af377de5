#include "cli/testing/run.h"

#include <sstream>

namespace asbb::cli::testing {

Ran run(const std::vector<std::string>& words, const config::Environment& environment) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_program(words, out, err, environment,
                               [] { return Instant::from_unix_seconds(1'749'988'800); });
  return {code, out.str(), err.str()};
}

Ran run(const CannedService& service, std::vector<std::string> words) {
  words.push_back("--socket=" + service.socket());
  return run(words);
}

std::vector<std::string> split(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

}  // namespace asbb::cli::testing
