#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "api/alerts.h"
#include "api/transaction.h"
#include "base/text.h"

namespace asbb::api {
namespace {

constexpr std::int64_t cursor_max = std::numeric_limits<std::int64_t>::max() - 1;

tl::unexpected<Error> refuse(const std::string& name, const std::string& value,
                             const std::string& expected) {
  return fail(ErrorKind::invalid, name + ": " + in_quotes(value) + " is not allowed: " + expected,
              name);
}

// The first parameter that is there twice, or that is not among the known ones.
Result<void> check_names(const QueryParameters& parameters, const std::vector<std::string>& known) {
  std::set<std::string> seen;
  for (const auto& [name, value] : parameters) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string list;
      for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
      return fail(ErrorKind::invalid,
                  in_quotes(name) + " is not a parameter of this route; there are: " + list, name);
    }
    if (!seen.insert(name).second) {
      return fail(ErrorKind::invalid, "the parameter " + in_quotes(name) + " is given twice", name);
    }
    if (value.size() > 256 || value.find('\0') != std::string::npos) {
      return refuse(name, value, "at most 256 bytes without NUL are expected");
    }
  }
  return {};
}

Result<std::int64_t> read_number(const std::string& name, const std::string& value,
                                 std::int64_t min, std::int64_t max) {
  const auto number = parse_whole(value, min, max);
  if (!number) {
    return refuse(name, value,
                  "a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
                      " is expected");
  }
  return *number;
}

Result<Date> read_date(const std::string& name, const std::string& value) {
  auto date = parse_date(value);
  if (!date) return fail(ErrorKind::invalid, name + ": " + date.error().message, name);
  return date;
}

Result<std::vector<std::string>> read_types(const std::string& value) {
  static const std::array<std::string_view, 26> known = {
      "account_create", "account_update", "account_close", "budget_create",   "budget_update",
      "limit_set",      "hold",           "bind",          "charge",          "release",
      "overrun",        "refund",         "adjustment",    "deposit",         "withdrawal",
      "transfer_out",   "transfer_in",    "carry_out",     "carry_in",        "write_off_out",
      "write_off_in",   "convert_out",    "convert_in",    "conversion_rate", "enforcement",
      "prices"};
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    const std::string word = value.substr(at, comma - at);
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      std::string list;
      for (const std::string_view one : known)
        list += (list.empty() ? "" : ", ") + std::string(one);
      return refuse("type", word, "one or more of " + list + " are expected");
    }
    out.push_back(word);
    at = comma + 1;
  }
  return out;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append(std::string& out, std::string_view name, const std::string& value) {
  out += out.empty() ? '?' : '&';
  out += name;
  out += '=';
  out += percent_encode(value);
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 0xFU];
    }
  }
  return out;
}

Result<TransactionQuery> parse_transaction_query(const QueryParameters& parameters) {
  const auto names =
      check_names(parameters, {"account", "job_id", "transaction_id", "type", "status",
                               "start_date", "end_date", "limit", "offset", "before", "after"});
  if (!names) return tl::unexpected(names.error());
  TransactionQuery out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    Result<void> read;
    const auto take = [&](auto result, auto& target) {
      if (result) {
        target = std::move(*result);
      } else {
        read = tl::unexpected(result.error());
      }
    };
    if (name == "account") out.account = value;
    if (name == "job_id") out.job_id = value;
    if (name == "transaction_id") out.transaction_id = value;
    if (name == "before") take(read_number(name, value, 1, cursor_max), out.before);
    if (name == "after") take(read_number(name, value, 0, cursor_max), out.after);
    if (name == "type") take(read_types(value), out.types);
    if (name == "start_date") take(read_date(name, value), out.start_date);
    if (name == "end_date") take(read_date(name, value), out.end_date);
    if (name == "limit") take(read_number(name, value, 1, transactions_limit_max), out.limit);
    if (name == "offset") take(read_number(name, value, 0, 1'000'000'000), out.offset);
    if (name == "status") {
      if (value != "completed" && value != "pending") {
        return refuse(name, value, "completed or pending is expected");
      }
      out.status = value;
    }
    if (!read) return tl::unexpected(read.error());
  }
  const bool has_cursor = out.before || out.after;
  if ((out.before && out.after) || (has_cursor && out.offset != 0)) {
    return fail(ErrorKind::invalid, "give one of before, after and offset",
                out.before && out.after ? "after" : "offset");
  }
  return out;
}

Result<UsageQuery> parse_usage_query(const QueryParameters& parameters) {
  const auto names = check_names(parameters, {"unit", "period", "start_date", "end_date"});
  if (!names) return tl::unexpected(names.error());
  UsageQuery out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    if (name == "unit") {
      out.unit = value;
      continue;
    }
    if (name == "period") {
      if (value != "day" && value != "month" && value != "year") {
        return refuse(name, value, "day, month or year is expected");
      }
      out.period = value;
      continue;
    }
    auto date = read_date(name, value);
    if (!date) return tl::unexpected(date.error());
    (name == "start_date" ? out.start_date : out.end_date) = *date;
  }
  return out;
}

