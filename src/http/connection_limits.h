// How many connections may be open, so that one local user cannot keep slurmctld out: the unix
// socket and TCP are counted apart, and a user who is not trusted has a small share of his own.
// Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "http/message.h"

namespace asbb::http {

class ConnectionLimits {
 public:
  ConnectionLimits(std::size_t per_face_max, std::size_t per_user_max)
      : per_face_max_(per_face_max), per_user_max_(per_user_max) {}

  // Counts the connection in; false when there is no room. `trusted` peers (root, SlurmUser, the
  // service's own user) are bounded by the face alone.
  [[nodiscard]] bool enter(const Peer& peer, bool trusted);
  // For each enter() that said true, once.
  void leave(const Peer& peer);

  [[nodiscard]] std::size_t open() const;

 private:
  const std::size_t per_face_max_;
  const std::size_t per_user_max_;
  mutable std::mutex mutex_;
  std::size_t socket_open_ = 0;
  std::size_t tcp_open_ = 0;
  std::map<std::uint32_t, std::size_t> user_open_;
};

}  // namespace asbb::http
