// Reads the members of one JSON object into a struct, field by field, and keeps the first thing
// that is wrong. It has the same methods as FieldWriter, so that one listing of a struct's fields
// (fields_*.cc) serves both directions. Lives on the stack of one call; the Json must outlive it.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/dates.h"
#include "api/json_value.h"
#include "base/money.h"

namespace asbb::api {

enum class Need {
  must,     // an error when absent; always written
  may,      // keeps its default when absent; always written
  left_out  // keeps its default when absent; not written when empty, zero, false or unset
};

struct Range {
  std::int64_t min = 0;
  std::int64_t max = 1'000'000'000'000'000'000;
};

// What a string may be. Nothing ever has a NUL in it.
struct TextRule {
  std::size_t length_max = 65'536;
  bool is_name = false;  // not empty; no blanks, control characters, '/', quotes or backslashes
};
inline constexpr TextRule any_text{};
inline constexpr TextRule name_text{128, true};
inline constexpr TextRule line_text{1024, false};

struct MoneyRule {
  Micros min{-max_amount.count()};
  Micros max = max_amount;
  std::optional<Rounding> rounding;  // set: digits behind a millionth are rounded, not refused
};
inline constexpr MoneyRule any_money{};
inline constexpr MoneyRule not_negative{Micros(0), max_amount, std::nullopt};
inline constexpr MoneyRule hold_factor{Micros(1'000'000), Micros(10'000'000), std::nullopt};

class FieldReader {
 public:
  static constexpr bool is_reading = true;

  // `path` names the object in messages: "" for the whole text, "budgets[0]." for a part.
  FieldReader(const Json& object, std::string path, std::optional<Error>& error);

  void text(std::string_view key, std::string& value, Need need, TextRule rule = any_text);
  void text(std::string_view key, std::optional<std::string>& value, Need need,
            TextRule rule = any_text);
  // One of the words.
  void word(std::string_view key, std::string& value, Need need,
            std::initializer_list<std::string_view> allowed);
  void word(std::string_view key, std::optional<std::string>& value, Need need,
            std::initializer_list<std::string_view> allowed);
  // A string, or a whole number that becomes its decimal text.
  void id_text(std::string_view key, std::string& value, Need need);
  void number(std::string_view key, std::int64_t& value, Need need, Range range = {});
  void number(std::string_view key, std::optional<std::int64_t>& value, Need need,
              Range range = {});
  // Minutes, or "UNLIMITED".
  void minutes(std::string_view key, std::optional<std::int64_t>& value, Need need);
  void wall_time(std::string_view key, std::int64_t& seconds, Need need);
  void memory(std::string_view key, std::optional<std::int64_t>& megabytes, Need need);
  void money(std::string_view key, Micros& value, Need need, MoneyRule rule = any_money);
  void money(std::string_view key, std::optional<Micros>& value, Need need,
             MoneyRule rule = any_money);
  void flag(std::string_view key, bool& value, Need need);
  void flag(std::string_view key, std::optional<bool>& value, Need need);
  void time(std::string_view key, Instant& value, Need need);
  void time(std::string_view key, std::optional<Instant>& value, Need need);
  void day(std::string_view key, Day& value, Need need);
  void date(std::string_view key, Date& value, Need need);
  void date(std::string_view key, std::optional<Date>& value, Need need);
  void texts(std::string_view key, std::vector<std::string>& value, Need need);

  template <typename T>
  void object(std::string_view key, T& value, Need need) {
    const Json* found = find(key, need);
    if (found == nullptr || !is_kind(key, *found, Json::Kind::object)) return;
    FieldReader inner(*found, path_of(key) + ".", *error_);
    fields(inner, value);
  }

  template <typename T>
  void list(std::string_view key, std::vector<T>& value, Need need) {
    const Json* found = find(key, need);
    if (found == nullptr || !is_kind(key, *found, Json::Kind::array)) return;
    value.clear();
    for (std::size_t i = 0; i < found->items.size(); ++i) {
      const std::string item = std::string(key) + "[" + std::to_string(i) + "]";
      if (!is_kind(item, found->items[i], Json::Kind::object)) return;
      FieldReader inner(found->items[i], path_of(item) + ".", *error_);
      fields(inner, value.emplace_back());
    }
  }

  // Whether the member is there and not null.
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool is_null(std::string_view key) const;
  // Records a problem with a member unless there is one already.
  void refuse(std::string_view key, const std::string& message);

 private:
  const Json* find(std::string_view key, Need need);
  bool is_kind(std::string_view key, const Json& value, Json::Kind kind);
  std::string path_of(std::string_view key) const { return path_ + std::string(key); }

  const Json* object_;
  std::string path_;
  std::optional<Error>* error_;
};

}  // namespace asbb::api
