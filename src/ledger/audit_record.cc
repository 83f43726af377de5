#include "ledger/audit_record.h"

#include <charconv>
#include <functional>

#include "base/text.h"

namespace asbb::ledger {
namespace {

std::optional<std::string> without_escapes(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    if (value.front() != '%') {
      out += value.front();
      value.remove_prefix(1);
      continue;
    }
    if (value.size() < 3) return std::nullopt;
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(value.data() + 1, value.data() + 3, byte, 16);
    if (error != std::errc{} || end != value.data() + 3) return std::nullopt;
    out += static_cast<char>(byte);
    value.remove_prefix(3);
  }
  return out;
}

}  // namespace

std::optional<AuditLines> read_audit_lines(std::string_view text) {
  AuditLines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    auto value = without_escapes(line.substr(equals + 1));
    if (!value || lines.contains(line.substr(0, equals))) return std::nullopt;
    lines.emplace(line.substr(0, equals), std::move(*value));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::optional<std::int64_t> audit_number(const AuditLines& lines, std::string_view key) {
  const auto found = lines.find(key);
  return found == lines.end() ? std::nullopt : parse_whole(found->second);
}

std::string audit_text(const AuditLines& lines, std::string_view key) {
  const auto found = lines.find(key);
  return found == lines.end() ? std::string() : found->second;
}

std::optional<AuditRecord> read_audit_record(std::string_view text, std::string& fault) {
  constexpr std::string_view format = "asbb1\n";
  if (text.substr(0, format.size()) != format) {
    fault = "the record is not of format asbb1";
    return std::nullopt;
  }
  const auto lines = read_audit_lines(text.substr(format.size()));
  const auto details = lines ? read_audit_lines(audit_text(*lines, "details")) : std::nullopt;
  if (!lines || !details) {
    fault = "the record has a line that is not 'key=value', or a key twice";
    return std::nullopt;
  }
  AuditRecord record;
  record.details = *details;
  const std::pair<std::string_view, std::int64_t*> numbers[] = {
      {"sequence", &record.sequence}, {"at_us", &record.at_us},
      {"account", &record.account},   {"budget", &record.budget},
      {"hold", &record.hold},         {"amount_micros", &record.amount_micros},
      {"job_id", &record.job_id},     {"price_version", &record.price_version}};
  for (const auto& [key, number] : numbers) {
    const auto value = audit_number(*lines, key);
    if (!value) fault = "the record lacks the number '" + std::string(key) + "'";
    *number = value.value_or(0);
  }
  for (const std::string_view key :
       {"actor", "reason", "request_id", "user", "type", "account_name", "unit", "partition",
        "cluster", "job_id", "task", "run", "external_id", "details"}) {
    if (!lines->contains(key)) fault = "the record lacks '" + std::string(key) + "'";
  }
  if (lines->size() != 21 && fault.empty()) fault = "the record has a line that no record has";
  if (!fault.empty()) return std::nullopt;
  record.type = audit_text(*lines, "type");
  record.account_name = audit_text(*lines, "account_name");
  record.actor = audit_text(*lines, "actor");
  record.reason = audit_text(*lines, "reason");
  record.request_id = audit_text(*lines, "request_id");
  record.unit = audit_text(*lines, "unit");
  record.user = audit_text(*lines, "user");
  record.cluster = audit_text(*lines, "cluster");
  record.task_run = audit_text(*lines, "task") + ":" + audit_text(*lines, "run");
  record.task = std::to_string(record.job_id) + ":" + audit_text(*lines, "task") + ":" +
                audit_text(*lines, "external_id");
  record.partition = audit_text(*lines, "partition");
  for (const std::string_view key : {"cluster", "job_id", "task", "run", "external_id"}) {
    const std::string part = audit_text(*lines, key);
    record.job += std::to_string(part.size()) + ':' + part;
  }
  return record;
}

std::string audit_digest(std::string_view text) {
  return std::to_string(text.size()) + " bytes " +
         std::to_string(std::hash<std::string_view>{}(text));
}

std::optional<AuditLegs> read_audit_legs(std::string_view text) {
  AuditLegs legs;
  do {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    if (word.empty() || (word.front() != 'b' && word.front() != 'l')) return std::nullopt;
    const auto id = parse_whole(word.substr(1));
    if (!id) return std::nullopt;
    legs.emplace_back(word.front(), *id);
    if (comma == std::string_view::npos) return legs;
    text.remove_prefix(comma + 1);
  } while (true);
}

}  // namespace asbb::ledger
