#include "api/field_reader.h"

#include "api/submission.h"
#include "api/wire_text.h"
#include "base/text.h"

namespace asbb::api {
namespace {

std::string shown(const Json& value) {
  if (value.kind != Json::Kind::string && value.kind != Json::Kind::number) {
    return describe(value.kind);
  }
  return in_quotes(value.text);
}

std::string join(std::initializer_list<std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.kind != Json::Kind::number) return std::nullopt;
  if (const auto number = parse_whole(value.text)) return number;
  const auto decimal = parse_micros(value.text);  // "4.0" and "2e3" are whole too
  if (!decimal || decimal->count() % 1'000'000 != 0) return std::nullopt;
  return decimal->count() / 1'000'000;
}

// Why a string does not follow the rule; nothing when it does.
std::optional<std::string> broken_rule(const std::string& text, TextRule rule) {
  if (text.find('\0') != std::string::npos) return "a text without NUL characters is expected";
  if (text.size() > rule.length_max) {
    return "at most " + std::to_string(rule.length_max) + " bytes are allowed";
  }
  if (!rule.is_name) return std::nullopt;
  if (text.empty()) return "a name is expected";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || std::string_view("/\\\"'`").find(c) != std::string::npos) {
      return "a name without blanks, control characters, slashes and quotes is expected";
    }
  }
  return std::nullopt;
}

}  // namespace

FieldReader::FieldReader(const Json& object, std::string path, std::optional<Error>& error)
    : object_(&object), path_(std::move(path)), error_(&error) {}

bool FieldReader::has(std::string_view key) const {
  const Json* found = object_->find(key);
  return found != nullptr && found->kind != Json::Kind::null;
}

bool FieldReader::is_null(std::string_view key) const {
  const Json* found = object_->find(key);
  return found != nullptr && found->kind == Json::Kind::null;
}

void FieldReader::refuse(std::string_view key, const std::string& message) {
  if (error_->has_value()) return;
  *error_ = Error{ErrorKind::invalid, path_of(key) + ": " + message, path_of(key)};
}

const Json* FieldReader::find(std::string_view key, Need need) {
  if (error_->has_value()) return nullptr;
  const Json* found = object_->find(key);
  if (found != nullptr && found->kind != Json::Kind::null) return found;
  if (need == Need::must) refuse(key, "this field is missing");
  return nullptr;
}

bool FieldReader::is_kind(std::string_view key, const Json& value, Json::Kind kind) {
  if (value.kind == kind) return true;
  refuse(key, std::string(describe(kind)) + " is expected, not " + shown(value));
  return false;
}

void FieldReader::text(std::string_view key, std::string& value, Need need, TextRule rule) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::string)) return;
  if (rule.is_name && found->text.empty() && need != Need::must) {
    value.clear();
    return;
  }
  if (const auto why = broken_rule(found->text, rule)) {
    refuse(key, shown(*found) + " is not allowed: " + *why);
    return;
  }
  value = found->text;
}

void FieldReader::text(std::string_view key, std::optional<std::string>& value, Need need,
                       TextRule rule) {
  if (!has(key)) return;
  std::string read;
  text(key, read, need, rule);
  value = std::move(read);
}

void FieldReader::word(std::string_view key, std::string& value, Need need,
                       std::initializer_list<std::string_view> allowed) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::string)) return;
  for (const std::string_view word : allowed) {
    if (found->text == word) {
      value = found->text;
      return;
    }
  }
  refuse(key, shown(*found) + " is not allowed: one of " + join(allowed) + " is expected");
}

void FieldReader::word(std::string_view key, std::optional<std::string>& value, Need need,
                       std::initializer_list<std::string_view> allowed) {
  if (!has(key)) return;
  std::string read;
  word(key, read, need, allowed);
  value = std::move(read);
}

void FieldReader::id_text(std::string_view key, std::string& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr) return;
  if (found->kind == Json::Kind::number) {
    const auto number = whole_number(*found);
    if (!number || *number < 0) {
      refuse(key, shown(*found) + " is not allowed: a whole number or a string is expected");
      return;
    }
    value = std::to_string(*number);
    return;
  }
  if (!is_kind(key, *found, Json::Kind::string)) return;
  constexpr TextRule rule{256, false};
  if (const auto why = broken_rule(found->text, rule)) {
    refuse(key, shown(*found) + " is not allowed: " + *why);
    return;
  }
  if (need == Need::must && found->text.empty()) {
    refuse(key, "this field is empty");
    return;
  }
  value = found->text;
}

