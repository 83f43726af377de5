// What becomes of holds that nothing plainly explains: asbb recover and asbb-recovery. What is done
// is a pass of the reconciler and nothing else (docs/decisions/0003); what would be done is the
// same pass on a ledger whose commits go nowhere. Any thread; blocks for as long as Slurm takes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/recovery.h"
#include "service/reconciler.h"

namespace asbb::service {

struct RecoveryPlan {
  std::vector<ledger::Entry> entries;  // that a pass would write
  std::vector<OpenFinding> findings;   // of the holds that would stay open
  std::vector<std::string> problems;
};

// The holds that are open, as they are shown, without what is done about them.
using OpenHolds = std::map<ledger::HoldId, api::RecoveryHold>;
[[nodiscard]] OpenHolds open_holds_of(const Committer& committer);

// What a pass would do. Nothing is written, no alarm is raised.
[[nodiscard]] Result<RecoveryPlan> plan_recovery(Committer& committer, slurm::JobSource& source,
                                                 const slurm::ClusterCache& view,
                                                 const Prices& prices,
                                                 const ReconcilerOptions& options);

// One answer of it: of the holds that were open before, those for which there are entries or
// findings, and that the request names.
[[nodiscard]] api::RecoveryAnswer tell_recovery(const api::RecoveryRequest& request,
                                                const OpenHolds& before,
                                                const std::vector<ledger::Entry>& entries,
                                                const std::vector<OpenFinding>& findings,
                                                const std::vector<std::string>& problems);

// The entries of a pass that began when the ledger had `after` entries.
[[nodiscard]] Result<std::vector<ledger::Entry>> entries_after(store::Store& store,
                                                               std::int64_t after);

}  // namespace asbb::service
