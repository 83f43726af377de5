#include "ledger/types.h"

#include "base/text.h"
#include "ledger/words.h"

namespace asbb::ledger {
namespace {

constexpr Words<AccountStatus, 4> account_statuses{{{AccountStatus::active, "active"},
                                                    {AccountStatus::inactive, "inactive"},
                                                    {AccountStatus::suspended, "suspended"},
                                                    {AccountStatus::closed, "closed"}}};
constexpr Words<HoldKind, 2> hold_kinds{
    {{HoldKind::slurm, "slurm"}, {HoldKind::external, "external"}}};
constexpr Words<HoldStatus, 2> hold_statuses{
    {{HoldStatus::open, "open"}, {HoldStatus::closed, "closed"}}};
constexpr Words<ShareStatus, 2> share_statuses{
    {{ShareStatus::open, "open"}, {ShareStatus::settled, "settled"}}};
constexpr Words<EntryType, 26> entry_types{{{EntryType::account_create, "account_create"},
                                            {EntryType::account_update, "account_update"},
                                            {EntryType::account_close, "account_close"},
                                            {EntryType::budget_create, "budget_create"},
                                            {EntryType::budget_update, "budget_update"},
                                            {EntryType::limit_set, "limit_set"},
                                            {EntryType::hold, "hold"},
                                            {EntryType::bind, "bind"},
                                            {EntryType::charge, "charge"},
                                            {EntryType::release, "release"},
                                            {EntryType::overrun, "overrun"},
                                            {EntryType::refund, "refund"},
                                            {EntryType::adjustment, "adjustment"},
                                            {EntryType::deposit, "deposit"},
                                            {EntryType::withdrawal, "withdrawal"},
                                            {EntryType::transfer_out, "transfer_out"},
                                            {EntryType::transfer_in, "transfer_in"},
                                            {EntryType::carry_out, "carry_out"},
                                            {EntryType::carry_in, "carry_in"},
                                            {EntryType::write_off_out, "write_off_out"},
                                            {EntryType::write_off_in, "write_off_in"},
                                            {EntryType::convert_out, "convert_out"},
                                            {EntryType::convert_in, "convert_in"},
                                            {EntryType::conversion_rate, "conversion_rate"},
                                            {EntryType::enforcement, "enforcement"},
                                            {EntryType::prices, "prices"}}};

std::optional<Leg> parse_leg(std::string_view word) {
  if (word.size() < 2 || (word[0] != 'b' && word[0] != 'l')) return std::nullopt;
  Leg leg;
  leg.kind = word[0] == 'b' ? Leg::Kind::budget : Leg::Kind::partition_limit;
  const auto id = parse_whole(word.substr(1), 1);
  if (!id) return std::nullopt;
  leg.id = *id;
  return leg;
}

}  // namespace

const char* to_string(AccountStatus status) {
  return word_of(account_statuses, status);
}
const char* to_string(HoldKind kind) {
  return word_of(hold_kinds, kind);
}
const char* to_string(HoldStatus status) {
  return word_of(hold_statuses, status);
}
const char* to_string(ShareStatus status) {
  return word_of(share_statuses, status);
}
const char* to_string(EntryType type) {
  return word_of(entry_types, type);
}

std::optional<AccountStatus> parse_account_status(std::string_view text) {
  return value_of(account_statuses, text);
}
std::optional<HoldKind> parse_hold_kind(std::string_view text) {
  return value_of(hold_kinds, text);
}
std::optional<HoldStatus> parse_hold_status(std::string_view text) {
  return value_of(hold_statuses, text);
}
std::optional<ShareStatus> parse_share_status(std::string_view text) {
  return value_of(share_statuses, text);
}
std::optional<EntryType> parse_entry_type(std::string_view text) {
  return value_of(entry_types, text);
}

std::string to_string(const std::vector<Leg>& legs) {
  std::string out;
  for (const Leg& leg : legs) {
    if (!out.empty()) out += ',';
    out += leg.kind == Leg::Kind::budget ? 'b' : 'l';
    out += std::to_string(leg.id);
  }
  return out;
}

std::optional<std::vector<Leg>> parse_legs(std::string_view text) {
  std::vector<Leg> legs;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const auto leg = parse_leg(text.substr(0, comma));
    if (!leg) return std::nullopt;
    legs.push_back(*leg);
    if (comma == std::string_view::npos) return legs;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return legs;
}

}  // namespace asbb::ledger
