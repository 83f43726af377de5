// The auditor's own reader of canonical records: it knows the text of format "asbb1" and nothing of
// the ledger's types. Inside src/ledger only, for auditor.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asbb::ledger {

// "key=value" lines, unescaped; nothing when a line is malformed or a key comes twice.
using AuditLines = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] std::optional<AuditLines> read_audit_lines(std::string_view text);

// The whole of a value as a signed decimal number; nothing for a missing key or anything else.
[[nodiscard]] std::optional<std::int64_t> audit_number(const AuditLines& lines,
                                                       std::string_view key);
// Empty for a missing key.
[[nodiscard]] std::string audit_text(const AuditLines& lines, std::string_view key);

struct AuditRecord {
  std::int64_t sequence = 0;
  std::int64_t at_us = 0;
  std::string type;
  std::int64_t account = 0;
  std::string account_name;
  std::string actor;
  std::string reason;
  std::string request_id;
  std::int64_t budget = 0;
  std::string unit;
  std::int64_t amount_micros = 0;
  std::int64_t hold = 0;
  std::string user;
  std::string partition;
  std::string cluster;
  std::int64_t job_id = 0;
  std::string task;      // of the job: "task:external id"
  std::string task_run;  // "task:run"
  std::int64_t price_version = 0;
  std::string job;  // what names a share inside its hold, as one text
  AuditLines details;
};
// Nothing, with the reason in `fault`, when it is not a record of format "asbb1".
[[nodiscard]] std::optional<AuditRecord> read_audit_record(std::string_view text,
                                                           std::string& fault);

// "N bytes H": tells texts apart without keeping them; the same within one program only.
[[nodiscard]] std::string audit_digest(std::string_view text);

// "b3,l7" as ('b', 3), ('l', 7); nothing for an empty or malformed list.
using AuditLegs = std::vector<std::pair<char, std::int64_t>>;
[[nodiscard]] std::optional<AuditLegs> read_audit_legs(std::string_view text);

}  // namespace asbb::ledger
