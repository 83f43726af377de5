// Which alerts there are, who was told and who acknowledged them: in memory, and after each change
// in one file that is replaced as a whole, so that a restart tells nobody twice. Owned by the
// service; thread-safe. It sends nothing itself.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "alerts/alert.h"
#include "base/result.h"

namespace asbb::alerts {

// What a file says, and text that reads back as the same.
struct AlertState {
  std::int64_t last_id = 0;
  std::vector<Alert> alerts;
  bool operator==(const AlertState&) const = default;
};
[[nodiscard]] std::string to_text(const AlertState& state);
[[nodiscard]] Result<AlertState> read_state(const std::string& text);

// A cause that was away for less than this is the same one when it comes back.
inline constexpr Span alert_settles_after = seconds(600);
inline constexpr Span ended_alerts_kept = hours(24 * 30);
// The wait before the second attempt; it doubles from there to the longest, until all is given up.
inline constexpr Span first_wait = seconds(30);
inline constexpr Span longest_wait = hours(1);
inline constexpr Span given_up_after = hours(24 * 3);

class AlertBook {
 public:
  // Which channels a new alert goes to.
  using ChannelsOf = std::function<std::vector<std::string>(const Finding&)>;

  // An empty path keeps nothing on disk.
  explicit AlertBook(std::string path) : path_(std::move(path)) {}

  // Reads the file; none is an empty book. A file that cannot be understood is moved aside to
  // PATH.bad and said to be so; the book is then empty, and alerts that still last are told anew.
  [[nodiscard]] Result<void> open();

  // All findings of this moment. New ones become alerts; those that are missing for
  // alert_settles_after have ended; others get the new text.
  [[nodiscard]] Result<void> update(const std::vector<Finding>& findings,
                                    const ChannelsOf& channels, Instant at);

  // not_found: there is no such alert. conflict: somebody did so before. Nothing is changed when
  // the file cannot be written.
  [[nodiscard]] Result<Alert> acknowledge(std::int64_t id, const std::string& user,
                                          const std::string& note, Instant at);

  struct Task {
    Alert alert;
    std::string channel;
  };
  // Deliveries whose time has come, the oldest alert first.
  [[nodiscard]] std::vector<Task> tasks(Instant at) const;
  // What came of one; an empty error is success.
  [[nodiscard]] Result<void> delivered(std::int64_t id, const std::string& channel,
                                       const std::string& error, Instant at);

  // Without digests; in order of id.
  [[nodiscard]] std::vector<Alert> list() const;

  // A digest of that day, to be told once; no change when there is one already.
  [[nodiscard]] Result<void> add_digest(const std::string& day, const std::string& title,
                                        const std::string& text,
                                        const std::vector<std::string>& channels, Instant at);
  [[nodiscard]] bool has_digest(const std::string& day) const;

 private:
  [[nodiscard]] Result<void> keep(AlertState state);

  const std::string path_;
  mutable std::mutex mutex_;
  AlertState state_;
};

}  // namespace asbb::alerts
