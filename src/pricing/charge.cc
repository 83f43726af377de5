#include "pricing/charge.h"

#include <algorithm>

#include "pricing/cost.h"

namespace asbb::pricing {
namespace {

constexpr std::int64_t max_elapsed_seconds = 100'000'000'000;

bool in_range(const Usage& usage) {
  const auto within = [](std::int64_t value, std::int64_t largest) {
    return value >= 0 && value <= largest;
  };
  for (const auto& [type, count] : usage.allocated.gpus_by_type) {
    if (!within(count, max_count)) return false;
  }
  return within(usage.allocated.nodes, max_count) && within(usage.allocated.cores, max_count) &&
         within(usage.allocated.memory_mb, max_memory_mb) && within(usage.node_count, max_count) &&
         within(usage.elapsed_seconds, max_elapsed_seconds);
}

std::string billed_line(const Rate& rate, std::int64_t elapsed, std::int64_t billed) {
  std::string line = "ran " + std::to_string(elapsed) + " s";
  if (billed > elapsed) {
    line += ", billed " + std::to_string(rate.minimum_seconds) + " s, the shortest that is billed";
  }
  return line;
}

}  // namespace

Result<Charge> charge(const PriceBook& book, std::string_view cluster, std::string_view partition,
                      const Usage& usage) {
  if (!in_range(usage)) {
    return fail(ErrorKind::invalid, "the usage of a job on partition " + std::string(partition) +
                                        " is negative or beyond what can be: " +
                                        std::to_string(usage.elapsed_seconds) + " s");
  }
  Charge out;
  out.price_version = book.version;
  const Rate* rate = book.find_priced(cluster, partition);
  if (rate == nullptr) {
    out.lines = {"partition " + std::string(partition) + " has no price"};
    return out;
  }
  out.priced = true;
  out.unit = rate->unit;
  if (!usage.started) {
    out.lines = {"the job never started"};
    return out;
  }
  Tres allocated = usage.allocated;
  if (allocated.nodes == 0) allocated.nodes = usage.node_count;
  out.billed_seconds = billed_seconds(*rate, usage.elapsed_seconds);
  const auto amount = cost(*rate, allocated, out.billed_seconds, Rounding::half_even);
  if (!amount) {
    return fail(ErrorKind::invalid, "the cost of " + to_string(allocated) + " for " +
                                        std::to_string(out.billed_seconds) +
                                        " s is more than can be counted");
  }
  out.amount = *amount;
  out.lines = {"an hour: " + hourly_terms(*rate, allocated) + " " + out.unit,
               billed_line(*rate, usage.elapsed_seconds, out.billed_seconds),
               "charged " + to_display(out.amount, out.unit)};
  return out;
}

}  // namespace asbb::pricing
