#include "store/memory_rows.h"

#include <algorithm>
#include <limits>

#include "store/queries.h"

namespace asbb::store {
namespace {

// Inserts or replaces, and notes how to take it back.
template <typename Map, typename Undo>
void replace(Map& map, const typename Map::key_type& key, const typename Map::mapped_type& row,
             Undo& undo) {
  const auto found = map.find(key);
  if (found == map.end()) {
    map.emplace(key, row);
    undo.push_back([&map, key] { map.erase(key); });
    return;
  }
  undo.push_back([&map, key, old = std::move(found->second)] { map.at(key) = old; });
  found->second = row;
}

// Whether a unique key names another row already.
template <typename Map, typename Id>
bool is_taken(const Map& map, const typename Map::key_type& key, Id id) {
  const auto found = map.find(key);
  return found != map.end() && found->second != id;
}

// Moves a unique key of a row that had `before` (if it was there) to `after`.
template <typename Map, typename Id, typename Undo>
void move_key(Map& map, const std::optional<typename Map::key_type>& before,
              const typename Map::key_type& after, Id id, Undo& undo) {
  if (before == after) return;
  if (before) {
    map.erase(*before);
    undo.push_back([&map, key = *before, id] { map.emplace(key, id); });
  }
  map.emplace(after, id);
  undo.push_back([&map, after] { map.erase(after); });
}

template <typename Map>
auto find_row(const Map& map, const typename Map::key_type& id) {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : &found->second;
}

bool matches(const EntryQuery& query, const ledger::Entry& entry) {
  if (!query.account.empty() && entry.account_name != query.account) return false;
  if (query.hold != 0 && entry.hold.value != query.hold) return false;
  if (query.from && entry.at < *query.from) return false;
  if (query.until && entry.at >= *query.until) return false;
  if (!query.types.empty() &&
      std::find(query.types.begin(), query.types.end(), entry.type) == query.types.end()) {
    return false;
  }
  if (query.job_id.empty() || entry.job.external_id == query.job_id) return true;
  return slurm_job_id(query.job_id) == entry.job.job_id;
}

}  // namespace

const char* MemoryRows::put(const ledger::Account& row, Undo& undo) {
  if (is_taken(account_names_, row.name, row.id)) return "the name of an account is unique";
  const ledger::Account* old = find_row(accounts_, row.id);
  const auto before = old == nullptr ? std::nullopt : std::optional(old->name);
  move_key(account_names_, before, row.name, row.id, undo);
  replace(accounts_, row.id, row, undo);
  return nullptr;
}

const char* MemoryRows::put(const ledger::Budget& row, Undo& undo) {
  replace(budgets_, row.id, row, undo);
  return nullptr;
}

const char* MemoryRows::put(const ledger::PartitionLimit& row, Undo& undo) {
  const std::pair key(row.budget, row.partition);
  if (is_taken(limit_names_, key, row.id)) return "a budget has one limit for a partition";
  const ledger::PartitionLimit* old = find_row(limits_, row.id);
  const auto before =
      old == nullptr ? std::nullopt : std::optional(std::pair(old->budget, old->partition));
  move_key(limit_names_, before, key, row.id, undo);
  replace(limits_, row.id, row, undo);
  return nullptr;
}

bool MemoryRows::is_request_taken(const ledger::Hold& hold) const {
  const auto found = request_holds_.find(hold.request_id);
  if (found == request_holds_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](ledger::HoldId id) {
    const ledger::Hold& other = holds_.at(id);
    if (id == hold.id || other.kind != hold.kind) return false;
    return hold.kind == ledger::HoldKind::slurm ||
           (hold.status == ledger::HoldStatus::open && other.status == ledger::HoldStatus::open);
  });
}

void MemoryRows::add_indexes(const ledger::Hold& hold) {
  if (!hold.request_id.empty()) request_holds_[hold.request_id].insert(hold.id);
  if (hold.job) job_holds_[{hold.job->cluster, hold.job->job_id}].insert(hold.id);
  if (hold.status == ledger::HoldStatus::open) open_holds_.insert(hold.id);
}

void MemoryRows::remove_indexes(const ledger::Hold& hold) {
  if (const auto found = request_holds_.find(hold.request_id); found != request_holds_.end()) {
    found->second.erase(hold.id);
    if (found->second.empty()) request_holds_.erase(found);
  }
  if (hold.job) job_holds_[{hold.job->cluster, hold.job->job_id}].erase(hold.id);
  open_holds_.erase(hold.id);
}

