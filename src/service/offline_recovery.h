// What asbb-recovery does: asbb recover without a service. It owns the database for as long as it
// runs, as the service would. One call on the caller's thread; blocks for as long as Slurm takes.
#pragma once

#include "api/recovery.h"
#include "base/result.h"
#include "config/config.h"

namespace asbb::service {

// unavailable: a service owns the database; the sentence says what to do.
[[nodiscard]] Result<api::RecoveryAnswer> recover_offline(const config::Config& config,
                                                          const api::RecoveryRequest& request);

}  // namespace asbb::service