void FieldReader::number(std::string_view key, std::int64_t& value, Need need, Range range) {
  const Json* found = find(key, need);
  if (found == nullptr) return;
  const auto number = whole_number(*found);
  if (!number || *number < range.min || *number > range.max) {
    refuse(key, shown(*found) + " is not allowed: a whole number from " +
                    std::to_string(range.min) + " to " + std::to_string(range.max) +
                    " is expected");
    return;
  }
  value = *number;
}

void FieldReader::number(std::string_view key, std::optional<std::int64_t>& value, Need need,
                         Range range) {
  if (!has(key)) return;
  std::int64_t read = 0;
  number(key, read, need, range);
  value = read;
}

void FieldReader::minutes(std::string_view key, std::optional<std::int64_t>& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr) return;
  if (found->kind == Json::Kind::string && found->text == "UNLIMITED") {
    value = unlimited;
    return;
  }
  number(key, value, need, Range{0, 4'294'967'295});
}

void FieldReader::wall_time(std::string_view key, std::int64_t& seconds, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr) return;
  if (found->kind != Json::Kind::string && found->kind != Json::Kind::number) {
    refuse(key, "a wall time such as \"04:00:00\" is expected, not " + shown(*found));
    return;
  }
  const auto read = parse_wall_time_s(found->text);
  if (!read) {
    refuse(key, read.error().message);
    return;
  }
  seconds = *read;
}

void FieldReader::memory(std::string_view key, std::optional<std::int64_t>& megabytes, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr) return;
  if (found->kind == Json::Kind::string && found->text.empty()) return;
  if (found->kind != Json::Kind::string && found->kind != Json::Kind::number) {
    refuse(key, "a size such as \"64GB\" is expected, not " + shown(*found));
    return;
  }
  const auto read = parse_memory_mb(found->text);
  if (!read) {
    refuse(key, read.error().message);
    return;
  }
  megabytes = *read;
}

void FieldReader::money(std::string_view key, Micros& value, Need need, MoneyRule rule) {
  const Json* found = find(key, need);
  if (found == nullptr) return;
  if (found->kind != Json::Kind::string && found->kind != Json::Kind::number) {
    refuse(key, "an amount such as 12.50 is expected, not " + shown(*found));
    return;
  }
  const auto read =
      rule.rounding ? parse_rounded(found->text, *rule.rounding) : parse_micros(found->text);
  if (!read) {
    refuse(key, read.error().message);
    return;
  }
  if (*read < rule.min || *read > rule.max) {
    refuse(key, shown(*found) + " is not allowed: an amount from " + to_decimal(rule.min) + " to " +
                    to_decimal(rule.max) + " is expected");
    return;
  }
  value = *read;
}

void FieldReader::money(std::string_view key, std::optional<Micros>& value, Need need,
                        MoneyRule rule) {
  if (!has(key)) return;
  Micros read;
  money(key, read, need, rule);
  value = read;
}

void FieldReader::flag(std::string_view key, bool& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::boolean)) return;
  value = found->flag;
}

void FieldReader::flag(std::string_view key, std::optional<bool>& value, Need need) {
  if (!has(key)) return;
  bool read = false;
  flag(key, read, need);
  value = read;
}

void FieldReader::time(std::string_view key, Instant& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::string)) return;
  const auto read = parse_rfc3339(found->text);
  if (!read) {
    refuse(key, read.error().message);
    return;
  }
  value = *read;
}

void FieldReader::time(std::string_view key, std::optional<Instant>& value, Need need) {
  if (!has(key)) return;
  Instant read;
  time(key, read, need);
  value = read;
}

void FieldReader::day(std::string_view key, Day& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::string)) return;
  const auto read = parse_day(found->text);
  if (!read) {
    refuse(key, read.error().message);
    return;
  }
  value = *read;
}

void FieldReader::date(std::string_view key, Date& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::string)) return;
  const auto read = parse_date(found->text);
  if (!read) {
    refuse(key, read.error().message);
    return;
  }
  value = *read;
}

void FieldReader::date(std::string_view key, std::optional<Date>& value, Need need) {
  if (!has(key)) return;
  Date read;
  date(key, read, need);
  value = read;
}

void FieldReader::texts(std::string_view key, std::vector<std::string>& value, Need need) {
  const Json* found = find(key, need);
  if (found == nullptr || !is_kind(key, *found, Json::Kind::array)) return;
  value.clear();
  for (const Json& item : found->items) {
    if (!is_kind(key, item, Json::Kind::string)) return;
    value.push_back(item.text);
  }
}

}  // namespace asbb::api
