// A client of bare sockets for tests: it sends whatever bytes it is told to, well formed or not.
// Blocking, with a deadline on every wait. Only linked into tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/sockets.h"

namespace asbb::http {

struct RawAnswer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;

  // Value of a header, names compared without regard to case; empty when it is not there.
  [[nodiscard]] std::string header(std::string_view name) const;
};

class RawClient {
 public:
  static RawClient connect_unix(const std::string& path);
  static RawClient connect_tcp(std::uint16_t port);

  [[nodiscard]] bool is_connected() const { return descriptor_.is_open(); }
  // False when the other side has gone.
  bool send(std::string_view bytes);
  void finish_sending();
  void close() { descriptor_ = Descriptor(); }

  // The next answer of the connection; nothing when it ended, or none came in time.
  [[nodiscard]] std::optional<RawAnswer> receive(bool head_only = false, int wait_ms = 10'000);
  // True when the other side has closed and nothing more is to be read.
  [[nodiscard]] bool is_at_end(int wait_ms = 10'000);

  // One whole exchange on this connection.
  [[nodiscard]] std::optional<RawAnswer> ask(std::string_view method, std::string_view target,
                                             std::string_view body = {},
                                             std::string_view headers = {});

 private:
  [[nodiscard]] bool fill(int wait_ms);

  Descriptor descriptor_;
  std::string pending_;
  bool ended_ = false;
};

}  // namespace asbb::http
