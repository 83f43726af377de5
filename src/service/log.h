// The service's log: lines on standard error or output, or in a file that is put aside when it has
// grown large; as text or JSON. One file includes the library behind it. Functions, any thread;
// before start_log() lines go to standard error as text.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace asbb::service {

// An error: the file cannot be written, and nothing has changed.
[[nodiscard]] Result<void> start_log(const config::Logging& settings);

void log_debug(const std::string& message);
void log_info(const std::string& message);
void log_warning(const std::string& message);
void log_error(const std::string& message);

}  // namespace asbb::service
