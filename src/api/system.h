// The service about itself: prices, audit, status, health, version. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/submission.h"
#include "base/money.h"
#include "base/time.h"

namespace asbb::api {

struct PriceImport {
  std::string text;                       // the price book in YAML
  std::optional<Instant> effective_from;  // else from the text, else now
  bool operator==(const PriceImport&) const = default;
};

struct PriceBook {
  std::int64_t version = 0;
  Instant effective_from;
  Instant imported_at;
  bool in_force = false;
  std::string text;  // left out of lists
  bool operator==(const PriceBook&) const = default;
};

struct AuditReport {
  bool ok = false;
  std::int64_t entries = 0;
  std::vector<std::string> problems;  // sentences
  std::string head;                   // of the chain, 64 hex digits
  bool operator==(const AuditReport&) const = default;
};

struct JobReconcileAnswer {
  bool success = false;
  std::string message;
  std::vector<JobOutcome> jobs;
  bool operator==(const JobReconcileAnswer&) const = default;
};

struct ClusterStatus {
  std::string name;
  bool reachable = false;
  std::optional<Instant> view_read_at;
  std::optional<std::int64_t> view_age_s;  // "view_age_seconds" on the wire
  std::optional<Instant> reconciled_at;    // end of the last complete pass
  std::string problem;                     // left out when empty
  bool operator==(const ClusterStatus&) const = default;
};

// A cluster as whoever submits has to know it.
struct ClusterInfo {
  std::string name;
  bool is_usable = false;                  // seen lately, and its controller answered: "usable"
  std::optional<std::int64_t> view_age_s;  // "view_age_seconds" on the wire; none: never read
  std::string problem;                     // a sentence, left out when empty
  bool is_cloud = false;                   // what --cloud means: "cloud" on the wire
  std::vector<std::string> units;          // of its prices, sorted
  std::string federation;                  // left out when empty
  std::vector<std::string> reaches;        // other clusters of its slurmdbd: sbatch -M names them
  std::string slurm_conf;                  // as the service was told; left out when empty
  std::string slurm_version;               // of its controller, "22.05.8"; left out when empty
  bool operator==(const ClusterInfo&) const = default;
};

struct ReconcilerStatus {
  std::optional<Instant> last_pass_at;
  std::int64_t passes = 0;
  std::int64_t open_holds = 0;
  std::int64_t unbound_holds = 0;
  std::string problem;  // of the last pass, left out when empty
  bool operator==(const ReconcilerStatus&) const = default;
};

struct LedgerStatus {
  bool healthy = false;
  std::int64_t entries = 0;
  std::int64_t commits = 0;
  std::int64_t commands = 0;
  std::int64_t failures = 0;
  std::int64_t queue_length = 0;
  bool operator==(const LedgerStatus&) const = default;
};

struct Alarm {
  std::string code;  // stable
  std::string message;
  std::string cluster;         // left out when empty
  std::string job_id;          // left out when empty
  std::string transaction_id;  // left out when empty
  Instant since;
  bool operator==(const Alarm&) const = default;
};

// What an account may spend on a cluster while the service is away.
struct AllowanceStatus {
  std::string cluster;
  std::string account;
  std::string unit;
  Micros amount;  // set aside and published; 0: nothing could be
  Micros left;    // as far as the service knows
  bool operator==(const AllowanceStatus&) const = default;
};

struct Status {
  std::string version;
  Instant started_at;
  Instant timestamp;
  std::vector<ClusterStatus> clusters;
  ReconcilerStatus reconciler;
  LedgerStatus ledger;
  std::vector<AllowanceStatus> allowances;
  std::vector<Alarm> alarms;
  bool operator==(const Status&) const = default;
};

struct HealthServices {
  std::string database;  // "healthy" or a word for what it is not
  std::string advisor;   // "disabled" when none is configured
  bool operator==(const HealthServices&) const = default;
};

// HTTP 200 when healthy, 503 when not.
struct Health {
  std::string status;  // "healthy" or "unhealthy"
  std::string version;
  Instant timestamp;
  HealthServices services;
  std::string uptime;  // "26h3m5s"
  bool operator==(const Health&) const = default;
};

struct Version {
  std::string version;
  std::string git_commit;
  std::string build_time;  // RFC 3339: of its commit, or SOURCE_DATE_EPOCH; empty without either
  std::string compiler;
  std::string os;
  std::string arch;
  bool operator==(const Version&) const = default;
};

}  // namespace asbb::api
