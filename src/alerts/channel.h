// The port to the ways in which alerts leave the service, and its adapters: webhooks and mail
// servers by libcurl, sendmail and other programs as processes. A call blocks for up to
// channel_timeout_ms: the watch's own thread alone makes them.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "alerts/message.h"
#include "base/result.h"
#include "config/config.h"

namespace asbb::alerts {

inline constexpr int channel_timeout_ms = 15'000;

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  // Errors: whatever kept the other side from taking it, as a sentence; a later attempt may help.
  // unknown_outcome: the other side may have taken it all the same (mails only).
  [[nodiscard]] virtual Result<void> send(const Message& message) = 0;
};

// `stopping`, once true, ends a call within a second. broken: a secret file is missing, is empty or
// may be read by others.
[[nodiscard]] Result<std::unique_ptr<Channel>> make_channel(const config::AlertChannel& settings,
                                                            const std::atomic<bool>& stopping);

}  // namespace asbb::alerts
