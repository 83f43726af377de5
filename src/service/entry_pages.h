// Entries of the ledger page by page, for what adds up many of them. Blocking: a worker thread's.
// Memory is one page, however many entries there are.
#pragma once

#include <functional>

#include "store/store.h"

namespace asbb::service {

// Turns query.from and query.until into bounds of the sequence, by a search of a few rows: the
// ledger's time never goes back, and a page that is sought by sequence costs the same at every
// place. Where it did go back (Store::time_goes_back), they stay. `last` is the last sequence there
// is.
[[nodiscard]] Result<void> bound_by_sequence(store::Store& store, std::int64_t last,
                                             store::EntryQuery& query);

// Every entry that the query fits, the oldest first, whatever its count_max says.
[[nodiscard]] Result<void> for_each_entry(store::Store& store, store::EntryQuery query,
                                          const std::function<void(const ledger::Entry&)>& use);

}  // namespace asbb::service
