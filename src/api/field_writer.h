// Writes the fields of a struct as members of a JSON object; the mirror of FieldReader. What is
// Need::left_out is not written when it is empty, zero, false or unset. Lives on the stack of one
// call.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/dates.h"
#include "api/field_reader.h"
#include "api/json_writer.h"

namespace asbb::api {

class FieldWriter {
 public:
  static constexpr bool is_reading = false;

  explicit FieldWriter(JsonWriter& out) : out_(&out) {}

  void text(std::string_view key, const std::string& value, Need need, TextRule = any_text);
  void text(std::string_view key, const std::optional<std::string>& value, Need need,
            TextRule = any_text);
  void word(std::string_view key, const std::string& value, Need need,
            std::initializer_list<std::string_view>) {
    text(key, value, need);
  }
  void word(std::string_view key, const std::optional<std::string>& value, Need need,
            std::initializer_list<std::string_view>) {
    text(key, value, need);
  }
  void id_text(std::string_view key, const std::string& value, Need need) {
    text(key, value, need);
  }
  void number(std::string_view key, std::int64_t value, Need need, Range = {});
  void number(std::string_view key, const std::optional<std::int64_t>& value, Need need,
              Range = {});
  void minutes(std::string_view key, const std::optional<std::int64_t>& value, Need need);
  void wall_time(std::string_view key, std::int64_t seconds, Need need);
  void memory(std::string_view key, const std::optional<std::int64_t>& megabytes, Need need);
  void money(std::string_view key, Micros value, Need need, MoneyRule = any_money);
  void money(std::string_view key, const std::optional<Micros>& value, Need need,
             MoneyRule = any_money);
  void flag(std::string_view key, bool value, Need need);
  void flag(std::string_view key, const std::optional<bool>& value, Need need);
  void time(std::string_view key, Instant value, Need need);
  void time(std::string_view key, const std::optional<Instant>& value, Need need);
  void day(std::string_view key, Day value, Need need);
  void date(std::string_view key, const Date& value, Need need);
  void date(std::string_view key, const std::optional<Date>& value, Need need);
  void texts(std::string_view key, const std::vector<std::string>& value, Need need);

  template <typename T>
  void object(std::string_view key, const T& value, Need need) {
    if (need == Need::left_out && value == T{}) return;
    out_->key(key);
    out_->begin_object();
    fields(*this, value);
    out_->end_object();
  }

  template <typename T>
  void list(std::string_view key, const std::vector<T>& value, Need need) {
    if (need == Need::left_out && value.empty()) return;
    out_->key(key);
    out_->begin_array();
    for (const T& item : value) {
      out_->begin_object();
      fields(*this, item);
      out_->end_object();
    }
    out_->end_array();
  }

 private:
  JsonWriter* out_;
};

}  // namespace asbb::api
