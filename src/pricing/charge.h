// The actual cost of what Slurm says was allocated, for as long as it says it was: the same rates
// and the same arithmetic as the estimate, rounded half-even, once. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "pricing/price_book.h"
#include "pricing/tres.h"

namespace asbb::pricing {

// A node on which a job ran, by what the cluster's view says of it; or several that are alike.
struct UsedNode {
  std::string name;                   // for people
  bool is_known = false;              // whether Slurm still has it
  std::vector<std::string> features;  // of a known one
  std::int64_t count = 1;
};

// One run of one job, from slurmdbd.
struct Usage {
  Tres allocated;                    // parse_allocated_tres(AllocTRES)
  std::int64_t node_count = 0;       // NNodes; used where AllocTRES has no node=
  std::int64_t elapsed_seconds = 0;  // ElapsedRaw
  bool started = false;              // false: it never ran and costs nothing
  std::vector<UsedNode> nodes = {};  // NodeList; only where the price tells instances apart
};

struct Charge {
  bool priced = false;  // false: the partition has no price; the amount is zero
  std::string unit;
  Micros amount;
  std::int64_t price_version = 0;
  std::int64_t billed_seconds = 0;  // elapsed, or the minimum where that is more
  // Nodes whose instance type is not known or has no price: they were charged as the dearest one.
  // Somebody has to look.
  std::vector<std::string> unknown_nodes;
  std::vector<std::string> lines;  // how it was reached, for people
};

// `book` is the version that priced the job's hold; for a job without a hold the one in force at
// its start (DESIGN 4.9). Negative or absurd usage is an error (invalid), never an amount.
[[nodiscard]] Result<Charge> charge(const PriceBook& book, std::string_view cluster,
                                    std::string_view partition, const Usage& usage);

}  // namespace asbb::pricing
