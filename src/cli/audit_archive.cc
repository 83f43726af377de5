// An archive of JSON lines proves itself: with the key its chain holds, and its records add up.
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/text.h"
#include "cli/audit.h"
#include "store/verify.h"

namespace asbb::cli {
namespace {

int hex_digit(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto found = digits.find(c);
  return found == std::string_view::npos ? -1 : static_cast<int>(found);
}

std::optional<store::ChainValue> parse_chain(const std::string& text) {
  store::ChainValue chain{};
  if (text.size() != 2 * chain.size()) return std::nullopt;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    chain[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return chain;
}

// The first fact beside the record that the record does not say; empty: none.
std::string difference(const api::AuditEntry& entry) {
  const api::Transaction& shown = entry.transaction;
  auto record = store::record_facts(entry.record);
  const std::pair<const char*, std::string> facts[] = {
      {"type", shown.type},
      {"account_name", shown.account},
      {"budget", std::to_string(entry.budget_id)},
      {"unit", shown.unit},
      {"amount_micros", std::to_string(shown.amount.count())},
      {"partition", shown.partition},
      {"cluster", shown.cluster},
      {"user", shown.user},
      {"actor", shown.actor},
      {"reason", shown.reason},
      {"request_id", shown.request_id},
      {"price_version", std::to_string(shown.price_version)},
      {"at_us", std::to_string(shown.created_at.microseconds)}};
  for (const auto& [key, value] : facts) {
    const std::string& said = record[key];
    if (said == value) continue;
    return std::string(key) + " is " + in_quotes(value) + ", and " + in_quotes(said) +
           " in its record";
  }
  return {};
}

void add_line(const std::string& line, std::int64_t number, store::LedgerCheck& check) {
  const std::string where = "Line " + std::to_string(number);
  const auto entry = api::from_json<api::AuditEntry>(line);
  if (!entry) return check.say(where + " cannot be read: " + entry.error().message + ".");
  const auto chain = parse_chain(entry->chain);
  if (!chain) return check.say(where + " has no value of a chain.");
  check.add(entry->transaction.id, entry->record, *chain);
  const std::string differs = difference(*entry);
  if (!differs.empty()) {
    check.say("Entry " + std::to_string(entry->transaction.id) + " was edited: " + differs + ".");
  }
}

}  // namespace

Result<api::AuditReport> verify_archive(const std::string& file, const std::string& key_file,
                                        const std::string& heads_file) {
  const auto key = store::read_chain_key(key_file);
  if (!key) return tl::unexpected(key.error());
  auto heads = store::read_heads(heads_file);
  if (!heads) return tl::unexpected(heads.error());
  std::ifstream lines(file, std::ios::binary);
  if (!lines) {
    return fail(ErrorKind::not_found,
                "the archive '" + file + "' cannot be read: " + std::strerror(errno));
  }
  store::LedgerCheck check(*key, std::move(*heads));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) add_line(line, ++number, check);
  if (lines.bad()) return fail(ErrorKind::unavailable, "the archive '" + file + "' ends early");
  const store::Verdict verdict = check.finish(nullptr);
  return api::AuditReport{verdict.ok(), verdict.entries, verdict.problems, verdict.head};
}

}  // namespace asbb::cli
