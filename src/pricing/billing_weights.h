// TRESBillingWeights of slurm.conf made of a price, so that Slurm's own billing follows it as far
// as its integers and its one way of adding up allow; and what Slurm would bill then. Pure, and
// without floating point: weights are decimal text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/money.h"
#include "pricing/price_book.h"
#include "pricing/tres.h"

namespace asbb::pricing {

struct BillingWeight {
  std::string tres;  // "CPU", "Mem" (of a GB), "Node", "GRES/gpu", "GRES/gpu:a100"
  Micros weight;
  bool operator==(const BillingWeight&) const = default;
};

struct BillingWeights {
  std::int64_t scale = 1;  // what Slurm bills for one unit and hour
  std::vector<BillingWeight> weights;
  bool needs_max_tres = false;     // only right with PriorityFlags=MAX_TRES
  std::vector<std::string> notes;  // what of the price no weights can say

  // "CPU=40,Mem=2G": the value of TRESBillingWeights, without quotes.
  [[nodiscard]] std::string text() const;
};

// The smallest power of ten, 1 to 10^6, by which all rates of these prices become whole numbers,
// and, where memory has a price, a CPU at least 100: Slurm cuts the fraction of a job's billing
// off.
[[nodiscard]] std::int64_t billing_scale(const std::vector<Rate>& rates);

// Of a price that is not free.
[[nodiscard]] BillingWeights billing_weights(const Rate& rate, std::int64_t scale);

// The billing TRES that Slurm gives a job with this allocation: the sum of what is weighted (with
// MAX_TRES the largest), its fraction cut off.
[[nodiscard]] std::int64_t slurm_billing(const BillingWeights& weights, const Tres& tres,
                                         bool with_max_tres);

}  // namespace asbb::pricing
