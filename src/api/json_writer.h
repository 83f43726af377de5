// Writes JSON text. Money is plain decimal text without exponent, times RFC 3339 in UTC. Bytes that
// are not UTF-8 become U+FFFD, so what comes out is always valid. Not thread-safe; the caller keeps
// begin and end in pairs, which is asserted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/money.h"

namespace asbb::api {

class JsonWriter {
 public:
  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);

  void text(std::string_view value);
  void number(std::int64_t value);
  void decimal(Micros value);
  void flag(bool value);
  void null();

  // Everything written; all that was begun has ended.
  [[nodiscard]] std::string take();

 private:
  void separate();
  void quote(std::string_view value);

  std::string out_;
  int depth_ = 0;
  bool needs_comma_ = false;
};

}  // namespace asbb::api
