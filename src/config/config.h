// The settings of one YAML file with ASBB_SECTION_KEY environment variables above it. Loading
// refuses unknown and duplicate keys, bad types and impossible values, all at once, each with its
// line and what is allowed. The file is the administrator's and trusted as to its size; nothing
// here opens anything that it names, and what is looked at by Files are modes alone. Plain values;
// any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/money.h"
#include "base/time.h"

namespace asbb::config {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };
[[nodiscard]] const char* to_string(LogLevel level);
[[nodiscard]] const char* to_string(LogFormat format);

struct Service {
  std::string listen_addr = ":8080";  // loopback only; empty: no TCP
  std::string socket = "/run/asbb/asbb.sock";
  unsigned socket_mode = 0666;
  std::string timezone = "UTC";          // IANA name: where the days of periods begin
  std::vector<std::string> admins;       // users who may move money, beside root
  std::string tokens_file;               // bearer tokens for TCP; empty: none
  bool anonymous_budget_routes = false;  // /budget/check and /budget/reconcile over TCP
  std::int64_t workers = 2;              // threads that serve connections
  Span read_timeout = seconds(10);       // of a request, from its first byte to its last
  Span write_timeout = seconds(10);
  Span shutdown_timeout = seconds(5);  // for answers that are owed
  bool operator==(const Service&) const = default;
};

struct Database {
  std::string driver = "sqlite";
  std::string dsn = "/var/lib/asbb/asbb.db";
  std::string chain_key_file = "/var/lib/asbb/chain.key";
  Span lock_wait = seconds(10);      // how long a start waits for another service to let go
  bool clock_may_be_behind = false;  // far before the last entry, at a start
  bool operator==(const Database&) const = default;
};

struct Budget {
  Micros default_hold_percentage{1'200'000};  // factor on the estimate, 1 to 10
  std::string default_unit = "USD";
  std::string write_off_account;      // bears what is written off; empty: none
  bool writes_off_node_fail = false;  // the cost of runs that ended so, at once
  bool writes_off_boot_fail = false;
  bool writes_off_preempted = false;
  bool refuses_scrontab = false;  // of partitions that have a price
  bool moves_waiting = true;      // jobs that wait at a period's end are held in the next one
  bool moves_running = false;     // and those that run
  std::int64_t max_unbound_holds = 10'000;  // per user and account
  Span reconciliation_timeout = hours(24);  // an open hold that nothing explains raises an alarm
  Micros min_budget_amount;                 // of limits and deposits, in whichever unit
  Micros max_budget_amount = max_amount;
  bool allow_negative_balance = false;  // credit for running jobs where a budget is given none
  bool auto_recovery_enabled = true;    // holds without a job are given back, not only reported
  Span recovery_check_interval = seconds(1);  // between looks for them
  Span transaction_retention;                 // older entries go to the archive; 0: never
  bool operator==(const Budget&) const = default;
};

// What becomes of a limit of Slurm's accounts when this cluster follows another one.
struct LimitRule {
  enum class Kind { keep, copy, scale, fixed };
  Kind kind = Kind::keep;
  Micros factor;      // of scale, above 0
  std::string value;  // of fixed, as sacctmgr takes it
  bool operator==(const LimitRule&) const = default;
};

struct Cluster {
  std::string name;                              // ClusterName, lower case
  std::string conf;                              // its slurm.conf; empty: Slurm's own default
  std::string bin_dir;                           // folder of squeue, sacct, ...; empty: PATH
  std::map<std::string, LimitRule> limits = {};  // by sacctmgr's name; others are left alone
  bool operator==(const Cluster&) const = default;
};

// What an account may spend on one cluster while the service is silent.
struct Allowance {
  Micros amount;     // above 0
  std::string unit;  // empty: budget.default_unit
  bool operator==(const Allowance&) const = default;
};

// What the plugin does with jobs for priced partitions while the service is silent.
struct OnUnavailable {
  bool allow_by_default = false;
  std::map<std::string, bool> allow_by_partition;
  bool allow_without_allowance = true;  // where a partition allows, accounts that have none
  std::map<std::string, std::map<std::string, Allowance>> allowances;  // by cluster and account
  bool operator==(const OnUnavailable&) const = default;
};

struct Slurm {
  std::string user = "slurm";  // SlurmUser: may submit, notify and read
  std::vector<Cluster> clusters;
  Span refresh_interval = seconds(30);
  Span view_max_age = seconds(300);  // an older view refuses jobs on priced partitions
  Span reconcile_interval = seconds(15);
  Span rescan_interval = seconds(300);  // looks for jobs that ran without a hold
  Span sweep_grace_min = seconds(60);
  Span command_timeout = seconds(30);  // of one squeue, sacct, ...
  std::string policy_dir;              // empty: the folder of service.socket
  std::string bin_path;                // of clusters without a bin_dir; filled in there
  std::string config_path;             // a slurm.conf or its folder, likewise
  OnUnavailable on_unavailable;
  bool operator==(const Slurm&) const = default;
};

struct Audit {
  std::string head_file;          // absolute; empty: none
  Span head_interval = hours(1);  // between two lines of it
  bool syslog = false;
  bool operator==(const Audit&) const = default;
};

inline constexpr Span usual_grace = seconds(300);

