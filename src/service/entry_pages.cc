#include "service/entry_pages.h"

#include <algorithm>

namespace asbb::service {
namespace {

constexpr std::int64_t entries_per_page = 5'000;

// The first sequence whose entry is not before `at`; `last` + 1 when there is none.
Result<std::int64_t> first_sequence_at(store::Store& store, std::int64_t last, Instant at) {
  std::int64_t low = 1;
  std::int64_t high = last + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    store::EntryQuery one;
    one.after_sequence = middle - 1;
    one.count_max = 1;
    const auto found = store.entries(one);
    if (!found) return tl::unexpected(found.error());
    if (found->empty() || !(found->front().entry.at < at)) {
      high = middle;
    } else {
      low = found->front().entry.sequence + 1;
    }
  }
  return low;
}

}  // namespace

Result<void> bound_by_sequence(store::Store& store, std::int64_t last, store::EntryQuery& query) {
  if (store.time_goes_back()) return {};
  if (query.from) {
    const auto first = first_sequence_at(store, last, *query.from);
    if (!first) return tl::unexpected(first.error());
    query.after_sequence = std::max(query.after_sequence, *first - 1);
    query.from.reset();
  }
  if (query.until) {
    const auto beyond = first_sequence_at(store, last, *query.until);
    if (!beyond) return tl::unexpected(beyond.error());
    const std::int64_t bound = query.before_sequence == 0 ? *beyond : query.before_sequence;
    query.before_sequence = std::min(bound, *beyond);
    query.until.reset();
  }
  return {};
}

Result<void> for_each_entry(store::Store& store, store::EntryQuery query,
                            const std::function<void(const ledger::Entry&)>& use) {
  query.newest_first = false;
  query.count_max = entries_per_page;
  for (;;) {
    const auto entries = store.entries(query);
    if (!entries) return tl::unexpected(entries.error());
    for (const store::ChainedEntry& chained : *entries) use(chained.entry);
    if (static_cast<std::int64_t>(entries->size()) < entries_per_page) return {};
    query.after_sequence = entries->back().entry.sequence;
  }
}

}  // namespace asbb::service
