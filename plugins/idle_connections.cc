#include "plugins/idle_connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace asbb::plugins {
namespace {

// Neither ended by the service nor with bytes that nobody asked for.
bool is_quiet(int descriptor) {
  char byte = 0;
  const ssize_t got = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

int IdleConnections::take(std::int64_t now_micros) {
  for (;;) {
    Idle last{};
    {
      const Locked locked(mutex_);
      if (count_ == 0) return -1;
      last = idle_[--count_];
    }
    const bool is_fresh = now_micros - last.since_micros < kIdleMicrosMax;
    if (is_fresh && is_quiet(last.descriptor)) return last.descriptor;
    close(last.descriptor);
  }
}

void IdleConnections::keep(int descriptor, std::int64_t now_micros) {
  {
    const Locked locked(mutex_);
    if (count_ < kMax) {
      idle_[count_++] = {descriptor, now_micros};
      return;
    }
  }
  close(descriptor);
}

void IdleConnections::close_all() {
  Idle closed[kMax];
  int count = 0;
  {
    const Locked locked(mutex_);
    while (count_ > 0) closed[count++] = idle_[--count_];
  }
  while (count > 0) close(closed[--count].descriptor);
}

}  // namespace asbb::plugins
