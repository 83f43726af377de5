// What is open without a plain cause, and what is done about it. Plain values.
#pragma once

#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"

namespace asbb::api {

struct RecoveryRequest {
  bool dry_run = false;
  std::string account = {};  // empty: all
  std::string job_id = {};   // empty: all
  bool operator==(const RecoveryRequest&) const = default;
};

struct RecoveryAmount {
  std::string unit;
  Micros amount;
  bool operator==(const RecoveryAmount&) const = default;
};

struct RecoveryHold {
  std::string transaction_id;
  std::string kind;  // "slurm" or "external"
  std::string account;
  std::string user;
  std::string cluster;
  std::string job_id;  // left out when empty: no job was seen with it
  std::string partition;
  Instant since;
  std::vector<RecoveryAmount> held;  // when it was looked at
  std::string action;                // "bind", "settle", "release" or "none"
  std::string why;                   // a sentence
  bool operator==(const RecoveryHold&) const = default;
};

struct RecoveryAnswer {
  bool dry_run = false;
  std::vector<RecoveryHold> holds;
  std::vector<std::string> problems;  // what could not be read or done, as sentences
  bool operator==(const RecoveryAnswer&) const = default;
};

}  // namespace asbb::api
