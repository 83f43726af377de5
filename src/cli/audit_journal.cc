// Each budget is three accounts of a journal: what is available, held and used. Money comes from
// equity:funding; a transfer passes through equity:transfers, what is carried over through
// "equity:carried over", where they leave nothing behind; "equity:conversions" has what one unit
// became of another.
#include "cli/audit.h"

namespace asbb::cli {
namespace {

// Text of people in a tag: a comma ends it, a line's end ends the comment.
std::string tag_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F || c == ',' ? ' ' : c;
  }
  return out;
}

void add_tag(std::string& out, const char* name, const std::string& value) {
  if (!value.empty()) out += std::string("    ; ") + name + ": " + tag_text(value) + "\n";
}

std::string tags_of(const api::Transaction& shown) {
  std::string out;
  add_tag(out, "entry", std::to_string(shown.id));
  add_tag(out, "time", to_rfc3339(shown.created_at));
  add_tag(out, "transaction", shown.transaction_id);
  add_tag(out, "account", shown.account);
  add_tag(out, "job", shown.job_id);
  add_tag(out, "user", shown.user);
  add_tag(out, "cluster", shown.cluster);
  add_tag(out, "partition", shown.partition);
  add_tag(out, "actor", shown.actor);
  add_tag(out, "reason", shown.reason);
  return out;
}

bool is_plain_commodity(const std::string& unit) {
  return unit.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
         std::string::npos;
}

std::string quantity(Micros amount, const std::string& unit) {
  const std::string commodity = is_plain_commodity(unit) ? unit : "\"" + unit + "\"";
  return to_decimal(amount) + " " + commodity;
}

// `amount` to the first account, from the second.
std::string two_lines(const std::string& to, const std::string& from, Micros amount,
                      const std::string& unit) {
  return "    " + to + "  " + quantity(amount, unit) + "\n    " + from + "  " +
         quantity(Micros() - amount, unit) + "\n";
}

std::string comment_of(const api::AuditEntry& entry) {
  const api::Transaction& shown = entry.transaction;
  return "; " + std::to_string(shown.id) + " " + to_rfc3339(shown.created_at) + " " + shown.type +
         (shown.account.empty() ? "" : " " + tag_text(shown.account)) + ": " +
         tag_text(shown.description) + "\n\n";
}

}  // namespace

std::string JournalWriter::head() {
  return "; The ledger of asbb. Times are UTC; a unit is a commodity.\n"
         "decimal-mark .\n\n";
}

std::string JournalWriter::limit_postings(const api::AuditEntry& entry, Budget& budget) const {
  const api::Transaction& shown = entry.transaction;
  const std::string available = "assets:" + api::percent_encode(budget.account) + ":" +
                                std::to_string(entry.budget_id) + ":available";
  const bool leaves = shown.type == "withdrawal" || shown.type.ends_with("_out");
  std::string other = "equity:funding";
  if (shown.type.starts_with("transfer")) other = "equity:transfers";
  if (shown.type.starts_with("carry")) other = "equity:carried over";
  if (shown.type.starts_with("convert")) other = "equity:conversions";
  const bool is_new_limit = shown.type == "budget_create" || shown.type == "budget_update";
  Micros change = leaves ? Micros() - shown.amount : shown.amount;
  if (is_new_limit) change = shown.amount - budget.limit;
  budget.limit += change;
  if (change.is_zero()) return {};
  return two_lines(available, other, change, shown.unit);
}

// Empty for an entry that moves nothing.
std::string JournalWriter::postings(const api::AuditEntry& entry) {
  const api::Transaction& shown = entry.transaction;
  if (shown.type == "budget_create") budgets_[entry.budget_id] = {shown.account, Micros()};
  const auto known = budgets_.find(entry.budget_id);
  if (known == budgets_.end() || shown.type == "limit_set") return {};
  for (const char* type : {"budget_create", "budget_update", "deposit", "withdrawal", "transfer_in",
                           "transfer_out", "carry_in", "carry_out", "convert_in", "convert_out"}) {
    if (shown.type == type) return limit_postings(entry, known->second);
  }
  const std::string budget =
      ":" + api::percent_encode(known->second.account) + ":" + std::to_string(entry.budget_id);
  const std::string available = "assets" + budget + ":available";
  const std::string held = "assets" + budget + ":held";
  const std::string used = "expenses" + budget + ":used";
  if (shown.amount.is_zero()) return {};
  const auto moves = [&](const std::string& to, const std::string& from) {
    return two_lines(to, from, shown.amount, shown.unit);
  };
  if (shown.type == "hold") return moves(held, available);
  if (shown.type == "release") return moves(available, held);
  if (shown.type == "charge") return moves(used, held);
  if (shown.type == "overrun" || shown.type == "adjustment") return moves(used, available);
  if (shown.type == "refund") return moves(available, used);
  if (shown.type == "write_off_out") return moves(available, used);
  if (shown.type == "write_off_in") return moves(used, available);
  return {};
}

std::string JournalWriter::add(const api::AuditEntry& entry) {
  const std::string lines = postings(entry);
  if (lines.empty()) return comment_of(entry);
  const api::Transaction& shown = entry.transaction;
  return to_rfc3339(shown.created_at).substr(0, 10) + " * (" + std::to_string(shown.id) + ") " +
         shown.type + "\n" + tags_of(shown) + lines + "\n";
}

}  // namespace asbb::cli
