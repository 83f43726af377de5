// Bytes of a client, through everything that reads them before an operation is called: the HTTP
// parser as the listener sets it up, path, query, and the body as each type that is read as JSON,
// of requests and of answers. What is accepted means the same when it is written and read again.
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.h"
#include "api/transaction.h"
#include "base/assert.h"
#include "http/target.h"

namespace {

namespace http = boost::beast::http;

template <typename T>
void read_body(std::string_view text) {
  const auto value = asbb::api::from_json<T>(text);
  if (!value) {
    ASBB_ASSERT(value.error().kind == asbb::ErrorKind::invalid && !value.error().message.empty());
    return;
  }
  const std::string written = asbb::api::to_json(*value);
  const auto again = asbb::api::from_json<T>(written);
  ASBB_ASSERT(again.has_value() && asbb::api::to_json(*again) == written);
}

// Every type that src/api reads: the build lists them, so that none is forgotten.
void read_bodies(std::string_view text) {
#define ASBB_BODY(...) read_body<__VA_ARGS__>(text);
#include "fuzz_bodies.h"
#undef ASBB_BODY
}

void read_target(std::string_view target) {
  for (std::string_view path = asbb::http::path_of(target); !path.empty();) {
    const auto decoded = asbb::http::percent_decode(asbb::http::take_segment(path));
    if (!decoded) continue;
    ASBB_ASSERT(asbb::http::percent_decode(asbb::api::percent_encode(*decoded)) == *decoded);
  }
  const auto query = asbb::http::parse_query(target);
  if (!query) return;
  if (const auto asked = asbb::api::parse_transaction_query(*query)) {
    const std::string written = asbb::api::to_query_string(*asked);
    const auto read = asbb::http::parse_query("/" + written);
    ASBB_ASSERT(read.has_value());
    ASBB_ASSERT(asbb::api::parse_transaction_query(*read) == *asked);
  }
  (void)asbb::api::parse_usage_query(*query);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(8 * 1024);
  parser.body_limit(64 * 1024);
  parser.eager(true);
  std::size_t at = 0;
  boost::system::error_code error;
  while (at < size && !error && !parser.is_done()) {
    const std::size_t taken = parser.put(boost::asio::buffer(data + at, size - at), error);
    if (taken == 0) break;
    at += taken;
  }
  if (!error && parser.is_header_done()) {
    read_target(parser.get().target());
    if (parser.is_done()) read_bodies(parser.get().body());
  }
  // Without the frame as well, so that bodies and targets are reached by every input.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_bodies(text);
  read_target(text);
  return 0;
}
