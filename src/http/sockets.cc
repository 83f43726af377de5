#include "http/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace asbb::http {
namespace {

std::string system_text(int code) {
  return std::generic_category().message(code);
}

tl::unexpected<Error> failed(const std::string& what, int code) {
  const ErrorKind kind = code == EACCES || code == EPERM ? ErrorKind::denied : ErrorKind::conflict;
  return fail(kind, what + ": " + system_text(code));
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return fail(ErrorKind::invalid, "socket path '" + path + "' is empty or longer than " +
                                        std::to_string(sizeof(address.sun_path) - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// ok when the path is free or holds a socket file that nobody answers on.
Result<void> check_free(const std::string& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return failed("socket " + path, errno);
  }
  if (!S_ISSOCK(found.st_mode)) {
    return fail(ErrorKind::conflict, path + " exists and is not a socket; it is left as it is");
  }
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return failed("socket", errno);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN) {
    return fail(ErrorKind::conflict, "another process listens on " + path);
  }
  if (errno == ECONNREFUSED || errno == ENOENT) return {};
  return failed("socket " + path, errno);
}

Result<TcpSocket> bind_tcp(int family, std::uint16_t port) {
  const std::string name = (family == AF_INET ? "127.0.0.1:" : "[::1]:") + std::to_string(port);
  Descriptor made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.is_open()) return failed("listening on " + name, errno);
  const int on = 1;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  int bound = 0;
  if (family == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bound = ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } else {
    ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = in6addr_loopback;
    bound = ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  if (bound != 0 || ::listen(made.get(), listen_backlog) != 0) {
    return failed("listening on " + name, errno);
  }
  return TcpSocket{std::move(made), name};
}

std::uint16_t bound_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
}

bool has_ipv6_loopback() {
  const Descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe.is_open()) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (value_ >= 0) ::close(value_);
    value_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

int Descriptor::release() {
  return std::exchange(value_, -1);
}

Result<UnixSocket> listen_unix(const std::string& path, unsigned mode) {
  const auto address = unix_address(path);
  if (!address) return tl::unexpected(address.error());
  const auto is_free = check_free(path, *address);
  if (!is_free) return tl::unexpected(is_free.error());

  const std::string temporary = path + "." + std::to_string(::getpid());
  const auto temporary_address = unix_address(temporary);
  if (!temporary_address) return tl::unexpected(temporary_address.error());
  UnixSocket made;
  made.path = path;
  made.descriptor = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.descriptor.is_open()) return failed("socket", errno);
  ::unlink(temporary.c_str());
  if (::bind(made.descriptor.get(), reinterpret_cast<const sockaddr*>(&*temporary_address),
             sizeof(*temporary_address)) != 0) {
    return failed("socket " + temporary, errno);
  }
  struct stat found{};
  // Nobody can connect before listen(), so the mode that umask left is never in use.
  const bool ready = ::chmod(temporary.c_str(), static_cast<mode_t>(mode)) == 0 &&
                     ::lstat(temporary.c_str(), &found) == 0 &&
                     ::listen(made.descriptor.get(), listen_backlog) == 0 &&
                     ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!ready) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return failed("socket " + path, code);
  }
  made.device = found.st_dev;
  made.inode = found.st_ino;
  return made;
}

void remove_socket_file(const UnixSocket& socket) {
  struct stat found{};
  if (::lstat(socket.path.c_str(), &found) == 0 && found.st_dev == socket.device &&
      found.st_ino == socket.inode) {
    ::unlink(socket.path.c_str());
  }
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  ListenAddress address;
  const auto number = parse_count(port, std::numeric_limits<std::uint16_t>::max());
  if (!number) {
    return fail(ErrorKind::invalid, in_quotes(text) +
                                        " is not an address to listen on: HOST:PORT such as "
                                        "':8080' or '127.0.0.1:8080' is expected");
  }
  address.port = static_cast<std::uint16_t>(*number);
  address.is_narrowed = host.empty();
  address.v4 = host.empty() || host == "localhost" || host == "127.0.0.1";
  address.v6 = host.empty() || host == "localhost" || host == "[::1]";
  if (!address.v4 && !address.v6) {
    return fail(ErrorKind::invalid,
                in_quotes(text) +
                    " is not a loopback address: without TLS the service listens only on "
                    "127.0.0.1 and [::1]; use ':PORT', 'localhost:PORT' or one of the two");
  }
  return address;
}

Result<TcpSockets> listen_tcp(const ListenAddress& address) {
  TcpSockets made;
  made.port = address.port;
  if (address.v4) {
    auto socket = bind_tcp(AF_INET, made.port);
    if (!socket) return tl::unexpected(socket.error());
    made.port = bound_port(socket->descriptor.get());
    socket->name = "127.0.0.1:" + std::to_string(made.port);
    made.sockets.push_back(std::move(*socket));
  }
  if (address.v6 && (!address.v4 || has_ipv6_loopback())) {
    auto socket = bind_tcp(AF_INET6, made.port);
    if (!socket) return tl::unexpected(socket.error());
    made.port = bound_port(socket->descriptor.get());
    socket->name = "[::1]:" + std::to_string(made.port);
    made.sockets.push_back(std::move(*socket));
  }
  return made;
}

}  // namespace asbb::http
