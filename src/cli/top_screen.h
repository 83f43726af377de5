// What `asbb top` shows, as lines of text: accounts by what they spent in the last day, open holds
// with their jobs, alerts. Pure: the same figures give the same lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "api/account.h"
#include "api/alerts.h"
#include "api/system.h"
#include "api/usage.h"
#include "base/time.h"

namespace asbb::cli {

struct TopFigures {
  Instant at;
  std::vector<api::Account> accounts;
  std::vector<api::AccountUsage> last_day;  // what was charged, by account and unit
  std::vector<api::OpenHold> holds;
  std::vector<api::Alert> alerts;
  bool knows_service = false;  // only who may read everything hears of clusters and alarms
  api::Status service;
  std::string problem;  // why these figures are old; empty: they are not
};

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 0;  // 0: as many as there are
};

// At most `size.rows` lines of at most `size.columns` characters, without line ends. `keys` is the
// last line; empty: none.
[[nodiscard]] std::vector<std::string> top_lines(const TopFigures& figures, ScreenSize size,
                                                 const std::string& keys);

}  // namespace asbb::cli
