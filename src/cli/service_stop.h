// Ends the service that listens on this machine's socket. Who that is the kernel says (SO_PEERCRED
// of the socket): no file with a process id that may be an old one. Blocks; one thread.
#pragma once

#include <string>

#include "base/result.h"

namespace asbb::cli {

// SIGTERM, then waits up to `wait_s` seconds until the process is gone; the process's id. Errors:
// not_found: nobody listens there; denied: the process is another user's, or no asbb-service;
// unavailable: it has not ended yet.
[[nodiscard]] Result<int> stop_service(const std::string& socket, int wait_s);

}  // namespace asbb::cli
