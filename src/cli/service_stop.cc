#include "cli/service_stop.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>

#include "base/text.h"

// glibc 2.36 forgot to say so itself.
extern "C" {
#include <sys/pidfd.h>
}

namespace asbb::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  const int number_;
};

// Who listens there.
Result<ucred> listener_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return fail(ErrorKind::invalid, "the socket's path '" + path + "' is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Descriptor peer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Never blocks: a service whose queue of connections is full is asked for once more by the user.
  const int flags = fcntl(peer.number(), F_GETFL);
  static_cast<void>(fcntl(peer.number(), F_SETFL, flags | O_NONBLOCK));
  // The system's interface takes every kind of address as this.
  const auto* any = reinterpret_cast<const sockaddr*>(&address);  // NOLINT
  if (connect(peer.number(), any, sizeof(address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return fail(ErrorKind::not_found, "the service is not running: nobody listens on " + path);
    }
    return fail(ErrorKind::unavailable,
                "the socket " + path + " cannot be connected to: " + std::strerror(errno));
  }
  ucred who{};
  socklen_t size = sizeof(who);
  if (getsockopt(peer.number(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.pid <= 0) {
    return fail(ErrorKind::unavailable, "which process listens on " + path +
                                            " cannot be seen from here; it may be in a container: "
                                            "stop it there");
  }
  return who;
}

std::string program_of(int process) {
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
  return name;
}

std::string user_name(uid_t user) {
  const passwd* found = getpwuid(user);
  return found == nullptr ? "uid " + std::to_string(user) : found->pw_name;
}

// False when it still runs then.
bool wait_for_end(int process, int wait_s) {
  using std::chrono::steady_clock;
  const auto until = steady_clock::now() + std::chrono::seconds(wait_s);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    pollfd wanted{process, POLLIN, 0};
    const int ready = poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Result<int> stop_service(const std::string& socket, int wait_s) {
  const auto who = listener_of(socket);
  if (!who) return tl::unexpected(who.error());
  const std::string process = "process " + std::to_string(who->pid);
  const Descriptor handle(pidfd_open(who->pid, 0));
  // The id may have gone to another process until the handle was there: only who still listens is
  // meant.
  const auto again = listener_of(socket);
  if (!again) return tl::unexpected(again.error());
  if (handle.number() < 0 || again->pid != who->pid) {
    return fail(ErrorKind::unavailable, "the service is being started anew: try again");
  }
  if (const std::string name = program_of(who->pid); name != "asbb-service") {
    return fail(ErrorKind::invalid, process + " (" + name + ") listens on " + socket +
                                        " and is no asbb-service: it is left as it is");
  }
  if (pidfd_send_signal(handle.number(), SIGTERM, nullptr, 0) != 0) {
    if (errno == EPERM) {
      return fail(ErrorKind::invalid, "the service (" + process + ") is of user " +
                                          user_name(who->uid) +
                                          ": only that user and root may stop it");
    }
    return fail(ErrorKind::unavailable,
                "the service (" + process + ") cannot be stopped: " + std::strerror(errno));
  }
  if (!wait_for_end(handle.number(), wait_s)) {
    return fail(ErrorKind::unavailable,
                "the service (" + process + ") was told to stop and has not after " +
                    std::to_string(wait_s) + " s; its log says what it waits for");
  }
  return who->pid;
}

}  // namespace asbb::cli
