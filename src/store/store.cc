#include "store/store.h"

namespace asbb::store {

Result<std::int64_t> Store::archive(Instant /*before*/, std::int64_t /*count_max*/) {
  return 0;
}

Result<std::optional<ChainedEntry>> newest_entry(Store& store) {
  EntryQuery newest;
  newest.newest_first = true;
  newest.count_max = 1;
  auto found = store.entries(newest);
  if (!found) return tl::unexpected(std::move(found.error()));
  if (found->empty()) return std::optional<ChainedEntry>();
  return std::optional(std::move(found->front()));
}

}  // namespace asbb::store
