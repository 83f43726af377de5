#include "api/json_value.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <exception>
#include <optional>

namespace asbb::api {
namespace {

namespace bj = boost::json;
using boost::json::error_code;
using Text = bj::string_view;

std::string_view view(Text text) {
  return {text.data(), text.size()};
}

std::optional<std::string> duplicate_key(const std::vector<JsonMember>& members) {
  if (members.size() < 2) return std::nullopt;
  std::vector<std::string_view> keys;
  keys.reserve(members.size());
  for (const JsonMember& member : members) keys.push_back(member.key);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice == keys.end()) return std::nullopt;
  return std::string(*twice);
}

// What bj::basic_parser calls; builds the tree on a stack. Returning false with an error code stops
// the parser.
struct Handler {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(Json::Kind::object); }
  bool on_array_begin(error_code&) { return open(Json::Kind::array); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_object_end(std::size_t, error_code& ec) {
    if (auto key = duplicate_key(stack.back().value.members)) {
      repeated = std::move(key);
      ec = bj::error::exception;
      return false;
    }
    return close();
  }

  bool on_key_part(Text text, std::size_t, error_code&) { return append(text); }
  bool on_key(Text text, std::size_t, error_code&) {
    part += view(text);
    stack.back().next_key = std::move(part);
    part.clear();
    return true;
  }
  bool on_string_part(Text text, std::size_t, error_code&) { return append(text); }
  bool on_string(Text text, std::size_t, error_code&) { return leaf(Json::Kind::string, text); }

  bool on_number_part(Text text, error_code&) { return append(text); }
  bool on_int64(std::int64_t, Text text, error_code&) { return leaf(Json::Kind::number, text); }
  bool on_uint64(std::uint64_t, Text text, error_code&) { return leaf(Json::Kind::number, text); }
  // The parser's own idea of the value is dropped; the text is kept.
  bool on_double(auto, Text text, error_code&) { return leaf(Json::Kind::number, text); }

  bool on_bool(bool value, error_code&) {
    Json made;
    made.kind = Json::Kind::boolean;
    made.flag = value;
    return add(std::move(made));
  }
  bool on_null(error_code&) { return add(Json{}); }
  bool on_comment_part(Text, error_code&) { return true; }
  bool on_comment(Text, error_code&) { return true; }

  struct Level {
    Json value;
    std::string next_key;
  };
  std::vector<Level> stack;
  std::string part;
  Json root;
  std::optional<std::string> repeated;

 private:
  bool append(Text text) {
    part += view(text);
    return true;
  }
  bool leaf(Json::Kind kind, Text text) {
    Json made;
    made.kind = kind;
    made.text = std::move(part) + std::string(view(text));
    part.clear();
    return add(std::move(made));
  }
  bool open(Json::Kind kind) {
    stack.emplace_back();
    stack.back().value.kind = kind;
    return true;
  }
  bool close() {
    Json done = std::move(stack.back().value);
    stack.pop_back();
    return add(std::move(done));
  }
  bool add(Json value) {
    if (stack.empty()) {
      root = std::move(value);
    } else if (Level& top = stack.back(); top.value.kind == Json::Kind::array) {
      top.value.items.push_back(std::move(value));
    } else {
      top.value.members.push_back({std::move(top.next_key), std::move(value)});
      top.next_key.clear();
    }
    return true;
  }
};

Error not_json(const std::string& why, std::size_t offset) {
  return Error{ErrorKind::invalid,
               "the text is not valid JSON: " + why + " at byte " + std::to_string(offset + 1),
               {}};
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

const char* describe(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "true or false";
    case Json::Kind::number:
      return "a number";
    case Json::Kind::string:
      return "a string";
    case Json::Kind::array:
      return "a list";
    case Json::Kind::object:
      return "an object";
  }
  return "unknown";
}

Result<Json> parse_json(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail(ErrorKind::invalid, "the text is empty; a JSON value is expected");
  }
  try {
    bj::parse_options options;
    options.max_depth = json_depth_max;
    bj::basic_parser<Handler> parser(options);
    error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    if (const auto& key = parser.handler().repeated) {
      return fail(ErrorKind::invalid, "the key '" + key->substr(0, 64) + "' is given twice", *key);
    }
    if (ec == bj::error::too_deep) {
      return fail(ErrorKind::invalid,
                  "the JSON is nested deeper than " + std::to_string(json_depth_max) + " levels");
    }
    if (ec) return tl::unexpected(not_json(ec.message(), read));
    if (read != text.size()) return tl::unexpected(not_json("more text after the value", read));
    return std::move(parser.handler().root);
  } catch (const std::exception& problem) {
    return tl::unexpected(not_json(problem.what(), 0));
  }
}

}  // namespace asbb::api