// What is done about an account that ran dry while jobs run, one step after the other, in this
// order (docs/concepts/job-life.md).
struct Ladder {
  bool warn = false;
  bool stop_new = false;
  bool credit = false;  // jobs go on up to the budget's credit limit before the steps that follow
  std::string requeue_to = {};  // a partition; empty: jobs are not requeued
  std::string signal = {};      // "USR1"; empty: none is sent
  Span grace = usual_grace;     // between the signal and the cancel
  bool cancel = false;
  bool operator==(const Ladder&) const = default;
  [[nodiscard]] bool acts_on_jobs() const {
    return !requeue_to.empty() || !signal.empty() || cancel;
  }
};

struct Enforcement {
  bool enabled = true;
  Ladder ladder{.warn = true, .stop_new = true};
  std::map<std::string, Ladder> accounts;    // of the account, or the nearest one above; first
  std::map<std::string, Ladder> partitions;  // of the partition that the job is on; second
  bool operator==(const Enforcement&) const = default;
};

enum class AlertSeverity { info, warning, critical };
[[nodiscard]] const char* to_string(AlertSeverity severity);

// One way in which alerts leave the service. What a kind does not use is empty.
struct AlertChannel {
  enum class Kind { webhook, slack, smtp, sendmail, command };
  std::string name;
  Kind kind = Kind::webhook;
  AlertSeverity least = AlertSeverity::info;  // lesser ones are not sent here
  bool has_digest = true;                     // whether it gets the daily digest
  std::string url;
  std::string program;
  std::string from;
  std::vector<std::string> to;
  std::string owners_at;  // the mail domain of accounts' owners; empty: they get nothing
  std::string user;
  std::string secret_file;  // the password of `user`, or what a webhook's body is signed with
  bool operator==(const AlertChannel&) const = default;
};
[[nodiscard]] const char* to_string(AlertChannel::Kind kind);

struct Alerts {
  bool enabled = true;
  std::vector<std::int64_t> thresholds{50, 75, 90, 100};  // per cent of a budget that is spent
  Micros burn_rate{2'000'000};  // times the even rate over the period; 0: no alert
  bool exhaustion = true;       // of the budget before its period ends, at the rate of late
  Span interval = seconds(60);
  std::string digest_at = "08:00";  // in service.timezone; empty: none
  std::string state_file;           // empty: alerts.json beside the database
  std::vector<AlertChannel> channels;
  bool operator==(const Alerts&) const = default;
};

enum class AdvisorTrust { raise, replace };

// A program that is asked what jobs will cost (docs/concepts/advisor.md).
struct Advisor {
  std::string url;           // empty: nobody is asked
  std::string api_key_file;  // empty: no key is sent
  std::string unit;          // that it counts in; empty: budget.default_unit
  AdvisorTrust trust = AdvisorTrust::raise;
  Span timeout = seconds(5);
  bool cache_enabled = true;
  Span cache_ttl = seconds(300);
  bool operator==(const Advisor&) const = default;
};

struct Logging {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  std::string output = "stderr";                    // or "stdout", or the path of a file
  std::int64_t max_size_bytes = 100 * 1024 * 1024;  // of that file, before it is put aside
  std::int64_t max_backups = 5;                     // that are kept of those
  bool operator==(const Logging&) const = default;
};

struct Metrics {
  bool enabled = true;
  std::string path = "/metrics";
  std::string prefix = "asbb";  // of every name, before a '_'
  bool operator==(const Metrics&) const = default;
};

struct Config {
  Service service;
  Database database;
  Budget budget;
  Slurm slurm;
  Enforcement enforcement;
  Alerts alerts;
  Audit audit;
  Advisor advisor;
  Logging logging;
  Metrics metrics;
  bool operator==(const Config&) const = default;
};

inline constexpr const char* default_path = "/etc/asbb/config.yaml";

// Variable names and values; as settings only those that begin with ASBB_ are looked at.
using Environment = std::map<std::string, std::string>;
// Of this process: its ASBB_ variables, and the SLURM_ and SBATCH_ ones, which are for the command
// line.
[[nodiscard]] Environment process_environment();

// Every problem as "file:line: section.key: what is wrong, what is allowed", in order of line.
using Problems = std::vector<std::string>;
template <typename T>
using Loaded = tl::expected<T, Problems>;

// Whether the files that settings name are looked at as well: secrets that others may read.
enum class Files { left_alone, looked_at };

// The text of a file; `source` names it in problems.
[[nodiscard]] Loaded<Config> parse_config(const std::string& text, const std::string& source,
                                          const Environment& environment,
                                          Files files = Files::left_alone);

// Reads `path`. An empty path: ASBB_CONFIG_FILE, else default_path where there is such a file, else
// the defaults alone.
[[nodiscard]] Loaded<Config> load_config(const std::string& path, const Environment& environment,
                                         Files files = Files::left_alone);

// The file that load_config(path, environment) would read; empty: none.
[[nodiscard]] std::string config_file(const std::string& path, const Environment& environment);

// The commented file with every setting and its default; parse_config reads it back as Config{}.
[[nodiscard]] std::string default_config_text();

// Every setting as it is, in the same form without comments; passwords in a dsn are "***".
[[nodiscard]] std::string show_config(const Config& config);

// The same as pairs such as ("slurm.clusters[0].name", "onprem"); empty lists have an empty value.
using FlatSettings = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] FlatSettings flat_config(const Config& config);

// The policy folder: policy_dir, or the folder of the socket.
[[nodiscard]] std::string policy_folder(const Config& config);

}  // namespace asbb::config
