// What a job costs at the very least, as slurmctld shows it: what it has been given, or asks for
// while it waits, at its time limit. The estimate that its hold was placed for is never below this
// (pricing/estimate.h), so a job that costs more than its estimate was changed since. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/money.h"
#include "pricing/price_book.h"
#include "service/shape_cache.h"
#include "slurm/job_source.h"

namespace asbb::service {

struct LeastCost {
  std::string unit;
  Micros amount;  // of the job, or of one task of an array
};

// One for each priced partition that the row lists. What the view does not know, and a time limit
// without an end, is left out.
[[nodiscard]] std::vector<LeastCost> least_costs(
    const slurm::QueueJob& row, const pricing::PriceBook& book,
    const std::shared_ptr<const slurm::ClusterSnapshot>& cluster, ShapeCache& shapes);

}  // namespace asbb::service