Result<ChargeQuery> parse_charge_query(const QueryParameters& parameters) {
  const auto names =
      check_names(parameters, {"account", "start_date", "end_date", "after", "limit"});
  if (!names) return tl::unexpected(names.error());
  ChargeQuery out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    if (name == "account") {
      out.account = value;
    } else if (name == "after" || name == "limit") {
      const bool is_limit = name == "limit";
      const auto number = is_limit ? read_number(name, value, 1, charges_limit_max)
                                   : read_number(name, value, 0, cursor_max);
      if (!number) return tl::unexpected(number.error());
      (is_limit ? out.limit : out.after) = *number;
    } else {
      auto date = read_date(name, value);
      if (!date) return tl::unexpected(date.error());
      (name == "start_date" ? out.start_date : out.end_date) = *date;
    }
  }
  return out;
}

Result<std::string> parse_cluster_query(const QueryParameters& parameters) {
  const auto names = check_names(parameters, {"cluster"});
  if (!names) return tl::unexpected(names.error());
  return parameters.empty() ? std::string() : parameters.front().second;
}

Result<AlertQuery> parse_alert_query(const QueryParameters& parameters) {
  const auto names = check_names(parameters, {"status", "account"});
  if (!names) return tl::unexpected(names.error());
  AlertQuery out;
  for (const auto& [name, value] : parameters) {
    (name == "status" ? out.status : out.account) = value;
  }
  const std::array<std::string_view, 5> known{"", "open", "acknowledged", "ended", "all"};
  if (std::find(known.begin(), known.end(), out.status) == known.end()) {
    return refuse("status", out.status, "open, acknowledged, ended or all is expected");
  }
  return out;
}

Result<AuditQuery> parse_audit_query(const QueryParameters& parameters) {
  const auto names = check_names(parameters, {"after", "limit"});
  if (!names) return tl::unexpected(names.error());
  AuditQuery out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    const bool is_limit = name == "limit";
    const auto number =
        is_limit ? read_number(name, value, 1, audit_entries_limit_max)
                 : read_number(name, value, 0, std::numeric_limits<std::int64_t>::max() - 1);
    if (!number) return tl::unexpected(number.error());
    (is_limit ? out.limit : out.after) = *number;
  }
  return out;
}

std::string to_query_string(const TransactionQuery& query) {
  std::string out;
  if (!query.account.empty()) append(out, "account", query.account);
  if (!query.job_id.empty()) append(out, "job_id", query.job_id);
  if (!query.transaction_id.empty()) append(out, "transaction_id", query.transaction_id);
  if (!query.types.empty()) {
    std::string types;
    for (const std::string& type : query.types) types += (types.empty() ? "" : ",") + type;
    append(out, "type", types);
  }
  if (!query.status.empty()) append(out, "status", query.status);
  if (query.start_date) append(out, "start_date", to_string(*query.start_date));
  if (query.end_date) append(out, "end_date", to_string(*query.end_date));
  if (query.limit != transactions_limit_default) append(out, "limit", std::to_string(query.limit));
  if (query.offset != 0) append(out, "offset", std::to_string(query.offset));
  if (query.before) append(out, "before", std::to_string(*query.before));
  if (query.after) append(out, "after", std::to_string(*query.after));
  return out;
}

std::string to_query_string(const ChargeQuery& query) {
  std::string out;
  if (!query.account.empty()) append(out, "account", query.account);
  if (query.start_date) append(out, "start_date", to_string(*query.start_date));
  if (query.end_date) append(out, "end_date", to_string(*query.end_date));
  if (query.after != 0) append(out, "after", std::to_string(query.after));
  if (query.limit != charges_limit_default) append(out, "limit", std::to_string(query.limit));
  return out;
}

std::string to_query_string(const AlertQuery& query) {
  std::string out;
  if (!query.status.empty()) append(out, "status", query.status);
  if (!query.account.empty()) append(out, "account", query.account);
  return out;
}

std::string to_query_string(const UsageQuery& query) {
  std::string out;
  if (!query.unit.empty()) append(out, "unit", query.unit);
  if (query.period != UsageQuery{}.period) append(out, "period", query.period);
  if (query.start_date) append(out, "start_date", to_string(*query.start_date));
  if (query.end_date) append(out, "end_date", to_string(*query.end_date));
  return out;
}

}  // namespace asbb::api
