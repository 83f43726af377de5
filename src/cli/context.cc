#include "cli/context.h"

#include <unistd.h>

#include <cerrno>
#include <ostream>

#include "api/json_writer.h"
#include "base/text.h"
#include "cli/field_flags.h"

namespace asbb::cli {
namespace {

constexpr const char* bad_url_code = "BAD_URL";

std::string advice_for(const api::Problem& problem, bool is_elsewhere) {
  if (problem.code == api::unreachable_code) {
    if (problem.field == api::token_field) return {};
    if (problem.field == api::late_field) {
      return "It may be busy: try again. 'asbb doctor' looks at it, and its log says what it waits "
             "for.";
    }
    if (is_elsewhere) return "See whether the URL is right, and whether the service runs there.";
    return "'asbb service start' starts it; its log says why it stopped.";
  }
  if (problem.status == 401) return "Use the service's socket, or give --token-file.";
  if (problem.status == 403) {
    return "Administrators are root and the users of service.admins in the settings.";
  }
  if (problem.status == 404 && problem.field == "account") {
    return "'asbb account list' shows those that there are.";
  }
  return {};
}

}  // namespace

Context::Context(std::ostream& out, std::ostream& err, config::Environment environment,
                 std::function<Instant()> now)
    : out_(out), err_(err), environment_(std::move(environment)), now_(std::move(now)) {}

void Context::set_timeouts(int connect_timeout_ms, int timeout_ms) {
  connect_timeout_ms_ = connect_timeout_ms;
  timeout_ms_ = timeout_ms;
}

api::Reply<std::string> Context::socket() const {
  if (!flags.socket.empty()) return flags.socket;
  // Ordinary users need not be able to read the settings: then it is the usual socket.
  const std::string file = config::config_file(flags.config, environment_);
  const bool is_ours_to_read =
      file.empty() || !flags.config.empty() || access(file.c_str(), R_OK) == 0 || errno != EACCES;
  if (!is_ours_to_read) return api::Endpoint{}.socket;
  const auto loaded = config::load_config(flags.config, environment_);
  if (!loaded) {
    return tl::unexpected(
        api::Problem{0,
                     "BAD_SETTINGS",
                     "the settings cannot be used: " + loaded.error().front(),
                     loaded.error().size() > 1 ? "'asbb config validate' shows all problems" : "",
                     {}});
  }
  return loaded->service.socket;
}

api::Reply<void> Context::connect() {
  if (client_ != nullptr) return {};
  api::Endpoint endpoint;
  endpoint.connect_timeout_ms = connect_timeout_ms_;
  endpoint.timeout_ms = timeout_ms_;
  endpoint.url = flags.url;
  endpoint.token_file = flags.token_file;
  const bool is_local = flags.url.empty() || !flags.socket.empty();
  const std::string_view url = flags.url;
  if (!is_local && !url.starts_with("http://") && !url.starts_with("https://")) {
    return tl::unexpected(
        api::Problem{0,
                     bad_url_code,
                     "--url: " + in_quotes(flags.url) +
                         " is no URL: http://HOST:PORT or https://HOST is expected",
                     {},
                     {}});
  }
  if (is_local) {
    const auto path = socket();
    if (!path) return tl::unexpected(path.error());
    endpoint.socket = *path;
  }
  client_ = std::make_unique<api::Client>(std::move(endpoint));
  return {};
}

api::Reply<api::RawAnswer> Context::call_without_body(const std::string& method,
                                                      const std::string& path) {
  const auto ready = connect();
  if (!ready) return tl::unexpected(ready.error());
  return client_->expect_success(method, path);
}

int Context::show(const Table& table, const std::string& json,
                  const std::string& when_empty) const {
  if (flags.output == "json") {
    out_ << json << "\n";
  } else if (flags.output == "csv") {
    out_ << table.csv();
  } else if (table.is_empty() && !when_empty.empty()) {
    out_ << when_empty << "\n";
  } else {
    out_ << table.text();
  }
  return exit_done;
}

int Context::done(const std::string& sentence, const std::string& json) const {
  if (wants_table()) {
    out_ << harmless_lines(sentence) << "\n";
  } else if (flags.output == "csv") {
    Table table(std::vector<Column>{{"", "message"}});
    table.add({sentence});
    out_ << table.csv();
  } else if (!json.empty()) {
    out_ << json << "\n";
  } else {
    api::JsonWriter writer;
    writer.begin_object();
    writer.key("message"), writer.text(sentence);
    writer.end_object();
    out_ << writer.take() << "\n";
  }
  return exit_done;
}

int Context::failed(const api::Problem& problem) const {
  err_ << "asbb: " << harmless_lines(in_flags(problem)) << "\n";
  const bool is_sentence =
      problem.details.find(' ') != std::string::npos;  // or a code for programs
  if (is_sentence) err_ << harmless_lines(problem.details) << "\n";
  const std::string next_step = advice(problem);
  if (!next_step.empty()) err_ << next_step << "\n";
  if (problem.code == bad_url_code) return exit_usage;
  return problem.status == 402 ? exit_refused : exit_failed;
}

std::string Context::advice(const api::Problem& problem) const {
  return advice_for(problem, !flags.url.empty() && flags.socket.empty());
}

std::string Context::in_flags(const api::Problem& problem) const {
  return command_ == nullptr ? problem.message : in_flags_of(*command_, problem);
}

int Context::misused(const Error& error) const {
  return misused(in_flags(api::problem_of(error)));
}

int Context::failed(const Error& error) const {
  err_ << "asbb: " << harmless_lines(error.message) << "\n";
  return exit_failed;
}

int Context::misused(const std::string& sentence) const {
  err_ << "asbb: " << harmless_lines(sentence) << "\n";
  return exit_usage;
}

void Context::warn(const std::string& sentence) const {
  err_ << "asbb: warning: " << harmless_lines(sentence) << "\n";
}

std::optional<config::Config> Context::settings() const {
  const auto loaded = config::load_config(flags.config, environment_);
  if (loaded) return *loaded;
  for (const std::string& problem : loaded.error()) err_ << harmless_lines(problem) << "\n";
  return std::nullopt;
}

std::string account_path(const std::string& account) {
  return "/api/v1/accounts/" + api::percent_encode(account);
}

bool is_job_id(const std::string& text) {
  const auto parts = split(text, '_');
  const auto job = parse_count(parts.front());
  return job && *job > 0 && parts.size() <= 2 && parse_count(parts.back()).has_value();
}

std::optional<Error> reversed(const std::optional<api::Date>& first,
                              const std::optional<api::Date>& last) {
  if (!first || !last) return std::nullopt;
  // In whichever zone: a day and an instant are compared by the service.
  const bool is_wrong = first->index() == last->index() && *last < *first;
  if (!is_wrong) return std::nullopt;
  return Error{ErrorKind::invalid,
               "the last day, " + api::to_string(*last) + ", comes before the first, " +
                   api::to_string(*first),
               {}};
}

Result<Micros> read_amount(const std::string& flag, const std::string& text) {
  auto amount = parse_micros(text);
  if (amount) return amount;
  return fail(ErrorKind::invalid,
              flag + ": " + amount.error().message + ", without a currency sign or separators");
}

Result<Micros> read_limit(const std::string& flag, const std::string& text) {
  auto amount = read_amount(flag, text);
  if (!amount || !amount->is_negative()) return amount;
  return fail(ErrorKind::invalid, flag + ": " + in_quotes(text) +
                                      " is not allowed: an amount of 0 or more is expected");
}

}  // namespace asbb::cli
