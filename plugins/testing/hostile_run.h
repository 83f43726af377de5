// Submissions by several threads to a service that behaves badly in every way, each held against
// what must hold whatever the service does: in time, refused or accepted as the service's word or
// the policy says, nothing left behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace asbb::plugins::testing {

struct HostileRun {
  int calls = 0;
  int threads = 8;
  unsigned timeout_ms = 2;
};

struct HostileReport {
  int calls = 0;
  // Of the two ways that behave: calls whose answer came in time.
  int answered = 0;
  int well_behaved = 0;
  // Without the time in which a thread was ready and no processor was free for it, and, of calls
  // that took too long, without the time in which the whole machine stood still.
  std::int64_t median_micros = 0;
  std::int64_t longest_micros = 0;
  // A sentence for each call that broke a rule, the first few of them.
  std::vector<std::string> violations;
};

// Beyond the deadline, for what the kernel adds to a wait (timer slack, a late wake-up): a call
// that waited for a service that hangs would take forty times as long.
inline constexpr std::int64_t kOvertimeMicrosMax = 50'000;

// Leaves no thread, and no descriptor but those the process had before.
HostileReport run_hostile(const HostileRun& run);

}  // namespace asbb::plugins::testing
