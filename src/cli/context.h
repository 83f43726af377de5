// What every command works with: the flags of every command, the two streams, the clock, and the
// service (asked through the REST client, connected when it is first needed). Owns the client; one
// run of the program, one thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "api/client.h"
#include "api/dates.h"
#include "cli/table.h"
#include "cli/tree.h"
#include "config/config.h"

namespace asbb::cli {

struct GlobalFlags {
  std::string output = "table";  // table, json, csv
  std::string config;
  std::string socket;
  std::string url;
  std::string token_file;
};

class Context {
 public:
  Context(std::ostream& out, std::ostream& err, config::Environment environment,
          std::function<Instant()> now);

  GlobalFlags flags;

  [[nodiscard]] std::ostream& out() const { return out_; }
  [[nodiscard]] std::ostream& err() const { return err_; }
  [[nodiscard]] Instant now() const { return now_(); }
  [[nodiscard]] const config::Environment& environment() const { return environment_; }

  // The command that runs; its flags stand for the service's fields in what `failed` says.
  void set_command(const CommandNode& command) { command_ = &command; }

  // Before the first call: how long an answer may take.
  void set_timeouts(int connect_timeout_ms, int timeout_ms);

  template <typename T>
  [[nodiscard]] api::Reply<T> call(const std::string& method, const std::string& path,
                                   const std::string& body = {}) {
    const auto ready = connect();
    if (!ready) return tl::unexpected(ready.error());
    return client_->call<T>(method, path, body);
  }
  [[nodiscard]] api::Reply<api::RawAnswer> call_without_body(const std::string& method,
                                                             const std::string& path);

  // Prints the table (or `when_empty`, a hint of what to do next), the CSV, or the JSON.
  [[nodiscard]] int show(const Table& table, const std::string& json,
                         const std::string& when_empty = {}) const;
  // A sentence for people; for programs the JSON, or else the sentence as the one `message`.
  [[nodiscard]] int done(const std::string& sentence, const std::string& json = {}) const;
  [[nodiscard]] bool wants_table() const { return flags.output == "table"; }

  // A sentence on `err`; the exit code.
  [[nodiscard]] int failed(const api::Problem& problem) const;
  [[nodiscard]] int failed(const Error& error) const;
  // What to do about it; empty where the message says it.
  [[nodiscard]] std::string advice(const api::Problem& problem) const;
  [[nodiscard]] int misused(const std::string& sentence) const;
  [[nodiscard]] int misused(const Error& error) const;  // its field is one of the API's
  void warn(const std::string& sentence) const;

  // The service's: that of --socket, else of the settings, where this user may read them, else the
  // usual one.
  [[nodiscard]] api::Reply<std::string> socket() const;

  // The settings, or every problem with them on `err` and nothing.
  [[nodiscard]] std::optional<config::Config> settings() const;

 private:
  [[nodiscard]] api::Reply<void> connect();
  [[nodiscard]] std::string in_flags(const api::Problem& problem) const;

  std::ostream& out_;
  std::ostream& err_;
  const config::Environment environment_;
  const std::function<Instant()> now_;
  const CommandNode* command_ = nullptr;
  int connect_timeout_ms_ = 2'000;
  int timeout_ms_ = 30'000;
  std::unique_ptr<api::Client> client_;
};

// "/api/v1/accounts/proj001": the segment percent-encoded.
[[nodiscard]] std::string account_path(const std::string& account);

// Slurm's id of a job, "123", or of an array's task, "123_4".
[[nodiscard]] bool is_job_id(const std::string& text);

// Why nothing can lie between the two: the last day comes before the first.
[[nodiscard]] std::optional<Error> reversed(const std::optional<api::Date>& first,
                                            const std::optional<api::Date>& last);

// An amount as people type it; the message says what is allowed.
[[nodiscard]] Result<Micros> read_amount(const std::string& flag, const std::string& text);
// The same, and not below nothing.
[[nodiscard]] Result<Micros> read_limit(const std::string& flag, const std::string& text);

}  // namespace asbb::cli
