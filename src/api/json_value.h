// A parsed JSON text as a tree. A number keeps its decimal text and is never turned into floating
// point; what it means is decided by whoever reads the field. Plain values; parse_json may be
// called from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::api {

// Deepest nesting that is read; the API itself needs five.
inline constexpr std::size_t json_depth_max = 16;

struct JsonMember;

struct Json {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool flag = false;                // of a boolean
  std::string text;                 // of a number (its decimal text) or a string (UTF-8, decoded)
  std::vector<Json> items;          // of an array
  std::vector<JsonMember> members;  // of an object, keys differ

  // Null when this is not an object or has no such member.
  [[nodiscard]] const Json* find(std::string_view key) const;
};

struct JsonMember {
  std::string key;
  Json value;
};

// For messages: "a number", "an object", ...
[[nodiscard]] const char* describe(Json::Kind kind);

// One JSON value and nothing behind it but blanks. `invalid`: not JSON (the message says where),
// invalid UTF-8, a key twice in one object, or nested deeper than json_depth_max.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

}  // namespace asbb::api
