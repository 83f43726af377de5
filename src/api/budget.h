// The simple public routes /budget/check and /budget/reconcile, in the shapes that existing clients
// send and read. Amounts are in the unit named beside them. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/money.h"

namespace asbb::api {

struct BudgetCheck {
  std::string account;
  std::string partition;
  std::int64_t nodes = 1;  // >= 1
  std::int64_t cpus = 1;   // of the whole job, >= 1
  std::int64_t gpus = 0;   // of the whole job
  std::optional<std::int64_t>
      memory_mb;                 // per node; "64GB", "1234MB" or a number of MB on the wire
  std::int64_t wall_time_s = 0;  // >= 1; every form of sbatch --time on the wire, finite
  std::string user_id;           // name of the user the job is for, may be empty
  std::string cluster;           // may be empty
  std::string request_id;        // makes the call idempotent; the Idempotency-Key header wins
  bool operator==(const BudgetCheck&) const = default;
};

struct BudgetCheckDetails {
  Micros account_balance;  // limit - used
  Micros current_hold;     // held by others before this one
  std::optional<Micros> partition_used;
  std::optional<Micros> partition_limit;
  Micros hold_percentage;                    // factor on the estimate: 1.2
  std::optional<Micros> advisor_confidence;  // 0 to 1
  bool operator==(const BudgetCheckDetails&) const = default;
};

// A refusal is available = false with HTTP 200: clients take every other status as an outage.
struct BudgetCheckAnswer {
  bool available = false;
  std::string unit;
  Micros estimated_cost;
  Micros hold_amount;
  std::string transaction_id;  // empty and left out when nothing was held
  std::string code;            // stable reason of a refusal, left out when available
  std::string message;
  Micros budget_remaining;
  std::string recommendation;  // left out when empty
  BudgetCheckDetails details;
  bool operator==(const BudgetCheckAnswer&) const = default;
};

struct BudgetReconcile {
  std::string job_id;          // a number is accepted too
  Micros actual_cost;          // >= 0
  std::string transaction_id;  // may be empty: then the hold is found by cluster and job id
  std::string unit;            // empty: the hold's only one
  std::string cluster;         // may be empty
  std::string request_id;
  bool operator==(const BudgetReconcile&) const = default;
};

struct BudgetReconcileAnswer {
  bool success = false;
  std::string unit;
  Micros original_hold;
  Micros actual_charge;  // overrun included
  Micros refund_amount;  // given back
  Micros overrun;        // beyond the hold
  std::string transaction_id;
  std::string message;
  bool operator==(const BudgetReconcileAnswer&) const = default;
};

}  // namespace asbb::api
