#include <algorithm>
#include <utility>

#include "config/setting_kinds.h"

namespace asbb::config {
namespace {

constexpr std::int64_t mebibyte = 1024 * 1024;

bool is_web_address(const std::string& text) {
  const auto scheme = text.find("://");
  const std::string name = text.substr(0, std::min(scheme, text.size()));
  return (name == "http" || name == "https") && scheme != std::string::npos &&
         text.size() > scheme + 3 && text.size() <= 2'000 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

bool is_log_output(const std::string& text) {
  return text == "stderr" || text == "stdout" || is_absolute_path(text);
}

// What stands before each name; Prometheus allows letters, digits and '_'.
bool is_metric_prefix(const std::string& text) {
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_allowed(c) || (c >= '0' && c <= '9');
  }) && is_allowed(text.front());
}

bool is_metrics_path(const std::string& text) {
  const bool is_word = text.size() > 1 && text.size() <= 100 && text[0] == '/' &&
                       std::all_of(text.begin(), text.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '/' || c == '-' || c == '_' ||
                                c == '.';
                       });
  return is_word && !text.starts_with("/api/") && text != "/health" && text != "/version";
}

}  // namespace

std::vector<Setting> advisor_settings() {
  const std::string section = "advisor";
  constexpr Member<Advisor> part = &Config::advisor;
  std::vector<Setting> out;
  out.push_back(text_of(
      section, "url", part, &Advisor::url,
      "a URL that begins with http:// or https://, or \"\" for none",
      [](const std::string& text) { return text.empty() || is_web_address(text); },
      "Who is asked what a job will cost, by POST to /analyze there; \"\" asks nobody."));
  out.push_back(path(section, "api_key_file", part, &Advisor::api_key_file, true,
                     "The file with the key that is sent along, in its first line."));
  out.push_back(text_of(
      section, "unit", part, &Advisor::unit,
      "a currency such as USD, or a unit such as core-hours, or \"\"",
      [](const std::string& text) { return text.empty() || is_valid_unit(text); },
      "What the advisor counts in; \"\" is budget.default_unit."));
  out.push_back(
      word(section, "trust", part, &Advisor::trust,
           Words<AdvisorTrust>{{"raise", AdvisorTrust::raise}, {"replace", AdvisorTrust::replace}},
           "Whether its word can only raise what is held above the price book's, or "
           "replaces that."));
  out.push_back(duration(section, "timeout", part, &Advisor::timeout, milliseconds(10),
                         seconds(600),
                         "How long one question may take. A submission waits no longer than the "
                         "plugin lets it."));
  out.push_back(yes_or_no(section, "cache_enabled", part, &Advisor::cache_enabled,
                          "Whether an answer serves the next one who asks the same."));
  out.push_back(duration(section, "cache_ttl", part, &Advisor::cache_ttl, milliseconds(100),
                         hours(24 * 7), "How long it does."));
  return out;
}

std::vector<Setting> logging_settings() {
  const std::string section = "logging";
  constexpr Member<Logging> part = &Config::logging;
  std::vector<Setting> out;
  const Words<LogLevel> levels = {{"debug", LogLevel::debug},
                                  {"info", LogLevel::info},
                                  {"warning", LogLevel::warning},
                                  {"error", LogLevel::error},
                                  {"warn", LogLevel::warning}};
  out.push_back(word(section, "level", part, &Logging::level, levels,
                     "The least severe messages that are logged."));
  const Words<LogFormat> formats = {
      {"text", LogFormat::text}, {"json", LogFormat::json}, {"console", LogFormat::text}};
  out.push_back(word(section, "format", part, &Logging::format, formats,
                     "How a message is written: a line for people, or a JSON object."));
  out.push_back(text_of(section, "output", part, &Logging::output,
                        "stderr, stdout, or an absolute path", is_log_output,
                        "Where messages go. systemd keeps what is written to stderr."));
  out.push_back(size(section, "max_size", part, &Logging::max_size_bytes, mebibyte,
                     1024 * 1024 * mebibyte,
                     "How large a log file grows before it is put aside and another begun."));
  out.push_back(
      whole(section, "max_backups", part, &Logging::max_backups, 1, 1000,
            "How many that were put aside are kept, as asbb.1.log for asbb.log and so on."));
  return out;
}

std::vector<Setting> metrics_settings() {
  const std::string section = "metrics";
  constexpr Member<Metrics> part = &Config::metrics;
  std::vector<Setting> out;
  out.push_back(
      yes_or_no(section, "enabled", part, &Metrics::enabled, "Whether figures are shown at all."));
  out.push_back(text_of(section, "path", part, &Metrics::path,
                        "a path such as /metrics, not below /api/", is_metrics_path,
                        "Where, of the REST API's address."));
  out.push_back(text_of(section, "namespace", part, &Metrics::prefix,
                        "lower-case letters, digits and '_', at most 40", is_metric_prefix,
                        "What every name begins with: asbb_http_requests_total."));
  return out;
}

}  // namespace asbb::config
