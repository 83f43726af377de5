// /alerts: what people were told of, who knows, and by which rules. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/transaction.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace asbb::api {

struct AlertDelivery {
  std::string channel;
  std::string status;  // sent, waiting, given_up, or not_sent: somebody knew before
  std::int64_t attempts = 0;
  std::string error;  // of the last attempt
};

struct Alert {
  std::int64_t id = 0;
  std::string status;    // open, acknowledged, ended
  std::string severity;  // info, warning, critical
  std::string account;   // empty: of the service
  std::string unit;
  std::string title;
  std::string message;
  Instant raised_at;
  std::optional<Instant> ended_at;
  std::optional<Instant> acknowledged_at;
  std::string acknowledged_by;
  std::string note;
  std::vector<AlertDelivery> deliveries;
};

struct AlertAcknowledgement {
  std::string note;
};

struct AlertChannel {
  std::string name;
  std::string type;
  std::string severity;
  bool digest = true;
};

struct AlertRules {
  bool enabled = true;
  std::vector<std::string> thresholds;  // "90 %"
  Micros burn_rate;
  bool exhaustion = true;
  std::string digest_at;
  std::vector<AlertChannel> channels;
};

struct AlertQuery {
  std::string status;  // empty: those that have not ended
  std::string account;
};
[[nodiscard]] Result<AlertQuery> parse_alert_query(const QueryParameters& parameters);
[[nodiscard]] std::string to_query_string(const AlertQuery& query);

}  // namespace asbb::api
