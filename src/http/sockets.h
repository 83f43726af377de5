// Listening sockets: a unix socket file that appears at once with its final mode, and loopback TCP.
// Blocking, for start and stop only. Descriptors are non-blocking and close on exec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::http {

inline constexpr int listen_backlog = 4096;

// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool is_open() const { return value_ >= 0; }
  int release();

 private:
  int value_ = -1;
};

// The listening socket and which file it made, so that only that file is removed.
struct UnixSocket {
  Descriptor descriptor;
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

// Made under a temporary name in the same folder and renamed, so nobody meets it with another mode.
// A socket file that nobody answers on is replaced; one that somebody answers on, or a file of
// another kind, is `conflict`.
[[nodiscard]] Result<UnixSocket> listen_unix(const std::string& path, unsigned mode);
// Removes the file if it is still the one that was made.
void remove_socket_file(const UnixSocket& socket);

struct ListenAddress {
  bool v4 = false;  // 127.0.0.1
  bool v6 = false;  // ::1
  std::uint16_t port = 0;
  bool is_narrowed = false;  // it named every interface (":8080") and means loopback only
};

// ":8080" and "localhost:8080" are both loopback addresses; "127.0.0.1:8080", "[::1]:8080" one.
// Anything else is `invalid`: without TLS the service is not offered to other machines.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

struct TcpSocket {
  Descriptor descriptor;
  std::string name;  // "127.0.0.1:8080"
};

struct TcpSockets {
  std::vector<TcpSocket> sockets;
  std::uint16_t port = 0;  // the one that was bound, where 0 asked for any
};

// A machine without IPv6 gets the IPv4 socket alone where both were asked for.
[[nodiscard]] Result<TcpSockets> listen_tcp(const ListenAddress& address);

}  // namespace asbb::http