const char* MemoryRows::put(const ledger::Hold& row, Undo& undo) {
  if (is_request_taken(row)) return "the request id of a hold is unique";
  // Undone in reverse: the new indexes go, the row comes back, the old indexes come back.
  if (const ledger::Hold* old = find_row(holds_, row.id)) {
    remove_indexes(*old);
    undo.push_back([this, id = row.id] { add_indexes(holds_.at(id)); });
  }
  replace(holds_, row.id, row, undo);
  add_indexes(row);
  undo.push_back([this, id = row.id] { remove_indexes(holds_.at(id)); });
  return nullptr;
}

const char* MemoryRows::put(const ledger::Share& row, Undo& undo) {
  const std::pair key(row.hold, row.key);
  if (is_taken(share_keys_, key, row.id)) return "the key of a share is unique in its hold";
  const ledger::Share* old = find_row(shares_, row.id);
  const auto before = old == nullptr ? std::nullopt : std::optional(std::pair(old->hold, old->key));
  move_key(share_keys_, before, key, row.id, undo);
  replace(shares_, row.id, row, undo);
  return nullptr;
}

const char* MemoryRows::put(const ledger::PriceVersion& row, Undo& undo) {
  replace(prices_, row.version, row, undo);
  return nullptr;
}

const char* MemoryRows::put(const ledger::ConversionRate& row, Undo& undo) {
  replace(rates_, row.version, row, undo);
  return nullptr;
}

const char* MemoryRows::put(const ledger::RememberedAnswer& row, Undo& undo) {
  replace(answers_, row.request_id, row, undo);
  return nullptr;
}

const char* MemoryRows::put(const ChainedEntry& row, Undo& undo) {
  if (row.entry.sequence != static_cast<std::int64_t>(entries_.size()) + 1) {
    return "the ledger is append-only: a sequence follows the last one";
  }
  entries_.push_back(row);
  undo.push_back([this] { entries_.pop_back(); });
  return nullptr;
}

template <typename Row>
const char* MemoryRows::put_all(const std::vector<Row>& rows, Undo& undo) {
  for (const Row& row : rows) {
    if (const char* broken = broken_rule(row)) return broken;
    if (const char* broken = put(row, undo)) return broken;
  }
  return nullptr;
}

const char* MemoryRows::put_batch(const Batch& batch, Undo& undo) {
  const char* broken = put_all(batch.accounts, undo);
  if (broken == nullptr) broken = put_all(batch.budgets, undo);
  if (broken == nullptr) broken = put_all(batch.limits, undo);
  if (broken == nullptr) broken = put_all(batch.prices, undo);
  if (broken == nullptr) broken = put_all(batch.rates, undo);
  if (broken == nullptr) broken = put_all(batch.holds, undo);
  if (broken == nullptr) broken = put_all(batch.shares, undo);
  if (broken == nullptr) broken = put_all(batch.answers, undo);
  if (broken == nullptr) broken = put_all(batch.entries, undo);
  return broken == nullptr ? missing_reference(batch) : broken;
}

const char* MemoryRows::missing_reference(const Batch& batch) const {
  const auto is_there = [](const auto& map, const auto& id) {
    return !id.is_set() || map.contains(id);
  };
  for (const auto& row : batch.accounts) {
    if (!is_there(accounts_, row.parent)) return "the parent of an account exists";
  }
  for (const auto& row : batch.budgets) {
    if (!is_there(accounts_, row.account)) return "the account of a budget exists";
  }
  for (const auto& row : batch.limits) {
    if (!is_there(budgets_, row.budget)) return "the budget of a limit exists";
  }
  for (const auto& row : batch.holds) {
    if (!is_there(accounts_, row.account)) return "the account of a hold exists";
    for (const auto& part : row.parts) {
      if (!is_there(budgets_, part.budget)) return "the budget of a hold exists";
    }
  }
  for (const auto& row : batch.shares) {
    if (!is_there(holds_, row.hold)) return "the hold of a share exists";
  }
  for (const auto& row : batch.entries) {
    if (!is_there(accounts_, row.entry.account) || !is_there(budgets_, row.entry.budget) ||
        !is_there(holds_, row.entry.hold)) {
      return "account, budget and hold of an entry exist";
    }
  }
  return nullptr;
}

