// The rows of the tables in the auditor's words (ledger/auditor.h, AuditRows), so that it can
// compare what is not a sum: names, terms, legs, facts of settlements, rates and price texts. Pure.
#pragma once

#include <vector>

#include "ledger/auditor.h"
#include "ledger/types.h"
#include "store/store.h"

namespace asbb::store {

// Adds a hold and its settled shares.
void add_rows(const ledger::Hold& hold, const std::vector<const ledger::Share*>& shares,
              ledger::AuditRows& rows);

// Adds everything of the snapshot but its holds and shares.
void add_rows(const Snapshot& snapshot, ledger::AuditRows& rows);

}  // namespace asbb::store
