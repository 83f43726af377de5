#include "plugins/log.h"

#include <cstdarg>
#include <cstdio>

#include "plugins/slurm_abi.h"

namespace asbb::plugins {
namespace {

constexpr std::size_t kLineBytes = 1'024;

}  // namespace

void log_error(const char* format, ...) {
  char line[kLineBytes];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  slurm_error("asbb: %s", line);
}

void log_info(const char* format, ...) {
  char line[kLineBytes];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  slurm_info("asbb: %s", line);
}

void log_debug(const char* format, ...) {
  char line[kLineBytes];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  slurm_debug("asbb: %s", line);
}

}  // namespace asbb::plugins