Result<void> MemoryRows::write(const Batch& batch) {
  Undo undo;
  const char* broken = put_batch(batch, undo);
  if (broken == nullptr) return {};
  for (auto step = undo.rbegin(); step != undo.rend(); ++step) (*step)();
  return fail(ErrorKind::broken, std::string("the store refuses the rows: ") + broken);
}

void MemoryRows::forget_answers(Instant before) {
  std::erase_if(answers_, [&](const auto& item) { return item.second.at < before; });
}

HoldRecord MemoryRows::record(ledger::HoldId id) const {
  HoldRecord out;
  out.hold = holds_.at(id);
  // The smallest key there can be, so that the hold's shares follow it.
  const ledger::ShareKey lowest{"", std::numeric_limits<std::int64_t>::min(), -1, 0, ""};
  for (auto at = share_keys_.lower_bound({id, lowest});
       at != share_keys_.end() && at->first.first == id; ++at) {
    out.shares.push_back(shares_.at(at->second));
  }
  std::sort(out.shares.begin(), out.shares.end(),
            [](const auto& left, const auto& right) { return left.id < right.id; });
  return out;
}

Snapshot MemoryRows::snapshot(Instant answers_since) const {
  Snapshot out;
  for (const auto& [id, row] : accounts_) out.accounts.push_back(row);
  for (const auto& [id, row] : budgets_) out.budgets.push_back(row);
  for (const auto& [id, row] : limits_) out.limits.push_back(row);
  for (const auto& [id, row] : prices_) out.prices.push_back(row);
  for (const auto& [id, row] : rates_) out.rates.push_back(row);
  for (const auto& [id, row] : answers_) {
    if (row.at >= answers_since) out.answers.push_back(row);
  }
  for (const ledger::HoldId id : open_holds_) {
    HoldRecord found = record(id);
    out.holds.push_back(std::move(found.hold));
    std::move(found.shares.begin(), found.shares.end(), std::back_inserter(out.shares));
  }
  if (!accounts_.empty()) out.counters.account = accounts_.rbegin()->first.value;
  if (!budgets_.empty()) out.counters.budget = budgets_.rbegin()->first.value;
  if (!limits_.empty()) out.counters.limit = limits_.rbegin()->first.value;
  if (!holds_.empty()) out.counters.hold = holds_.rbegin()->first.value;
  if (!shares_.empty()) out.counters.share = shares_.rbegin()->first.value;
  if (!prices_.empty()) out.counters.price_version = prices_.rbegin()->first;
  if (!rates_.empty()) out.counters.rate_version = rates_.rbegin()->first;
  out.counters.entry = static_cast<std::int64_t>(entries_.size());
  if (!entries_.empty()) out.chain_head = entries_.back().chain;
  return out;
}

std::vector<HoldRecord> MemoryRows::find(const HoldQuery& query) const {
  std::vector<HoldRecord> out;
  if (query.id.is_set()) {
    if (holds_.contains(query.id)) out.push_back(record(query.id));
    return out;
  }
  const std::set<ledger::HoldId>* ids = query.request_id.empty()
                                            ? find_row(job_holds_, {query.cluster, query.job_id})
                                            : find_row(request_holds_, query.request_id);
  if (ids == nullptr) return out;
  for (const ledger::HoldId id : *ids) out.push_back(record(id));
  if (query.request_id.empty()) {
    std::stable_sort(out.begin(), out.end(), [](const auto& left, const auto& right) {
      return left.hold.job->submit_time < right.hold.job->submit_time;
    });
  }
  return out;
}

std::vector<ChainedEntry> MemoryRows::find(const EntryQuery& query) const {
  const auto size = static_cast<std::int64_t>(entries_.size());
  const std::int64_t first = std::min(query.after_sequence, size);
  const std::int64_t end =
      query.before_sequence > 0 ? std::min(query.before_sequence - 1, size) : size;
  std::vector<ChainedEntry> out;
  for (std::int64_t step = 0; step < end - first; ++step) {
    if (static_cast<std::int64_t>(out.size()) == query.count_max) break;
    const std::int64_t index = query.newest_first ? end - 1 - step : first + step;
    const ChainedEntry& entry = entries_[static_cast<std::size_t>(index)];
    if (query.of_open_holds && open_holds_.count(entry.entry.hold) == 0) continue;
    if (matches(query, entry.entry)) out.push_back(entry);
  }
  return out;
}

}  // namespace asbb::store
