#include "api/field_writer.h"

#include "api/submission.h"

namespace asbb::api {

void FieldWriter::text(std::string_view key, const std::string& value, Need need, TextRule) {
  if (need == Need::left_out && value.empty()) return;
  out_->key(key);
  out_->text(value);
}

void FieldWriter::text(std::string_view key, const std::optional<std::string>& value, Need,
                       TextRule) {
  if (value) text(key, *value, Need::must);
}

void FieldWriter::number(std::string_view key, std::int64_t value, Need need, Range) {
  if (need == Need::left_out && value == 0) return;
  out_->key(key);
  out_->number(value);
}

void FieldWriter::number(std::string_view key, const std::optional<std::int64_t>& value, Need,
                         Range) {
  if (value) number(key, *value, Need::must);
}

void FieldWriter::minutes(std::string_view key, const std::optional<std::int64_t>& value, Need) {
  if (value == unlimited) {
    text(key, std::string("UNLIMITED"), Need::must);
  } else {
    number(key, value, Need::must);
  }
}

void FieldWriter::wall_time(std::string_view key, std::int64_t seconds, Need) {
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  text(key, two(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60),
       Need::must);
}

void FieldWriter::memory(std::string_view key, const std::optional<std::int64_t>& megabytes, Need) {
  if (megabytes) text(key, std::to_string(*megabytes) + "MB", Need::must);
}

void FieldWriter::money(std::string_view key, Micros value, Need need, MoneyRule) {
  if (need == Need::left_out && value.is_zero()) return;
  out_->key(key);
  out_->decimal(value);
}

void FieldWriter::money(std::string_view key, const std::optional<Micros>& value, Need, MoneyRule) {
  if (value) money(key, *value, Need::must);
}

void FieldWriter::flag(std::string_view key, bool value, Need need) {
  if (need == Need::left_out && !value) return;
  out_->key(key);
  out_->flag(value);
}

void FieldWriter::flag(std::string_view key, const std::optional<bool>& value, Need) {
  if (value) flag(key, *value, Need::must);
}

void FieldWriter::time(std::string_view key, Instant value, Need) {
  text(key, to_rfc3339(value), Need::must);
}

void FieldWriter::time(std::string_view key, const std::optional<Instant>& value, Need) {
  if (value) time(key, *value, Need::must);
}

void FieldWriter::day(std::string_view key, Day value, Need) {
  text(key, asbb::to_string(value), Need::must);
}

void FieldWriter::date(std::string_view key, const Date& value, Need) {
  text(key, to_string(value), Need::must);
}

void FieldWriter::date(std::string_view key, const std::optional<Date>& value, Need) {
  if (value) date(key, *value, Need::must);
}

void FieldWriter::texts(std::string_view key, const std::vector<std::string>& value, Need need) {
  if (need == Need::left_out && value.empty()) return;
  out_->key(key);
  out_->begin_array();
  for (const std::string& item : value) out_->text(item);
  out_->end_array();
}

}  // namespace asbb::api
