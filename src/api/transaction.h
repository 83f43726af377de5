// Entries of the ledger as REST shows them, and how they are asked for. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/dates.h"
#include "api/usage.h"
#include "base/money.h"

namespace asbb::api {

struct Transaction {
  std::int64_t id = 0;  // sequence in the ledger: 1, 2, 3 ... without a gap
  std::int64_t account_id = 0;
  std::string account;
  std::string job_id;          // left out when empty
  std::string transaction_id;  // of the hold this belongs to, else of the entry itself
  std::string type;            // hold, charge, release, overrun, refund, adjustment, bind, ...
  std::string unit;
  Micros amount;
  std::string description;            // a sentence
  std::string metadata;               // canonical "key=value" lines, left out when empty
  std::string status;                 // completed; pending for a hold that is still open
  std::string parent_transaction_id;  // left out when empty
  std::string user;
  std::string cluster;
  std::string partition;
  std::string actor;
  std::string reason;
  std::string request_id;
  std::int64_t price_version = 0;  // 0: none
  Instant created_at;
  std::optional<Instant> completed_at;
  bool operator==(const Transaction&) const = default;
};

// An entry with what proves it: enough to keep an archive of the ledger that verifies by itself.
struct AuditEntry {
  Transaction transaction;
  std::int64_t budget_id = 0;  // on which it is posted; 0: none
  std::string record;          // its canonical text
  std::string chain;           // 64 hex digits
  bool operator==(const AuditEntry&) const = default;
};

inline constexpr std::int64_t audit_entries_limit_default = 1'000;
inline constexpr std::int64_t audit_entries_limit_max = 1'000;

struct AuditQuery {
  std::int64_t after = 0;  // the entries behind this one, the oldest first
  std::int64_t limit = audit_entries_limit_default;
  bool operator==(const AuditQuery&) const = default;
};

inline constexpr std::int64_t transactions_limit_default = 100;
inline constexpr std::int64_t transactions_limit_max = 10'000;

// The money of one unit in a transaction.
struct TransactionPart {
  std::string unit;
  std::string paying_account;  // whose budget pays
  Micros estimate;
  Micros granted;   // set aside at first
  Micros held;      // still
  Micros charged;   // out of what was held
  Micros overrun;   // beyond it
  Micros released;  // given back unused
  Micros refunded;  // given back, or written off, after the charge
  std::int64_t price_version = 0;
  bool operator==(const TransactionPart&) const = default;
};

inline constexpr std::int64_t details_entries_max = 1'000;

// One hold with everything that became of it.
struct TransactionDetails {
  std::string transaction_id;
  std::string kind;    // slurm, external; empty: an entry that belongs to no hold
  std::string status;  // open, closed
  std::string account;
  std::string user;
  std::string cluster;
  std::string partition;
  std::string job_id;                   // left out until it is known
  std::optional<Instant> submitted_at;  // of the job
  std::int64_t task_count = 1;
  std::optional<Instant> placed_at;
  std::optional<Instant> closed_at;
  std::vector<TransactionPart> parts;
  std::vector<Transaction> entries;  // the oldest first, at most details_entries_max
  bool has_more = false;             // there are more entries: transaction_id= of the list has them
  bool operator==(const TransactionDetails&) const = default;
};

struct TransactionQuery {
  std::string account;
  std::string job_id;
  std::string transaction_id;      // all entries of that hold
  std::vector<std::string> types;  // "type=hold,charge"; empty: all
  std::string status;              // empty, completed, pending
  std::optional<Date> start_date;
  std::optional<Date> end_date;
  std::int64_t limit = transactions_limit_default;  // 1 to transactions_limit_max
  std::int64_t offset = 0;                          // newest first, this many are skipped
  // Pages by cursor, the id of the last entry of the page before. At most one of both is set.
  std::optional<std::int64_t> before;  // those older than it, the newest first
  std::optional<std::int64_t> after;   // those behind it, the oldest first
  bool operator==(const TransactionQuery&) const = default;
};

// Query parameters, already percent-decoded, in order. Refused: a parameter given twice or unknown,
// bad values; the field is the parameter's name.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Result<TransactionQuery> parse_transaction_query(const QueryParameters& parameters);
[[nodiscard]] Result<UsageQuery> parse_usage_query(const QueryParameters& parameters);
[[nodiscard]] Result<ChargeQuery> parse_charge_query(const QueryParameters& parameters);
// Of a route with one parameter, `cluster`.
[[nodiscard]] Result<std::string> parse_cluster_query(const QueryParameters& parameters);
[[nodiscard]] Result<AuditQuery> parse_audit_query(const QueryParameters& parameters);

// RFC 3986: everything but letters, digits and "-._~" becomes %XX. For one path segment or value.
[[nodiscard]] std::string percent_encode(std::string_view text);

// The inverse, percent-encoded: "?account=proj001&limit=5", or "".
[[nodiscard]] std::string to_query_string(const TransactionQuery& query);
[[nodiscard]] std::string to_query_string(const UsageQuery& query);
[[nodiscard]] std::string to_query_string(const ChargeQuery& query);

}  // namespace asbb::api
