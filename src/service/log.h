// The service's log: lines on standard error, as text or JSON. One file includes the library behind
// it. Functions, any thread; before start_log() lines go out as text.
#pragma once

#include <string>

#include "config/config.h"

namespace asbb::service {

void start_log(config::LogLevel level, config::LogFormat format);

void log_debug(const std::string& message);
void log_info(const std::string& message);
void log_warning(const std::string& message);
void log_error(const std::string& message);

}  // namespace asbb::service
