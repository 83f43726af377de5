// A job script and a command line as `asbb quote` reads them: a line feed ends the command line,
// whose words stand between blanks.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "cli/sbatch_options.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::vector<std::string> arguments;
  for (const std::string_view word : asbb::split(text.substr(0, end), ' ')) {
    arguments.emplace_back(word);
  }
  const std::string script(text.substr(end));
  const auto options = asbb::cli::read_sbatch_options(
      arguments, [](const std::string&) { return std::nullopt; },
      [&](const std::string&) -> asbb::Result<std::string> { return script; });
  if (!options) {
    ASBB_ASSERT(!options.error().message.empty());
    return 0;
  }
  const auto job = asbb::cli::sbatch_submission(*options);
  if (!job) return 0;
  ASBB_ASSERT(!job->min_cpus || *job->min_cpus >= 0);
  ASBB_ASSERT(!job->time_limit_minutes || *job->time_limit_minutes > 0);
  return 0;
}
