// The rows of the SQLite schema: how each value of the ledger is written and read back. Called
// inside a transaction that the caller begins and ends. No rules, no state.
#pragma once

#include "store/sqlite.h"
#include "store/store.h"

namespace asbb::store::sqlite {

[[nodiscard]] Result<void> write_batch(Connection& connection, const Batch& batch);

[[nodiscard]] Result<Snapshot> read_snapshot(Connection& connection, Instant answers_since);

// The query was checked by check_query (store/queries.h).
[[nodiscard]] Result<std::vector<HoldRecord>> read_holds(Connection& connection,
                                                         const HoldQuery& query);
[[nodiscard]] Result<std::vector<ChainedEntry>> read_entries(Connection& connection,
                                                             const EntryQuery& query);

// Entries 1 to the last that was moved are in the archive. At most `count_max` more, of before
// `before`; never the last of all. How many.
[[nodiscard]] Result<std::int64_t> archive_entries(Connection& connection, Instant before,
                                                   std::int64_t count_max);

}  // namespace asbb::store::sqlite
