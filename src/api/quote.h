// POST /api/v1/quote: what a job would cost, asked for without submitting it. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/submission.h"

namespace asbb::api {

// The request is a Submission without what slurmctld alone can vouch for.
struct QuoteRequest {
  Submission job;    // cluster empty: the only one that is configured
  std::string user;  // empty: the caller
  bool operator==(const QuoteRequest&) const = default;
};

// One budget or partition limit that the hold would be drawn on. Of an account that the caller may
// not see there are no figures.
struct QuoteLeg {
  std::string account;
  std::string partition;  // empty for a budget
  std::optional<Micros> limit;
  std::optional<Micros> held;
  std::optional<Micros> used;
  std::optional<Micros> available;
  bool fits = false;
  bool operator==(const QuoteLeg&) const = default;
};

// The money of one unit.
struct QuotePart {
  std::string unit;
  std::string cluster;  // where it would be dearest
  std::string partition;
  std::int64_t price_version = 0;
  Micros estimated_cost;
  Micros hold_amount;
  std::string priced_by;           // "price_book" or "advisor"; empty: no advisor was asked
  std::vector<std::string> lines;  // how the estimate was reached
  std::vector<QuoteLeg> legs;      // the paying budget first
  bool operator==(const QuotePart&) const = default;
};

// A change of the request with which it would be granted.
struct QuoteFit {
  std::string change;     // "time", "nodes" or "partition"
  std::string arguments;  // for sbatch: "--time=02:00:00"
  std::string unit;       // empty: it would cost nothing
  Micros estimated_cost;
  Micros hold_amount;
  bool operator==(const QuoteFit&) const = default;
};

struct Quote {
  std::string decision;  // "allow" or "deny", as it would be at this moment
  std::string code;      // stable reason of a deny, empty for allow
  std::string message;   // sentences for people, lines ended by '\n'
  std::string user;
  std::string account;  // that pays, empty when that was not found out
  std::string cluster;
  std::int64_t task_count = 1;   // array tasks
  std::vector<QuotePart> parts;  // empty: nothing is to be held
  std::vector<QuoteFit> fits;    // what would fit, where it is denied for money
  bool operator==(const Quote&) const = default;
};

}  // namespace asbb::api
