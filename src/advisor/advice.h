// What an advisor is asked about a job, what it says, and what of that is believed. Its answer is a
// stranger's: nothing here takes it for more than one more opinion on the price. Pure functions and
// plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "config/config.h"

namespace asbb::advisor {

// One task of an array, or the job.
struct Question {
  std::string account;
  std::string partition;
  std::int64_t nodes = 1;
  std::int64_t cpus = 1;       // of each node
  std::int64_t gpus = 0;       // of all nodes
  std::int64_t memory_mb = 0;  // of each node; 0: not said
  std::int64_t wall_time_s = 0;
};

// The body of POST /analyze without its time; the same for questions that are alike.
[[nodiscard]] std::string to_json(const Question& question);
[[nodiscard]] std::string to_json(const Question& question, Instant at);

struct Advice {
  Micros cost;              // at most, of what the question asks; not negative
  bool has_buffer = false;  // what a hold adds for safety is in it
  bool operator==(const Advice&) const = default;
};

// Of the body of an answer: {"estimated_cost": 12.5}, or an execution plan, whose
// cost_constraints.max_total_cost has a buffer in it. invalid: it is not JSON, has neither, says
// an error, is counted in another unit, is negative, no number or too large. The sentence says
// which.
[[nodiscard]] Result<Advice> read_advice(std::string_view body, const std::string& unit);

// An advice of more times the price book's maximum is taken for a mistake.
inline constexpr std::int64_t times_book_max = 100;

// What a part of a hold is priced at.
struct Priced {
  Micros estimate;
  Micros hold;  // to be set aside
  bool by_advisor = false;
};

// `book` and `book_hold` are the price book's maximum and what is held for it, which is that times
// `factor`; `tasks` as many as the advice is for one of. `raise`: never less than those.
// `replace`: what the advisor says. No factor comes on top of an advice that has a buffer.
// invalid: the advice is not believed; the sentence says why.
[[nodiscard]] Result<Priced> weigh(const Advice& advice, std::int64_t tasks, Micros book,
                                   Micros book_hold, Micros factor, config::AdvisorTrust trust);

}  // namespace asbb::advisor
