#include "http/connection_limits.h"

#include "base/assert.h"

namespace asbb::http {

bool ConnectionLimits::enter(const Peer& peer, bool trusted) {
  const std::lock_guard lock(mutex_);
  std::size_t& face = peer.is_local_user ? socket_open_ : tcp_open_;
  if (face >= per_face_max_) return false;
  if (peer.is_local_user) {
    const auto user = user_open_.find(peer.user_id);
    const std::size_t open = user == user_open_.end() ? 0 : user->second;
    if (!trusted && open >= per_user_max_) return false;
    user_open_[peer.user_id] = open + 1;
  }
  ++face;
  return true;
}

void ConnectionLimits::leave(const Peer& peer) {
  const std::lock_guard lock(mutex_);
  std::size_t& face = peer.is_local_user ? socket_open_ : tcp_open_;
  ASBB_ASSERT(face > 0);
  --face;
  if (!peer.is_local_user) return;
  const auto user = user_open_.find(peer.user_id);
  ASBB_ASSERT(user != user_open_.end());
  if (--user->second == 0) user_open_.erase(user);
}

std::size_t ConnectionLimits::open() const {
  const std::lock_guard lock(mutex_);
  return socket_open_ + tcp_open_;
}

}  // namespace asbb::http
