// What people are told of: what was found about a budget or the service, and what became of it. A
// finding with the same key is the same finding for as long as it lasts. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"

namespace asbb::alerts {

using Severity = config::AlertSeverity;

struct Finding {
  std::string key;  // "budget 12 spent 90 %": stable for as long as its cause lasts
  Severity severity = Severity::info;
  std::string account;              // empty: of the service
  std::string unit;                 // empty: of no unit
  std::string title;                // a line
  std::string message;              // sentences, with the next step
  std::vector<std::string> owners;  // users; of the account
  bool operator==(const Finding&) const = default;
};

// What one channel has done about one alert.
struct Delivery {
  std::string channel;
  bool is_done = false;  // delivered, or given up when there is an error
  std::int64_t attempts = 0;
  Instant next_at;    // not before then
  std::string error;  // of the last attempt
  bool operator==(const Delivery&) const = default;
};

struct Alert {
  std::int64_t id = 0;  // from 1; never used again
  Finding finding;
  Instant raised_at;
  Instant seen_at;                  // when it was last found
  std::optional<Instant> ended_at;  // when it was clear that its cause is gone
  std::optional<Instant> acknowledged_at;
  std::string acknowledged_by;
  std::string note;
  std::vector<Delivery> deliveries;
  bool operator==(const Alert&) const = default;

  // A day's digest is kept among the alerts so that it is told once each as well.
  [[nodiscard]] bool is_digest() const { return finding.key.starts_with("digest "); }
};

}  // namespace asbb::alerts
