#include "service/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace asbb::service {
namespace {

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warning:
      return spdlog::level::warn;
    case config::LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

std::atomic<bool> quotes_escaped{false};

// A message must stay one line, and within JSON one string.
std::string escaped(const std::string& message) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (quotes_escaped && (c == '"' || c == '\\')) {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (byte < ' ' || byte == 0x7f) {
      text += "\\u00";
      text += digits[byte >> 4];
      text += digits[byte & 15];
    } else {
      text += c;
    }
  }
  return text;
}

spdlog::sink_ptr sink_of(const config::Logging& settings) {
  if (settings.output == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (settings.output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
      settings.output, static_cast<std::size_t>(settings.max_size_bytes),
      static_cast<std::size_t>(settings.max_backups));
}

void write(spdlog::level::level_enum level, const std::string& message) {
  if (spdlog::should_log(level)) spdlog::log(level, "{}", escaped(message));
}

}  // namespace

Result<void> start_log(const config::Logging& settings) {
  std::shared_ptr<spdlog::logger> logger;
  try {
    logger = std::make_shared<spdlog::logger>("asbb", sink_of(settings));
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorKind::unavailable,
                "logging.output: " + settings.output + " cannot be written: " + error.what());
  }
  logger->set_level(level_of(settings.level));
  logger->flush_on(spdlog::level::info);
  quotes_escaped = settings.format == config::LogFormat::json;
  if (quotes_escaped) {
    logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})",
                        spdlog::pattern_time_type::utc);
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l: %v", spdlog::pattern_time_type::utc);
  }
  spdlog::set_default_logger(std::move(logger));
  return {};
}

void log_debug(const std::string& message) {
  write(spdlog::level::debug, message);
}
void log_info(const std::string& message) {
  write(spdlog::level::info, message);
}
void log_warning(const std::string& message) {
  write(spdlog::level::warn, message);
}
void log_error(const std::string& message) {
  write(spdlog::level::err, message);
}

}  // namespace asbb::service
