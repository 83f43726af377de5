// What the settings say, as the parts that asbb-service and asbb-recovery share want it. Pure.
#pragma once

#include <vector>

#include "config/config.h"
#include "service/reconciler.h"
#include "slurm/slurm_client.h"

namespace asbb::service {

[[nodiscard]] int milliseconds_of(Span span);
[[nodiscard]] std::vector<slurm::SlurmCluster> clusters_of(const config::Config& config);
// Without allowances.
[[nodiscard]] ReconcilerOptions reconciler_options(const config::Config& config);

}  // namespace asbb::service
