// Runs one program and collects what it says: no shell, an environment of our making, a deadline
// after which the whole process group is killed. Blocking and thread-safe: any thread may call it,
// but never the HTTP thread or the ledger thread, since a call can take as long as its deadline.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace asbb::slurm {

struct ProcessRequest {
  std::vector<std::string> argv;  // argv[0] is a path, or a name looked up in PATH
  // The child gets PATH, HOME, LD_LIBRARY_PATH and SLURM_JWT of this process, LC_ALL=C, TZ=UTC,
  // and these. Nothing else: a SQUEUE_STATES or SLURM_CLUSTERS of the service's own environment
  // would silently change what a list contains.
  std::vector<std::pair<std::string, std::string>> environment;
  int deadline_ms = 30'000;                               // at least 1
  std::size_t output_limit_bytes = 512u * 1024u * 1024u;  // stdout and stderr, each
  std::string input;                                      // on standard input; empty: /dev/null
  int cancel_descriptor = -1;  // once it is readable the program is killed; not read, not closed
};

inline constexpr const char* output_limit_field = "output_limit_bytes";

struct ProcessOutput {
  int exit_code = 0;  // 128 + signal number when a signal ended it
  std::string out;
  std::string err;
};

// A program that ran to its end is a result, whatever its exit code. Errors: `invalid` (empty argv,
// NUL in an argument), `broken` (cannot be started; output over the limit, with
// `output_limit_field` as its field), `unavailable` (deadline passed or cancelled; killed).
[[nodiscard]] Result<ProcessOutput> run_process(const ProcessRequest& request);

}  // namespace asbb::slurm
