// A request as it came in and the answer that goes out, free of any HTTP library. Plain values: the
// listener makes requests and eats answers, everything between them is ours. No threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asbb::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Who is at the other end. Over the unix socket the ids are the kernel's word (SO_PEERCRED) for the
// process that connected; over TCP nothing is known.
struct Peer {
  bool is_local_user = false;
  std::uint32_t user_id = 0;
  std::int32_t process_id = 0;
};

struct Request {
  std::string method;  // upper case, as sent
  std::string target;  // path and query, as sent
  Headers headers;     // names in lower case, in order
  std::string body;
  Peer peer;
  std::chrono::steady_clock::time_point arrived_at;  // when its last byte had been read

  // The first value under that lower-case name; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Answer {
  int status = 200;
  std::string content_type = "application/json";  // empty: none
  std::string body;
  Headers headers;  // beyond those about length, type, date and connection
};

}  // namespace asbb::http
