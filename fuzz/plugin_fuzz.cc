// What the plugin reads inside slurmctld: the service's answer, the policy file, the arguments of
// its line. The first byte says which. Whatever stands there is refused or within its bounds, and
// an answer that was complete stays what it was when more bytes come.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "plugins/arguments.h"
#include "plugins/http_answer.h"
#include "plugins/log.h"
#include "plugins/policy.h"

// The log of slurmctld.
namespace asbb::plugins {
void log_error(const char*, ...) {}
void log_info(const char*, ...) {}
void log_debug(const char*, ...) {}
}  // namespace asbb::plugins

namespace {

namespace plugins = asbb::plugins;

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void read_answer(std::string_view text) {
  plugins::Answer whole;
  const auto at_the_end = plugins::parse_answer(text, true, &whole);
  ASBB_ASSERT(at_the_end != plugins::ParseState::incomplete);
  if (at_the_end == plugins::ParseState::complete) {
    ASBB_ASSERT(lies_in(whole.token, text) && lies_in(whole.body, text));
  }
  for (std::size_t length = 0; length <= text.size(); length += 1 + text.size() / 16) {
    plugins::Answer early;
    const auto state = plugins::parse_answer(text.substr(0, length), false, &early);
    if (state != plugins::ParseState::complete) continue;
    plugins::Answer later;
    ASBB_ASSERT(plugins::parse_answer(text, false, &later) == plugins::ParseState::complete);
    ASBB_ASSERT(early.status == later.status && early.decision == later.decision &&
                early.token == later.token);
  }
}

void read_policy(std::string_view text) {
  static plugins::PolicyText policy;
  policy = plugins::PolicyText();
  int line = 0;
  if (const char* problem = policy.parse(text, &line)) {
    ASBB_ASSERT(problem[0] != '\0' && line >= 0);
    return;
  }
  const bool denies_somewhere = policy.strictest() == plugins::Stance::deny;
  for (const std::string_view name : {"", "cpu", "gpu-aws", "cpu,gpu-aws", ",", "*"}) {
    if (policy.decide(name) == plugins::Stance::deny) ASBB_ASSERT(denies_somewhere);
  }
}

void read_arguments(std::string_view text) {
  plugins::Arguments arguments;
  plugins::parse_arguments(text, "onprem", &arguments);
  ASBB_ASSERT(arguments.timeout_ms > 0 && arguments.timeout_ms <= plugins::kLongestTimeoutMs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      read_answer(text);
      break;
    case 1:
      read_policy(text);
      break;
    default:
      read_arguments(text);
  }
  return 0;
}
