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
#include "plugins/worst_case.h"

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

// Whatever the file says, a job costs nothing below zero, and who may spend has an allowance.
void read_allowances(const plugins::PolicyText& policy, const plugins::AllowanceText& allowances) {
  job_desc_msg_t job{};
  job.num_tasks = 4;
  job.time_limit = 10;
  for (const char* partition : {"", "cpu", "gpu-aws"}) {
    const plugins::WorstRate* rate = allowances.rate(partition);
    std::int64_t micros = 0;
    if (rate == nullptr || plugins::worst_case(job, *rate, 1'200'000, &micros) != nullptr) continue;
    ASBB_ASSERT(micros >= 0 && micros <= plugins::kWorstCaseMax);
    ASBB_ASSERT(!policy.is_free(partition, allowances));
  }
  for (const std::string_view account : {"", "proj001", "proj002"}) {
    const plugins::Spender* spender = allowances.spender(1'000, account);
    if (spender == nullptr) continue;
    ASBB_ASSERT(spender->allowance_index < allowances.allowance_count());
    ASBB_ASSERT(allowances.allowance(spender->allowance_index).account == spender->allowance);
  }
}

void read_policy(std::string_view text) {
  static plugins::PolicyText policy;
  policy = plugins::PolicyText();
  int line = 0;
  plugins::AllowanceText allowances;
  if (const char* problem = policy.parse(text, &line, &allowances)) {
    ASBB_ASSERT(problem[0] != '\0' && line >= 0);
    return;
  }
  read_allowances(policy, allowances);
  const bool denies_somewhere = policy.strictest() == plugins::Stance::deny;
  for (const std::string_view name : {"", "cpu", "gpu-aws", "cpu,gpu-aws", ",", "*"}) {
    if (policy.decide(name) == plugins::Stance::deny) ASBB_ASSERT(denies_somewhere);
  }
}

void read_arguments(std::string_view text) {
  plugins::Arguments arguments;
  plugins::parse_arguments(text, "onprem", "/var/spool/slurmctld", &arguments);
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
